"""Many at once at one seller or one product: every review counts, and of stock nothing is lost or invented."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import aiohttp
import psycopg
import pytest
from eth_utils import to_checksum_address

from conftest import Database, wait_until

SELLER, PRODUCT = f"0x{'b2':0>40}", "d0000000-0000-4000-8000-000000000000"
SETUP = """
insert into escrow.user_profiles (wallet, public_key)
select format('0x%s', lpad(n, 40, '0')), 'cHVi' from unnest(array['b1', 'b2', 'b3']) as n;
insert into escrow.products (
    id, seller_wallet, title_preview, description_preview, category, price_usdt, stock, product_hash
)
values (
    'd0000000-0000-4000-8000-000000000000', '0x00000000000000000000000000000000000000b2', 'Title', 'Text', 'data', 10, 500,
    'hash'
);
"""
ORDERS = """
insert into escrow.orders (
    onchain_order_id, chain, buyer_wallet, seller_wallet, product_id, token, amount, platform_fee, tx_hash_create
)
select
    n, 'bsc', format('0x%%s', lpad((array['b1', 'b3'])[1 + n %% 2], 40, '0')), '0x00000000000000000000000000000000000000b2',
    'd0000000-0000-4000-8000-000000000000', 'USDT', 10, 0.2, 'tx'
