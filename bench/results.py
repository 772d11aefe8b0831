"""What a load saw, in one form for every generator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True)
class Result:
    """One round of load.

    coins: claims that were answered with a coin. seconds: length of the round. p50, p95, p99: time of an answer in ms.
    faults: what went wrong and how often. keys: key_id of each coin received, where the generator can see them.
    wal_bytes: WAL written meanwhile by the whole server. unread: coins claimed but on their way when the load hung up.
    """

    coins: int
    seconds: float
    p50: float
    p95: float
    p99: float
    faults: Mapping[str, int] = field(default_factory=dict)
    keys: Sequence[str] = field(default=(), repr=False)
    wal_bytes: int = 0
    unread: int = 0

    @property
    def rate(self) -> float:
        """Claims a second."""
        return self.coins / self.seconds

    @property
    def wal_per_coin(self) -> float:
        """Bytes of WAL a claim."""
        return self.wal_bytes / self.coins


class Load(Protocol):
    """A closed loop of clients against one target.

    max_unread: how many answers may be on their way when it hangs up.
    """

    max_unread: int

    def command(self, seconds: int) -> list[str]:
        """The words that start it."""
        ...

    def run(self, seconds: int) -> Result:
        """Load the target for so many seconds."""
        ...


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The value that so many percent of an ordered list do not exceed; 0 of an empty one."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] if ordered else 0.0
