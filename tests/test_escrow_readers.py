"""Who may read and do what in the marketplace: every route by everybody, in every status of an order that matters.

The table is written by hand from the specification; a route that is not in it fails the test.
"""

from __future__ import annotations

import base64
import os
import re
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
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

CALLERS = (
    "buyer", "seller", "arbitrator", "bystander", "stranger", "impostor", "admin", "worker", "outcast", "anonymous",
)  # fmt: skip
"""The columns.

arbitrator: assigned to the order once it is disputed, active and not assigned before.
bystander: another active arbitrator, never assigned.
stranger: with a wallet, and themself. impostor: the stranger, naming whoever may. admin: naming whoever may.
outcast: a party of the order that is blacklisted, with a token from before.
"""

TABLE = """
GET /arbitrators                   -                 200  200  200  200  200  200  200  200  200  200
GET /products                      -                 200  200  200  200  200  200  200  200  200  200
GET /products/{id}                 -                 200  200  200  200  200  200  200  200  200  200
GET /profile/{wallet}              -                 200  200  200  200  200  200  200  200  200  200
POST /auth/nonce                   -                 200  200  200  200  200  200  200  200  200  200
POST /auth/verify                  -                 200  200  200  200  200  sign 200  200  list 200

PUT /profile                       -                 200  200  200  200  200  name 200  role list 401
GET /profile/products              -                 200  200  200  200  200  name role role 200  401
POST /products                     -                 200  200  200  200  200  name role role list 401
PUT /products/{id}                 -                 sell 200  sell sell sell name role role list 401
DELETE /products/{id}              -                 sell 204  sell sell sell name role role list 401

POST /orders                       -                 200  own  200  200  200  name role role list 401
GET /orders                        seller_confirmed  200  200  none none none name 200  role 200  401
GET /orders                        disputed          200  200  200  none none name 200  role 200  401
GET /orders/{id}                   created           200  200  404  404  404  name 200  role 200  401
GET /orders/{id}                   seller_confirmed  200  200  404  404  404  name 200  role 200  401
GET /orders/{id}                   disputed          200  200  200  404  404  name 200  role 200  401
GET /orders/{id}                   resolved_buyer    200  200  200  404  404  name 200  role 200  401

POST /orders/{id}/confirm          created           part 200  404  404  404  name role role list 401
POST /orders/{id}/confirm          seller_confirmed  step step 404  404  404  name role role list 401
POST /orders/{id}/confirm          disputed          step step step 404  404  name role role list 401
POST /orders/{id}/cancel           created           200  200  404  404  404  name role role list 401
POST /orders/{id}/cancel           seller_confirmed  step step 404  404  404  name role role list 401
POST /orders/{id}/cancel           disputed          step step step 404  404  name role role list 401
POST /orders/{id}/complete         seller_confirmed  200  part 404  404  404  name role role list 401
POST /orders/{id}/complete         disputed          step step step 404  404  name role role list 401
POST /orders/{id}/dispute          seller_confirmed  200  200  404  404  404  name role role list 401
POST /orders/{id}/dispute          disputed          step step step 404  404  name role role list 401

GET /orders/{order_id}/messages    seller_confirmed  200  200  404  404  404  name 200  role 200  401
GET /orders/{order_id}/messages    disputed          200  200  200  404  404  name 200  role 200  401
GET /orders/{order_id}/messages    resolved_buyer    200  200  over 404  404  name 200  role 200  401
POST /orders/{order_id}/messages   seller_confirmed  200  200  404  404  404  name role role list 401
POST /orders/{order_id}/messages   disputed          200  200  200  404  404  name role role list 401
POST /orders/{order_id}/messages   resolved_buyer    200  200  over 404  404  name role role list 401

GET /disputes/{order_id}/evidence  seller_confirmed  200  200  404  404  404  name 200  role 200  401
GET /disputes/{order_id}/evidence  disputed          200  200  200  404  404  name 200  role 200  401
GET /disputes/{order_id}/evidence  resolved_buyer    200  200  200  404  404  name 200  role 200  401
POST /disputes/{order_id}/evidence seller_confirmed  step step 404  404  404  name role role list 401
POST /disputes/{order_id}/evidence disputed          200  200  side 404  404  name role role list 401
POST /disputes/{order_id}/resolve  seller_confirmed  step step 404  404  404  name role role list 401
POST /disputes/{order_id}/resolve  disputed          part part 200  404  404  name role role list 401
POST /disputes/{order_id}/resolve  resolved_buyer    step step step 404  404  name role role list 401

POST /orders/{order_id}/reviews    seller_confirmed  step step 404  404  404  name role role list 401
POST /orders/{order_id}/reviews    disputed          step step part 404  404  name role role list 401
POST /orders/{order_id}/reviews    resolved_buyer    200  200  part 404  404  name role role list 401

GET /blacklist                     -                 role role role role role role 200  role role 401
POST /blacklist                    -                 role role role role role role 200  role role 401
DELETE /blacklist/{wallet}         -                 role role role role role role 204  role role 401
GET /stats/daily                   -                 role role role role role role 200  role role 401
POST /chain/events                 -                 role role role role role role 204  204  role 401
POST /chain/rollback               -                 role role role role role role 200  200  role 401
GET /chain/cursor                  -                 role role role role role role 200  200  role 401
PUT /chain/cursor                  -                 role role role role role role 200  200  role 401
"""
"""Route below /v1/escrow, status of the order that it is about, answers to CALLERS: a status, or one of REFUSALS.

The blacklisted can't sign in or take any step; with a token that is still good they read what is theirs, since their
money is in it.
"""

