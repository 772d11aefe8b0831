"""How often and how fast a call is repeated."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Retries:
    """Exponential backoff with full jitter, within a deadline. All times are in seconds.

    deadline: for one request with all its tries. attempt: for one try. first_wait: longest pause before the second try;
    it doubles from try to try up to longest_wait. sleep, chance: the pause, and a number from 0 to 1; for tests.

    No library: aiohttp-retry does not heed Retry-After, and tenacity would be told each of its rules (what to repeat, how
    long to wait, when to stop) by a function of ours, which is longer than the loop in wire.py.
    """

    deadline: float = 30.0
    attempt: float = 10.0
    first_wait: float = 0.2
    longest_wait: float = 5.0
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep
    chance: Callable[[], float] = random.SystemRandom().random

    def wait(self, failures: int, retry_after: float = 0.0) -> float:
        """The pause before the next try.

        failures: tries that failed before this one. retry_after: what the server asked for; the jitter comes on top, or all
        who were sent away together would come back together.
        """
        return retry_after + self.chance() * min(self.longest_wait, self.first_wait * 2.0 ** min(failures, 20))
