"""Events of the chains in any order, twice, over restarts and re-organisations: the end is that of the clean run."""

from __future__ import annotations

import os
import random
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest
from psycopg.types.json import Jsonb

from conftest import Database, RunningGateway, wait_until
from gateway.keys import read_private_key
from gateway.tokens import make_token

Connection = psycopg.Connection[Any]
Work = Callable[[Connection], Any]
CONTRACT = "0x" + "c0" * 20
PEOPLE = [f"0x{number:040x}" for number in range(1, 7)]
BUYERS, SELLERS, STRANGER = PEOPLE[:3], PEOPLE[3:5], PEOPLE[5]
JUDGES = [f"0x{number:040x}" for number in range(0x11, 0x14)]
"""The last one signs in while events come already."""
PRODUCTS = [uuid.UUID(int=number) for number in range(1, 4)]
CHAINS = ("bsc", "base")
ROUNDS = int(os.environ.get("CHAIN_ROUNDS", "10"))

PERSON = "insert into escrow.user_profiles (wallet, public_key) values (%s, 'cHVi') on conflict do nothing"
APPLY = "select escrow.apply_chain_event(%s, %s, %s, %s, %s, %s)"
ROLL_BACK = "select last_block from escrow.roll_back_chain(%s, %s)"
CURSOR = "select last_block from escrow.find_chain_cursor(%s)"
STEPS = "select distinct from_status::text, to_status::text from escrow.order_transition order by 1, 2"
END = {
    "events": "select chain, block, log_index, kind, payload from escrow.chain_event order by 1, 2, 3",
    "orders": """
        select
            chain, onchain_order_id, buyer_wallet, status, chain_status, cancelled_by, tx_hash_complete, holds_item,
            token, amount, platform_fee
        from escrow.orders where onchain_order_id >= 0 order by 1, 2""",
    "products": "select id, stock, total_sold, status from escrow.products order by 1",
    "profiles": """
        select
            wallet, total_trades, total_as_buyer, total_as_seller, reputation_sum, reputation_score, tier, rating_count,
            rating_sum
        from escrow.user_profiles order by 1""",
    "reviews": """
        select o.chain, o.onchain_order_id, r.reviewer_wallet, r.rating
        from escrow.reviews as r inner join escrow.orders as o on o.id = r.order_id order by 1, 2, 3""",
    "arbitrators": "select wallet, stake_amount from escrow.arbitrators where is_active order by 1",
}
"""What must be the same in the end. Times, and who was chosen by chance, may differ."""


@dataclass(frozen=True)
class Order:
    """An order as its buyer sends it."""

    chain: str
    number: int
    buyer: str
    product: int
    is_told: bool = False
    """The contract says how much was paid of what."""
    is_dust: bool = False
    """Of less than an order may have, in the end."""

    @property
    def seller(self) -> str:
        return SELLERS[self.product % 2]


@dataclass
class Event:
    """What a contract says, and where in its chain."""

    chain: str
    block: int
    log_index: int
    kind: str
    payload: dict[str, Any]

    def arguments(self) -> list[Any]:
        return [self.chain, CONTRACT, self.block, self.log_index, self.kind, Jsonb(self.payload)]


@dataclass
class World:
    """Orders, the chains that are true in the end, and the branch that is given up after a block of each chain."""

    orders: list[Order]
    fork: dict[str, int] = field(default_factory=dict)
    final: list[Event] = field(default_factory=list)
    abandoned: list[Event] = field(default_factory=list)

    def kept(self) -> list[Event]:
        """The events before the fork."""
        return [event for event in self.final if event.block <= self.fork[event.chain]]

    def path(self, order: Order) -> list[str]:
        """The statuses of an order in the end's history."""
        place = (order.chain, order.number)
        said = [event.kind for event in self.final if (event.chain, event.payload.get("order_id")) == place]
        return [kind for number, kind in enumerate(said) if said[:number][-1:] != [kind]]


def spread(
    dice: random.Random, chain: str, lines: list[list[tuple[str, dict[str, Any]]]], block: int
) -> Iterator[Event]:
    """The events of many subjects, each in its order, shuffled into one chain from a block on."""
    lines = [list(line) for line in lines if line]
    index = 0
    while lines:
        line = dice.choice(lines)
        kind, payload = line.pop(0)
        if dice.random() < 0.6:
            block, index = block + dice.randint(1, 3), dice.randint(0, 3)
        else:
            index += dice.randint(1, 9)
        yield Event(chain, block, index, kind, payload)
        lines = [line for line in lines if line]