REFUSALS: dict[str, tuple[int, str]] = {
    "none": (200, ""),
    "401": (401, r"detail: .*token"),
    "404": (404, ""),
    "sign": (401, r"detail: the signature is not of a text that this wallet was given"),
    "name": (403, r"detail: (\w+) must be the token's subject field: \1 "),
    "role": (403, r"detail: role \w+ may not call this "),
    "list": (403, r"detail: \w+ is (of a wallet that is )?blacklisted .*constraint: blacklisted "),
    "sell": (403, r"detail: seller_wallet is not the seller .*constraint: not_seller code: 42501 "),
    "over": (403, r"detail: an arbitrator reads and writes .*constraint: not_disputed code: 42501 "),
    "side": (403, r"detail: evidence is of the parties .*constraint: not_party code: 42501 "),
    "part": (403, r"detail: .* (but not by its|is not a party) .*constraint: (not_your_step|not_party) code: 42501 "),
    "step": (409, r"detail: an order that is \w+ (can't become|can't be reviewed|takes no evidence) ?\w* .*"
                  r"constraint: (order_transition|not_disputed|review_eligibility) "),
    "own": (422, r"detail: buyer_wallet must not be the seller's .*constraint: chk_buyer_not_seller "),
}  # fmt: skip
"""Status and text of each way to be refused.

none: a list that does not have it. own: one's own product. sign: signed by somebody else. step: the order's status.
name: in the name of somebody else's wallet. list: the blacklist. role: not for wallets, or not for admins or workers.
sell: for the seller. over: for the arbitrator of a dispute that is not over. side: for the parties.
part: for another who has a part in it.
"""

SAID = ("detail", "field", "constraint", "code")
"""Of a problem, what the texts of REFUSALS are matched with."""

KEY, LETTERS, NONCE = b"the key of what is sold", (b"sealed by the buyer", b"sealed by the seller"), b"n" * 24
CID = "Qm" + "a" * 44
TX = "0x" + "e" * 64


