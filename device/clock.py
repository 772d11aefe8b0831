"""The time, as an argument: whatever depends on it is given a clock, so that tests can set it."""

from __future__ import annotations

from collections.abc import Callable

Clock = Callable[[], float]
"""Returns seconds since 1970."""

DAY = 24 * 60 * 60
"""Seconds."""


def milliseconds(seconds: float) -> int:
    """Whole milliseconds, the unit of everything stored: no backend rounds an integer."""
    return round(seconds * 1000)
