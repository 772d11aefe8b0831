"""The functions of the database, called by pgbench without any gateway."""

from __future__ import annotations

from ..pgbench import PgBench
from ..report import Section
from ..rounds import Contestant, run_rounds
from ..setup import Bench

CLIENTS = 16
BATCH = 20
"""Claims in each call of the batch function."""

SINGLE = """
\\set recipient random(1, {recipients})
\\set requester random(1, 1000000)
select * from coins.claim_coins(
    md5('recipient ' || :recipient::integer)::uuid, md5('requester ' || :requester::integer)::uuid, '{category}', 1);
"""
MANY = """
\\set first random(1, {recipients})
\\set requester random(1, 1000000)
select * from coins.claim_coins_batch(
    array(
        select md5('recipient ' || 1 + (:first::integer + n) % {recipients})::uuid from generate_series(1, {batch}) as n
    ),
    array_fill(md5('requester ' || :requester::integer)::uuid, array[{batch}]),
    array_fill('{category}'::text, array[{batch}]),
    array_fill(1, array[{batch}]));
"""


def run(bench: Bench) -> Section:
    """Call the single function and its batch twin in turn."""
    stock = bench.ours.stock
    words = {"recipients": stock.recipients, "category": stock.category, "batch": BATCH}

    def calling(function: str, script: str, claims: int) -> Contestant:
        folder = bench.home / function
        return Contestant(function, PgBench(stock.dsn, script.format(**words), folder, CLIENTS, claims), stock)

    return Section(
        title="In the database: pgbench",
        text=f"{CLIENTS} clients, prepared statements, recipients at random. claim_coins_batch() takes {BATCH} claims "
        "a call; times are those of a whole call.",
        results=run_rounds(bench, [calling("claim_coins", SINGLE, 1), calling("claim_coins_batch", MANY, BATCH)]),
    )
