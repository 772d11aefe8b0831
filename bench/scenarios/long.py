"""Very many claims with refills and hard deletes beside them, and no vacuum but autovacuum's: does it get slower."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from ..goals import Goal
from ..pgbench import Call, PgBench
from ..plots import Lines
from ..report import Section
from ..results import Result, latencies
from ..scripts import SINGLE
from ..setup import Bench
from ..stock import Stock

CLIENTS = 16
DEPTH = 100
"""Unclaimed coins that every recipient is given again and again."""
REFILL = 2.0
"""Seconds between two refills."""
HOUR = 10.0
"""Seconds that stand for the hour between two hard deletes."""
SLICE = 5000
"""Coins that the scheduled hard delete removes at a time."""
BEFORE, AFTER, HELD = "claims/s before", "claims/s after", "after / before"
FIRST, LAST = "claims/s in the first tenth", "claims/s in the last tenth"
ALONE = 20
"""The claims before and after, which have the machine to themselves, are so small a part of the long run."""


def run(bench: Bench) -> list[Section]:
    """One round, however long it takes."""
    options, stock = bench.options, bench.ours.stock
    stock.empty()
    stock.fill(DEPTH * stock.recipients)
    calls_each = max(1, options.claims // CLIENTS)
    claims, alone = calls_each * CLIENTS, max(1, calls_each // ALONE) * CLIENTS
    name = "claim_coins, long"
    probe = bench.pgbench("probe", stock, SINGLE, CLIENTS, calls_each=alone // CLIENTS)
    load = bench.pgbench("long run", stock, SINGLE, CLIENTS, calls_each=calls_each)
    bench.commands.append(load.command(0))
    before = measure_alone(bench, probe)
    bench.say(f"{claims:,} claims")
    with Keeper(bench, stock) as keeper:
        rate, calls = load.call(0)
    after = measure_alone(bench, probe)
    # Where clients have ended already, those that are left are no measure.
    ends = {call.client: call.ended for call in calls}
    steady = sorted((call for call in calls if call.ended <= min(ends.values())), key=lambda call: call.ended)
    faults = {"claim without a coin": claims + 2 * alone - keeper.deleted - stock.claimed()} if keeper.is_done else {}
    tenth = max(2, len(steady) // 10)
    first, last = pace(steady[:tenth]), pace(steady[-tenth:])
    result = Result(
        coins=claims,
        seconds=claims / rate,
        **latencies([call.ms for call in calls]),
        faults={fault: number for fault, number in faults.items() if number},
        more={
            BEFORE: before,
            AFTER: after,
            HELD: after / before,
            FIRST: first,
            LAST: last,
            "coins refilled": keeper.refilled,
            "coins hard-deleted": keeper.deleted,
            "MB of table at the start": keeper.sizes[0][1],
            "MB of table at the most": max(size for _, size in keeper.sizes),
            "MB of table at the end": keeper.sizes[-1][1],
        },
    )
    start, step = steady[0].ended, max(2, len(steady) // 100)
    slices = [steady[place : place + step] for place in range(0, len(steady) - step + 1, step)]
    paces = [(each[-1].ended - start, pace(each)) for each in slices]
    sizes = [(moment - start, size) for moment, size in keeper.sizes]
    return [
        Section(
            title=f"Long run: {claims:,} claims",
            text=f"pgbench, {CLIENTS} clients, claim_coins one by one over {stock.recipients:,} recipients. Every {REFILL:g} s "
            f"each is filled up to {DEPTH} unclaimed {stock.category} coins; every {HOUR:g} s, which stand for an hour, "
            f"claimed coins are hard-deleted, {SLICE:,} at a time. Only autovacuum vacuums. All that takes its share of the "
            f"machine; whether a claim has become slower tell {alone:,} claims before and as many after it, which have the "
            "machine to themselves but for autovacuum, a full stock, and a checkpoint behind them.",
            results={name: [result]},
            goals=[Goal(name, measure=HELD, at_least=0.85)],
            plots=[
                Lines("long-claims", "Long run: claims/s", "seconds", "claims/s", {name: _columns(paces)}),
                Lines(
                    "long-size", "Long run: table with TOAST and indexes", "seconds", "MB", {"size": _columns(sizes)}
                ),
            ],
        )
    ]


def measure_alone(bench: Bench, probe: PgBench) -> float:
    """Claims a second with nothing beside them but autovacuum."""
    bench.ours.stock.top_up(DEPTH)
    with bench.ours.stock.connect() as connection:
        connection.execute("checkpoint")
    rate, _ = probe.call(0)
    bench.say(f"    alone {rate:,.0f} claims/s")
    return rate


def pace(calls: Sequence[Call]) -> float:
    """Calls a second of some that follow each other."""
    return len(calls) / max(calls[-1].ended - calls[0].ended, 1e-6)


class Keeper:
    """A thread that refills, hard-deletes and measures, for the length of a with block."""

    def __init__(self, bench: Bench, stock: Stock) -> None:
        self.bench = bench
        self.stock = stock
        self.sizes = [(time.time(), stock.size() / 1e6)]
        self.refilled = 0
        self.deleted = 0
        self.is_done = False
        self.leaving = threading.Event()
        self.thread = threading.Thread(target=self._work)

    def __enter__(self) -> Keeper:
        self.thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.leaving.set()
        self.thread.join()

    def _work(self) -> None:
        hour = time.monotonic() + HOUR
        while not self.leaving.wait(REFILL):
            self.refilled += self.stock.top_up(DEPTH)
            if time.monotonic() > hour:
                hour += HOUR
                self._hard_delete()
                self.bench.say(
                    f"    {self.deleted:,} coins claimed and hard-deleted, table {self.sizes[-1][1]:,.0f} MB"
                )
            self.sizes.append((time.time(), self.stock.size() / 1e6))
        self.is_done = True

    def _hard_delete(self) -> None:
        with self.stock.connect() as connection:
            deleted = SLICE
            while deleted == SLICE:
                row = connection.execute("select coins.hard_delete_fetched(0, %s)", [SLICE]).fetchone()
                deleted = row[0] if row else 0
                self.deleted += deleted


def _columns(points: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in points], [y for _, y in points]
