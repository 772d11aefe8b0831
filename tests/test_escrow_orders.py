"""Orders: no step that is not in the table, no item sold twice, one winner of every race, books that add up afterwards.

ESCROW_SEED repeats a run, ESCROW_RACES=10000 makes it longer.
"""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from conftest import Database

CROWD = 64
"""How many do the same at once."""

RACES = int(os.environ.get("ESCROW_RACES", "100"))
SEED = int(os.environ.get("ESCROW_SEED", str(random.randrange(2**32))))

STATUSES = [
    "created", "seller_confirmed", "completed", "disputed", "resolved_buyer", "resolved_seller", "cancelled", "expired",
]  # fmt: skip

LEGAL = {
    ("created", "seller_confirmed"): {"seller"},
    ("created", "cancelled"): {"buyer", "seller"},
    ("created", "expired"): {"time"},
    ("seller_confirmed", "completed"): {"buyer", "time"},
    ("seller_confirmed", "disputed"): {"buyer", "seller"},
    ("disputed", "resolved_buyer"): {"arbitrator"},
    ("disputed", "resolved_seller"): {"arbitrator"},
}
"""Who may take which step, by hand from the specification, not from the database."""

WAY = {
    "created": [],
    "seller_confirmed": ["seller_confirmed"],
    "completed": ["seller_confirmed", "completed"],
    "disputed": ["seller_confirmed", "disputed"],
    "resolved_buyer": ["seller_confirmed", "disputed", "resolved_buyer"],
    "resolved_seller": ["seller_confirmed", "disputed", "resolved_seller"],
    "cancelled": ["cancelled"],
    "expired": ["expired"],
}
"""How an order comes to a status."""

CALLS = {
    "seller_confirmed": "escrow.confirm_order(%(id)s, %(wallet)s, 'key', %(tx)s)",
    "completed": "escrow.complete_order(%(id)s, %(wallet)s, %(tx)s)",
    "cancelled": "escrow.cancel_order(%(id)s, %(wallet)s, %(tx)s)",
    "disputed": "escrow.dispute_order(%(id)s, %(wallet)s, %(tx)s)",
    "resolved_buyer": "escrow.resolve_dispute(%(id)s, %(wallet)s, 'buyer', %(tx)s)",
    "resolved_seller": "escrow.resolve_dispute(%(id)s, %(wallet)s, 'seller', %(tx)s)",
}
"""The function that takes a party's step to a status."""

CREATE = "select id from escrow.create_order(%s, %s, 'bsc', 'USDT', %s, %s)"

Connection = psycopg.Connection[Any]
Work = Callable[[Connection], Any]


def wallet(number: int) -> str:
    return f"0x{number:040x}"


def tx(number: int) -> str:
    return f"0x{number:064x}"


BUYERS, SELLERS, JUDGES, STRANGER = range(100, 200), range(200, 210), range(300, 305), wallet(400)


def value(connection: Connection, statement: str, parameters: Any = None) -> Any:
    row = connection.execute(statement.encode(), parameters).fetchone()
    return row[0] if row else None


def settle_in(database: Database, seller_age: str = "30 days") -> None:
    """Buyers, sellers and arbitrators."""
    database.execute(
        "insert into escrow.user_profiles (wallet, public_key, created_at)"
        " select w, 'cHVi', now() - %s::interval from unnest(%s::text[]) as w",
        [seller_age, [*map(wallet, [*BUYERS, *SELLERS, *JUDGES]), STRANGER]],
    )
    database.execute(
        "insert into escrow.arbitrators (wallet, stake_amount, stake_token)"
        " select w, 500, w from unnest(%s::text[]) as w",
        [[*map(wallet, JUDGES)]],
    )


def list_product(database: Database, seller: int, stock: int) -> Any:
    return database.value(
        "insert into escrow.products (seller_wallet, title_preview, description_preview, category, price_usdt, stock,"
        " product_hash) values (%s, 'Title', 'Text', 'data', 10, %s, 'hash') returning id",
        [wallet(seller), stock],
    )


