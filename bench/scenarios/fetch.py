"""GET /v1/coins/fetch, one coin a claim: both sides, and a route that does nothing as the upper bound."""

from __future__ import annotations

import sys

from ..report import Section
from ..rounds import Contestant, run_rounds
from ..servers import serving
from ..setup import Bench


def run(bench: Bench) -> Section:
    """Load everybody in turn."""
    options = bench.options
    command = [sys.executable, "-m", "bench.nothing", "{port}", options.category]
    with serving("nothing", command, bench.home, "/") as nothing:
        bench.commands.append(nothing.command)
        contestants = [Contestant(side.name, bench.http_load(side.server), side.stock) for side in bench.sides]
        contestants.append(Contestant(nothing.name, bench.http_load(nothing, looks_at_coins=False)))
        results = run_rounds(bench, contestants)
    return Section(
        title="Over HTTP: GET /v1/coins/fetch",
        text=f"One {options.category} coin a claim; {options.clients} clients, each asking again as soon as it is "
        f"answered, over {options.recipients:,} recipients. *nothing* is an aiohttp route that answers a constant of "
        "the same size: what HTTP alone costs here.",
        results=results,
        compared=(bench.ours.name, bench.yardstick.name) if bench.yardstick else None,
    )
