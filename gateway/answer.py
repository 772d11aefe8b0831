"""A JSON answer that is written in one piece."""

from __future__ import annotations

import time
from email.utils import formatdate
from http import HTTPStatus

from aiohttp import HttpVersion10, web
from aiohttp.abc import AbstractStreamWriter

STATUS_LINES = {int(status): f"HTTP/1.1 {status} {status.phrase}\r\n".encode() for status in HTTPStatus}
HEADERS = b"Content-Type: application/json\r\nServer: aqm\r\n"
NO_STORE = b"Cache-Control: no-store\r\n"


class JsonAnswer(web.StreamResponse):
    """Head and body as the bytes that go out.

    aiohttp's own Response collects headers in a dictionary, works some out and puts them into words at each answer: an
    eighth of all that a claim costs the gateway (docs/adr/0016). Only what aiohttp calls is overridden.

    status: HTTP status. body: JSON. request_id: ASCII, free of line breaks. caching: header lines about it.
    """

    def __init__(self, status: int, body: bytes, request_id: str, caching: bytes = NO_STORE) -> None:
        super().__init__(status=status)
        self.body = body
        self.request_id = request_id
        self.caching = caching
        self.stays_open = False
        self.writer: AbstractStreamWriter | None = None

    @property
    def keep_alive(self) -> bool:
        """Whether the connection serves another request."""
        return self.stays_open

    @property  # type: ignore[misc] # aiohttp's can be set too; nobody does
    def content_length(self) -> int:
        """Bytes of the body."""
        return len(self.body)

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter:
        """Write it all. Raises ConnectionResetError where the client is gone."""
        if request.transport is None:
            raise ConnectionResetError
        self.stays_open = bool(request.keep_alive)
        self.writer = request.writer
        connection = b""
        if not self.stays_open:
            connection = b"Connection: close\r\n"
        elif request.version == HttpVersion10:
            connection = b"Connection: keep-alive\r\n"
        request.transport.write(
            b"%b%b%bDate: %b\r\nX-Request-Id: %b\r\nContent-Length: %d\r\n%b\r\n%b"
            % (
                STATUS_LINES[self.status], HEADERS, self.caching, _clock.now(), self.request_id.encode(),
                len(self.body), connection, self.body,
            )
        )  # fmt: skip
        return request.writer

    async def write_eof(self, data: bytes = b"") -> None:
        """Wait while the client reads too slowly: what it doesn't read must not pile up."""
        if self.writer:
            await self.writer.drain()


class _Clock:
    """The time as HTTP writes it, put into words once a second."""

    def __init__(self) -> None:
        self.second = 0
        self.words = b""

    def now(self) -> bytes:
        second = int(time.time())
        if second != self.second:
            self.second, self.words = second, formatdate(second, usegmt=True).encode()
        return self.words


_clock = _Clock()
