"""What the demo prints: headings, and what was checked."""

from __future__ import annotations

import sys
from functools import partial

say = partial(print, flush=True)


class StepError(Exception):
    """A step of the demo did not do what it should; the message says what was seen."""


def step(title: str) -> None:
    """Print the heading of a step."""
    say("\n" + coloured(title, 1))


def holds(condition: bool, sentence: str, seen: object = None) -> None:
    """Print what was checked; raises StepError with what was seen instead when it is not so."""
    if not condition:
        raise StepError(f"this should hold and does not: {sentence}" + ("" if seen is None else f"; seen: {seen}"))
    say(f"  {coloured('ok', 32)}  {sentence}")


def bar(what: str, done: int, total: int) -> None:
    """Show on a terminal how far something is, in the place of the bar before; at its end the line is empty again."""
    if sys.stdout.isatty():
        filled = 30 * done // total
        say(
            "\r\033[K" + ("" if done == total else f"  {what} [{'#' * filled}{'.' * (30 - filled)}] {done}/{total}"),
            end="",
        )


def coloured(text: str, code: int) -> str:
    """Text in an ANSI colour, on a terminal only."""
    return f"\033[{code}m{text}\033[0m" if sys.stdout.isatty() else text


def in_words(counts: dict[str, int]) -> str:
    """Coins by category, as a person says it."""
    return ", ".join(f"{number} {category}" for category, number in counts.items())