class Crowd:
    """Sessions of their own, one a thread, that begin at one moment."""

    def __init__(self, database: Database, size: int) -> None:
        self.connections = [database.connect() for _ in range(size)]
        self.pool = ThreadPoolExecutor(size)

    def at_once(self, works: Sequence[Work]) -> list[Any]:
        """What each got: its result, or SQLSTATE and constraint of its refusal."""
        barrier = threading.Barrier(len(works))

        def run(connection: Connection, work: Work) -> Any:
            barrier.wait(timeout=60)
            try:
                return work(connection)
            except psycopg.Error as error:
                return f"{error.sqlstate} {error.diag.constraint_name}"

        return list(self.pool.map(run, self.connections, works))


@contextmanager
def crowd_of(database: Database, size: int = CROWD) -> Iterator[Crowd]:
    crowd = Crowd(database, size)
    try:
        yield crowd
    finally:
        crowd.pool.shutdown()
        for connection in crowd.connections:
            connection.close()


BOOKS = """
select to_jsonb(u) - 'updated_at' from escrow.user_profiles as u order by u.wallet
"""


def check_books(database: Database, stocks: dict[Any, int]) -> None:
    """Stock, what was sold, totals, reputation and steps are what counting the orders from scratch gives."""
    for product, stock in stocks.items():
        assert database.rows(
            "select p.stock, p.total_sold from escrow.products as p where p.id = %s", [product]
        ) == database.rows(
            """
            select
                %s - count(*) filter (where o.status not in ('cancelled', 'expired')),
                count(*) filter (where o.status in ('completed', 'resolved_seller'))
            from escrow.orders as o where o.product_id = %s
            """,
            [stock, product],
        )
    before = database.rows(BOOKS)
    database.execute(
        "select escrow.recompute_profile(u.wallet) from (select u.wallet from escrow.user_profiles as u) as u"
    )
    assert database.rows(BOOKS) == before
    assert database.rows(
        """
        select a.wallet, a.total_resolved from escrow.arbitrators as a
        where a.total_resolved <> (
            select count(*) from escrow.orders as o
            where
                o.arbitrator_wallet = a.wallet and o.status in ('resolved_buyer', 'resolved_seller')
                and o.chain_status is not null
        )
        """
    ) == []  # fmt: skip
    # Each order went a way that there is, and each step is noted.
    for status, steps in database.rows(
        """
        select o.status::text, array(
            select s.to_status::text from escrow.order_step as s where s.order_id = o.id order by s.place
        )
        from escrow.orders as o
        """
    ):
        assert steps == WAY[status]


# -- every status, every step, everybody


TABLES = ["arbitrators", "dispute_evidence", "messages", "order_step", "orders", "products", "user_profiles"]
DUMP = " union all ".join(f"(select '{t}' as name, to_jsonb(t)::text from escrow.{t} as t)" for t in TABLES)


@contextmanager
def undone(connection: Connection) -> Iterator[None]:
    """What is done inside is taken back."""
    with connection.transaction(force_rollback=True):
        yield


def attempt(connection: Connection, statement: str, parameters: Any) -> tuple[Any, str | None, str | None, str | None]:
    """The first value, or SQLSTATE, constraint and message of the refusal."""
    try:
        with connection.transaction():
            return value(connection, statement, parameters), None, None, None
    except psycopg.Error as error:
        return None, error.sqlstate, error.diag.constraint_name, error.diag.message_primary


def dump(connection: Connection) -> list[Any]:
    return sorted(connection.execute(DUMP.encode()).fetchall())


@pytest.fixture
def orders(database: Database) -> dict[str, Any]:
    """One order of each status."""
    settle_in(database)
    product = list_product(database, SELLERS[0], 100)
    made = {}
    for number, status in enumerate(STATUSES):
        made[status] = database.value(CREATE, [wallet(BUYERS[0]), product, number, tx(number)])
        for step in WAY[status]:
            database.execute(
                # A key that is missing may come late.
                "update escrow.orders set status = %s::escrow.order_status, product_key_encrypted = 'a2V5' where id = %s",
                [step, made[status]],
            )
    return made


def test_the_table_has_the_steps_of_the_specification_and_no_others(database: Database) -> None:
    rows = database.rows("select from_status::text, to_status::text, actor from escrow.order_transition")
    assert set(rows) == {(*step, actor) for step, actors in LEGAL.items() for actor in actors}
    assert database.value("select enum_range(null::escrow.order_status)::text[]") == STATUSES


