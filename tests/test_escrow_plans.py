"""What people of the marketplace ask for all the time reads what it shows and little more, however much there is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from bench.marketplace import Size, load
from conftest import Database, migrated_copy
from db.cluster import Cluster

MANY = 30_000
DEPTH, FURTHER = 2_000, 20_000
"""How many of the newest are looked through for a keyword, and how many where it pays (escrow.search_products)."""

PEOPLE = b"""
insert into escrow.user_profiles (wallet, public_key)
select format('0x%s', lpad(n::text, 40, '0')), 'cHVi' from generate_series(0, 999) as n
"""
PRODUCTS = b"""
insert into escrow.products (
    seller_wallet, title_preview, description_preview, category, price_usdt, product_hash, created_at
)
select
    format('0x%%s', lpad((n %% 1000)::text, 40, '0')),
    case when n %% 2 = 0 then 'common ' else 'usual ' end || substr(md5(n::text), 1, 8),
    case when n in (7, 8, 9) then 'rarest' when n <= 600 then 'outdated'
        when n > 30000 - 19 then 'latest' when n %% 300 = 0 then 'occasional' else '' end,
    (array['data', 'accounts', 'tools', 'services', 'other']::escrow.product_category[])[1 + n / 7 %% 5],
    1 + n %% 1000, 'hash', now() - interval '1 year' + n * interval '1 minute'
from generate_series(1, %(many)s) as n
"""
PAGE = 150
"""A page, each product with its seller, looked for and shown; and the product that a page begins after."""

CALLS = {
    "newest": ("", 0, 20, PAGE),
    "deep": ("", 15_000, 20, PAGE),
    "category": ("p_category => 'tools'", 0, 20, 2 * PAGE),
    "price that few have": ("p_min_price => 500, p_max_price => 500", 0, 20, PAGE),
    "price that none has": ("p_min_price => 5000", 0, 0, 10),
    "seller": ("p_seller_wallet => '0x' || lpad('7', 40, '0')", 0, 20, PAGE),
    "common keyword": ("'common'", 0, 20, PAGE),
    "common keyword, deep": ("'common'", 15_000, 20, PAGE),
    "common keyword, last page": ("'common'", 20, 10, PAGE),
    "keyword of one in 300": ("'occasional'", 0, 20, DEPTH + 20 * 300 + PAGE),
    "keyword of 19 new ones": ("'latest'", 0, 19, DEPTH + FURTHER + PAGE),
    "rare keyword": ("'rarest'", 0, 3, DEPTH + PAGE),
    "keyword of old ones": ("'outdated'", 0, 20, DEPTH + 1200 + PAGE),
    "keyword that none has": ("'missing'", 0, 0, DEPTH + PAGE),
    # The planner takes three letters for what is in one text of 25.
    "three letters that none has": ("'xyz'", 0, 0, DEPTH + PAGE),
    "keyword at a price": ("'common', p_min_price => 501, p_max_price => 501", 0, 20, PAGE),
}
"""What is looked for, after which of the oldest (0: from the newest), how many are found, how many rows may be read."""

SIZE = Size(products=2_000, orders=40_000, messages=40_000)
ONE = "0x" + 40 * "1"
"""Who trades more than anybody else, and whose order has more messages."""
POPULAR = """
insert into escrow.user_profiles (wallet, public_key, created_at) values (%(one)s, 'cHVi', now() - interval '1 year');
alter table escrow.orders disable trigger guard_order;
update escrow.orders set buyer_wallet = %(one)s where onchain_order_id %% 4 = 0 and status <> 'cancelled';
update escrow.orders set seller_wallet = %(one)s where onchain_order_id %% 4 = 1 and status <> 'cancelled';
alter table escrow.orders enable trigger guard_order;
insert into escrow.messages (order_id, sender_wallet, ciphertext, nonce, created_at)
select o.id, %(one)s, 'Y2lwaGVy', 'bm9uY2U=', o.created_at + n * interval '1 second'
from escrow.orders as o cross join generate_series(1, 5000) as n
where o.onchain_order_id = 4;
vacuum analyze escrow.orders, escrow.messages, escrow.user_profiles
"""
WALK = 65
"""Rows of the shortest walk that puts orders of one moment in order."""
ORDER = "(select o.id from escrow.orders as o where o.onchain_order_id = 4)"
ASKED = {
    "order by id": (f"escrow.find_order({ORDER}, '{ONE}')", 1, 5),
    "profile": (f"escrow.find_profile('{ONE}')", 1, 5),
    "50 messages": (f"escrow.list_messages({ORDER}, '{ONE}', p_limit => 50)", 50, 60),
    "50 messages, later": (
        f"""escrow.list_messages({ORDER}, '{ONE}', p_limit => 50, p_after => (
            select m.id from escrow.messages as m where m.order_id = {ORDER} order by m.created_at offset 3000 limit 1
        ))""",
        50, 3070,  # with the 3,000 of the question itself
    ),
    # With all arbitrators, each with a profile: who is out gives disputes back.
    "scan for timeouts": ("escrow.apply_timeouts(1)", 1, 300),
    "orders that wait": ("escrow.waiting_orders()", 3, SIZE.orders // 100 + 10),
    "own orders": (f"escrow.list_orders('{ONE}', p_limit => 20)", 20, 3 * 8 * WALK + 40),
    "own orders, of one status": (f"escrow.list_orders('{ONE}', 'completed', p_limit => 20)", 20, 3 * WALK + 40),
    "own orders, later": (
        f"escrow.list_orders('{ONE}', p_limit => 20, p_after => {ORDER})", 1, 20,
    ),
}  # fmt: skip
"""What is asked for, how many rows are the answer, how many may be read."""


def rows_read(connection: psycopg.Connection[Any]) -> int:
    """How many rows of escrow's tables this session has read and not yet reported, by whatever way."""
    row = connection.execute(
        "select sum(seq_tup_read + idx_tup_fetch) from pg_stat_xact_user_tables where schemaname = 'escrow'"
    ).fetchone()
    assert row
    return int(row[0])