def order_event(dice: random.Random, order: Order, kind: str) -> tuple[str, dict[str, Any]]:
    payload: dict[str, Any] = {"order_id": order.number}
    if kind == "created":
        payload |= {"buyer": order.buyer.upper().replace("X", "x"), "seller": order.seller}
        if order.is_dust or order.is_told:
            amount = "0.999999" if order.is_dust else dice.choice(["1", "10", "12.5", "1.000025"])
            payload |= {"amount": amount, "token": dice.choice(["USDT", "USDC"])}
    elif kind == "cancelled":
        payload |= {"by": dice.choice([order.buyer, order.seller])}
    elif kind in ("completed", "resolved_buyer", "resolved_seller"):
        payload |= {"tx_hash": f"0x{dice.randrange(16**64):064x}"}
    return kind, payload


def order_line(dice: random.Random, order: Order, steps: list[tuple[str, str]]) -> list[tuple[str, dict[str, Any]]]:
    """A legal history of an order, perhaps not to its end; some of it is said twice, with another word."""
    status, line = "created", [order_event(dice, order, "created")]
    while (ways := [after for before, after in steps if before == status]) and dice.random() < 0.85:
        status = dice.choice(ways)
        line.append(order_event(dice, order, status))
    return [order_event(dice, order, kind) for kind, _ in line for _ in range(dice.choice([1, 1, 1, 2]))]


def judge_line(dice: random.Random, wallet: str) -> list[tuple[str, dict[str, Any]]]:
    """Registrations and withdrawals of an arbitrator, in turn."""
    stakes = ["499.999999", "500", "750.25"]
    registered = [
        ("arbitrator_registered", {"wallet": wallet, "stake_amount": dice.choice(stakes), "stake_token": CONTRACT})
        for _ in range(3)
    ]
    turns = [turn for one in registered for turn in (one, ("arbitrator_withdrawn", {"wallet": wallet}))]
    return turns[: dice.randint(0, 5)]


def make_world(dice: random.Random, steps: list[tuple[str, str]], count: int = 6) -> World:
    """Two branches of each chain that share their beginning; in the abandoned one some orders are other people's."""
    orders = [
        Order(
            dice.choice(CHAINS),
            number,
            dice.choice(BUYERS),
            dice.randrange(len(PRODUCTS)),
            dice.random() < 0.5,
            dice.random() < 0.1,
        )
        for number in range(count)
    ]
    world = World(orders)
    for chain in CHAINS:
        own = [order for order in orders if order.chain == chain]
        judged = [judge_line(dice, wallet) for wallet in JUDGES]
        lines = [order_line(dice, order, steps) for order in own if dice.random() < 0.9]
        final = list(spread(dice, chain, lines + judged, 100))
        fork = dice.choice([event.block for event in final] or [100])
        world.fork[chain] = fork
        world.final += final
        kept = [event for event in final if event.block <= fork]
        started = {event.payload.get("order_id"): event.kind for event in kept}
        others = []
        for order in own:
            if order.number not in started:
                taker = order if dice.random() < 0.7 else replace(order, buyer=STRANGER)
                others.append(order_line(dice, replace(taker, is_dust=dice.random() < 0.1), steps))
            elif ways := [after for before, after in steps if before == started[order.number]]:
                others.append([order_event(dice, order, dice.choice(ways))])
        others += [judge_line(dice, wallet) for wallet in JUDGES]
        world.abandoned += spread(dice, chain, others, fork + 1)
    return world


def begin(connection: Connection) -> None:
    """An empty marketplace with people and products; the last judge is still to come."""
    connection.execute("truncate escrow.user_profiles, escrow.chain_event, escrow.event_sync_cursor cascade")
    for wallet in [*PEOPLE, *JUDGES[:-1]]:
        connection.execute(PERSON, [wallet])
    for number, product in enumerate(PRODUCTS):
        connection.execute(
            "insert into escrow.products (id, seller_wallet, title_preview, description_preview, category, price_usdt,"
            " stock, product_hash) values (%s, %s, 'Title', 'Text', 'data', 10, 40, 'hash')",
            [product, SELLERS[number % 2]],
        )


