"""What each rule adds: claims with and without a request id, quotas, the low-stock signal; uploads and spent coins."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

from ..goals import Goal
from ..plots import Bars
from ..report import Section
from ..results import P50, RATE, Result
from ..rounds import Contestant, Setting, run_rounds, take_turns
from ..scripts import SINGLE, WITH_REQUEST_ID
from ..setup import Bench
from ..stock import Stock
from ..uploader import Uploader

CLIENTS = 16
UPLOADERS = 4
UPLOAD = 100
PLAIN = "plain"
EMPTY, FULL = "nothing spent", "much spent"
DIGESTS_OF_ONE = 2600
"""Thirteen months of a hundred coins, each with the digest of its name and of its key."""
MONTHS = 13


def run(bench: Bench) -> list[Section]:
    """Claims, then uploads."""
    return [claims(bench), uploads(bench)]


def claims(bench: Bench) -> Section:
    """The same claim under one rule after the other."""
    stock = bench.ours.stock
    stock.empty()

    def claiming(name: str, script: str, setting: Setting = contextlib.nullcontext) -> Contestant:
        return Contestant(name, bench.pgbench(f"rules {name}", stock, script, CLIENTS), stock, setting)

    contestants = [
        claiming(PLAIN, SINGLE),
        claiming("with request id", WITH_REQUEST_ID),
        claiming(
            "quotas on",
            SINGLE,
            setting(
                stock,
                ["update coins.claim_quota set is_enabled = true, coins = 1000000"],
                ["update coins.claim_quota set is_enabled = false", "truncate coins.quota_use"],
            ),
        ),
        claiming(
            "no low-stock threshold",
            SINGLE,
            setting(
                stock,
                ["update coins.coin_category set low_stock = 0"],
                ["update coins.coin_category set low_stock = default"],
            ),
        ),
    ]
    results = run_rounds(bench, contestants, rounds=bench.options.pairs, are_alike=True)
    others = [contestant.name for contestant in contestants[1:]]
    return Section(
        title="What each rule adds to a claim",
        text=f"pgbench, {CLIENTS} clients, claim_coins one by one, one {stock.category} coin a claim over "
        f"{stock.recipients:,} recipients. *{PLAIN}*: no request id, quotas off, low-stock thresholds at their default. "
        "Quotas: both scopes, 1,000,000 a day, so that nobody is refused.",
        results=results,
        goals=[Goal(name, PLAIN, measure) for name in others for measure in (RATE, P50)],
        plots=[Bars("rules-claims", "What each rule adds to a claim", RATE, results)],
    )


def setting(stock: Stock, before: Sequence[str], after: Sequence[str]) -> Setting:
    """Statements before a round and after it."""

    @contextlib.contextmanager
    def apply() -> Iterator[None]:
        with stock.connect() as connection:
            for statement in before:
                connection.execute(statement)
            try:
                yield
            finally:
                for statement in after:
                    connection.execute(statement)

    return apply


def uploads(bench: Bench) -> Section:
    """Uploads by the same users, without and with a memory of spent coins."""
    options, stock = bench.options, bench.ours.stock
    users = max(1, options.digests // DIGESTS_OF_ONE)
    load = Uploader(stock.dsn, None, UPLOADERS, UPLOAD, stock.category, users=users)
    bench.commands.append(load.command(options.seconds))
    with stock.connect() as connection:
        connection.execute("update coins.coin_category set max_unclaimed = 1000000000")

    def uploading(digests: int) -> Callable[[], Result]:
        def take() -> Result:
            stock.empty()
            remember(stock, users, digests)
            return load.run(options.seconds)

        return take

    results = take_turns(bench, {EMPTY: uploading(0), FULL: uploading(options.digests)}, options.pairs)
    stock.empty()
    with stock.connect() as connection:
        connection.execute("update coins.coin_category set max_unclaimed = default")
        connection.execute("truncate coins.spent_coin")
    return Section(
        title="What the memory of spent coins adds to an upload",
        text=f"coins.upload_coins(), {UPLOADERS} asyncpg connections, {UPLOAD} {stock.category} coins an upload by one of "
        f"{users:,} users at random. *{FULL}*: {options.digests:,} digests of spent coins in {MONTHS} months, "
        f"{options.digests // users:,} of each user (a coin has two).",
        results=results,
        goals=[Goal(FULL, EMPTY), Goal(FULL, EMPTY, P50)],
        unit="coins",
        plots=[Bars("rules-uploads", "What the memory of spent coins adds to an upload", RATE, results)],
    )


def remember(stock: Stock, users: int, digests: int) -> None:
    """Let so many digests be those of spent coins, evenly over the users and the months; forget all others."""
    each = digests // users // MONTHS
    with stock.connect() as connection:
        connection.execute("truncate coins.spent_coin")
        if each:
            for month in range(MONTHS):
                connection.execute("select coins.add_spent_month((now() - make_interval(months => %s))::date)", [month])
                connection.execute(
                    "insert into coins.spent_coin (user_id, month, digests) "
                    "select md5('recipient ' || u)::uuid, date_trunc('month', now() - make_interval(months => %s)), "
                    # It mentions u, or it would be drawn once for all.
                    "array(select hashtextextended(u || ' ' || n, %s) from generate_series(1, %s) as n) "
                    "from generate_series(1, %s) as u",
                    [month, month, each, users],
                )
        connection.execute("vacuum (analyze) coins.spent_coin")
        connection.execute("checkpoint")