def test_nobody_takes_another_step_by_function(database: Database, orders: dict[str, Any]) -> None:
    taken = set()
    with database.connect() as connection:
        untouched = dump(connection)
        for status, order in orders.items():
            judge = value(connection, "select arbitrator_wallet from escrow.orders where id = %s", [order])
            people = {
                "buyer": wallet(BUYERS[0]),
                "seller": wallet(SELLERS[0]),
                "arbitrator": judge or wallet(JUDGES[0]),
                "stranger": STRANGER,
            }
            for to, call in CALLS.items():
                for actor, who in people.items():
                    with undone(connection):
                        result, code, constraint, message = attempt(
                            connection, f"select status::text from {call}", {"id": order, "wallet": who, "tx": tx(99)}
                        )
                        case = f"{status} to {to} by {actor}: {result} {code} {message}"
                        if actor in LEGAL.get((status, to), ()):
                            assert result == to, case
                            assert dump(connection) != untouched, case
                            taken.add((status, to, actor))
                            continue
                        if actor == "stranger" or (actor == "arbitrator" and judge is None):
                            assert (result, code) == (None, None), case
                        elif (status, to) in LEGAL:
                            assert (code, constraint) == ("42501", "not_your_step"), case
                        else:
                            assert (code, constraint) == ("PT409", "order_transition"), case
                            assert message == f"an order that is {status} can't become {to}"
                        assert dump(connection) == untouched, case
    by_hand = {(*step, actor) for step, actors in LEGAL.items() for actor in actors}
    assert taken == {case for case in by_hand if case[2] != "time"}


def test_time_takes_its_own_steps_and_no_others(database: Database, orders: dict[str, Any]) -> None:
    database.execute(
        "update escrow.orders set created_at = created_at - interval '9 days',"
        " seller_confirmed_at = seller_confirmed_at - interval '9 days'"
    )
    of_time = {come: to for (come, to), actors in LEGAL.items() if "time" in actors}
    assert database.value("select escrow.apply_timeouts()") == len(of_time)
    for status, order in orders.items():
        now = database.value("select status::text from escrow.orders where id = %s", [order])
        assert now == of_time.get(status, status)
    assert database.value("select escrow.apply_timeouts()") == 0


def test_no_update_takes_another_step(database: Database, orders: dict[str, Any]) -> None:
    with database.connect() as connection:
        untouched = dump(connection)
        for status, order in orders.items():
            for to in STATUSES:
                if to == status:
                    continue
                with undone(connection):
                    result, code, constraint, message = attempt(
                        connection,
                        "update escrow.orders set status = %s::escrow.order_status where id = %s"
                        " returning status::text",
                        [to, order],
                    )
                    if (status, to) in LEGAL:
                        assert result == to, message
                    else:
                        assert (result, code, constraint) == (None, "PT409", "order_transition")
                        assert message == f"an order that is {status} can't become {to}"
                        assert dump(connection) == untouched


# -- races


def buy(buyer: int, product: Any, number: int) -> Work:
    return lambda connection: value(connection, CREATE, [wallet(buyer), product, number, tx(number)])


@pytest.mark.parametrize("stock", [1, 5])
def test_of_many_who_buy_the_last_items_as_many_get_one(database: Database, stock: int) -> None:
    settle_in(database)
    product = list_product(database, SELLERS[0], stock)
    with crowd_of(database) as crowd:
        got = crowd.at_once([buy(BUYERS[n], product, n) for n in range(CROWD)])
    assert Counter(map(str, got))["PT409 sold_out"] == CROWD - stock
    assert {str(row[0]) for row in database.rows("select id from escrow.orders")} == {
        str(one) for one in got if one != "PT409 sold_out"
    }
    assert database.rows("select stock, status::text from escrow.products") == [(0, "sold_out")]


def test_a_new_seller_has_three_orders_a_day_however_they_come(database: Database) -> None:
    settle_in(database, "1 day")
    products = [list_product(database, SELLERS[0], 100) for _ in range(8)]
    with crowd_of(database) as crowd:
        got = crowd.at_once([buy(BUYERS[n], products[n % 8], n) for n in range(CROWD)])
    assert Counter(map(str, got))["PT409 new_seller_limit"] == CROWD - 3
    assert database.value("select count(*) from escrow.orders") == 3
    assert database.value("select sum(stock) from escrow.products") == 797