def sign_in(connection: Connection) -> None:
    with connection.transaction():
        connection.execute(PERSON, [JUDGES[-1]])
        connection.execute("select escrow.sync_arbitrator(%s)", [JUDGES[-1]])


def post(connection: Connection, order: Order, buyer: str | None = None, is_by_hand: bool = False) -> bool:
    """What POST /orders does, or an INSERT by hand alone; false when the number is another's."""
    try:
        with connection.transaction():
            if not is_by_hand:
                connection.execute("select escrow.lock_onchain_order(%s, %s)", [order.chain, order.number])
            connection.execute("update escrow.products set stock = stock - 1 where id = %s", [PRODUCTS[order.product]])
            connection.execute(
                "insert into escrow.orders (onchain_order_id, chain, buyer_wallet, seller_wallet, product_id, token,"
                " amount, platform_fee, tx_hash_create) values (%s, %s, %s, %s, %s, 'USDT', 10, 0.2, 'tx')",
                [order.number, order.chain, buyer or order.buyer, order.seller, PRODUCTS[order.product]],
            )
    except psycopg.Error as error:
        if error.diag.constraint_name not in ("uq_onchain_order", "onchain_order_of_others"):
            raise
        return False
    return True


def step(connection: Connection, order: Order, path: list[str], dice: random.Random) -> None:
    """A party takes the order's next step over HTTP, where it is one of the history."""
    before, after = dice.choice(list(pairwise(path)) or [("", "")])
    wallet = dice.choice([order.buyer, order.seller])
    with connection.transaction():
        found = connection.execute(
            "select id from escrow.orders where (chain, onchain_order_id, buyer_wallet, status::text) = (%s, %s, %s, %s)"
            " for no key update",
            [order.chain, order.number, order.buyer, before],
        ).fetchone()
        if found:
            connection.execute(
                "insert into escrow.order_step (order_id, from_status, to_status, wallet, tx_hash)"
                " values (%s, %s, %s, %s, 'party')",
                [*found, before, after, wallet],
            )
            connection.execute(
                "update escrow.orders set status = %s::escrow.order_status where id = %s", [after, *found]
            )


def review(connection: Connection, dice: random.Random) -> None:
    """A stranger who has taken numbers rates the sellers as soon as they can: in the end there are no such orders."""
    connection.execute(
        "select escrow.add_review(o.id, o.buyer_wallet, %s) from escrow.orders as o"
        " where o.buyer_wallet = %s and escrow.is_trade(o.status)"
        " and not exists (select from escrow.reviews as r where r.order_id = o.id)",
        [dice.randint(1, 5), STRANGER],
    )


def apply(connection: Connection, event: Event) -> None:
    connection.execute(APPLY, event.arguments())


def end_of(connection: Connection) -> dict[str, list[Any]]:
    """How things stand; counting from scratch must change nothing."""
    stands = {name: connection.execute(query.encode()).fetchall() for name, query in END.items()}
    assert connection.execute("select escrow.check_profiles()").fetchone() == (0,)
    return stands


def clean_run(connection: Connection, world: World) -> dict[str, list[Any]]:
    """Everybody is there, each order is posted, each event comes once and in its place."""
    begin(connection)
    sign_in(connection)
    for order in world.orders:
        assert post(connection, order)
    for event in sorted(world.final, key=lambda event: (event.chain, event.block, event.log_index)):
        apply(connection, event)
    return end_of(connection)


