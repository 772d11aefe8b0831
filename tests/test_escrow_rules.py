"""The rules of the source's table "Enforced at Application Level", one test for each, from outside, at their edges."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_account.signers.local import LocalAccount

from conftest import Database, RunningGateway
from gateway.keys import read_private_key
from gateway.tokens import make_token

BUYER, SELLER, ARBITRATOR, OTHER, STRANGER = (f"0x{digit * 40}" for digit in "12345")

STATUSES = (
    "created", "seller_confirmed", "completed", "disputed", "resolved_buyer", "resolved_seller", "cancelled", "expired",
)  # fmt: skip
REVIEWED = ("completed", "resolved_buyer", "resolved_seller")

STEPS = {
    ("created", "seller_confirmed"): {"seller"},
    ("created", "cancelled"): {"buyer", "seller"},
    ("seller_confirmed", "completed"): {"buyer"},
    ("seller_confirmed", "disputed"): {"buyer", "seller"},
    ("disputed", "resolved_buyer"): {"arbitrator"},
    ("disputed", "resolved_seller"): {"arbitrator"},
}
"""Who may take which step, by hand from the specification."""

BY_TIME = {
    ("created", "expired"): ("created_at", "24 hours"),
    ("seller_confirmed", "completed"): ("seller_confirmed_at", "72 hours"),
}
"""The steps that time takes: so long after a column."""

WAYS = {
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

CALLS: dict[str, tuple[str, list[Any]]] = {
    "seller_confirmed": ("confirm_order(%s, %s, %s, %s)", [b"key"]),
    "completed": ("complete_order(%s, %s, %s)", []),
    "cancelled": ("cancel_order(%s, %s, %s)", []),
    "disputed": ("dispute_order(%s, %s, %s)", []),
    "resolved_buyer": ("resolve_dispute(%s, %s, %s, %s)", ["buyer"]),
    "resolved_seller": ("resolve_dispute(%s, %s, %s, %s)", ["seller"]),
}
"""The function of a party's step to a status, and what it takes between who and the transaction."""

ADD_PEOPLE = """
insert into escrow.user_profiles (wallet, public_key, created_at)
select w, encode(sha256(w::bytea), 'base64'), now() - interval '1 year' from unnest(%s::text[]) as w
"""
ADD_ARBITRATOR = "insert into escrow.arbitrators (wallet, stake_amount, stake_token) values (%s, 500, %s)"
LIST_PRODUCT = "select id from escrow.create_product(%s, 'Map', 'Every lane', 'data', %s, %s, 1000)"
BUY = "select id from escrow.create_order(%s, %s, 'bsc', 'USDT', %s, %s)"
REVIEW = "select rating from escrow.add_review(%s, %s, %s)"


def tx(number: int) -> str:
    return f"0x{number:064x}"


