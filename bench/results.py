"""What a load saw, in one form for every generator."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypedDict

RATE = "claims/s"
P50, P95, P99 = "p50 ms", "p95 ms", "p99 ms"
WAL = "WAL bytes/claim"
"""All of it."""
WAL_RECORDS = "WAL bytes/claim without page images"
"""The exact size of the records; full-page images depend on the last checkpoint."""
FORMS = {RATE: ",.0f", WAL: ",.0f", WAL_RECORDS: ",.0f"}


@dataclass(frozen=True)
class Result:
    """One round of load.

    coins: claims that were answered with a coin. seconds: length of the round. p50, p95, p99: time of an answer in ms.
    faults: what went wrong and how often. keys: key_id of each coin received, where the generator can see them.
    wal_bytes: WAL written meanwhile by the whole server. wal_images: the full-page images among them.
    unread: coins claimed but on their way when the load hung up. more: figures that only this scenario has.
    """

    coins: int
    seconds: float
    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    faults: Mapping[str, int] = field(default_factory=dict)
    keys: Sequence[str] = field(default=(), repr=False)
    wal_bytes: int = 0
    wal_images: int = 0
    unread: int = 0
    more: Mapping[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Claims a second."""
        return self.coins / self.seconds

    @property
    def figures(self) -> dict[str, float]:
        """Everything that was measured, by its name in the report."""
        measured = {
            RATE: self.rate,
            P50: self.p50,
            P95: self.p95,
            P99: self.p99,
            WAL: self.wal_bytes / max(self.coins, 1),
            WAL_RECORDS: (self.wal_bytes - self.wal_images) / max(self.coins, 1),
        }
        return {name: value for name, value in measured.items() if value} | dict(self.more)


Rounds = Mapping[str, Sequence[Result]]
"""The results of each contestant, in the order of the rounds."""


class Load(Protocol):
    """A load against one target.

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


class Latencies(TypedDict):
    """Percentiles of times, as Result names them."""

    p50: float
    p95: float
    p99: float


def latencies(times: Sequence[float]) -> Latencies:
    """The percentiles of times in any order."""
    ordered = sorted(times)
    return {"p50": percentile(ordered, 50), "p95": percentile(ordered, 95), "p99": percentile(ordered, 99)}