from generate_series(1, %s) as n
"""
REVIEW = "select id from escrow.add_review(%s, %s, %s)"
COUNTED = """
select rating_count, rating_sum, reputation_sum, rating, total_trades from escrow.user_profiles
where wallet = '0x00000000000000000000000000000000000000b2'
"""


@pytest.fixture
def market(database: Database) -> Database:
    """A seller, two buyers and a product of which there are 500."""
    with database.connect() as connection:
        connection.execute(SETUP)
    return database


def at_once(database: Database, jobs: list[Callable[[psycopg.Connection[Any]], Any]]) -> list[Any]:
    """What jobs answer that begin at once, each in a session of its own; an error is an answer."""
    answers: list[Any] = [None] * len(jobs)
    barrier = threading.Barrier(len(jobs))

    def run(place: int) -> None:
        with database.connect() as connection:
            barrier.wait(timeout=60)
            try:
                answers[place] = jobs[place](connection)
            except psycopg.Error as error:
                answers[place] = error

    threads = [threading.Thread(target=run, args=[place]) for place in range(len(jobs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    return answers


def asks(statement: str, *parameters: Any) -> Callable[[psycopg.Connection[Any]], Any]:
    """A job: one statement, whose first column is the answer."""
    return lambda connection: [row[0] for row in connection.execute(statement.encode(), parameters).fetchall()]


def complete(database: Database) -> list[tuple[Any, str]]:
    """Bring all orders to their good end; returns their ids and buyers."""
    database.execute("update escrow.orders set status = 'seller_confirmed'")
    database.execute("update escrow.orders set status = 'completed'")
    return database.rows("select id, buyer_wallet from escrow.orders")


def test_a_hundred_reviews_at_once_are_all_counted(market: Database) -> None:
    market.execute(ORDERS, [100])
    orders = complete(market)
    ratings = [1 + place % 5 for place in range(100)]
    answers = at_once(
        market, [asks(REVIEW, order, buyer, rating) for (order, buyer), rating in zip(orders, ratings, strict=True)]
    )
    assert [len(answer) for answer in answers] == [1] * 100
    assert market.rows(COUNTED) == [(100, sum(ratings), Decimal("110.0"), Decimal("3.00"), 100)]
    market.execute("select escrow.recompute_profile(%s)", [SELLER])
    assert market.rows(COUNTED) == [(100, sum(ratings), Decimal("110.0"), Decimal("3.00"), 100)]


def test_one_review_sent_often_at_once_is_one(market: Database) -> None:
    market.execute(ORDERS, [1])
    [(order, buyer)] = complete(market)
    answers = at_once(market, [asks(REVIEW, order, buyer, 5)] * 12)
    assert len({answer[0] for answer in answers}) == 1
    assert market.rows(COUNTED) == [(1, 5, Decimal("1.5"), Decimal("5.00"), 1)]


def test_of_different_reviews_of_one_order_one_counts(market: Database) -> None:
    market.execute(ORDERS, [1])
    [(order, buyer)] = complete(market)
    answers = at_once(market, [asks(REVIEW, order, buyer, 1 + place % 5) for place in range(10)])
    refused = [answer for answer in answers if isinstance(answer, psycopg.Error)]
    assert {(error.sqlstate, error.diag.constraint_name) for error in refused} == {("PT409", "uq_one_review_per_order")}
    # Two sent the same rating: the second is answered with the first.
    assert len(refused) == 8
    assert market.rows("select rating_count, rating_sum from escrow.user_profiles where rating_count > 0") == (
        market.rows("select 1, rating from escrow.reviews")
    )


def test_reviews_and_trades_of_the_same_people_never_wait_in_a_circle(market: Database) -> None:
    market.execute(ORDERS, [40])
    orders = complete(market)
    market.execute(
        "insert into escrow.orders (onchain_order_id, chain, buyer_wallet, seller_wallet, product_id, token, amount,"
        " platform_fee, tx_hash_create) select o.onchain_order_id + 100, o.chain, o.seller_wallet, o.buyer_wallet,"
        " o.product_id, o.token, o.amount, o.platform_fee, 'tx' from escrow.orders as o"
    )
    market.execute("update escrow.orders set status = 'seller_confirmed' where onchain_order_id > 100")
    jobs = [asks(REVIEW, order, buyer, 5) for order, buyer in orders]
    jobs += [asks(REVIEW, order, SELLER, 4) for order, _ in orders]
    finish = "update escrow.orders set status = 'completed' where onchain_order_id = %s returning 1"
    jobs += [asks(finish, 100 + place) for place in range(1, 41)]
    assert [answer for answer in at_once(market, jobs) if isinstance(answer, psycopg.Error) or len(answer) != 1] == []
    profiles = (
        "select wallet, rating_count, rating_sum, reputation_sum, total_trades from escrow.user_profiles order by 1"
    )
    counted = market.rows(profiles)
    market.execute("select escrow.recompute_profile(u.wallet) from escrow.user_profiles as u")
    assert counted == market.rows(profiles)
    assert [row[1] for row in counted] == [20, 40, 20]


def test_a_trade_that_the_contract_is_taking_back_is_not_reviewed(market: Database) -> None:
    market.execute(ORDERS, [1])
    [(order, buyer)] = complete(market)
    answers: list[Any] = []
    review = threading.Thread(target=lambda: answers.extend(at_once(market, [asks(REVIEW, order, buyer, 5)])))
    with market.connect() as chain, chain.transaction():
        chain.execute(
            "insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload)"
            " values ('bsc', 7, 0, %s, 'cancelled', 1, '{}')",
            [SELLER],
        )
        chain.execute("update escrow.orders set chain_status = 'cancelled'")
        review.start()
        wait_until(
            lambda: market.value(
                "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
            ),
            what="the review waits",
        )
    review.join()
    assert [str(answer).split("\n")[0] for answer in answers] == ["an order that is cancelled can't be reviewed"]
    assert market.rows(COUNTED)[0][:2] == (0, 0)


@pytest.mark.parametrize("number", [1, 12])
def test_one_message_sent_often_at_once_is_one(market: Database, number: int) -> None:
    """number: of different texts with one nonce, of which one is sent."""
    market.execute(ORDERS, [1])
    [(order, buyer)] = market.rows("select id, buyer_wallet from escrow.orders")
    send = "select id from escrow.send_message(%s, %s, %s, %s)"
    answers = at_once(market, [asks(send, order, buyer, b"text %d" % (n % number), b"n" * 24) for n in range(12)])
    refused = [answer for answer in answers if isinstance(answer, psycopg.Error)]
    assert {(error.sqlstate, error.diag.constraint_name) for error in refused} <= {("PT409", "nonce_reused")}
    assert len(refused) == 12 - 12 // number
    assert len({answer[0] for answer in answers if isinstance(answer, list)}) == 1
    assert market.value("select count(*) from escrow.messages") == 1


def test_stock_that_a_seller_sets_and_stock_that_buyers_take_come_one_after_the_other(market: Database) -> None:
    take = "update escrow.products set stock = stock - 1 where id = %s and stock > 0 returning stock"
    put = "select stock from escrow.update_product(%s, %s, p_stock => 1000)"
    answers = at_once(market, [asks(take, PRODUCT)] * 32 + [asks(put, PRODUCT, SELLER)])
    assert answers.pop() == [1000]
    left = [answer[0] for answer in answers]
    before = [stock for stock in left if stock < 500]
    print(f"{len(before)} of 32 were taken before the seller's stock")
    assert sorted(before) == list(range(500 - len(before), 500))
    after = [stock for stock in left if stock >= 500]
    assert sorted(after) == list(range(1000 - len(after), 1000))
    assert market.value("select stock from escrow.products") == 1000 - len(after)


def test_a_product_is_deleted_once_and_no_change_brings_it_back(market: Database) -> None:
    change = "select status from escrow.update_product(%s, %s, p_stock => %s, p_status => 'active')"
    delete = "select escrow.delete_product(%s, %s)"
    jobs = [asks(change, PRODUCT, SELLER, stock) for stock in range(16)]
    answers = at_once(market, jobs + [asks(delete, PRODUCT, SELLER)] * 16)
    ends = Counter(a.sqlstate if isinstance(a, psycopg.Error) else "deleted" for a in answers[16:])
    assert ends == {"deleted": 1, "PT404": 15}
    # Whoever came too late is told that there is none; nobody sees it deleted.
    print(Counter(str(answer) for answer in answers[:16]))
    assert all(answer in ([], ["active"], ["sold_out"]) for answer in answers[:16])
    assert market.rows("select status, deleted_at is not null from escrow.products") == [("deleted", True)]


def test_a_purge_does_not_wait_for_a_product_that_somebody_holds(market: Database) -> None:
    market.execute("update escrow.products set status = 'deleted', deleted_at = now() - interval '91 days'")
    purge = "select escrow.purge_products()"
    with market.connect() as holder, market.connect() as job:
        job.execute("set statement_timeout = '5 s'")
        with holder.transaction():
            holder.execute("select from escrow.products for key share")
            assert job.execute(purge).fetchall() == [(0,)]
        assert job.execute(purge).fetchall() == [(1,)]


async def test_what_is_listed_changes_as_soon_as_a_seller_changes_it(
    database: Database, http: aiohttp.ClientSession
) -> None:
    """Lists are kept by the gateway for 30 seconds, or until somebody changes what they show."""
    wallet = to_checksum_address(SELLER)
    database.execute("insert into escrow.user_profiles (wallet, public_key) values (%s, 'cHVi')", [wallet])
    product = {
        "seller_wallet": SELLER,
        "title_preview": "Title",
        "description_preview": "",
        "category": "tools",
        "price_usdt": "12.345678",
        "product_hash": f"0x{'ab' * 32}",
    }

    async def listed() -> list[dict[str, Any]]:
        async with http.get("/v1/escrow/products?keyword=title&category=tools&min_price=12.345678&limit=5") as answer:
            assert answer.status == 200, await answer.text()
            products: list[dict[str, Any]] = (await answer.json())["products"]
            return products

    async def listed_as(*expected: tuple[str, str, int]) -> None:
        for _ in range(50):
            found = [(one["seller_wallet"], one["price_usdt"], one["stock"]) for one in await listed()]
            if found == list(expected):
                return
            await asyncio.sleep(0.1)
        raise AssertionError(found)

    assert await listed() == []
    async with http.post("/v1/escrow/products", json=product) as answer:
        assert answer.status == 200, await answer.text()
        path = f"/v1/escrow/products/{(await answer.json())['id']}"
    await listed_as((wallet, "12.345678", 1))
    async with http.put(path, json={"seller_wallet": SELLER, "stock": 7}) as answer:
        assert answer.status == 200, await answer.text()
    await listed_as((wallet, "12.345678", 7))
    async with http.put(path, json={"seller_wallet": SELLER, "price_usdt": "0.5"}) as answer:
        assert (answer.status, (await answer.json())["field"]) == (422, "price_usdt")
    async with http.delete(path, params={"seller_wallet": SELLER}) as answer:
        assert answer.status == 204, await answer.text()
    await listed_as()
    async with http.get(path) as answer:
        assert answer.status == 404
