"""Thousands of fetches fired at one instant, each over a connection of its own: how long until the last answer."""

from __future__ import annotations

from ..drive import Drive
from ..goals import Goal, compare
from ..plots import Bars
from ..report import Section
from ..results import P50, P99
from ..rounds import Contestant, run_rounds
from ..setup import Bench

LAST = "seconds to the last answer"


def run(bench: Bench) -> list[Section]:
    """Both sides in turn."""
    burst = bench.options.burst
    results = run_rounds(
        bench,
        [
            Contestant(
                side.name, Drive("burst", side.server.url, connections=burst, paths=bench.paths), side.stock
            )
            for side in bench.sides
        ],
        claims=burst,
    )  # fmt: skip
    ours = bench.ours.name
    goals = [Goal(ours, measure=LAST)]
    if bench.yardstick:
        theirs = bench.yardstick.name
        goals += [Goal(theirs, ours, LAST, at_least=5), *compare(ours, theirs, P50, P99)]
    return [
        Section(
            title=f"Burst: {burst:,} fetches at once",
            text="The connections are open before; then every one sends its claim. Times count from the moment before "
            "the first was sent.",
            results=results,
            goals=goals,
            plots=[Bars("burst", f"Burst of {burst:,} fetches", LAST, results)],
        )
    ]
