"""Garbage waits for a quiet moment, but not for ever."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Iterator
from contextlib import suppress

import pytest

from gateway import collector
from gateway.collector import collect_when_idle


class Knot:
    """What only a collector frees."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def collecting_as_before() -> Iterator[None]:
    """Python's own collector goes on after the test, over what was there before as well."""
    yield
    gc.unfreeze()
    gc.enable()


async def knots_left(*, busy: bool, seconds: float) -> int:
    """How many knots of very many are left after so long."""
    collecting = asyncio.create_task(collect_when_idle(lambda: busy))
    await asyncio.sleep(0)
    knots = [Knot() for _ in range(2 * collector.MANY)]
    seen = weakref.WeakSet(knots)
    knots.clear()
    await asyncio.sleep(seconds)
    left = len(seen)
    collecting.cancel()
    with suppress(asyncio.CancelledError):
        await collecting
    return left


async def test_it_goes_when_nobody_waits() -> None:
    assert await knots_left(busy=False, seconds=1) == 0


async def test_nobody_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "LONGEST", 60)
    assert await knots_left(busy=True, seconds=1) == 2 * collector.MANY


async def test_it_goes_at_last_though_somebody_always_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collector, "LONGEST", 0.3)
    assert await knots_left(busy=True, seconds=1.5) == 0
