"""Claims, counts and uploads together, by the same clients."""

from __future__ import annotations

from ..drive import OPERATIONS, Drive
from ..goals import Goal, compare
from ..plots import Bars
from ..report import Section
from ..results import P99, RATE
from ..rounds import Contestant, run_rounds
from ..setup import Bench

CLIENTS = 64
BATCH = 20


def run(bench: Bench) -> list[Section]:
    """Both sides in turn."""
    options = bench.options
    results = run_rounds(
        bench,
        [
            Contestant(
                side.name,
                Drive(
                    "mixed", side.server.url, connections=CLIENTS, batch=BATCH, category=options.category,
                    seed=options.seed, paths=bench.paths,
                ),
                side.stock,
            )
            for side in bench.sides
        ],
    )  # fmt: skip
    ours = bench.ours.name
    goals = [Goal(ours)]
    if bench.yardstick:
        goals = compare(ours, bench.yardstick.name, RATE, P99, "uploads/s", "p99 ms of uploads", "p99 ms of counts")
    shares = ", ".join(f"{share:.0%} {operation}" for operation, share in OPERATIONS.items())
    return [
        Section(
            title="Mixed load over HTTP",
            text=f"{CLIENTS} clients, each choosing at random (seed {options.seed}) what to do next: {shares}. An upload "
            f"brings {BATCH} {options.category} coins of somebody new.",
            results=results,
            goals=goals,
            plots=[Bars("mixed", "Mixed load over HTTP", RATE, results)],
        )
    ]
