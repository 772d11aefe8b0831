"""How many requests a caller may make: the limits library's fixed windows over a store of our own."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import limits
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from .problems import Problem


class CallerCounts(Storage):
    """Counts by key, in memory, swept when they have doubled.

    The library's own MemoryStorage has a thread walk over all callers every 10 ms: a fifth of the gateway's time
    under load, and the more callers the more.
    """

    STORAGE_SCHEME = None

    def __init__(self) -> None:
        super().__init__()
        self.counts: dict[str, tuple[int, float]] = {}
        self.sweep_at = 1000

    @property
    def base_exceptions(self) -> type[Exception]:
        return Exception

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = time.time()
        count, until = self.counts.get(key, (0, 0.0))
        if until <= now:
            count, until = 0, now + expiry
        self.counts[key] = count + amount, until
        if len(self.counts) > self.sweep_at:
            self.counts = {key: entry for key, entry in self.counts.items() if entry[1] > now}
            self.sweep_at = 2 * len(self.counts) + 1000
        return count + amount

    def get(self, key: str) -> int:
        count, until = self.counts.get(key, (0, 0.0))
        return count if until > time.time() else 0

    def get_expiry(self, key: str) -> float:
        return self.counts.get(key, (0, time.time()))[1]

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        forgotten = len(self.counts)
        self.counts.clear()
        return forgotten

    def clear(self, key: str) -> None:
        self.counts.pop(key, None)


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
        self.limiter = FixedWindowRateLimiter(CallerCounts())
        self.under_way: Counter[str] = Counter()

    def hit(self, who: str, size: int = 0) -> None:
        """Count a request of a caller, or a body of so many bytes; raises Problem 429, which says when to return."""
        cost = size // BYTES_A_REQUEST if size else 1
        if self.item and cost and not self.limiter.hit(self.item, who, cost=cost):
            reset = self.limiter.get_window_stats(self.item, who).reset_time
            seconds = max(1, round(reset - time.time() + 0.5))
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
