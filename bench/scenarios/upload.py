"""Uploads in batches of 100, over HTTP and in the database, and what a coin takes on disk: each category."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..coins import SIZES
from ..drive import Drive
from ..goals import Goal
from ..plots import Bars
from ..report import Section
from ..results import RATE, Load, Result
from ..rounds import take_turns
from ..setup import Bench, Side
from ..uploader import Uploader

CLIENTS = 8
BATCH = 100
DISK, OVER, TIMES = "disk bytes/coin", "disk bytes over key and signature", "disk bytes / bytes of key and signature"
MOST_OVER = 400
MOST_TIMES = 1.3


def run(bench: Bench) -> list[Section]:
    """Every category."""
    return [measure(bench, category) for category in bench.options.categories]


def measure(bench: Bench, category: str) -> Section:
    """Both sides in turn, over HTTP and in the database."""
    turns = {}
    for side in bench.sides:
        http = Drive(
            "uploads", side.server.url, counts="upload", connections=CLIENTS, batch=BATCH, category=category
        )  # fmt: skip
        yardstick = None if side is bench.ours else bench.options.yardstick
        database = Uploader(side.stock.dsn, yardstick, CLIENTS // 2, BATCH, category)
        turns[f"{side.name}, HTTP"] = uploading(bench, side, http, category)
        turns[f"{side.name}, database"] = uploading(bench, side, database, category)
    results = take_turns(bench, turns, bench.options.rounds)
    ours = bench.ours.name
    disk = f"{ours}, database"
    goals = [
        Goal(disk, measure=TIMES, at_most=MOST_TIMES)
        if category == "GOLD"
        else Goal(disk, measure=OVER, at_most=MOST_OVER)
    ]
    if bench.yardstick:
        theirs = bench.yardstick.name
        goals = [
            Goal(f"{ours}, HTTP", f"{theirs}, HTTP", at_least=1.2),
            Goal(disk, f"{theirs}, database", at_least=1.2),
            *goals,
            Goal(disk, f"{theirs}, database", DISK),
        ]
    for side in bench.sides:
        side.stock.empty()
    return Section(
        title=f"Upload: {category}",
        text=f"{BATCH} coins an upload, each upload by somebody new, into an empty table. {CLIENTS} clients over HTTP; in "
        f"the database {CLIENTS // 2} asyncpg connections: coins.upload_coins() with all its checks, and the seeds' "
        "executemany without any. Disk is the table with TOAST and indexes after the round; short rounds overrate it.",
        results=results,
        goals=goals,
        unit="coins",
        plots=[Bars(f"upload-{category}", f"Upload: {category}, coins/s", RATE, results)],
    )


def uploading(bench: Bench, side: Side, load: Load, category: str) -> Callable[[], Result]:
    """A round: empty the table, load, see what it takes on disk."""
    seconds, net = bench.options.seconds, sum(SIZES[category])
    bench.commands.append(load.command(seconds))

    def take() -> Result:
        side.stock.empty()
        with side.stock.connect() as connection:
            connection.execute("checkpoint")
        result = load.run(seconds)
        disk = side.stock.size() / max(result.coins, 1)
        return replace(result, more={DISK: disk, OVER: disk - net, TIMES: disk / net})

    return take
