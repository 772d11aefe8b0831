"""The marketplace at full size: listing, search, orders, profiles, messages and the scan for timeouts."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from typing import Any

import psycopg

from ..goals import Goal
from ..marketplace import Size, load
from ..report import Section
from ..results import P95, Result, latencies
from ..setup import Bench

CALLS = 500
"""Of a kind in a round."""

KEYWORDS = 200
PAGE = 20
SAMPLE = 2000
"""Rows that calls are about in a round."""

MESSAGES = 50

TARGETS = {
    "product listing": 50, "product search": 100, "order by id": 10, "profile": 10, "50 messages": 30, "scan for timeouts": 200,
}  # fmt: skip
"""p95 in ms, of the seed's table."""

Parameters = Sequence[object]


def run(bench: Bench) -> list[Section]:
    """Fill the marketplace, then call each function again and again, one call at a time."""
    size = Size(bench.options.products, bench.options.products, 5 * bench.options.products)
    load(bench.ours.stock.dsn, size, bench.say, bench.options.seed)
    results: dict[str, list[Result]] = {name: [] for name in TARGETS}
    with bench.ours.stock.connect() as connection:
        for number in range(1, bench.options.rounds + 1):
            chance = random.Random(bench.options.seed + number)  # noqa: S311 (a load, no key)
            for name, (statement, choose) in questions(connection, size, chance).items():
                bench.say(f"round {number} of {bench.options.rounds}: {name}")
                results[name].append(ask(connection, statement, choose))
    return [
        Section(
            title="The marketplace",
            text=f"{size.products:,} products of {size.sellers:,} sellers, {size.orders:,} orders, {size.messages:,} messages; the "
            f"functions behind the routes, {CALLS} calls each in a round, one at a time over one connection. A listing has {PAGE} "
            "products: of all, of a category, of a range of prices, or further down; half of the searches are for a word that many "
            "products have, the rest for one of 8,000 or for none.",
            results=results,
            goals=[Goal(name, measure=P95, at_most=most) for name, most in TARGETS.items()],
            unit="calls",
        )
    ]


def questions(
    connection: psycopg.Connection[Any], size: Size, chance: random.Random
) -> dict[str, tuple[str, Callable[[], Parameters]]]:
    """What is asked, and how the parameters of a call are chosen."""

    def sample(columns: str, source: str) -> list[Any]:
        statement = f"select {columns} from {source} order by hashtextextended({columns.split(',')[0]}::text, %s) limit {SAMPLE}"
        return connection.execute(statement.encode(), [chance.getrandbits(31)]).fetchall()

    orders = sample("id, buyer_wallet::text", "escrow.orders")
    products = [row[0] for row in sample("id", "escrow.products where status = 'active'")]
    wallets = [row[0] for row in sample("wallet::text", "escrow.user_profiles")]
    words = [
        word
        for (text,) in connection.execute("select description_preview from escrow.products limit %s", [KEYWORDS])
        for word in text.replace(",", "").split()[:2]
    ]
    categories = ["data", "accounts", "tools", "services", "other"]

    def listing() -> Parameters:
        kind = chance.randrange(4)
        price = chance.randrange(1, 100)
        return (
            None, chance.choice(categories) if kind == 1 else None, price if kind == 2 else None,
            price + 10 if kind == 2 else None, chance.choice(products) if kind == 3 else None,
        )  # fmt: skip

    def search() -> Parameters:
        word = chance.choice(words) if chance.random() < 0.8 else f"{chance.choice(words)[:3]}q{chance.randrange(100)}"
        return word, None, None, None, None

    search_products = (
        "select * from escrow.search_products(p_keyword => %s, p_category => %s::escrow.product_category, p_min_price => %s, "
        f"p_max_price => %s, p_after => %s, p_limit => {PAGE})"
    )
    return {
        "product listing": (search_products, listing),
        "product search": (search_products, search),
        "order by id": ("select * from escrow.find_order(%s, %s)", lambda: chance.choice(orders)),
        "profile": ("select * from escrow.find_profile(%s)", lambda: (chance.choice(wallets),)),
        "50 messages": (
            f"select * from escrow.list_messages(%s, %s, p_limit => {MESSAGES})", lambda: chance.choice(orders)
        ),
        "scan for timeouts": ("select escrow.apply_timeouts(1)", lambda: ()),
    }  # fmt: skip


def ask(connection: psycopg.Connection[Any], statement: str, choose: Callable[[], Parameters]) -> Result:
    """One round of a question."""
    times = []
    began = time.perf_counter()
    for _ in range(CALLS):
        parameters = choose()
        started = time.perf_counter()
        connection.execute(statement.encode(), parameters, prepare=True).fetchall()
        times.append(1000 * (time.perf_counter() - started))
    return Result(coins=CALLS, seconds=time.perf_counter() - began, **latencies(times))
