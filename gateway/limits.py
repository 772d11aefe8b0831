"""How many requests a caller may make: fixed windows, whose limits the limits library reads.

The library's own windows over a store of ours took three times as long, and its MemoryStorage has a thread walk over all
callers every 10 ms: a fifth of the gateway's time under load, and the more callers the more.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import limits

from .problems import Problem


class CallerCounts:
    """Counts by caller in fixed windows, in memory, swept when they have doubled."""

    def __init__(self) -> None:
        self.counts: dict[str, tuple[int, float]] = {}
        self.sweep_at = 1000

    def add(self, who: str, cost: int, seconds: float) -> tuple[int, float]:
        """Count so much more of a caller; a window that is over begins anew and lasts so many seconds.

        Returns the count and when its window ends.
        """
        now = time.time()
        count, until = self.counts.get(who, (0, 0.0))
        if until <= now:
            count, until = 0, now + seconds
        entry = self.counts[who] = count + cost, until
        if len(self.counts) > self.sweep_at:
            self.counts = {key: entry for key, entry in self.counts.items() if entry[1] > now}
            self.sweep_at = 2 * len(self.counts) + 1000
        return entry


BYTES_A_REQUEST = 128 * 1024
"""A body costs a request more for each of these: decoding it takes about as long."""

AT_ONCE = 4
"""Connections that one caller may hold: uploads of one user only wait for each other anyway."""


class CallerLimit:
    """So many requests a window for each caller, and so many at once, by gateway process.

    item: the limit, None for no limit.
    """

    def __init__(self, item: limits.RateLimitItem | None) -> None:
        self.item = item
        self.counts = CallerCounts()
        self.under_way: Counter[str] = Counter()

    def hit(self, who: str, size: int = 0) -> None:
        """Count a request of a caller, or a body of so many bytes; raises Problem 429, which says when to return."""
        cost = size // BYTES_A_REQUEST if size else 1
        if not self.item or not cost:
            return
        count, until = self.counts.add(who, cost, self.item.get_expiry())
        if count > self.item.amount:
            seconds = max(1, round(until - time.time() + 0.5))
            raise Problem(429, f"at most {self.item}", headers={"Retry-After": str(seconds)})

    @contextmanager
    def at_once(self, who: str) -> Iterator[None]:
        """Hold one of the caller's places at the database; raises Problem 429 when all are taken."""
        if self.item and self.under_way[who] >= AT_ONCE:
            raise Problem(429, f"at most {AT_ONCE} requests at once", headers={"Retry-After": "1"})
        self.under_way[who] += 1
        try:
            yield
        finally:
            self.under_way[who] -= 1
            if not self.under_way[who]:
                del self.under_way[who]
