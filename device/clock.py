"""The time, as an argument: whatever depends on it is given a clock, so that tests can set it.

A device's clock may be at 1970 until the network is there, or jump ahead and back. What expires by such a clock would be
gone, so a store keeps the highest time that it believed.
"""

from __future__ import annotations

from collections.abc import Callable

from .backends.base import Store
from .errors import ClockError

Clock = Callable[[], float]
"""Returns seconds since 1970."""

DAY = 24 * 60 * 60
"""Seconds."""

EARLIEST = 1_735_689_600_000
"""Milliseconds: 2025 began. No clock of this package's users is right before."""

BEHIND = DAY * 1000
"""Milliseconds that a clock may go back: it is set, or somebody takes local time for UTC."""

AHEAD = 7 * DAY * 1000
"""Milliseconds that a clock may go ahead between two uses before it takes an app's word to remove anything."""

STEP = 60 * 60 * 1000
"""Milliseconds after which the highest time is written anew: two writes for each operation would be too many."""


def milliseconds(seconds: float) -> int:
    """Whole milliseconds, the unit of everything stored: no backend rounds an integer."""
    return round(seconds * 1000)


class WatchedClock:
    """A clock beside the highest time that its store has seen and believed."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._highest: int | None = None

    def now(self) -> int:
        """What the clock says, in milliseconds."""
        return milliseconds(self._clock())

    async def latest(self) -> int:
        """Now, or the highest time seen when the clock is behind that: for what must not be forgotten too early."""
        now = self.now()
        return max(now, await self._see(now))

    async def trusted(self) -> int:
        """The latest time that is believed: by it things may be removed."""
        now = self.now()
        highest = await self._see(now)
        return highest if now > highest + AHEAD else max(now, highest)

    async def for_storing(self) -> int:
        """Now. Raises ClockError for a time before 2025, or more than a day behind the highest seen."""
        now = self.now()
        highest = await self._see(now)
        if now < EARLIEST:
            raise ClockError("the clock is before 2025: set it")
        if now < highest - BEHIND:
            raise ClockError(
                "the clock is more than a day behind what it was: set it, or, when it is right now, call "
                "purge_expired(is_certain=True)"
            )
        return now

    async def for_removing(self, is_certain: bool) -> int:
        """Now. Raises ClockError as for_storing() does, and for a jump ahead, unless the app is certain of its time."""
        now = self.now()
        if is_certain and now >= EARLIEST:
            await self._store.set_highest_time(now, is_certain=True)
            self._highest = now
            return now
        now = await self.for_storing()
        if now > await self._see(now) + AHEAD:
            raise ClockError(
                "the clock is more than 7 days ahead of what it was: ask the network for the time, and when it is right call "
                "again with is_certain=True"
            )
        return now

    async def _see(self, now: int) -> int:
        """The highest time that is believed, now that it is this late."""
        highest = self._highest
        if highest is None or not highest - BEHIND <= now <= highest + AHEAD:
            # Another process may have been told that its clock is right.
            highest = await self._store.highest_time()
        is_first = highest == 0 and now >= EARLIEST
        if is_first or highest + STEP < now <= highest + AHEAD:
            await self._store.set_highest_time(now, is_certain=False)
            highest = now
        self._highest = highest
        return highest
