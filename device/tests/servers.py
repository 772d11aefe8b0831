"""Servers for the courier's tests: the real gateway behind a proxy that cuts, and one that says what it must not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ssl import SSLContext

from yarl import URL

from device.retries import Retries
from tests.faults.proxy import Proxy, is_http_question, is_whole_http

FAST = Retries(deadline=15, attempt=5, first_wait=0.01, longest_wait=0.1)
"""For a server on this machine that will be well again."""


@asynccontextmanager
async def cutting(
    url: str, is_question: Callable[[bytes], bool] = is_http_question
) -> AsyncIterator[tuple[str, Proxy]]:
    """A proxy before a gateway: its address, and itself to order cuts from."""
    gateway = URL(url)
    proxy = Proxy(lambda: asyncio.open_connection(gateway.host, gateway.port), is_question, is_whole_http)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", proxy
    finally:
        server.close()
        await proxy.close()


@dataclass
class Liar:
    """A server that answers each request by the next of its answers, the last one for ever, and hangs up.

    answers: None is silence until the client hangs up. heads: of the requests.
    """

    answers: list[bytes | None]
    heads: list[str] = field(default_factory=list)
    url: str = ""
    connections: set[asyncio.Task[None] | None] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection; the callback of asyncio.start_server."""
        self.connections.add(asyncio.current_task())
        try:
            self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if answer is None:
                await reader.read()
            else:
                writer.write(answer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def lying(*answers: bytes | None, ssl: SSLContext | None = None) -> AsyncIterator[Liar]:
    """A liar on a port of its own; with ssl behind TLS."""
    liar = Liar(list(answers))
    server = await asyncio.start_server(liar.serve, "127.0.0.1", 0, ssl=ssl)
    liar.url = f"http{'s' if ssl else ''}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield liar
    finally:
        server.close()
        await asyncio.gather(*(task for task in liar.connections if task))


def http(body: bytes | str, status: int = 200, headers: str = "") -> bytes:
    """An answer as bytes. headers: more of them, each with its line break."""
    body = body.encode() if isinstance(body, str) else body
    return (
        f"HTTP/1.1 {status} Word\r\n{headers}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    )