def test_an_order_that_is_sent_many_times_at_once_is_one(database: Database) -> None:
    settle_in(database)
    product = list_product(database, SELLERS[0], 1)
    with crowd_of(database, 16) as crowd:
        got = crowd.at_once([buy(BUYERS[0], product, 7)] * 16)
    assert len(set(map(str, got))) == 1
    assert database.rows("select id, onchain_order_id from escrow.orders") == [(got[0], 7)]


def test_a_number_of_the_contract_is_one_order_whoever_asks_at_once(database: Database) -> None:
    settle_in(database)
    products = [list_product(database, SELLERS[n % 10], 100) for n in range(16)]
    with crowd_of(database, 16) as crowd:
        got = crowd.at_once([buy(BUYERS[n], products[n], 7) for n in range(16)])
    assert Counter(map(str, got))["PT409 uq_onchain_order"] == 15
    assert database.value("select sum(stock) from escrow.products") == 1599


def step(order: Any, who: str, to: str, number: int) -> Work:
    """A party's step; its result is the new status."""
    statement = f"select status::text from {CALLS[to]}"
    return lambda connection: value(connection, statement, {"id": order, "wallet": who, "tx": tx(number)})


def time_comes(connection: Connection) -> Any:
    return "time" if value(connection, "select escrow.apply_timeouts(1)") else "nothing"


AGE = {
    "created": "update escrow.orders set created_at = now() - interval '25 hours' where id = %s",
    "seller_confirmed": "update escrow.orders set seller_confirmed_at = now() - interval '73 hours' where id = %s",
}


def test_of_all_who_take_a_step_at_once_one_does(database: Database) -> None:
    print(f"seed {SEED}, {RACES} races of {CROWD}")
    chance = random.Random(SEED)
    settle_in(database)
    products = [list_product(database, seller, RACES) for seller in SELLERS]
    winners: Counter[str] = Counter()
    with crowd_of(database) as crowd, database.connect() as connection:
        for race in range(RACES):
            buyer, place = chance.choice(BUYERS), chance.randrange(len(SELLERS))
            parties = wallet(buyer), wallet(SELLERS[place])
            order = buy(buyer, products[place], race)(connection)
            status = chance.choice(list(AGE))
            if status == "seller_confirmed":
                step(order, parties[1], status, race)(connection)
            connection.execute(AGE[status].encode(), [order])
            works: list[Work] = []
            for number in range(CROWD):
                (_, to), actors = chance.choice([item for item in LEGAL.items() if item[0][0] == status])
                actor = chance.choice(sorted(actors))
                party = parties[actor == "seller"]
                works.append(time_comes if actor == "time" else step(order, party, to, 10**6 + race * CROWD + number))
            outcomes = Counter(map(str, crowd.at_once(works)))
            winner = [name for name in outcomes if name not in ("PT409 order_transition", "nothing")]
            assert [outcomes[name] for name in winner] == [1], f"seed {SEED}, race {race}: {outcomes}"
            winners[winner[0]] += 1
    print(winners)
    check_books(database, dict.fromkeys(products, RACES))


