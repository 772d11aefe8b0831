"""A share of the machine for calls that take a core for long: hashing a password is a tenth of a second of PostgreSQL's
time, and as many as come would be at the cost of everybody's claims."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .problems import Problem

LONGEST_REST = 5.0
"""Seconds: a call that waited for something took no core meanwhile."""


class Budget:
    """So many cores at most for all costly calls of this process together.

    cores: 0.3 lets one call run at a time and then rests for twice and a third as long as it took. patience: seconds
    that a call waits for its turn.
    """

    def __init__(self, cores: float, patience: float) -> None:
        places = math.ceil(cores)
        self.gate = asyncio.Semaphore(places)
        self.rest = places / cores - 1
        self.patience = patience

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Hold a place; raises Problem 503 when none comes free in time."""
        try:
            async with asyncio.timeout(self.patience):
                await self.gate.acquire()
        except TimeoutError:
            raise Problem(503, "too many at once") from None
        started = time.monotonic()
        try:
            yield
        finally:
            rest = min(LONGEST_REST, self.rest * (time.monotonic() - started))
            asyncio.get_running_loop().call_later(rest, self.gate.release)
