"""A cheap HTTP client: one request at a time on each of thousands of connections."""

from __future__ import annotations

import asyncio
import re
import resource
from collections.abc import Iterable
from typing import cast
from urllib.parse import urlsplit

from .errors import BenchError

OPENING = 100
"""Connections that are being opened at once: more would overflow a server's queue and wait for TCP's next try."""
PATIENCE = 60.0
"""Seconds after which an answer is given up."""
SPARE_FILES = 200
"""Open files that a process needs besides its connections."""

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Lost(Exception):
    """The server closed the connection instead of answering."""


class Connection(asyncio.Protocol):
    """One connection, kept alive."""

    def __init__(self) -> None:
        self.transport: asyncio.WriteTransport | None = None
        self.answer: asyncio.Future[tuple[int, bytes]] | None = None
        self.received = bytearray()
        self.end = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are none by class.
        self.transport = cast(asyncio.WriteTransport, transport)

    def ask(self, request: bytes) -> asyncio.Future[tuple[int, bytes]]:
        """Send; returns what will hold the status and the body. Raises Lost in it when the connection ends."""
        self.answer = asyncio.get_running_loop().create_future()
        if self.transport is None or self.transport.is_closing():
            self.answer.set_exception(Lost())
        else:
            self.transport.write(request)
        return self.answer

    def data_received(self, data: bytes) -> None:
        self.received += data
        if not self.end:
            head = self.received.find(b"\r\n\r\n")
            length = LENGTH.search(self.received, 0, head) if head > 0 else None
            if head < 0:
                return
            self.body = head + 4
            self.end = self.body + (int(length[1]) if length else 0)
        if len(self.received) >= self.end:
            status, body = int(self.received[9:12]), bytes(self.received[self.body : self.end])
            self.received.clear()
            self.end = 0
            if self.answer and not self.answer.done():
                self.answer.set_result((status, body))

    def connection_lost(self, error: Exception | None) -> None:
        if self.answer and not self.answer.done():
            self.answer.set_exception(Lost())

    @property
    def is_open(self) -> bool:
        return self.transport is not None and not self.transport.is_closing()


def get(url: str, path: str) -> bytes:
    """A GET as it goes over the wire."""
    return f"GET {path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\n\r\n".encode()


def post(url: str, path: str, body: bytes) -> bytes:
    """A POST of JSON as it goes over the wire."""
    head = f"POST {path} HTTP/1.1\r\nHost: {urlsplit(url).netloc}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


async def connect(url: str, number: int) -> list[Connection]:
    """Open so many connections. Raises OSError when the server accepts no more."""
    where = urlsplit(url)
    host, port = where.hostname or "", where.port or 80
    places = asyncio.Semaphore(OPENING)

    async def one() -> Connection:
        async with places:
            _, connection = await asyncio.get_running_loop().create_connection(Connection, host, port)
        return connection

    return list(await asyncio.gather(*(one() for _ in range(number))))


async def close(connections: Iterable[Connection]) -> None:
    """Close them all."""
    for connection in connections:
        if connection.transport:
            connection.transport.abort()
    await asyncio.sleep(0)


def allow_open_files(connections: int) -> None:
    """Raise the limit of open files of this process and those it starts, as far as so many connections need.

    Raises BenchError where the system does not let us.
    """
    wanted = connections + SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        if hard != resource.RLIM_INFINITY and hard < wanted:
            raise BenchError(
                f"{connections} connections need {wanted} open files and the limit is {hard}: raise it (ulimit -Hn, "
                "LimitNOFILE=) or choose fewer (--connections, --burst)"
            )
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
