"""PUT /v1/coins/last-resort, and who gets such a coin: a sender that accepts it, when the others are gone."""

from __future__ import annotations

import asyncio
import base64
import uuid
from typing import Any

import aiohttp
import pytest

from conftest import Coin, Database, claim, make_coin, make_coins, to_json, upload
from tests.wire import LAST_RESORT, Answer, ask, fetch, given, state, wish
from tests.wire import claim as claim_many


async def put(http: aiohttp.ClientSession, user_id: uuid.UUID, coin: Coin | dict[str, Any]) -> Answer:
    body = {"user_id": str(user_id), "coin": coin if isinstance(coin, dict) else to_json(coin)}
    return await ask(http, "PUT", LAST_RESORT, json=body)


def stored(database: Database) -> list[tuple[Any, ...]]:
    return database.rows("""
        select key_id, coin_category, public_key_blob, signature_blob from coins.last_resort_coin
        order by coin_category
    """)


async def last(http: aiohttp.ClientSession, sender: uuid.UUID, target: uuid.UUID, **changes: Any) -> list[Any]:
    """The coins for a sender that accepts a last-resort coin."""
    answer = await claim_many(http, sender, wish(target, **{"accept_last_resort": True, **changes}))
    assert answer.status == 200, answer.raw
    return answer.body["claims"][0]["coins"]


async def test_it_is_stored_once_a_category_and_replaced_by_the_next(
    database: Database, http: aiohttp.ClientSession, bob: uuid.UUID
) -> None:
    first, second, silver = make_coin("first"), make_coin("second"), make_coin("silver", "SILVER")
    for coin, replaced in ((first, False), (first, True), (second, True), (second, True), (silver, False)):
        answer = await put(http, bob, coin)
        assert (answer.status, answer.body) == (200, {"replaced": replaced})
    assert stored(database) == [second, silver]


async def test_it_is_given_when_the_others_are_gone_to_whoever_accepts_it(
    database: Database, http: aiohttp.ClientSession, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    once, kept = make_coins(2), make_coin("kept")
    upload(database, bob, once)
    await put(http, bob, kept)
    assert await last(http, alice, bob, count=5) == [given(coin) for coin in once], "not while there are others"
    for sender in (alice, alice, uuid.uuid4()):
        assert await last(http, sender, bob, count=5) == [given(kept, last_resort=True)]
    assert await last(http, alice, bob, accept_last_resort=False) == []
    assert await last(http, alice, bob, category="SILVER") == [], "one category does not stand in for another"
    fetched = await fetch(http, bob, alice)
    assert (fetched.status, fetched.body) == (200, {"coins": []}), "never through fetch"
    assert stored(database) == [kept]


async def test_a_retry_with_a_request_id_gets_it_again_and_gone_after_it_was_replaced(
    database: Database, http: aiohttp.ClientSession, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    await put(http, bob, make_coin("first"))
    key, wishes = uuid.uuid4(), wish(bob, accept_last_resort=True)
    first = await claim_many(http, alice, wishes, key=key)
    assert first.body["claims"][0]["coins"][0]["key_id"] == "first"
    upload(database, bob, make_coins(1))
    assert (await claim_many(http, alice, wishes, key=key)).raw == first.raw
    await put(http, bob, make_coin("second"))
    assert (await claim_many(http, alice, wishes, key=key)).status == 410
    assert (await claim_many(http, alice, wishes, key=uuid.uuid4())).body["claims"][0]["coins"][0][
        "key_id"
    ] == "key-000"


@pytest.mark.parametrize(
    ("what", "same"),
    [
        *((what, same) for what in ("in stock", "claimed", "spent", "replaced") for same in ("key_id", "public key")),
        # SILVER's public key has another size, so only the name can be the same.
        ("another category's", "key_id"),
    ],
)
async def test_a_key_that_is_or_was_in_use_is_refused(
    database: Database, http: aiohttp.ClientSession, bob: uuid.UUID, alice: uuid.UUID, what: str, same: str
) -> None:
    used = make_coin("used")
    match what:
        case "in stock" | "claimed" | "spent":
            upload(database, bob, [used])
            if what != "in stock":
                claim(database, bob, alice, "BRONZE")
            if what == "spent":
                database.execute("select coins.hard_delete_fetched(0)")
        case "another category's":
            await put(http, bob, make_coin("used", "SILVER"))
        case "replaced":
            await put(http, bob, used)
            await put(http, bob, make_coin("next"))
    _, category, public_key, signature = make_coin("fresh")
    coin: Coin = (
        ("used", category, public_key, signature) if same == "key_id" else ("fresh", category, used[2], signature)
    )
    before = state(database)
    answer = await put(http, bob, coin)
    assert (answer.status, answer.body["code"]) == (409, "PT409")
    assert state(database) == before
    assert (await put(http, uuid.uuid4(), coin)).status == 200, "another user's keys are its own"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"coin_category": "TIN"}, "coin.coin_category"),
        ({"coin_category": "GOLD"}, "coin.public_key"),
        ({"key_id": ""}, "coin.key_id"),
        ({"key_id": "k" * 37}, "coin.key_id"),
        ({"key_id": None}, "coin.key_id"),
        ({"signature_b64": ""}, "coin.signature"),
        ({"signature_b64": base64.b64encode(bytes(63)).decode()}, "coin.signature"),
        ({"public_key_b64": None}, "coin.public_key"),
        ({"public_key_b64": "!"}, "coin.public_key_b64"),
        ({"price": 1}, "coin.price"),
    ],
)
async def test_a_bad_coin_names_its_field_and_stores_nothing(
    database: Database, http: aiohttp.ClientSession, bob: uuid.UUID, changes: dict[str, Any], field: str
) -> None:
    answer = await put(http, bob, to_json(make_coin("bad")) | changes)
    assert answer.status == 422, answer.raw
    assert answer.body["detail"].startswith(f"{field} ")
    assert stored(database) == []


async def test_a_call_without_its_parts_names_what_is_missing(http: aiohttp.ClientSession, bob: uuid.UUID) -> None:
    for body, detail in (
        ({"user_id": str(bob)}, "coin is missing"),
        ({"user_id": str(bob), "coin": None}, "coin must not be null"),
        ({"user_id": str(bob), "coin": []}, "coin must be an object"),
        ({"coin": to_json(make_coin("coin"))}, "user_id is missing"),
    ):
        answer = await ask(http, "PUT", LAST_RESORT, json=body)
        assert (answer.status, answer.body["detail"]) == (422, detail)


async def test_a_blob_larger_than_any_category_allows_is_413(http: aiohttp.ClientSession, bob: uuid.UUID) -> None:
    large = to_json(make_coin("large")) | {"public_key_b64": base64.b64encode(bytes(10_000)).decode()}
    assert (await put(http, bob, large)).status == 413


async def test_while_it_is_replaced_nobody_finds_it_missing(
    database: Database, http: aiohttp.ClientSession, bob: uuid.UUID
) -> None:
    await put(http, bob, make_coin("first"))

    async def replace() -> None:
        for number in range(20):
            assert (await put(http, bob, make_coin(f"next-{number}"))).status == 200

    async def take() -> None:
        for _ in range(20):
            assert [coin["last_resort"] for coin in await last(http, uuid.uuid4(), bob)] == [True]

    await asyncio.gather(replace(), *(take() for _ in range(4)))
