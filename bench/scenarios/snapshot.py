"""One hot recipient is drained while another session holds a snapshot: do claims get slower, beside plain FIFO."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

from ..goals import Goal
from ..pgbench import PgBench
from ..plots import Lines
from ..report import Section
from ..results import Result, latencies
from ..rounds import Contestant, run_rounds
from ..scripts import SINGLE, seed_script
from ..setup import Bench
from ..stock import Stock

HOT = 900_002
MOST_FIFO = 20_000
"""Plain FIFO gets so slow that more would take too long."""
SLICE = 1000
SLOWER = "last 1,000 / first 1,000"


def run(bench: Bench) -> list[Section]:
    """Drain by the single function, and by the seeds' statement: plain FIFO."""
    options = bench.options
    drain = options.drain

    def contestant(name: str, stock: Stock, script: str, coins: int) -> Contestant:
        words = {"first": HOT, "last": HOT, "recipients": 1, "category": stock.category}
        load = Drain(stock.dsn, script.format(**words), bench.home / name.replace(" ", "-"), 1, calls_each=coins)
        return Contestant(name, load, stock, holding_a_snapshot(stock))

    stock = bench.ours.stock.of(options.category, 1, HOT)
    with stock.connect() as connection:
        connection.execute("update coins.coin_category set max_unclaimed = %s", [2 * drain])
    contestants = [contestant("drained by claim_coins", stock, SINGLE, drain)]
    if bench.yardstick:
        theirs = bench.yardstick.stock.of(options.category, 1, HOT)
        script = seed_script(options.yardstick)
        contestants.append(contestant("drained by plain FIFO", theirs, script, min(drain, MOST_FIFO)))
    results = run_rounds(bench, contestants, claims=drain, is_warmed=False)
    goals = [Goal(contestant.name, measure=SLOWER) for contestant in contestants[1:]]
    curves = {each.name: each.load.curve() for each in contestants if isinstance(each.load, Drain)}
    return [
        Section(
            title="One hot recipient under a held snapshot",
            text=f"One client claims {drain:,} {options.category} coins of one recipient one by one (the seeds' CTE, which is "
            f"plain FIFO: {min(drain, MOST_FIFO):,}) while another session keeps a REPEATABLE READ snapshot that is older "
            f"than all of them, so that no dead entry can be removed. The last {slice_of(drain):,} claims' time beside "
            "that of the first.",
            results=results,
            goals=[Goal(contestants[0].name, measure=SLOWER, at_most=2), *goals],
            plots=[
                Lines("snapshot", "A claim's time under a held snapshot", "claims so far", "ms", curves, is_log=True)
            ],
        )
    ]


def slice_of(calls: int) -> int:
    """How many claims are compared."""
    return max(1, min(SLICE, calls // 4))


def holding_a_snapshot(stock: Stock) -> Callable[[], contextlib.AbstractContextManager[None]]:
    """What is in force during a round: an empty table to begin with, and a session that holds its snapshot."""

    @contextlib.contextmanager
    def hold() -> Iterator[None]:
        stock.empty()
        with stock.connect() as reader, reader.transaction():
            reader.execute("set transaction isolation level repeatable read, read only")
            reader.execute("select from pg_class limit 1")
            yield

    return hold


class Drain(PgBench):
    """pgbench with one client, whose calls are looked at in their order."""

    times: Sequence[float] = ()

    def run(self, seconds: int) -> Result:
        """Make all calls."""
        rate, calls = self.call(seconds)
        self.times = [call.ms for call in calls]
        size = slice_of(len(self.times))
        first, last = sum(self.times[:size]) / size, sum(self.times[-size:]) / size
        return Result(
            coins=len(calls),
            seconds=len(calls) / rate,
            **latencies(self.times),
            more={"ms of the first 1,000": first, "ms of the last 1,000": last, SLOWER: last / first},
        )

    def curve(self) -> tuple[list[float], list[float]]:
        """Claims so far, and the mean time of those of a step, in the last round."""
        step = max(1, len(self.times) // 100)
        places = range(0, len(self.times) - step + 1, step)
        return [place + step for place in places], [sum(self.times[place : place + step]) / step for place in places]