class Market:
    """A seller, a buyer and others who have been there for a year; calls its functions as a superuser does."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.numbers = count(1)
        self.add_people(BUYER, SELLER, ARBITRATOR, OTHER, STRANGER)

    def value(self, statement: str, *parameters: Any) -> Any:
        """The first column of the first row; None: there is no row."""
        row = self.connection.execute(statement.encode(), parameters).fetchone()
        return row[0] if row else None

    def refusal(self, statement: str, *parameters: Any) -> str:
        """SQLSTATE, constraint and words of a refusal; empty: it was done, and stays."""
        try:
            with self.connection.transaction():
                self.connection.execute(statement.encode(), parameters)
        except psycopg.Error as error:
            return f"{error.sqlstate} {error.diag.constraint_name} {error.diag.message_primary}"
        return ""

    def add_people(self, *wallets: str) -> None:
        self.connection.execute(ADD_PEOPLE, [[*wallets]])

    def list_product(self, seller: str = SELLER, price: str = "10") -> Any:
        return self.value(LIST_PRODUCT, seller, price, tx(0))

    def purchase(self, product: Any, buyer: str = BUYER) -> tuple[str, Any, Any, int, str]:
        """BUY and what it needs."""
        number = next(self.numbers)
        return BUY, buyer, product, number, tx(number)

    def order(self, status: str = "created", buyer: str = BUYER, seller: str = SELLER) -> Any:
        """A new order that has come to a status."""
        order = self.value(*self.purchase(self.list_product(seller), buyer))
        for step in WAYS[status]:
            # A key that is missing may come late.
            self.update(order, f"status = '{step}', product_key_encrypted = 'a2V5'")
        return order

    def update(self, order: Any, assignments: str) -> None:
        """Change an order by hand."""
        self.connection.execute(f"update escrow.orders set {assignments} where id = %s".encode(), [order])

    def backdate(self, order: Any, column: str, age: str) -> None:
        """Set back a time of an order. Triggers are off: one of them keeps updated_at."""
        with self.connection.transaction():
            self.connection.execute("set local session_replication_role = replica")
            self.update(order, f"{column} = now() - interval '{age}'")
            # Else it lasts as long as the transaction around this one.
            self.connection.execute("set local session_replication_role = default")

    def take_step(self, order: Any, wallet: str, status: str) -> str:
        """refusal() of a party's step."""
        function, more = CALLS[status]
        return self.refusal(f"select escrow.{function}", order, wallet, *more, tx(next(self.numbers)))

    def status(self, order: Any) -> str:
        return str(self.value("select status from escrow.orders where id = %s", order))

    def tier(self, wallet: str) -> str:
        return str(self.value("select tier from escrow.find_profile(%s)", wallet))

    def rating(self, wallet: str) -> str:
        return str(self.value("select rating from escrow.find_profile(%s)", wallet))


@pytest.fixture
def market(database: Database) -> Iterator[Market]:
    with database.connect() as connection:
        yield Market(connection)


def test_order_status_transitions(market: Market, subtests: pytest.Subtests) -> None:
    """Every step of everybody in every status, and every change by hand."""
    market.connection.execute(ADD_ARBITRATOR, [ARBITRATOR, ARBITRATOR])
    parties = {"buyer": BUYER, "seller": SELLER, "arbitrator": ARBITRATOR}
    for was in STATUSES:
        order = market.order(was)
        # A ruling would be a conflict of interest in the next dispute.
        market.backdate(order, "updated_at", "8 days")
        has_arbitrator = was in ("disputed", "resolved_buyer", "resolved_seller")
        for to in STATUSES:
            allowed = STEPS.get((was, to), set())
            illegal = f"PT409 order_transition an order that is {was} can't become {to}"
            for actor, wallet in parties.items() if to in CALLS else ():
                with subtests.test(f"{was} to {to} by {actor}"), market.connection.transaction(force_rollback=True):
                    refused = market.take_step(order, wallet, to)
                    if actor in allowed:
                        assert (refused, market.status(order)) == ("", to)
                    elif actor == "arbitrator" and not has_arbitrator:
                        # Nobody's arbitrator yet: there is no such order for them.
                        assert (refused, market.status(order)) == ("", was)
                    elif allowed:
                        assert (
                            refused
                            == f"42501 not_your_step an order that is {was} can become {to}, but not by its {actor}"
                        )
                    else:
                        assert refused == illegal
            if was != to:
                with subtests.test(f"{was} to {to} by hand"), market.connection.transaction(force_rollback=True):
                    refused = market.refusal("update escrow.orders set status = %s where id = %s", to, order)
                    assert refused == ("" if allowed or (was, to) in BY_TIME else illegal)
    for (was, to), (column, age) in BY_TIME.items():
        for seconds, status in ((60, was), (0, to)):
            order = market.order(was)
            market.backdate(order, column, f"{age} -{seconds} seconds")
            market.value("select escrow.apply_timeouts()")
            assert market.status(order) == status, f"{seconds} s before {age}"