def encode(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


SECRETS = [encode(KEY), *map(encode, LETTERS), CID]
"""What no refusal may contain."""

SETTLE_IN = """
insert into escrow.user_profiles (wallet, public_key, created_at)
select w, encode(sha256(w::bytea), 'base64'), now() - interval '30 days' from unnest(%(wallets)s::text[]) as w
"""
INSERT_ORDER = """
with product as (
    insert into escrow.products (
        seller_wallet, title_preview, description_preview, category, price_usdt, stock, product_hash
    )
    values (%(seller)s, 'Title', 'Text', 'data', 10, 5, %(tx)s) returning id
)
insert into escrow.orders (
    onchain_order_id, chain, buyer_wallet, seller_wallet, product_id, token, amount, platform_fee, tx_hash_create
)
select %(number)s, 'bsc', %(buyer)s, %(seller)s, p.id, 'USDT', 10, 0.2, %(tx)s from product as p
returning id, product_id
"""
CONFIRM = "update escrow.orders set status = 'seller_confirmed', product_key_encrypted = %s where id = %s"
DISPUTE = "update escrow.orders set status = 'disputed', arbitrator_wallet = %s where id = %s"
RULE = "update escrow.orders set status = 'resolved_buyer' where id = %s"
WRITE = """
insert into escrow.messages (order_id, sender_wallet, ciphertext, nonce, created_at)
values (%s, %s, %s, %s, clock_timestamp())
"""
PROVE = "insert into escrow.dispute_evidence (order_id, submitter_wallet, ipfs_hash) values (%s, %s, %s)"


@dataclass
class Row:
    """A line of the table."""

    route: str
    status: str
    answers: dict[str, str]


def read_table() -> Iterator[Row]:
    for line in TABLE.split("\n"):
        if line:
            method, path, status, *answers = line.split()
            yield Row(f"{method} {path}", status, dict(zip(CALLERS, answers, strict=True)))


@dataclass
class Scene:
    """An order of a cell's own, its product, and who is in it."""

    order: str
    product: str
    buyer: str
    seller: str


class Town:
    """Everybody with their wallets and tokens, the gateway and its database."""

    def __init__(self, database: Database, connection: psycopg.Connection[Any], http: aiohttp.ClientSession,
                 key_file: Path) -> None:  # fmt: skip
        self.connection, self.http = connection, http
        self.numbers = count(1)
        names = ("buyer", "seller", "arbitrator", "bystander", "stranger", "outcast")
        self.accounts: dict[str, LocalAccount] = {name: Account.from_key(os.urandom(32)) for name in names}
        self.wallets: dict[str, str] = {name: account.address for name, account in self.accounts.items()}
        key = read_private_key(key_file)
        self.tokens: dict[str, str | None] = {
            **{name: make_token(key, "wallet", wallet) for name, wallet in self.wallets.items()},
            "admin": make_token(key, "admin", str(uuid.UUID(int=1))),
            "worker": make_token(key, "worker", str(uuid.UUID(int=2))),
            "anonymous": None,
        }
        self.tokens["impostor"] = self.tokens["stranger"]
        connection.execute(SETTLE_IN, {"wallets": list(self.wallets.values())})
        connection.execute(
            "insert into escrow.arbitrators (wallet, stake_amount, stake_token)"
            " select w, 500, w from unnest(%s::text[]) as w",
            [[self.wallets["arbitrator"], self.wallets["bystander"]]],
        )
        connection.execute(
            "insert into escrow.blacklist (wallet, reason) values (%s, 'scam')", [self.wallets["outcast"]]
        )

    def make_scene(self, caller: str, route: str, status: str) -> Scene:
        """An order with its key, messages and evidence; an outcast stands where the step would be theirs."""
        is_sellers = route in ("POST /orders/{id}/confirm", "PUT /products/{id}", "DELETE /products/{id}")
        buyer, seller = self.wallets["buyer"], self.wallets["seller"]
        if caller == "outcast":
            buyer, seller = (buyer, self.wallets["outcast"]) if is_sellers else (self.wallets["outcast"], seller)
        run = self.connection.execute
        values = {"buyer": buyer, "seller": seller, "number": next(self.numbers), "tx": TX}
        made = run(INSERT_ORDER, values).fetchone()
        assert made is not None
        order = made[0]
        for sender, letter in zip((buyer, seller), LETTERS, strict=True):
            run(WRITE, [order, sender, encode(letter), encode(NONCE)])
        if status in ("seller_confirmed", "disputed", "resolved_buyer"):
            run(CONFIRM, [encode(KEY), order])
        if status in ("disputed", "resolved_buyer"):
            run(DISPUTE, [self.wallets["arbitrator"], order])
            run(PROVE, [order, buyer, CID])
        if status == "resolved_buyer":
            run(RULE, [order])
        return Scene(str(order), str(made[1]), buyer, seller)

    async def ask(self, caller: str, method: str, path: str, body: dict[str, Any] | None, query: dict[str, str]) -> Any:
        """Status and JSON of an answer; path: below /v1/escrow."""
        token = self.tokens[caller]
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self.http.request(method, f"/v1/escrow{path}", json=body, params=query, headers=headers) as answer:
            return answer.status, await answer.json(content_type=None) if await answer.read() else None

    async def body(self, caller: str, route: str, scene: Scene) -> dict[str, Any] | None:
        """What a route takes, but for who calls; None: it has no body."""
        number = next(self.numbers)
        match route:
            case "POST /auth/nonce":
                return {"wallet": self.wallets["buyer"]}
            case "POST /auth/verify":
                # Who has no wallet borrows one; the impostor has only their own key for somebody else's text.
                name = caller if caller in self.wallets else "buyer"
                _, challenge = await self.ask("anonymous", "POST", "/auth/nonce", {"wallet": self.wallets[name]}, {})
                signer = self.accounts["stranger" if caller == "impostor" else name]
                signature = bytes(signer.sign_message(encode_defunct(text=challenge["message"])).signature).hex()
                return {"signed": {"message": challenge["message"], "signature": f"0x{signature}"}}
            case "PUT /profile":
                return {"display_name": "Somebody"}
            case "POST /products":
                return {
                    "title_preview": "Title", "description_preview": "Text", "category": "data", "price_usdt": "10",
                    "product_hash": TX,
                }  # fmt: skip
            case "PUT /products/{id}":
                return {"title_preview": "Other"}
            case "POST /orders":
                return {
                    "product_id": scene.product, "chain": "bsc", "token": "USDT", "onchain_order_id": number,
                    "tx_hash_create": TX,
                }  # fmt: skip
            case "POST /orders/{id}/confirm":
                return {"product_key_encrypted_b64": encode(KEY), "tx_hash": TX}
            case "POST /orders/{id}/cancel" | "POST /orders/{id}/complete" | "POST /orders/{id}/dispute":
                return {"tx_hash": TX}
            case "POST /orders/{order_id}/messages":
                return {"ciphertext_b64": encode(b"another"), "nonce_b64": encode(b"m" * 24)}
            case "POST /disputes/{order_id}/evidence":
                return {"ipfs_hash": "Qm" + "b" * 44}
            case "POST /disputes/{order_id}/resolve":
                return {"winner": "seller", "tx_hash": TX}
            case "POST /orders/{order_id}/reviews":
                return {"rating": 4}
            case "POST /blacklist":
                return {"wallet": f"0x{number:040d}", "reason": "scam"}
            case "POST /chain/events":
                event = {"order_id": 1_000_000 + number}
                contract = "0x" + "7" * 40
                return {
                    "chain": "bsc", "contract": contract, "block": number, "log_index": 0, "kind": "created",
                    "payload": event,
                }  # fmt: skip
            case "POST /chain/rollback":
                return {"chain": "bsc", "block": 1}
            case "PUT /chain/cursor":
                return {"chain": "bsc", "contract": "0x" + "7" * 40, "block": number}
        return None

    async def call(self, caller: str, route: str, scene: Scene, argument: str | None) -> Any:
        """Status and JSON of a route's answer; argument: the field that names who calls."""
        method, path = route.split(" ")
        body, query = await self.body(caller, route, scene), {}
        if route == "GET /chain/cursor":
            query["chain"] = "bsc"
        if argument and caller in ("impostor", "admin"):
            (query if body is None else body)[argument] = {
                "seller_wallet": scene.seller, "arbitrator_wallet": self.wallets["arbitrator"],
            }.get(argument, scene.buyer)  # fmt: skip
        wallet = self.wallets["buyer"]
        if route.startswith("DELETE /blacklist"):
            wallet = f"0x{next(self.numbers):040d}"
            self.connection.execute("insert into escrow.blacklist (wallet, reason) values (%s, 'scam')", [wallet])
        path = path.format(
            id=scene.product if "/products/" in path else scene.order, order_id=scene.order, wallet=wallet
        )
        return await self.ask(caller, method, path, body, query)


@pytest.fixture
async def town(database: Database, run_gateway: Callable[..., RunningGateway], tmp_path: Path) -> AsyncIterator[Town]:
    gateway = run_gateway(database.dsn, AQM_AUTH="jwt")
    timeout = aiohttp.ClientTimeout(total=30)
    with database.connect() as connection:
        async with aiohttp.ClientSession(gateway.url, timeout=timeout) as http:
            yield Town(database, connection, http, tmp_path / "token_key.pem")


def check_content(town: Town, caller: str, row: Row, scene: Scene, answer: Any) -> None:
    """What is in an answer of 200, where it matters."""
    has_key, is_disputed = row.status != "created", row.status in ("disputed", "resolved_buyer")
    shown = {
        "id": scene.order, "status": row.status, "buyer_wallet": scene.buyer, "seller_wallet": scene.seller,
        "arbitrator_wallet": town.wallets["arbitrator"] if is_disputed else None,
        "product_key_encrypted_b64": encode(KEY) if has_key else None,
    }  # fmt: skip
    me = town.wallets.get(caller)
    match row.route:
        case "GET /orders":
            orders = {order["id"]: order for order in answer["orders"]}
            if row.answers[caller] == "none":
                assert scene.order not in orders
            else:
                assert {name: orders[scene.order][name] for name in shown} == shown
            named = me or scene.buyer
            for order in orders.values():
                assert named in (order["buyer_wallet"], order["seller_wallet"], order["arbitrator_wallet"])
        case "GET /orders/{id}":
            assert {name: answer[name] for name in shown} == shown
        case "GET /orders/{order_id}/messages":
            assert [(one["sender_wallet"], one["ciphertext_b64"], one["nonce_b64"]) for one in answer["messages"]] == [
                (sender, encode(letter), encode(NONCE))
                for sender, letter in zip((scene.buyer, scene.seller), LETTERS, strict=True)
            ]
        case "POST /orders/{order_id}/messages":
            assert (answer["sender_wallet"], answer["ciphertext_b64"]) == (me, encode(b"another"))
        case "GET /disputes/{order_id}/evidence":
            pieces = [(scene.buyer, CID)] if is_disputed else []
            assert [(one["submitter_wallet"], one["ipfs_hash"]) for one in answer["evidence"]] == pieces
        case "POST /disputes/{order_id}/evidence":
            assert answer["submitter_wallet"] == me
        case "POST /orders/{order_id}/reviews":
            assert (answer["reviewer_wallet"], answer["target_wallet"]) in (
                (scene.buyer, scene.seller), (scene.seller, scene.buyer),
            )  # fmt: skip
            assert answer["reviewer_wallet"] == me
        case "POST /orders/{id}/confirm":
            assert (answer["status"], answer["product_key_encrypted_b64"]) == ("seller_confirmed", encode(KEY))
        case "POST /orders/{id}/dispute":
            assert (answer["status"], answer["dispute_deadline"] is not None) == ("disputed", True)
        case "POST /orders/{id}/cancel":
            assert (answer["status"], answer["cancelled_by"]) == ("cancelled", me)
        case "POST /orders/{id}/complete":
            assert answer["status"] == "completed"
        case "POST /disputes/{order_id}/resolve":
            assert answer["status"] == "resolved_seller"
        case "GET /profile/products":
            assert (scene.product in [one["id"] for one in answer["products"]]) == (me == scene.seller)
        case "GET /products/{id}" | "GET /products" | "GET /arbitrators" | "GET /profile/{wallet}":
            # Everybody's pages tell of nobody's orders.
            assert not any(secret in str(answer) for secret in [*SECRETS, scene.order])
        case "POST /orders":
            assert (answer["buyer_wallet"], answer["status"]) == (me, "created")
        case "PUT /profile":
            assert answer["wallet"] == (me or scene.buyer)


def test_the_table_has_every_route(database: Database) -> None:
    rows = list(read_table())
    listed = database.rows("select method, path from gateway.list_routes() where path like '/v1/escrow/%'")
    routes = {f"{method} {path.removeprefix('/v1/escrow')}" for method, path in listed}
    assert {row.route for row in rows} == routes, "a route more or less: say who may call it"
    pairs = [(row.route, row.status) for row in rows]
    assert len(set(pairs)) == len(pairs)
    for row in rows:
        if row.status != "-":
            assert {(row.route, "seller_confirmed"), (row.route, "disputed")} <= set(pairs), row.route
        assert {word for word in row.answers.values() if not word.isdigit()} <= REFUSALS.keys(), row


async def test_every_route_answers_everybody_as_the_table_says(
    town: Town, database: Database, subtests: pytest.Subtests
) -> None:
    callers = {
        f"{method} {path.removeprefix('/v1/escrow')}": argument and argument.removeprefix("p_")
        for method, path, argument in database.rows("select method, path, caller_argument from gateway.list_routes()")
    }
    for row in read_table():
        for caller, wanted in row.answers.items():
            with subtests.test(f"{row.route} of {row.status} by {caller}: {wanted}"):
                scene = town.make_scene(caller, row.route, row.status)
                status, answer = await town.call(caller, row.route, scene, callers[row.route])
                expected, reason = REFUSALS.get(wanted, (int(wanted) if wanted.isdigit() else 0, ""))
                assert status == expected, answer
                if status in (200, 204):
                    check_content(town, caller, row, scene, answer)
                else:
                    said = "".join(f"{name}: {answer.get(name)} " for name in SAID)
                    assert re.match(reason, said), said
                    assert not any(secret in str(answer) for secret in SECRETS)


async def test_strangers_are_told_the_same_of_an_order_that_is_not_there(town: Town, subtests: pytest.Subtests) -> None:
    for row in read_table():
        if row.status == "seller_confirmed" and "{" in row.route:
            with subtests.test(row.route):
                scene = town.make_scene("stranger", row.route, row.status)
                answers = []
                for order in (scene.order, str(uuid.uuid4())):
                    there = Scene(order, scene.product, scene.buyer, scene.seller)
                    status, answer = await town.call("stranger", row.route, there, None)
                    answers.append((status, answer["detail"]))
                assert answers[0] == answers[1]
                assert answers[0][0] == 404
