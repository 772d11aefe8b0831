"""The functions of the database, called by pgbench without any gateway, and the seeds' statement: each category."""

from __future__ import annotations

from ..goals import Goal, compare
from ..plots import Bars
from ..report import Section
from ..results import P99, RATE, WAL_RECORDS
from ..rounds import Contestant, run_rounds
from ..scripts import BATCH, SINGLE, batch_script, seed_script
from ..setup import Bench

CLIENTS = 16
HOT = 900_001
"""Number of a recipient whom everybody asks at once."""
SINGLE_NAME, BATCH_NAME, SEED_NAME = "claim_coins", "claim_coins_batch", "seeds' CTE"


def run(bench: Bench) -> list[Section]:
    """Every category, with many recipients and with one."""
    return [
        measure(bench, category, recipients, first)
        for category in bench.options.categories
        for recipients, first in ((bench.options.recipients, 1), (1, HOT))
    ]


def measure(bench: Bench, category: str, recipients: int, first: int) -> Section:
    """The single function, its batch twin and the seeds' statement in turn, all from empty tables."""
    for side in bench.sides:
        side.stock.empty()
    who = "one hot recipient" if recipients == 1 else f"{recipients:,} recipients"
    stock = bench.ours.stock.of(category, recipients, first)

    def name(kind: str) -> str:
        return f"database {kind} {category} {who}"

    single = bench.pgbench(name("single"), stock, SINGLE, CLIENTS)
    batch = bench.pgbench(name("batch"), stock, batch_script(stock), CLIENTS, claims=BATCH)
    contestants = [Contestant(SINGLE_NAME, single, stock), Contestant(BATCH_NAME, batch, stock)]
    goals = compare(BATCH_NAME, SINGLE_NAME, RATE)
    if bench.yardstick:
        theirs = bench.yardstick.stock.of(category, recipients, first)
        script = seed_script(bench.options.yardstick)
        contestants.append(Contestant(SEED_NAME, bench.pgbench(name("seeds"), theirs, script, CLIENTS), theirs))
        goals = [
            Goal(SINGLE_NAME, SEED_NAME, at_least=1.5),
            Goal(BATCH_NAME, SEED_NAME, at_least=4),
            Goal(SINGLE_NAME, SEED_NAME, WAL_RECORDS, at_most=0.65),
            *compare(BATCH_NAME, SEED_NAME, WAL_RECORDS),
            *compare(SINGLE_NAME, SEED_NAME, P99),
        ]
    results = run_rounds(bench, contestants)
    title = f"In the database: {category}, {who}"
    return Section(
        title=title,
        text=f"pgbench, {CLIENTS} clients, prepared statements, one coin a claim, recipients at random. "
        f"{BATCH_NAME} takes {BATCH} claims a call; times are those of a whole call.",
        results=results,
        goals=goals,
        plots=[Bars(f"database-{category}-{'hot' if recipients == 1 else 'many'}", title, RATE, results)],
    )
