"""The time, as an argument: whatever depends on it is given a clock, so that tests can set it.

A device's clock may be at 1970 until the network is there, or jump ahead and back. What expires by such a clock would be
gone, so a store keeps the highest time that it believed. A jump ahead is believed when the server's clock has made it as well,
or when the app says so.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

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
"""Milliseconds that a clock may go ahead between two uses before it takes another's word to believe it."""

APART = DAY * 1000
"""Milliseconds between a device's clock and the server's that let one bear the other out."""

JUMPED = (
    "the clock is more than 7 days ahead of what it was: set it, or, when it is right (the network's time says so), call "
    "purge_expired(is_certain=True)"
)

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
        """The latest time that is believed: by it things expire, and may be removed."""
        now = self.now()
        highest = await self._see(now)
        return highest if now > highest + AHEAD else max(now, highest)

    async def for_storing(self) -> int:
        """Now. Raises ClockError for a time before 2025, more than a day behind the highest seen, or more than 7 days ahead."""
        now = self.now()
        highest = await self._see(now)
        if now < EARLIEST:
            raise ClockError("the clock is before 2025: set it")
        if now < highest - BEHIND:
            raise ClockError(
                "the clock is more than a day behind what it was: set it, or, when it is right now, call "
                "purge_expired(is_certain=True)"
            )
        if now > highest + AHEAD:
            raise ClockError(JUMPED)
        return now

    async def for_removing(self, is_certain: bool) -> int:
        """Now. Raises ClockError as for_storing() does, unless the app is certain of a time after 2025."""
        now = self.now()
        if is_certain and now >= EARLIEST:
            await self._believe(now)
            return now
        return await self.for_storing()

    async def for_asking(self, server_time: Callable[[], Awaitable[float | None]]) -> int:
        """Now, for what is asked of a server and stored when it comes. A jump ahead is believed when the server's clock is there
        too: an app that was off for weeks goes on, and it takes a wrong clock and a false server to deceive it.

        server_time: asks the server for seconds since 1970; is called after a jump only.
        Raises ClockError as for_storing() does, and what server_time raises.
        """
        now = self.now()
        if now >= EARLIEST and now > await self._see(now) + AHEAD:
            theirs = await server_time()
            if theirs is not None and abs(milliseconds(theirs) - now) <= APART:
                await self._believe(now)
        return await self.for_storing()

    async def _believe(self, now: int) -> None:
        await self._store.set_highest_time(now, is_certain=True)
        self._highest = now

    async def _see(self, now: int) -> int:
        """The highest time that is believed, now that it is this late."""
        highest = self._highest
        if highest is None or not highest - BEHIND <= now <= highest + AHEAD:
            # Another process may have been told that its clock is right.
            highest = await self._store.highest_time()
        is_first = highest < EARLIEST
        if now >= EARLIEST and (is_first or highest + STEP < now <= highest + AHEAD):
            await self._store.set_highest_time(now, is_certain=False)
            highest = now
        self._highest = highest
        return highest
