"""GET /v1/coins/fetch, one coin a claim: both sides, and a route that does nothing as the upper bound."""

from __future__ import annotations

from dataclasses import replace
from statistics import median

from ..goals import Goal, compare
from ..plots import Lines
from ..report import Section
from ..results import P50, P95, P99, RATE
from ..rounds import Contestant, run_rounds
from ..servers import Server, doing_nothing
from ..setup import Bench

WANTED_AT = 64
"""Clients at which the issue wants its ratios."""


def run(bench: Bench) -> list[Section]:
    """Load everybody in turn, with each number of clients."""
    with doing_nothing(bench.home, bench.options.category) as nothing:
        bench.commands.append(nothing.command)
        sections = [measure(bench, nothing, clients) for clients in bench.options.clients]
    plots = [curves(bench, sections, RATE, is_log=False), curves(bench, sections, P99, is_log=True)]
    return [*sections[:-1], replace(sections[-1], plots=plots)]


def measure(bench: Bench, nothing: Server, clients: int) -> Section:
    """So many clients, each asking again as soon as it is answered."""
    options = bench.options
    ours, wanted = bench.ours.name, clients == WANTED_AT
    contestants = [Contestant(side.name, bench.http_load(side.server, clients), side.stock) for side in bench.sides]
    contestants.append(Contestant(nothing.name, bench.http_load(nothing, clients, looks_at_coins=False)))
    goals = [Goal(ours, nothing.name, at_least=0.3 if wanted else None)]
    if bench.yardstick:
        theirs = bench.yardstick.name
        goals += [
            Goal(ours, theirs, at_least=5 if wanted else None),
            Goal(ours, theirs, P99, at_most=0.2 if wanted else None),
            *compare(ours, theirs, P50, P95),
        ]
    return Section(
        title=f"Over HTTP: GET /v1/coins/fetch, {clients} client{'s' if clients > 1 else ''}",
        text=f"One {options.category} coin a claim; {clients} clients, each asking again as soon as it is "
        f"answered, over {options.recipients:,} recipients. *nothing* is an aiohttp route that answers a constant of "
        "the same size: what HTTP alone costs here.",
        results=run_rounds(bench, contestants),
        goals=goals,
    )


def curves(bench: Bench, sections: list[Section], measure: str, is_log: bool) -> Lines:
    """A figure over the number of clients, a line for each contestant."""
    clients = bench.options.clients
    series = {
        name: (clients, [median(result.figures[measure] for result in section.results[name]) for section in sections])
        for name in sections[0].results
    }
    return Lines(
        f"fetch-{measure.split('/')[0].replace(' ', '-')}",
        f"GET /v1/coins/fetch: {measure}", "clients", measure, series, is_log,
    )  # fmt: skip