def test_new_seller_limits(market: Market) -> None:
    """For 7 days at most 3 orders in 24 hours, and at most 50 USDT."""
    product, dear, dearer = (market.list_product(price=price) for price in ("10", "50", "50.000001"))
    too_dear = "PT409 new_seller_limit a new seller's orders have at most 50 USDT"
    too_many = "PT409 new_seller_limit a new seller has at most 3 orders in 24 hours"

    def age(interval: str) -> None:
        market.connection.execute(
            "update escrow.user_profiles set created_at = now() - %s::interval where wallet = %s", [interval, SELLER]
        )

    age("0")
    assert market.refusal(*market.purchase(dearer)) == too_dear
    first = market.value(*market.purchase(dear))
    assert market.refusal(*market.purchase(product, OTHER)) == "", "whoever buys"
    assert market.take_step(first, BUYER, "cancelled") == "", "and whatever becomes of it"
    assert market.refusal(*market.purchase(product)) == ""
    assert market.refusal(*market.purchase(product, STRANGER)) == too_many
    assert market.refusal(*market.purchase(market.list_product(OTHER, "1000"))) == "", "others have sold for a year"

    market.backdate(first, "created_at", "23 hours 59 minutes")
    assert market.refusal(*market.purchase(product)) == too_many
    market.backdate(first, "created_at", "24 hours")
    assert market.refusal(*market.purchase(product)) == ""
    assert market.refusal(*market.purchase(product)) == too_many

    age("6 days 23 hours 59 minutes")
    assert market.refusal(*market.purchase(product)) == too_many
    assert market.refusal(*market.purchase(dearer)) == too_dear
    age("7 days")
    assert [market.refusal(*market.purchase(wanted)) for wanted in (product, dearer, product, product)] == [""] * 4


class Visitor:
    """Somebody with a wallet, who comes over HTTP."""

    def __init__(self, http: aiohttp.ClientSession, key_file: Path) -> None:
        self.http = http
        self.account: LocalAccount = Account.from_key(os.urandom(32))
        self.wallet: str = self.account.address
        self.token = make_token(read_private_key(key_file), "wallet", self.wallet)

    async def post(self, path: str, body: dict[str, Any], token: str | None = None) -> tuple[int, Any]:
        """Status and JSON of an answer; path: below /v1/escrow."""
        headers = {"Authorization": f"Bearer {token or self.token}"}
        async with self.http.post(f"/v1/escrow{path}", json=body, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None)

    async def sign_in(self) -> tuple[int, Any]:
        _, challenge = await self.post("/auth/nonce", {"wallet": self.wallet})
        signature = self.account.sign_message(encode_defunct(text=challenge["message"])).signature
        signed = {"message": challenge["message"], "signature": f"0x{bytes(signature).hex()}"}
        return await self.post("/auth/verify", {"signed": signed, "public_key_b64": "A" * 43 + "="})

    async def sell(self) -> tuple[int, Any]:
        product = {
            "title_preview": "Map", "description_preview": "Every lane", "category": "data", "price_usdt": "10",
            "stock": 9, "product_hash": tx(0),
        }  # fmt: skip
        return await self.post("/products", product)

    async def buy(self, product: str, number: int) -> tuple[int, Any]:
        order = {"product_id": product, "chain": "bsc", "token": "USDT", "onchain_order_id": number}
        return await self.post("/orders", order | {"tx_hash_create": tx(number)})


@pytest.fixture
async def visitors(
    database: Database, run_gateway: Callable[..., RunningGateway], tmp_path: Path
) -> AsyncIterator[tuple[Visitor, Visitor]]:
    """Two who have signed in."""
    gateway = run_gateway(database.dsn, AQM_AUTH="jwt")
    async with aiohttp.ClientSession(gateway.url) as http:
        both = Visitor(http, tmp_path / "token_key.pem"), Visitor(http, tmp_path / "token_key.pem")
        for visitor in both:
            assert (await visitor.sign_in())[0] == 200
        yield both


