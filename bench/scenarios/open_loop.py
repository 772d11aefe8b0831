"""Claims that arrive at random at a fixed rate over thousands of open connections; times count from the arrival."""

from __future__ import annotations

from typing import Any

from ..drive import Drive
from ..goals import Goal
from ..plots import Bars
from ..report import Section
from ..results import P99
from ..rounds import Contestant, run_rounds
from ..servers import doing_nothing
from ..setup import Bench

WANTED_MS = 50


def run(bench: Bench) -> list[Section]:
    """AQM, and a route that does nothing: what the connections and the generator alone cost."""
    options = bench.options
    asked: dict[str, Any] = {
        "connections": options.connections, "rate": options.rate, "seed": options.seed, "paths": bench.paths,
    }  # fmt: skip
    with doing_nothing(bench.home, options.category) as nothing:
        bench.commands.append(nothing.command)
        results = run_rounds(
            bench,
            [
                Contestant(bench.ours.name, Drive("arrivals", bench.ours.server.url, **asked), bench.ours.stock),
                Contestant(nothing.name, Drive("arrivals", nothing.url, any_coin=True, **asked)),
            ],
            claims=round(options.rate * options.seconds * 1.2) + 100,
        )
    title = f"Open loop: {options.connections:,} connections, {options.rate:,} claims/s at random"
    return [
        Section(
            title=title,
            text=f"Poisson arrivals (seed {options.seed}), each sent over the connection that has rested longest, whether "
            "or not earlier ones are answered. A time counts from the moment at which the claim was due, so that a server "
            "that stalls, or a generator that comes late, is not excused.",
            results=results,
            goals=[Goal(bench.ours.name, measure=P99, at_most=WANTED_MS), Goal(bench.ours.name, nothing.name, P99)],
            plots=[Bars("open-loop-p99", title, P99, results)],
        )
    ]
