"""All clients of an installation, started and brought to their end."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp

from .clients import PATIENCE, Caller, Client, Device, HttpCaller, SqlCaller, World, new_id
from .errors import HarnessError
from .installation import Installation
from .records import Recorder

LAST_PATIENCE = 120.0
"""Seconds that retries may take once the faults are over."""


class Load:
    """Senders, half a dozen of them without the gateway; a device for each recipient; some that are owed order.

    folder: for their records. chance: gives each client its own seed.
    """

    def __init__(self, installation: Installation, folder: Path, chance: random.Random, asks_with_id: bool) -> None:
        self.installation = installation
        self.folder = folder
        self.chance = chance
        self.world = World([new_id(chance) for _ in range(12)], asks_with_id)
        self.clients: list[Client] = []
        self.tasks: list[asyncio.Task[None]] = []
        self.sql_callers: list[SqlCaller] = []

    @contextlib.asynccontextmanager
    async def running(self, senders: int = 32, sql_senders: int = 6) -> AsyncIterator[Client]:
        """The load for the length of a with block, at whose end every retry is done; yields a client for the faults."""
        async with contextlib.AsyncExitStack() as stack:
            session = await stack.enter_async_context(
                aiohttp.ClientSession(
                    self.installation.url,
                    connector=aiohttp.TCPConnector(limit=0),
                    timeout=aiohttp.ClientTimeout(total=PATIENCE),
                )
            )
            http = HttpCaller(session, self.world.asks_with_id)
            for number in range(senders):
                self._start(self._client(stack, f"sender-{number:03}", http).send())
            for number in range(sql_senders):
                self._start(self._client(stack, f"sql-sender-{number:03}", self._sql()).send())
            for number, user in enumerate(self.world.recipients):
                self._start(Device(self._client(stack, f"device-{number:03}", http), user).keep_stock())
            for number, caller in enumerate([http, http, self._sql()]):
                alone = self._client(stack, f"in-order-{number:03}", caller, ordered=True)
                self._start(Device(alone, new_id(self.chance)).claim_in_order())
            visitor = self._client(stack, "visitor", http)
            try:
                yield visitor
                await self._finish()
            finally:
                self.world.hurried.set()
                for task in self.tasks:
                    task.cancel()
                await asyncio.gather(*self.tasks, return_exceptions=True)
                for sql in self.sql_callers:
                    with contextlib.suppress(Exception):
                        await sql.close()

    async def until(self, claims: int, patience: float = 90.0) -> None:
        """Wait until so many claims are answered with coins; raises HarnessError when none is for too long."""
        clock = asyncio.get_running_loop().time
        seen, deadline = -1, 0.0
        while self.world.claims < claims:
            self._look_at_tasks()
            if self.world.claims > seen:
                seen, deadline = self.world.claims, clock() + patience
            if clock() > deadline:
                raise HarnessError(f"the service did not come back: no claim for {patience:.0f} s")
            await asyncio.sleep(0.01)

    async def _finish(self) -> None:
        """Have all retries answered, then those requests once more whose answer may have changed."""
        self.world.stopping.set()
        hurry = asyncio.get_running_loop().call_later(LAST_PATIENCE, self.world.hurried.set)
        await asyncio.gather(*self.tasks)
        await self._quiet()
        while any(client.open_wishes for client in self.clients) and not self.world.hurried.is_set():
            await asyncio.gather(*(client.settle_open_wishes() for client in self.clients))
            await self._quiet()
        hurry.cancel()
        if left := sum(len(client.open_wishes) for client in self.clients):
            # What an attempt of theirs claimed would look lost.
            raise HarnessError(f"{left} requests could not be asked again within {LAST_PATIENCE:.0f} s")

    async def _quiet(self) -> None:
        """Nothing is on its way, and no session is left that would fail at its next use."""
        await self.installation.quiet()
        await asyncio.gather(*(sql.close() for sql in self.sql_callers))

    def _look_at_tasks(self) -> None:
        for task in self.tasks:
            if task.done() and not self.world.stopping.is_set():
                task.result()

    def _start(self, work: object) -> None:
        self.tasks.append(asyncio.create_task(work))  # type: ignore[arg-type]

    def _sql(self) -> Caller:
        caller = SqlCaller(self.installation.proxied_dsn, self.world.asks_with_id)
        self.sql_callers.append(caller)
        return caller

    def _client(self, stack: contextlib.AsyncExitStack, name: str, caller: Caller, ordered: bool = False) -> Client:
        requester = new_id(self.chance)
        recorder = stack.enter_context(Recorder(self.folder / f"{name}.jsonl", requester, ordered))
        client = Client(self.world, caller, recorder, requester, random.Random(self.chance.random()))
        self.clients.append(client)
        return client
