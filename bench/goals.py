"""Figures that are wanted: one contestant's, or its ratio to another's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from .results import RATE, Rounds


@dataclass(frozen=True)
class Goal:
    """A figure to be shown, and what it ought to be.

    ours: the contestant. theirs: the one it is compared with in the same round; None: the figure itself counts.
    measure: its name. at_least, at_most: what is wanted, if anything is.
    """

    ours: str
    theirs: str | None = None
    measure: str = RATE
    at_least: float | None = None
    at_most: float | None = None

    @property
    def name(self) -> str:
        return f"{self.ours} / {self.theirs}" if self.theirs else self.ours

    @property
    def wanted(self) -> str:
        """In words; empty where nothing is wanted."""
        if self.at_least is not None:
            return f"≥ {self.at_least:g}"
        return "" if self.at_most is None else f"≤ {self.at_most:g}"

    def values(self, results: Rounds) -> list[float]:
        """The figure in each round; a ratio is taken within its round, where noise hits both."""
        ours = [result.figures[self.measure] for result in results[self.ours]]
        if self.theirs is None:
            return ours
        theirs = [result.figures[self.measure] for result in results[self.theirs]]
        return [mine / other for mine, other in zip(ours, theirs, strict=True)]

    def is_met(self, values: Sequence[float]) -> bool | None:
        """Whether the median is as wanted; None where nothing is wanted."""
        if self.at_least is not None:
            return median(values) >= self.at_least
        return None if self.at_most is None else median(values) <= self.at_most


def compare(ours: str, theirs: str, *measures: str) -> list[Goal]:
    """Ratios of which nothing is wanted."""
    return [Goal(ours, theirs, measure) for measure in measures]