def deliver(database: Database, world: World, events: list[Event], dice: random.Random) -> None:
    """Events in any order and some twice, while people post orders, take steps and take numbers that aren't theirs."""
    connection = database.connect()
    try:
        queue = events + dice.choices(events, k=len(events) // 2) if events else []
        dice.shuffle(queue)
        for number, event in enumerate(queue):
            apply(connection, event)
            order = dice.choice(world.orders)
            act = dice.random()
            if act < 0.15:
                post(connection, order)
            elif act < 0.22:
                post(connection, order, STRANGER)
            elif act < 0.26:
                review(connection, dice)
            elif act < 0.6:
                step(connection, order, world.path(order), dice)
            elif act < 0.62:
                sign_in(connection)
            elif act < 0.67:
                # A restart: what came since an earlier block comes again.
                connection.close()
                connection = database.connect()
                (cursor,) = connection.execute(CURSOR, [event.chain]).fetchone() or (0,)
                again = [old for old in queue[: number + 1] if old.chain == event.chain]
                assert cursor >= max(old.block for old in again)
                first = cursor - dice.randint(0, 20)
                for old in sorted(again, key=lambda old: (old.block, old.log_index)):
                    if old.block >= first:
                        apply(connection, old)
    finally:
        connection.close()


def messy_run(database: Database, world: World, dice: random.Random) -> dict[str, list[Any]]:
    """The same end by way of restarts, strangers, early and late events and a branch that is given up."""
    with database.connect() as connection:
        begin(connection)
    kept = world.kept()
    early = [event for event in kept if dice.random() < 0.7]
    deliver(database, world, early + [event for event in world.abandoned if dice.random() < 0.8], dice)
    with database.connect() as connection:
        for order in world.orders:
            post(connection, order, STRANGER)
        review(connection, dice)
        for chain in CHAINS:
            for _ in range(dice.randint(1, 2)):
                connection.execute(ROLL_BACK, [chain, world.fork[chain]])
    deliver(database, world, world.final, dice)
    with database.connect() as connection:
        sign_in(connection)
        has = {tuple(row) for row in connection.execute("select chain::text, onchain_order_id from escrow.orders")}
        for order in world.orders:
            # Of those without events a stranger may have taken the number: nobody can tell.
            if (order.chain, order.number) not in has:
                assert post(connection, order) is not order.is_dust
        return end_of(connection)


def give_everybody_events(world: World) -> None:
    """Orders of which the contract never tells stay out: whose they are, nobody knows."""
    world.orders = [order for order in world.orders if world.path(order)]


def chosen_dice() -> random.Random:
    """CHAIN_SEED, else a new one; printed, so that a failure can be played again."""
    seed = int(os.environ.get("CHAIN_SEED") or random.SystemRandom().randrange(10**6))
    print(f"CHAIN_SEED={seed}")
    return random.Random(seed)


def play(database: Database, rounds: int, dice: random.Random) -> list[str]:
    """The parts in which a messy run and the clean run ended differently."""
    faults = []
    with database.connect() as connection:
        steps = connection.execute(STEPS).fetchall()
    for _ in range(rounds):
        world = make_world(dice, steps)
        give_everybody_events(world)
        with database.connect() as connection:
            clean = clean_run(connection, world)
        messy = messy_run(database, world, dice)
        faults += [f"{name}: {set(messy[name]) ^ set(clean[name])}" for name in END if messy[name] != clean[name]]
    return faults


def test_every_way_ends_like_the_clean_run(database: Database) -> None:
    faults = play(database, ROUNDS, chosen_dice())
    assert not faults, "\n".join(faults[:3])


@pytest.mark.parametrize(
    ("function", "right", "wrong"),
    [
        ("find_chain_status", "order by e.block desc, e.log_index desc", "order by e.recorded_at desc"),
        ("find_chain_status", "order by e.block desc, e.log_index desc", "order by e.block desc, e.log_index"),
        ("sync_order", "and escrow.is_false_order", "and false and escrow.is_false_order"),
        ("sync_arbitrator", "order by e.chain, e.block desc, e.log_index desc", "order by e.chain, e.recorded_at desc"),
        (
            "sync_order",
            "p_onchain_order_id;\nend",
            "p_onchain_order_id and o.chain_status is distinct from v_status;\nend",
        ),
        ("is_false_order", "or t.amount < 1", ""),
        ("find_terms", "order by e.block desc, e.log_index desc", "order by e.recorded_at desc"),
        ("take_reviews_back", "from gone as g", "from (select from gone limit 0) as none cross join gone as g"),
        ("note_step", "lower(v_canceller)", "null"),
        ("settle_stock", "v_back := -1", "v_back := 0"),
    ],
)
def test_a_fault_is_found_out(database: Database, function: str, right: str, wrong: str) -> None:
    """A check that can't fail proves nothing."""
    source = database.value(f"select pg_get_functiondef('escrow.{function}'::regproc)")
    assert right in source
    database.execute(source.replace(right, wrong).replace("%", "%%"))
    dice = chosen_dice()
    for _ in range(60):
        try:
            if play(database, 1, dice):
                return
        except (AssertionError, psycopg.Error):
            return
    pytest.fail("not found out")


# -- at once


def at_once(database: Database, works: list[Work]) -> None:
    """Each on a connection of its own, beginning together; the first error of any is raised."""
    errors: list[BaseException] = []
    barrier = threading.Barrier(len(works))

    def run(work: Work) -> None:
        try:
            with database.connect() as connection:
                barrier.wait(timeout=60)
                work(connection)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert not any(thread.is_alive() for thread in threads)
    if errors:
        raise errors[0]


def applier(events: list[Event]) -> Work:
    return lambda connection: [apply(connection, event) for event in events]


def make_busy_world(database: Database, dice: random.Random) -> tuple[World, dict[str, list[Any]]]:
    with database.connect() as connection:
        world = make_world(dice, connection.execute(STEPS).fetchall(), 40)
        give_everybody_events(world)
        return world, clean_run(connection, world)


def test_32_connections_apply_the_events_of_one_chain_at_once(database: Database) -> None:
    dice = chosen_dice()
    world, clean = make_busy_world(database, dice)
    queue = world.final * 2
    dice.shuffle(queue)
    with database.connect() as connection:
        begin(connection)
        for order in world.orders[::2]:
            assert post(connection, order)

    def people(connection: Connection) -> None:
        own = random.Random(1)
        for order in world.orders[1::2]:
            post(connection, order)
            step(connection, order, world.path(order), own)

    at_once(database, [people, sign_in, *(applier(queue[number::32]) for number in range(32))])
    with database.connect() as connection:
        assert end_of(connection) == clean


def test_events_steps_and_roll_backs_at_once_never_wait_in_a_circle(database: Database) -> None:
    dice = chosen_dice()
    world, clean = make_busy_world(database, dice)
    with database.connect() as connection:
        begin(connection)

    def people(part: int) -> Work:
        own = random.Random(dice.random())

        def work(connection: Connection) -> None:
            for _ in range(4):
                for order in world.orders[part::4]:
                    post(connection, order)
                    step(connection, order, world.path(order), own)

        return work

    def roll_back(connection: Connection) -> None:
        for _ in range(10):
            for chain in CHAINS:
                connection.execute(ROLL_BACK, [chain, world.fork[chain]])

    at_once(
        database,
        [
            roll_back, roll_back, sign_in, *(people(part) for part in range(4)),
            *(applier(world.final[number::6] * 2) for number in range(6)),
        ],
    )  # fmt: skip
    with database.connect() as connection:
        for event in world.final:
            apply(connection, event)
        for order in world.orders:
            post(connection, order)
        assert end_of(connection) == clean


def meet(database: Database, first: Work, second: Work, then: Work | None = None) -> None:
    """The second comes while the first's transaction is open, and waits; then it goes on, and both must end well."""
    errors: list[psycopg.Error] = []

    def run() -> None:
        try:
            with database.connect() as two:
                second(two)
        except psycopg.Error as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    with database.connect() as one:
        with one.transaction():
            first(one)
            thread.start()
            waits = "select exists (select from pg_locks as l where not l.granted)"
            wait_until(lambda: database.value(waits), what="the second waits")
            if then:
                then(one)
        thread.join(timeout=30)
    if errors:
        raise errors[0]


@pytest.mark.parametrize("first", ["order", "event"])
@pytest.mark.parametrize("is_by_hand", [False, True])
def test_an_order_and_its_event_that_come_at_once_see_each_other(
    database: Database, first: str, is_by_hand: bool
) -> None:
    order, event = Order("bsc", 7, BUYERS[0], 0), Event("bsc", 9, 0, "completed", {"order_id": 7})
    works: list[Work] = [lambda one: post(one, order, is_by_hand=is_by_hand), lambda one: apply(one, event)]
    with database.connect() as connection:
        begin(connection)
    meet(database, *(works if first == "order" else works[::-1]))
    assert database.value("select status::text from escrow.orders") == "completed"


@pytest.mark.parametrize("first", ["sign-in", "event"])
def test_a_sign_in_and_a_registration_that_come_at_once_see_each_other(database: Database, first: str) -> None:
    payload = {"wallet": JUDGES[-1], "stake_amount": "500", "stake_token": CONTRACT}
    event = Event("bsc", 9, 0, "arbitrator_registered", payload)
    works: list[Work] = [sign_in, lambda one: apply(one, event)]
    with database.connect() as connection:
        begin(connection)
    meet(database, *(works if first == "sign-in" else works[::-1]))
    assert database.rows("select wallet, is_active from escrow.arbitrators") == [(JUDGES[-1], True)]


@pytest.mark.parametrize("held", ["order", "product"])
def test_a_roll_back_of_many_orders_locks_as_a_step_does(database: Database, held: str) -> None:
    orders = [Order("bsc", 1, BUYERS[0], 0), Order("bsc", 2, BUYERS[0], 1), Order("bsc", 3, BUYERS[0], 2)]
    with database.connect() as connection:
        begin(connection)
        for order in orders:
            post(connection, order)
            apply(connection, Event("bsc", 9, order.number, "completed", {"order_id": order.number}))

    # Of a step over the second order: what it locks first, and what it locks next.
    def first(one: Connection) -> None:
        if held == "product":
            one.execute("update escrow.products set stock = stock where id = %s", [PRODUCTS[1]])
        else:
            one.execute("update escrow.orders set updated_at = now() where onchain_order_id = 2")

    def then(one: Connection) -> None:
        if held == "product":
            one.execute("update escrow.user_profiles set updated_at = now() where wallet = %s", [BUYERS[0]])
        else:
            one.execute("update escrow.products set stock = stock where id = %s", [PRODUCTS[0]])

    meet(database, first, lambda two: two.execute(ROLL_BACK, ["bsc", 8]), then)
    assert database.rows("select distinct status::text from escrow.orders") == [("created",)]


# -- over HTTP


async def test_the_program_that_follows_a_chain_needs_three_routes(
    database: Database, run_gateway: Callable[..., RunningGateway], tmp_path: Path
) -> None:
    gateway = run_gateway(database.dsn, AQM_AUTH="jwt")
    key = read_private_key(tmp_path / "token_key.pem")
    headers = {"Authorization": f"Bearer {make_token(key, 'worker', str(uuid.uuid4()))}"}
    event = {
        "chain": "bsc", "contract": CONTRACT, "block": 9, "log_index": 0, "kind": "completed", "payload": {"order_id": 2**62}
    }  # fmt: skip
    async with aiohttp.ClientSession(gateway.url, headers=headers) as http:

        async def ask(method: str, path: str, body: Any = None) -> tuple[int, Any]:
            async with http.request(method, f"/v1/escrow/chain/{path}", json=body) as answer:
                return answer.status, await answer.json(content_type=None)

        assert (await ask("GET", "cursor?chain=bsc"))[0] == 404
        assert [(await ask("POST", "events", event))[0] for _ in range(2)] == [204, 204]
        status, problem = await ask("POST", "events", event | {"kind": "disputed"})
        assert (status, problem["constraint"]) == (409, "chain_event")
        for field_name, wrong in (
            ("chain", {"chain": "solana"}), ("contract", {"contract": "0x1"}), ("block", {"block": -1}),
            ("log_index", {"log_index": -1}), ("kind", {"kind": "paid"}), ("payload", {"payload": []}),
            ("payload.order_id", {"payload": {"order_id": "7"}}),
            ("payload.tx_hash", {"payload": {"order_id": 7, "tx_hash": "0x7"}}),
        ):  # fmt: skip
            status, problem = await ask("POST", "events", event | {"block": 10} | wrong)
            assert (status, problem["field"]) == (422, field_name)
        status, cursor = await ask("GET", "cursor?chain=bsc")
        assert (status, cursor["contract"].lower(), cursor["last_block"]) == (200, CONTRACT, 9)
        status, cursor = await ask("POST", "rollback", {"chain": "bsc", "block": 8})
        assert (status, cursor["last_block"]) == (200, 8)
    assert database.rows("select onchain_order_id from escrow.chain_event") == []
