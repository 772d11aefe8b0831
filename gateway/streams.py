"""Server-sent events: whoever watches is told the state of now, and again whenever it has changed.

Nothing is queued: a notification only says that a stream's function must run again. So a slow reader costs no memory, a
lost notification no event, and the many that come at once are one (docs/adr/0009).
"""

from __future__ import annotations

import asyncio
import socket
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import psycopg
from aiohttp import web
from psycopg_pool import PoolTimeout, TooManyRequests

from .codec import to_json
from .problems import Problem, from_database

Rows = Sequence[dict[str, Any]]
EVERYONE = "*"
"""The payload of a notification for all streams of its channel."""

GATHER = 0.05
"""Seconds in which notifications are answered together."""

STILL_HERE = 15.0
"""Seconds after which a silent stream says that it is there; proxies cut what says nothing."""

TRY_AGAIN = 2.0
"""Seconds after which a state that could not be read is read again."""

READER_PATIENCE = 10.0
"""Seconds in which a client must take what was sent."""

READS_AT_ONCE = 4
"""States read at one time: a notification for everyone must not take all connections from the calls."""

FIRST_STATE = 15.0
"""Seconds after which a stream whose state can't be read is refused."""

STREAMS_A_CALLER = 4
SEND_BUFFER = 16 * 1024
"""Bytes that the system keeps for a client that doesn't read."""

