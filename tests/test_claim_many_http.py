"""POST /v1/coins/claim: many recipients in one call, one entry for each."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import aiohttp
import pytest

from conftest import Database, count, make_coin, make_coins, upload
from tests.wire import CLAIM, ask, claim, given, state, wish

MANY_COINS = 70


async def test_each_entry_says_what_was_asked_given_and_left_in_the_order_of_the_wishes(
    database: Database, http: aiohttp.ClientSession, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    carol, dave = uuid.uuid4(), uuid.uuid4()
    bobs, carols = make_coins(5), make_coins(2, "GOLD")
    upload(database, bob, bobs)
    upload(database, carol, carols)
    answer = await claim(http, alice, wish(carol, "GOLD", count=3), wish(dave, "SILVER", count=1), wish(bob, count=2))
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.body == {
        "claims": [
            {
                "target_user_id": str(carol), "coin_category": "GOLD", "requested": 3, "remaining": 0,
                "retry_after": None, "coins": [given(coin) for coin in carols],
            },
            {
                "target_user_id": str(dave), "coin_category": "SILVER", "requested": 1, "remaining": 0,
                "retry_after": None, "coins": [],
            },
            {
                "target_user_id": str(bob), "coin_category": "BRONZE", "requested": 2, "remaining": 3,
                "retry_after": None, "coins": [given(coin) for coin in bobs[:2]],
            },
        ]
    }  # fmt: skip
    assert set(database.rows("select fetched_by from coins.coin_inventory where fetched_by is not null")) == {(alice,)}


async def test_count_and_last_resort_may_be_left_out(
    database: Database, http: aiohttp.ClientSession, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    coins = make_coins(2)
    upload(database, bob, coins)
    database.execute("select coins.put_last_resort(%s, row(%s, %s, %s, %s)::coins.coin_upload)", [bob, *make_coin("l")])
    for expected in ([given(coins[0])], [given(coins[1])], []):
        (entry,) = (await claim(http, alice, wish(bob))).body["claims"]
        assert (entry["requested"], entry["coins"]) == (1, expected)


async def test_one_recipient_twice_in_a_call_gives_different_coins(
    database: Database, http: aiohttp.ClientSession, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    coins = make_coins(3)
    upload(database, bob, coins)
    entries = (await claim(http, alice, wish(bob, count=2), wish(bob, count=2))).body["claims"]
    assert [entry["coins"] for entry in entries] == [[given(coin) for coin in coins[:2]], [given(coins[2])]]
    assert [entry["remaining"] for entry in entries] == [0, 0]


GOOD = {"target_user_id": str(uuid.uuid4()), "coin_category": "BRONZE"}


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"coin_category": "BRONZE"}, "claims[1].target_user_id"),
        ({"target_user_id": GOOD["target_user_id"]}, "claims[1].coin_category"),
        (GOOD | {"target_user_id": "bob"}, "claims[1].target_user_id"),
        (GOOD | {"target_user_id": None}, "claims[1].target_user_id"),
        (GOOD | {"coin_category": "TIN"}, "claims[1].coin_category"),
        (GOOD | {"coin_category": None}, "claims[1].coin_category"),
        (GOOD | {"coin_category": 7}, "claims[1].coin_category"),
        (GOOD | {"count": 0}, "claims[1].count"),
        (GOOD | {"count": 101}, "claims[1].count"),
        (GOOD | {"count": -1}, "claims[1].count"),
        (GOOD | {"count": "2"}, "claims[1].count"),
        (GOOD | {"count": 1.5}, "claims[1].count"),
        (GOOD | {"count": None}, "claims[1].count"),
        (GOOD | {"accept_last_resort": "yes"}, "claims[1].accept_last_resort"),
        (GOOD | {"accept": True}, "claims[1].accept"),
        ("bob", "claims[1]"),
        (None, "claims[1]"),
        ([GOOD], "claims[1]"),
    ],
)
async def test_a_refusal_names_the_element_and_nobody_gets_a_coin(
    database: Database, http: aiohttp.ClientSession, bob: uuid.UUID, alice: uuid.UUID, bad: Any, field: str
) -> None:
    upload(database, bob, make_coins(3))
    body = {"requester_id": str(alice), "claims": [wish(bob), bad]}
    answer = await ask(http, "POST", CLAIM, json=body)
    assert answer.status == 422, answer.raw
    # A refusal of the function has no member "field"; its text begins with the path.
    assert answer.body["detail"].startswith(f"{field} ")
    assert answer.body.get("field", field) == field
    assert count(database, bob) == (0, 0, 3)


@pytest.mark.parametrize(
    ("claims", "detail"),
    [
        ([], "claims must have 1 to 100 elements"),
        ([GOOD] * 101, "claims must have 1 to 100 elements"),
        ([GOOD | {"count": 100}] * 10 + [GOOD], "claims must ask for at most 1000 coins in all"),
        (None, "claims must not be null"),
        ({}, "claims must be a list"),
    ],
)
async def test_a_call_has_its_limits(http: aiohttp.ClientSession, alice: uuid.UUID, claims: Any, detail: str) -> None:
    answer = await ask(http, "POST", CLAIM, json={"requester_id": str(alice), "claims": claims})
    assert (answer.status, answer.body["detail"]) == (422, detail)


async def test_a_hundred_recipients_and_a_thousand_coins_are_one_call(
    database: Database, http: aiohttp.ClientSession, alice: uuid.UUID
) -> None:
    members = [uuid.uuid4() for _ in range(100)]
    for member in members:
        upload(database, member, make_coins(10))
    entries = (await claim(http, alice, *(wish(member, count=10) for member in members))).body["claims"]
    assert [entry["target_user_id"] for entry in entries] == [str(member) for member in members]
    assert all(len(entry["coins"]) == 10 and entry["remaining"] == 0 for entry in entries)


async def test_groups_that_claim_at_once_in_any_order_never_share_a_coin_nor_block_each_other(
    database: Database, http: aiohttp.ClientSession
) -> None:
    """Quotas are locked by row, so opposite orders of recipients would be a deadlock if each locked in its own."""
    members = [uuid.uuid4() for _ in range(10)]
    for member in members:
        upload(database, member, make_coins(MANY_COINS))
    database.execute("update coins.claim_quota set is_enabled = true")

    async def send(number: int) -> list[tuple[str, str]]:
        order = members if number % 2 else members[::-1]
        answer = await claim(http, uuid.uuid4(), *(wish(member, count=2) for member in order))
        assert answer.status == 200, answer.raw
        return [(entry["target_user_id"], coin["key_id"]) for entry in answer.body["claims"] for coin in entry["coins"]]

    async with asyncio.timeout(60):
        answers = await asyncio.gather(*(send(number) for number in range(30)))
    keys = [key for answer in answers for key in answer]
    assert len(keys) == len(set(keys)) == 30 * 10 * 2
    assert all(count(database, member) == (0, 0, MANY_COINS - 60) for member in members)


@pytest.mark.parametrize("key", [None, uuid.uuid4()])
async def test_a_call_that_fails_half_way_claims_nothing(
    database: Database, http: aiohttp.ClientSession, bob: uuid.UUID, alice: uuid.UUID, key: uuid.UUID | None
) -> None:
    upload(database, bob, make_coins(3))
    before = state(database)
    answer = await claim(http, alice, wish(bob), wish(bob, "TIN"), key=key)
    assert answer.status == 422
    assert state(database) == before