async def test_blacklist_check(database: Database, visitors: tuple[Visitor, Visitor], tmp_path: Path) -> None:
    """Who is blacklisted can't sign in, sell, buy, be bought from or take a step, with a token from before either."""
    scammer, honest = visitors
    admin = make_token(read_private_key(tmp_path / "token_key.pem"), "admin", "root")
    theirs, others = (await scammer.sell())[1]["id"], (await honest.sell())[1]["id"]
    bought = (await scammer.buy(others, 1))[1]["id"]

    def is_marked() -> Any:
        return database.value("select is_blacklisted from escrow.user_profiles where wallet = %s", [scammer.wallet])

    async def attempts(number: int) -> list[tuple[int, str | None, str]]:
        """Status, constraint and first word of the answers to what the scammer, or another with them, may try."""
        answers = [
            await scammer.sign_in(),
            await scammer.sell(),
            await scammer.buy(others, number),
            await honest.buy(theirs, number + 1),
            await scammer.post(f"/orders/{bought}/messages", {"ciphertext_b64": "AAAA", "nonce_b64": f"{number:032}"}),
            await scammer.post(f"/orders/{bought}/cancel", {"tx_hash": tx(number)}),
        ]
        return [
            (status, answer.get("constraint"), answer.get("detail", "").partition(" ")[0]) for status, answer in answers
        ]

    entry = {"wallet": scammer.wallet, "reason": "sold used keys"}
    assert (await honest.post("/blacklist", entry, admin))[0] == 200
    assert is_marked() is True
    whom = ["signed", "seller_wallet", "buyer_wallet", "seller_wallet", "wallet", "wallet"]
    assert await attempts(10) == [(403, "blacklisted", word) for word in whom]
    # Who has nothing to do with them trades on.
    assert (await honest.sell())[0] == 200
    database.execute("delete from escrow.blacklist")
    assert is_marked() is False
    assert (await honest.buy(theirs, 3))[1]["constraint"] == "not_active"
    database.execute("select escrow.update_product(%s, %s, p_status => 'active')", [theirs, scammer.wallet])
    assert [status for status, _, _ in await attempts(20)] == [200] * 6

    database.execute("insert into escrow.blacklist (wallet, reason) values (lower(%s), 'by hand')", [scammer.wallet])
    assert is_marked() is True
    assert (await scammer.sign_in())[0] == 403


def test_arbitrator_conflict_of_interest(market: Market, subtests: pytest.Subtests) -> None:
    """Nobody rules who has traded with either party in 30 days, or ruled on either in 7."""
    market.connection.execute(ADD_ARBITRATOR, [ARBITRATOR, ARBITRATOR])

    def assigned() -> Any:
        """Who is to rule when BUYER and SELLER fall out."""
        order = market.order("seller_confirmed")
        assert market.take_step(order, BUYER, "disputed") == ""
        return market.value("select arbitrator_wallet from escrow.orders where id = %s", order)

    trades = {
        "sold to the buyer": (BUYER, ARBITRATOR), "bought from the buyer": (ARBITRATOR, BUYER),
        "sold to the seller": (SELLER, ARBITRATOR), "bought from the seller": (ARBITRATOR, SELLER),
    }  # fmt: skip
    rulings = {
        "ruled on the buyer's purchase": (BUYER, OTHER), "ruled on the buyer's sale": (OTHER, BUYER),
        "ruled on the seller's purchase": (SELLER, OTHER), "ruled on the seller's sale": (OTHER, SELLER),
    }  # fmt: skip
    for what, (buyer, seller) in trades.items():
        with subtests.test(what), market.connection.transaction(force_rollback=True):
            order = market.order("completed", buyer, seller)
            assert assigned() is None
            market.backdate(order, "created_at", "29 days 23 hours 59 minutes")
            assert assigned() is None
            market.backdate(order, "created_at", "30 days")
            assert assigned() == ARBITRATOR
    for what, (buyer, seller) in rulings.items():
        for winner in ("resolved_buyer", "resolved_seller"):
            with subtests.test(f"{what}: {winner}"), market.connection.transaction(force_rollback=True):
                order = market.order("disputed", buyer, seller)
                assert market.take_step(order, ARBITRATOR, winner) == ""
                assert assigned() is None
                market.backdate(order, "updated_at", "6 days 23 hours 59 minutes")
                assert assigned() is None
                market.backdate(order, "updated_at", "7 days")
                assert assigned() == ARBITRATOR
    with subtests.test("neither of the parties"), market.connection.transaction(force_rollback=True):
        market.connection.execute("update escrow.arbitrators set wallet = %s", [SELLER])
        assert assigned() is None
    with subtests.test("trades and rulings of others don't matter"):
        market.order("completed", ARBITRATOR, OTHER)
        other = market.order("disputed", OTHER, STRANGER)
        assert market.value("select arbitrator_wallet from escrow.orders where id = %s", other) is None
        assert assigned() == ARBITRATOR