HEADERS = {"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class Stream:
    """One client that watches.

    who: the caller. session, issued_at: of the caller's token. key: channel and value of the argument. read: runs the function.
    gate: limits those that run.
    """

    def __init__(
        self,
        request: web.BaseRequest,
        who: str,
        key: tuple[str, str],
        read: Callable[[], Awaitable[Rows]],
        gate: asyncio.Semaphore,
        session: str | None = None,
        issued_at: float = 0.0,
    ) -> None:
        self.request = request
        self.who = who
        self.session = session
        self.issued_at = issued_at
        self.key = key
        self.read = read
        self.gate = gate
        self.changed = asyncio.Event()
        self.life: asyncio.Timeout | None = None
        self.response: web.StreamResponse | None = None

    @property
    def memberships(self) -> list[str | tuple[str, str]]:
        """The groups that it is found by."""
        return [self.who, self.key, *([("session", self.session)] if self.session else [])]

    @property
    def is_gone(self) -> bool:
        """Whether the client has hung up."""
        return self.request.transport is None or self.request.transport.is_closing()

    def end(self) -> None:
        """End it now, whatever it waits for."""
        if self.life and not self.life.expired():
            self.life.reschedule(0)

    async def run(self, headers: dict[str, str]) -> None:
        """Send the state, and again when it has changed, until the client is gone. A first state that can't be read is
        the answer to the request."""
        async with asyncio.timeout(FIRST_STATE), self.gate:
            first = _events(await self.read())
        self.response = web.StreamResponse(headers=HEADERS | headers)
        await self.response.prepare(self.request)
        _limit_send_buffer(self.request)
        await self._write(b"retry: 2000\n\n" + first)
        while True:
            state = asyncio.create_task(self._next_state())
            try:
                while not (await asyncio.wait([state], timeout=STILL_HERE))[0]:
                    if not self._unsent():
                        await self._write(b": still here\n\n")
                await self._write(state.result())
            finally:
                state.cancel()

    async def finish(self) -> web.StreamResponse:
        """Say goodbye to a client that listens, and hang up on one that does not."""
        if self.response is None:
            raise Problem(503, "the stream could not begin")
        await asyncio.sleep(0)  # what was written last may leave now
        if self._unsent() and self.request.transport:
            self.request.transport.abort()
        else:
            with suppress(ConnectionError, TimeoutError):
                async with asyncio.timeout(1):
                    await self.response.write_eof()
        return self.response

    async def _next_state(self) -> bytes:
        """Wait for a change, and for the client to have taken the last state; then read."""
        while True:
            await self.changed.wait()
            await self._reader()
            async with self.gate:
                self.changed.clear()
                try:
                    return _events(await self.read())
                except (Problem, psycopg.Error, PoolTimeout, TooManyRequests) as error:
                    problem = error if isinstance(error, Problem) else from_database(error)
                    if problem.status < 500:
                        raise problem from None
            await asyncio.sleep(TRY_AGAIN)
            self.changed.set()

    async def _write(self, data: bytes) -> None:
        assert self.response  # noqa: S101 - run() has prepared it
        async with asyncio.timeout(READER_PATIENCE):
            await self.response.write(data)

    async def _reader(self) -> None:
        async with asyncio.timeout(READER_PATIENCE):
            while self._unsent():  # noqa: ASYNC110 - the transport tells nobody when it is done
                await asyncio.sleep(0.2)

    def _unsent(self) -> int:
        transport = self.request.transport
        return transport.get_write_buffer_size() if transport else 0


class Streams:
    """All open streams of a gateway, and who is told what.

    most: how many there may be.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.open: set[Stream] = set()
        self.groups: defaultdict[str | tuple[str, str], set[Stream]] = defaultdict(set)  # by caller, key and session
        self.gate = asyncio.Semaphore(READS_AT_ONCE)
        self.heard: set[tuple[str, str]] = set()
        self.is_stopping = False

    async def serve(
        self,
        request: web.BaseRequest,
        who: str,
        key: tuple[str, str],
        read: Callable[[], Awaitable[Rows]],
        seconds: float | None,
        headers: dict[str, str],
        session: str | None = None,
        issued_at: float = 0.0,
    ) -> web.StreamResponse:
        """Serve a stream to its end. key: channel and value. seconds: how long the caller's token is valid. session,
        issued_at: the token's; with its session the stream ends too.

        Raises Problem 429 for too many of one caller, 503 for too many of all, and what the first reading raises.
        """
        self._admit(who)
        stream = Stream(request, who, key, read, self.gate, session, issued_at)
        for streams in (self.open, *(self.groups[group] for group in stream.memberships)):
            streams.add(stream)
        try:
            async with asyncio.timeout(seconds) as stream.life:
                await stream.run(headers)
        except (TimeoutError, ConnectionError):
            pass  # the token has expired, the gateway stops, the client is gone or does not read
        except (Problem, psycopg.Error, PoolTimeout, TooManyRequests):
            # Once it has begun it can only end; the client comes again and is told why.
            if stream.response is None:
                raise
        finally:
            self._forget(stream)
        return await stream.finish()

    def hear(self, channel: str, payload: str) -> None:
        """A notification: streams of its payload read again, once for all that come within a moment."""
        key = channel, payload
        if key in self.heard or (payload != EVERYONE and key not in self.groups):
            return
        if not self.heard:
            asyncio.get_running_loop().call_later(GATHER, self._tell)
        self.heard.add(key)

    def reread(self) -> None:
        """All read again: notifications may have been lost."""
        for stream in self.open:
            stream.changed.set()

    def end_session(self, session: str, issued_until: float) -> None:
        """End the streams of a session that were opened with tokens from until then."""
        for stream in self.groups.get(("session", session), ()):
            if stream.issued_at <= issued_until:
                stream.end()

    def stop(self) -> None:
        """End all streams, and admit no more."""
        self.is_stopping = True
        for stream in self.open:
            stream.end()

    def _tell(self) -> None:
        heard, self.heard = self.heard, set()
        channels = {channel for channel, payload in heard if payload == EVERYONE}
        told = [stream for stream in self.open if stream.key[0] in channels] if channels else []
        for stream in told + [stream for key in heard for stream in self.groups.get(key, ())]:
            stream.changed.set()

    def _forget(self, stream: Stream) -> None:
        self.open.discard(stream)
        for group in stream.memberships:
            self.groups[group].discard(stream)
            if not self.groups[group]:
                del self.groups[group]

    def _admit(self, who: str) -> None:
        if self.is_stopping:
            raise Problem(503, "the server is stopping")
        # Who has hung up is noticed at the next write; whoever comes before that must not suffer for it.
        if len(self.groups.get(who, ())) >= STREAMS_A_CALLER and not self._drop_gone(self.groups[who]):
            raise Problem(429, f"at most {STREAMS_A_CALLER} streams", headers={"Retry-After": "1"})
        if len(self.open) >= self.most and not self._drop_gone(self.open):
            raise Problem(503, "too many streams are open")

    def _drop_gone(self, streams: set[Stream]) -> int:
        gone = [stream for stream in streams if stream.is_gone]
        for stream in gone:
            stream.end()
            self._forget(stream)
        return len(gone)


def _events(rows: Rows) -> bytes:
    """Rows as server-sent events: the first column is the event's name."""
    return b"".join(_event(**row) for row in rows)


def _event(event: str, **data: Any) -> bytes:
    name = " ".join(event.splitlines())
    return b"event: %b\ndata: %b\n\n" % (name.encode(), to_json(data))


def _limit_send_buffer(request: web.BaseRequest) -> None:
    connection = request.transport and request.transport.get_extra_info("socket")
    if connection:
        with suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