def test_steps_of_few_people_never_deadlock_with_batches_of_time(database: Database) -> None:
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    settle_in(database)
    products = [list_product(database, SELLERS[n % 3], 10_000) for n in range(4)]
    # The arbitrators must stay free.
    people = BUYERS[:3]
    count = 400
    made: list[tuple[Any, str, str]] = []
    # Else rulings would not count.
    database.execute(
        "insert into escrow.chain_event (chain, block, log_index, contract, kind, onchain_order_id, payload)"
        " select 'bsc', n, 0, 'contract', 'created', n, '{}' from generate_series(0, %s) as n",
        [count - 1],
    )
    with database.connect() as connection:
        for number in range(count):
            buyer, place = chance.choice(people), chance.randrange(4)
            order = buy(buyer, products[place], number)(connection)
            made.append((order, wallet(buyer), wallet(SELLERS[place % 3])))
            if number % 2:
                step(order, made[-1][2], "seller_confirmed", number)(connection)
        connection.execute(b"update escrow.orders set created_at = now() - interval '25 hours' where random() < 0.5")
        connection.execute(
            b"update escrow.orders set seller_confirmed_at = now() - interval '73 hours'"
            b" where seller_confirmed_at is not null and random() < 0.5"
        )

    def takes_steps(seed: int) -> Work:
        def work(connection: Connection) -> list[str]:
            own, codes = random.Random(seed), []
            for number in range(150):
                order, buyer, seller = own.choice(made)
                to = own.choice(sorted(CALLS))
                judge = value(connection, "select arbitrator_wallet from escrow.orders where id = %s", [order])
                who = judge or STRANGER if to.startswith("resolved") else own.choice([buyer, seller])
                try:
                    step(order, who, to, 10**6 * (seed + 1) + number)(connection)
                except psycopg.Error as error:
                    codes.append(str(error.sqlstate))
            return codes

        return work

    def lets_time_come(connection: Connection) -> list[str]:
        for _ in range(30):
            connection.execute(b"select escrow.apply_timeouts(20)")
        return []

    def buys(connection: Connection) -> list[str]:
        for number in range(50):
            buy(people[0], products[0], 10**6 + number)(connection)
        return []

    works: list[Work] = [*(takes_steps(SEED % 10**6 + n) for n in range(8)), lets_time_come, lets_time_come, buys]
    with crowd_of(database, len(works)) as crowd:
        got = crowd.at_once(works)
    assert all(isinstance(codes, list) for codes in got), got
    assert {code for codes in got for code in codes} <= {"PT409", "42501"}
    assert database.value("select count(*) from escrow.order_step where wallet is null") > 0
    assert database.value("select sum(total_resolved) from escrow.arbitrators") > 0
    check_books(database, dict.fromkeys(products, 10_000))


def test_batches_of_time_never_deadlock_with_each_other(database: Database) -> None:
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    settle_in(database)
    products = [list_product(database, seller, 1000) for seller in SELLERS]
    count = 600
    with database.connect() as connection:
        for number in range(count):
            place = chance.randrange(len(SELLERS))
            order = buy(chance.choice(BUYERS[:5]), products[place], number)(connection)
            if number % 2:
                step(order, wallet(SELLERS[place]), "seller_confirmed", number)(connection)
        for statement in AGE.values():
            connection.execute(statement.replace("id = %s", "true").encode())

    def lets_time_come(connection: Connection) -> int:
        ended = 0
        while number := value(connection, "select escrow.apply_timeouts(30)"):
            ended += number
        return ended

    with crowd_of(database, 6) as crowd:
        got = crowd.at_once([lets_time_come] * 6)
    assert all(isinstance(ended, int) for ended in got), got
    assert sum(got) == count
    assert database.rows("select status::text, count(*) from escrow.orders group by 1 order by 1") == [
        ("completed", count // 2),
        ("expired", count // 2),
    ]
    check_books(database, dict.fromkeys(products, 1000))


def test_messages_are_read_in_the_order_in_which_they_become_visible(database: Database) -> None:
    settle_in(database)
    product = list_product(database, SELLERS[0], 1)
    with database.connect() as connection:
        order = buy(BUYERS[0], product, 1)(connection)
    parties = wallet(BUYERS[0]), wallet(SELLERS[0])
    writers, each = 8, 40
    done = threading.Event()

    def writes(number: int) -> Work:
        def work(connection: Connection) -> str:
            for count in range(each):
                text = f"{number} {count}".encode()
                connection.execute(
                    b"select escrow.send_message(%s, %s, %s, %s)", [order, parties[number % 2], text, text.rjust(24)]
                )
            return "wrote"

        return work

    def reads(connection: Connection) -> list[bytes]:
        read, last = [], None
        while True:
            is_last_look = done.is_set()
            page = connection.execute(
                b"select id, ciphertext from escrow.list_messages(%s, %s, %s, 7)", [order, parties[0], last]
            ).fetchall()
            read += [bytes(row[1]) for row in page]
            last = page[-1][0] if page else last
            if is_last_look and not page:
                return read

    with crowd_of(database, writers) as crowd, database.connect() as connection:
        reader = ThreadPoolExecutor(1)
        got = reader.submit(reads, connection)
        assert crowd.at_once([writes(n) for n in range(writers)]) == ["wrote"] * writers
        done.set()
        read = got.result(timeout=60)
        reader.shutdown()
    # A reader who goes on after the last message has missed none, and seen none twice.
    assert Counter(read) == Counter(f"{n} {c}".encode() for n in range(writers) for c in range(each))
