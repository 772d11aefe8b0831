"""A proxy between a client and a server that can cut a connection at four points of a question and its answer."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque
from collections.abc import Awaitable, Callable
from enum import StrEnum

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]
PIECE = 2**16


class Point(StrEnum):
    """Where a connection is cut."""

    BEFORE_SEND = "before-send"
    """The question arrived at the proxy; not a byte of it goes on."""
    AFTER_SEND = "after-send"
    """The question went on; nobody waits for the answer."""
    AFTER_COMMIT = "after-commit"
    """The whole answer arrived at the proxy, so the transaction is over; not a byte of it goes on."""
    MID_ANSWER = "mid-answer"
    """Half of the answer went on."""


class Proxy:
    """Passes bytes on until a cut is ordered; the next question on any connection then gets it.

    connect: opens a connection to the server. is_question: whether a piece of data begins a question worth cutting.
    is_whole: whether data is a whole answer.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[Stream]],
        is_question: Callable[[bytes], bool],
        is_whole: Callable[[bytes], bool],
    ) -> None:
        self.connect = connect
        self.is_question = is_question
        self.is_whole = is_whole
        self.ordered: deque[Point] = deque()
        self.done: Counter[Point] = Counter()
        self.links: set[asyncio.Task[None]] = set()

    async def serve(self, near: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side or a cut ends it; the callback of asyncio.start_server."""
        task = asyncio.current_task()
        assert task
        self.links.add(task)
        try:
            with contextlib.suppress(OSError, asyncio.CancelledError):
                far, far_writer = await self.connect()
                try:
                    await _Link(self, (near, writer), (far, far_writer)).run()
                finally:
                    far_writer.close()
        finally:
            self.links.discard(task)
            writer.transport.abort()

    async def close(self) -> None:
        """End all connections."""
        for link in list(self.links):
            link.cancel()
        await asyncio.gather(*self.links, return_exceptions=True)


class _Link:
    """A connection through the proxy."""

    def __init__(self, proxy: Proxy, near: Stream, far: Stream) -> None:
        self.proxy = proxy
        self.near, self.near_writer = near
        self.far, self.far_writer = far
        self.cut: Point | None = None
        self.is_cut = False
        self.in_transaction = False

    async def run(self) -> None:
        ways = [asyncio.create_task(self._questions()), asyncio.create_task(self._answers())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            if self.cut and not self.is_cut:
                # The connection ended by itself before it came to that.
                self.proxy.ordered.append(self.cut)

    async def _questions(self) -> None:
        while data := await self.near.read(PIECE):
            # Inside of a transaction, where a gateway reads its catalog, no answer is ever whole.
            if self.cut is None and not self.in_transaction and self.proxy.ordered and self.proxy.is_question(data):
                self.cut = self.proxy.ordered.popleft()
                if self.cut is Point.BEFORE_SEND:
                    return self._done()
            self.far_writer.write(data)
            await self.far_writer.drain()
            if self.cut is Point.AFTER_SEND:
                return self._done()

    async def _answers(self) -> None:
        held = b""
        while data := await self.far.read(PIECE):
            if self.cut is None:
                self.in_transaction = data.endswith(IN_TRANSACTION)
                self.near_writer.write(data)
                await self.near_writer.drain()
                continue
            held += data
            if self.proxy.is_whole(held):
                if self.cut is Point.MID_ANSWER:
                    self.near_writer.write(held[: len(held) // 2])
                    # In order, since a reset could overtake the half.
                    self.near_writer.close()
                    await self.near_writer.wait_closed()
                return self._done()

    def _done(self) -> None:
        assert self.cut
        self.is_cut = True
        self.proxy.done[self.cut] += 1


def is_http_question(data: bytes) -> bool:
    """Whether data begins a claim or an upload."""
    return data.startswith((b"GET /v1/coins/fetch", b"POST /v1/coins/"))


def is_whole_http(data: bytes) -> bool:
    """Whether data holds a whole answer; every answer of ours says how long it is."""
    head, end, body = data.partition(b"\r\n\r\n")
    length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
    return bool(end) and len(body) >= int(length or 0)


IN_TRANSACTION = b"Z\x00\x00\x00\x05T"
"""ReadyForQuery inside of a transaction."""


def is_database_question(data: bytes) -> bool:
    """Whether data begins a call with arguments: a Parse or a Bind message; a pool's checks are simple queries."""
    return data[:1] in (b"P", b"B")


def is_whole_database(data: bytes) -> bool:
    """Whether data ends with ReadyForQuery outside of a transaction: what was asked is committed or undone."""
    return data.endswith(b"Z\x00\x00\x00\x05I")
