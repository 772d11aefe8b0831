"""Rounds of load, taken in turn, so that whatever else the machine does hits everybody alike."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from .errors import BenchError
from .results import Load, Result
from .setup import Bench
from .stock import Stock

FIRST_GUESS = 10_000
"""Claims that a warm-up gets stock for before anything was measured."""

MARGIN = 2
"""How much faster than anything seen so far a round may be before it runs out of coins."""

Setting = Callable[[], contextlib.AbstractContextManager[object]]


@dataclass(frozen=True)
class Contestant:
    """Someone to load.

    stock: where the coins come from, None where there are none. setting: what is in force during a round of it.
    """

    name: str
    load: Load
    stock: Stock | None = None
    setting: Setting = contextlib.nullcontext


def take_turns(bench: Bench, turns: Mapping[str, Callable[[], Result]], rounds: int) -> dict[str, list[Result]]:
    """Let everybody have a turn in each round, backwards in every second one: whoever always came last would always
    meet the warmer machine. Returns the results of each, a list of rounds."""
    results: dict[str, list[Result]] = {name: [] for name in turns}
    for number in range(1, rounds + 1):
        for name in list(turns) if number % 2 else reversed(list(turns)):
            bench.say(f"round {number} of {rounds}: {name}")
            result = turns[name]()
            results[name].append(result)
            faults = f", FAULTS: {describe(result.faults)}" if result.faults else ""
            bench.say(f"    {result.rate:,.0f}/s, p50 {result.p50:.1f} ms, p99 {result.p99:.1f} ms{faults}")
    return results


def run_rounds(
    bench: Bench,
    contestants: Sequence[Contestant],
    rounds: int | None = None,
    claims: int | None = None,
    is_warmed: bool = True,
    are_alike: bool = False,
) -> dict[str, list[Result]]:
    """The results of every contestant, a list of rounds each. The warm-up's faults count with the first round's.

    rounds: other than the options'. claims: what a round takes where that is known. is_warmed: whether there is a
    warm-up in that case; otherwise it is needed to know how much stock a round takes. are_alike: they are about as
    fast as each other, so that the first one's warm-up tells enough.
    """
    seconds = bench.options.seconds
    fastest: dict[str, float] = {}
    faults: dict[str, Mapping[str, int]] = {}
    for contestant in contestants:
        bench.commands.append(contestant.load.command(seconds))
        if are_alike and fastest:
            fastest[contestant.name] = max(fastest.values())
        elif claims is None:
            first = warm_up(bench, contestant)
            fastest[contestant.name], faults[contestant.name] = first.rate, first.faults
        elif is_warmed:
            bench.say(f"warm-up: {contestant.name}")
            faults[contestant.name] = run_once(contestant, 1, claims).faults

    def turn(contestant: Contestant) -> Callable[[], Result]:
        name = contestant.name

        def take() -> Result:
            wanted = claims if claims is not None else fastest[name] * seconds * MARGIN
            result = run_once(contestant, seconds, wanted)
            fastest[name] = max(fastest.get(name, 0), result.rate)
            return replace(result, faults=Counter(result.faults) + Counter(faults.pop(name, {})))

        return take

    turns = {contestant.name: turn(contestant) for contestant in contestants}
    return take_turns(bench, turns, rounds or bench.options.rounds)


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
    with contestant.setting():
        if stock is None:
            result = contestant.load.run(seconds)
        else:
            stock.fill(claims)
            claimed, position = stock.claimed(), stock.wal_position()
            result = contestant.load.run(seconds)
            written, images = stock.wal_since(position)
            claimed = stock.claimed() - claimed
            wrong = audit(stock, result, claimed, contestant.load.max_unread)
            result = replace(
                result,
                wal_bytes=written,
                wal_images=images,
                unread=max(0, claimed - result.coins),
                faults=Counter(result.faults) + wrong,
            )
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
