"""A connection that loses answers when told to, for the demo: what a phone in a tunnel sees."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from yarl import URL


class Tunnel:
    """Passes bytes to a server and back. lose: how many of the next answers are lost. lost: how many were."""

    def __init__(self, server: URL) -> None:
        self.server = server
        self.lose = 0
        self.lost = 0

    async def serve(self, near: asyncio.StreamReader, near_writer: asyncio.StreamWriter) -> None:
        """One connection; the callback of asyncio.start_server."""
        with contextlib.suppress(OSError, asyncio.CancelledError), contextlib.closing(near_writer):
            far, far_writer = await asyncio.open_connection(self.server.host, self.server.port)
            with contextlib.closing(far_writer):
                questions = asyncio.create_task(self._pass_on(near, far_writer))
                try:
                    await self._pass_on(far, near_writer, is_answer=True)
                finally:
                    questions.cancel()

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_answer: bool = False
    ) -> None:
        while data := await reader.read(2**16):
            if is_answer and self.lose:
                # Hung up after the server has done its work.
                self.lose -= 1
                self.lost += 1
                return
            writer.write(data)
            await writer.drain()


@asynccontextmanager
async def tunnel(server: URL) -> AsyncIterator[tuple[Tunnel, URL]]:
    """A tunnel to a server, and the address of its near end."""
    made = Tunnel(server)
    listener = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    async with listener:
        yield made, URL.build(scheme="http", host="127.0.0.1", port=listener.sockets[0].getsockname()[1])