def test_review_eligibility(market: Market, subtests: pytest.Subtests) -> None:
    """Each party reviews the other, once, after the order was completed or ruled on, and nobody else does."""
    market.connection.execute(ADD_ARBITRATOR, [ARBITRATOR, ARBITRATOR])
    for status in STATUSES:
        with subtests.test(status), market.connection.transaction(force_rollback=True):
            order = market.order(status)
            for party in (BUYER, SELLER):
                refused = market.refusal(REVIEW, order, party, 4)
                if status in REVIEWED:
                    assert refused == ""
                    assert market.value(REVIEW, order, party, 4) == 4, "again the same is the same"
                else:
                    assert refused == f"PT409 review_eligibility an order that is {status} can't be reviewed"
            assert market.value(REVIEW, order, STRANGER, 1) is None
            written = market.value("select count(*) from escrow.reviews")
            assert written == (2 if status in REVIEWED else 0)
    order = market.order("resolved_buyer")
    assert market.value(REVIEW, order, BUYER, 4) == 4
    for wallet, rating, refused in (
        (BUYER, 1, "PT409 uq_one_review_per_order reviewer_wallet has reviewed this order already"),
        (ARBITRATOR, 1, "42501 not_party reviewer_wallet is not a party of this order"),
        (SELLER, 0, "22023 None rating must be between 1 and 5"),
        (SELLER, 6, "22023 None rating must be between 1 and 5"),
        (SELLER, 1, ""),
    ):
        assert market.refusal(REVIEW, order, wallet, rating) == refused


def test_tier_auto_update(market: Market) -> None:
    """new up to 9 trades, standard up to 99, trusted from 100 with a rating of 4.00; at once with a trade or review."""

    def trade(rating: int | None = None) -> None:
        """One more trade, by the parties' own steps; the buyer reviews the seller."""
        order = market.order("seller_confirmed")
        assert market.take_step(order, BUYER, "completed") == ""
        if rating:
            market.value(REVIEW, order, BUYER, rating)

    for _ in range(9):
        trade(4)
    assert (market.tier(SELLER), market.tier(BUYER)) == ("new", "new")
    market.order("cancelled")
    assert market.tier(SELLER) == "new", "what was cancelled is no trade"
    trade(4)
    assert (market.tier(SELLER), market.tier(BUYER)) == ("standard", "standard")
    for _ in range(89):
        trade(4)
    assert (market.rating(SELLER), market.tier(SELLER)) == ("4.00", "standard")
    trade()
    assert (market.rating(SELLER), market.tier(SELLER)) == ("4.00", "trusted")
    assert (market.rating(BUYER), market.tier(BUYER)) == ("None", "standard"), "without a rating nobody is trusted"
    trade(3)
    assert (market.rating(SELLER), market.tier(SELLER)) == ("3.99", "standard")
    trade(5)
    assert (market.rating(SELLER), market.tier(SELLER)) == ("4.00", "trusted")
    market.value("select escrow.recompute_profile(%s)", SELLER)
    assert market.tier(SELLER) == "trusted", "counted from scratch it is the same"
