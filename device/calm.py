"""A stream of news that can't be a flood."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from math import inf

from .answers import Epoch, LowStock

PAUSE = 1.0
"""Seconds between two events of a kind."""

Event = LowStock | Epoch


async def calm(events: AsyncGenerator[Event, None], pause: float = PAUSE) -> AsyncGenerator[Event, None]:
    """The newest event of each kind (a category's stock, the epoch), the first at once, the next after a pause.

    What is held back is not lost: only a newer one of its kind takes its place. Raises what the events raise, after them.
    """
    waiting: dict[str, Event] = {}
    told: dict[str, float] = {}
    has_news = asyncio.Event()

    async def read() -> None:
        async with aclosing(events):
            async for event in events:
                waiting["" if isinstance(event, Epoch) else event.category] = event
                has_news.set()

    reader = asyncio.create_task(read())
    reader.add_done_callback(lambda _: has_news.set())
    try:
        while waiting or not reader.done():
            has_news.clear()
            due = {kind: told.get(kind, -inf) + pause for kind in waiting}
            first = min(due, key=lambda kind: due[kind], default="")
            if due and due[first] <= time.monotonic():
                told[first] = time.monotonic()
                yield waiting.pop(first)
                continue
            if due and reader.done():
                await asyncio.sleep(due[first] - time.monotonic())
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(due[first] - time.monotonic() if due else None):
                    await has_news.wait()
        await reader
    finally:
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
