"""Garbage is collected while nobody waits."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable

PAUSE = 0.05
"""Seconds between two looks."""

MANY = 10_000
"""New objects that are worth a walk over them."""

LONGEST = 2.0
"""Seconds after which it is done even though somebody waits: what refers to itself may be large."""

YOUNGER = 10
"""Walks over a generation for one over the next, as Python has it."""


async def collect_when_idle(is_busy: Callable[[], bool]) -> None:
    """Take over from Python's own collector, for good.

    That walks over new objects whenever 10,000 have come, and over those that are left once more each tenth time: when thousands of
    requests come at once they are what is left, and the walks take a third of the time in which they could be answered
    (docs/adr/0016-the-cost-of-a-claim.md). is_busy: whether requests are under way.
    """
    gc.collect()
    # What is there now stays.
    gc.freeze()
    gc.disable()
    last = time.monotonic()
    while True:
        await asyncio.sleep(PAUSE)
        young, middle, old = gc.get_count()
        if young > MANY and (not is_busy() or time.monotonic() - last > LONGEST):
            gc.collect(2 if old > YOUNGER else 1 if middle > YOUNGER else 0)
            last = time.monotonic()
