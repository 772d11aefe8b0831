"""Rounds of load, taken in turn, so that whatever else the machine does hits everybody alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from .errors import BenchError
from .results import Load, Result
from .setup import Bench
from .stock import Stock

FIRST_GUESS = 10_000
"""Claims that a warm-up gets stock for before anything was measured."""

MARGIN = 2
"""How much faster than anything seen so far a round may be before it runs out of coins."""


@dataclass(frozen=True)
class Contestant:
    """Someone to load. stock: where the coins come from, None where there are none."""

    name: str
    load: Load
    stock: Stock | None = None


def run_rounds(bench: Bench, contestants: Sequence[Contestant]) -> dict[str, list[Result]]:
    """The results of every contestant, a list of rounds each. The warm-up's faults count with the first round's."""
    options = bench.options
    warm_ups: dict[str, Result] = {}
    for contestant in contestants:
        bench.commands.append(contestant.load.command(options.seconds))
        warm_ups[contestant.name] = warm_up(bench, contestant)
    results: dict[str, list[Result]] = {contestant.name: [] for contestant in contestants}
    for number in range(1, options.rounds + 1):
        for contestant in contestants:
            first, so_far = warm_ups[contestant.name], results[contestant.name]
            fastest = max(result.rate for result in [first, *so_far])
            bench.say(f"round {number} of {options.rounds}: {contestant.name}, {options.seconds} s")
            result = run_once(contestant, options.seconds, fastest * options.seconds * MARGIN)
            if number == 1:
                result = replace(result, faults=Counter(result.faults) + Counter(first.faults))
            so_far.append(result)
            faults = f", FAULTS: {describe(result.faults)}" if result.faults else ""
            bench.say(f"    {result.rate:,.0f}/s, p50 {result.p50:.1f} ms, p99 {result.p99:.1f} ms{faults}")
    return results


def warm_up(bench: Bench, contestant: Contestant) -> Result:
    """A second without measuring, which tells how much stock a round needs; again with more if it ran out."""
    claims = FIRST_GUESS
    while True:
        bench.say(f"warm-up: {contestant.name}, 1 s")
        result = run_once(contestant, 1, claims)
        if contestant.stock is None or result.coins <= claims:
            return result
        claims = 2 * result.coins


def run_once(contestant: Contestant, seconds: int, claims: float) -> Result:
    """Fill the stock for so many claims, load, and check the books. Raises BenchError when there is no coin."""
    stock = contestant.stock
    if stock is None:
        result = contestant.load.run(seconds)
    else:
        stock.fill(claims)
        claimed, written = stock.claimed(), stock.wal_position()
        result = contestant.load.run(seconds)
        written = stock.wal_position() - written
        claimed = stock.claimed() - claimed
        wrong = audit(stock, result, claimed, contestant.load.max_unread)
        unread = max(0, claimed - result.coins)
        result = replace(result, wal_bytes=written, unread=unread, faults=Counter(result.faults) + wrong)
    if not result.coins:
        raise BenchError(f"{contestant.name} gave no coin at all: {describe(result.faults) or 'no answer'}")
    return result


def audit(stock: Stock, result: Result, claimed: int, max_unread: int) -> Counter[str]:
    """What does not agree between the coins that were received and the database.

    claimed: how many were claimed in the database meanwhile. max_unread: answers that may have been on their way.
    """
    fresh = set(result.keys) - stock.received
    stock.received |= fresh
    unclaimed = len(fresh) - stock.count_claimed_of(fresh) if fresh else max(0, result.coins - claimed)
    wrong = {
        "coin given twice": len(result.keys) - len(fresh),
        "coin received but not claimed in the database": unclaimed,
        "coin claimed in the database but never received": max(0, claimed - result.coins - max_unread),
    }
    return +Counter(wrong)


def describe(faults: Mapping[str, int]) -> str:
    """Faults in words."""
    return ", ".join(f"{count} × {name}" for name, count in faults.items())