@pytest.fixture(scope="module")
def crowded(cluster: Cluster, template: str) -> Iterator[Database]:
    """A database with many products, which these tests only read."""
    with migrated_copy(cluster, template) as database:
        with database.connect() as connection:
            connection.execute(PEOPLE)
            connection.execute(PRODUCTS, {"many": MANY})
            connection.execute("vacuum analyze escrow.products, escrow.user_profiles")
        yield database


@pytest.fixture(scope="module")
def traded(cluster: Cluster, template: str) -> Iterator[Database]:
    """A marketplace as the benchmark's, smaller, which these tests don't change, with one of the people in half of the orders."""
    with migrated_copy(cluster, template) as database:
        load(database.dsn, SIZE, print)
        with database.connect() as connection:
            for statement in POPULAR.split(";"):
                psycopg.ClientCursor(connection).execute(statement.encode(), {"one": ONE})
        yield database


@pytest.mark.parametrize("call", ASKED)
def test_an_answer_is_read_by_index_among_many(call: str, traded: Database) -> None:
    source, found, most = ASKED[call]
    with traded.connect() as connection, connection.transaction(force_rollback=True):
        before = rows_read(connection)
        assert len(connection.execute(f"select * from {source}".encode()).fetchall()) == found
        read = rows_read(connection) - before
    print(call, read)
    assert read <= most


@pytest.mark.parametrize("call", CALLS)
def test_browsing_reads_little_among_many(call: str, crowded: Database) -> None:
    arguments, offset, found, most = CALLS[call]
    if offset:
        after = crowded.value("select id from escrow.products order by created_at offset %s limit 1", [offset])
        arguments += f"{', ' if arguments else ''}p_after => '{after}'"
    statement = f"select id from escrow.search_products({arguments})".encode()
    with crowded.connect() as connection:
        for _ in range(6):  # plans would be kept
            connection.execute(statement)
        with connection.transaction():
            before = rows_read(connection)
            assert len(connection.execute(statement).fetchall()) == found
            read = rows_read(connection) - before
    print(call, read)
    assert read <= most


@pytest.mark.parametrize("arguments", ["", "p_category => 'tools'", "'common'"])
def test_browsing_does_not_look_past_what_the_shut_out_sold(arguments: str, crowded: Database) -> None:
    statement = f"select id from escrow.search_products({arguments})".encode()
    with crowded.connect() as connection, connection.transaction(force_rollback=True):
        # Half of the sellers, who have the 500 newest products.
        connection.execute(
            "insert into escrow.blacklist (wallet, reason) select u.wallet, 'scam' from escrow.user_profiles as u"
            " where u.wallet >= '0x' || lpad('500', 40, '0')"
        )
        connection.execute("analyze escrow.products, escrow.user_profiles")
        before = rows_read(connection)
        assert len(connection.execute(statement).fetchall()) == 20
        read = rows_read(connection) - before
        print(arguments, read)
        assert read <= 2 * PAGE


def test_a_page_is_full_though_some_were_listed_by_who_was_being_shut_out(crowded: Database) -> None:
    newest = "select p.id from escrow.products as p where p.status = 'active' order by p.created_at desc limit 20"
    with crowded.connect() as connection, connection.transaction(force_rollback=True):
        connection.execute(
            "insert into escrow.blacklist (wallet, reason) select u.wallet, 'scam' from escrow.user_profiles as u"
            " where u.wallet >= '0x' || lpad('500', 40, '0')"
        )
        expected = connection.execute(newest.encode()).fetchall()
        connection.execute(
            "update escrow.products set status = 'active' where id in"
            " (select p.id from escrow.products as p order by p.created_at desc limit 100 offset 50)"
        )
        before = rows_read(connection)
        assert connection.execute(b"select id from escrow.search_products()").fetchall() == expected
        read = rows_read(connection) - before
        print(read)
        assert read <= DEPTH
