"""Drain protection under 64 connections: quotas are exact, and a drained recipient still has its last-resort coin."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import psycopg
import pytest

from conftest import Database, make_coin, make_coins, upload

CONNECTIONS = 64
QUOTA = 100

CLAIM = "select key_id from coins.claim_coins(%s, %s, 'BRONZE', %s)"
CLAIM_BATCH = """
select error_code, key_id
from coins.claim_coins_batch(%s::uuid[], %s::uuid[], %s::text[], %s::integer[], %s::uuid[])
"""
CLAIM_MANY = """
select c.key_id, c.last_resort
from coins.claim_many(%s, array[row(%s, 'BRONZE', %s, true)::coins.claim_wish]) as m
cross join unnest(m.coins) as c
"""
PUT_LAST_RESORT = "select coins.put_last_resort(%s, row(%s, %s, %s, %s)::coins.coin_upload)"

Connections = list[psycopg.AsyncConnection[Any]]


def set_quota(database: Database, scope: str, coins: int) -> None:
    """So many coins a day; in the seconds that a test takes none comes back."""
    database.execute(
        "update coins.claim_quota set coins = %s, period = '1 day', is_enabled = true where scope = %s", [coins, scope]
    )


@pytest.fixture
async def connections(database: Database) -> AsyncIterator[Connections]:
    made = await asyncio.gather(*(database.connect_async() for _ in range(CONNECTIONS)))
    yield made
    await asyncio.gather(*(connection.close() for connection in made))


async def claim_until_refused(
    connection: psycopg.AsyncConnection[Any], target: uuid.UUID, sender: uuid.UUID, count: int
) -> list[str]:
    """Claim again and again until the quota says no; returns what came before."""
    taken: list[str] = []
    while True:
        try:
            cursor = await connection.execute(CLAIM, [target, sender, count])
        except psycopg.Error as error:
            if error.sqlstate != "PT429":
                raise
            return taken
        coins = [row[0] for row in await cursor.fetchall()]
        assert coins, "nothing came although there are coins and no quota stands in the way"
        taken += coins


@pytest.mark.parametrize("count", [1, 3])
async def test_one_sender_gets_exactly_its_quota(
    database: Database, connections: Connections, bob: uuid.UUID, alice: uuid.UUID, count: int
) -> None:
    set_quota(database, "pair", QUOTA)
    upload(database, bob, make_coins(3 * QUOTA))
    taken = await asyncio.gather(*(claim_until_refused(one, bob, alice, count) for one in connections))
    keys = [key for some in taken for key in some]
    assert (len(keys), len(set(keys))) == (QUOTA, QUOTA)
    assert len(await claim_until_refused(connections[0], bob, uuid.uuid4(), 7)) == QUOTA, "others have their own"


async def test_all_senders_together_get_exactly_the_recipients_quota(
    database: Database, connections: Connections, bob: uuid.UUID
) -> None:
    set_quota(database, "recipient", QUOTA)
    upload(database, bob, make_coins(3 * QUOTA))
    taken = await asyncio.gather(*(claim_until_refused(one, bob, uuid.uuid4(), 3) for one in connections))
    keys = [key for some in taken for key in some]
    assert (len(keys), len(set(keys))) == (QUOTA, QUOTA)


async def claim_in_batches(connection: psycopg.AsyncConnection[Any], target: uuid.UUID, sender: uuid.UUID) -> list[str]:
    """Batches of eight claims until all eight are refused; what a batch leaves to single calls is called alone."""
    taken: list[str] = []
    while True:
        arguments = [[target] * 8, [sender] * 8, ["BRONZE"] * 8, [2] * 8, [None] * 8]
        rows = await (await connection.execute(CLAIM_BATCH, arguments)).fetchall()
        errors = Counter(error for error, _ in rows if error)
        assert errors.keys() <= {"PT429", "55P03"}, errors
        taken += [key for error, key in rows if not error]
        if errors["55P03"]:
            taken += await claim_until_refused(connection, target, sender, 2)
        if errors["PT429"] == 8:
            return taken


@pytest.mark.parametrize("scope", ["pair", "recipient"])
async def test_the_batch_function_gives_exactly_the_quota(
    database: Database, connections: Connections, bob: uuid.UUID, alice: uuid.UUID, scope: str
) -> None:
    set_quota(database, scope, QUOTA)
    upload(database, bob, make_coins(3 * QUOTA))
    senders = [alice if scope == "pair" else uuid.uuid4() for _ in connections]
    async with asyncio.timeout(30):
        taken = await asyncio.gather(
            *(claim_in_batches(one, bob, sender) for one, sender in zip(connections, senders, strict=True))
        )
    keys = [key for some in taken for key in some]
    assert (len(keys), len(set(keys))) == (QUOTA, QUOTA)


async def fetch_until_refused(http: aiohttp.ClientSession, target: uuid.UUID, sender: uuid.UUID) -> list[str]:
    question = {"target_user_id": str(target), "requester_id": str(sender), "coin_category": "BRONZE", "count": "2"}
    taken: list[str] = []
    while True:
        async with http.get("/v1/coins/fetch", params=question) as answer:
            if answer.status == 429:
                assert 0 < int(answer.headers["Retry-After"]) <= 86400
                return taken
            assert answer.status == 200, await answer.text()
            taken += [coin["key_id"] for coin in (await answer.json())["coins"]]


@pytest.mark.parametrize("scope", ["pair", "recipient"])
async def test_over_http_the_quota_is_exact(
    database: Database, http: aiohttp.ClientSession, bob: uuid.UUID, alice: uuid.UUID, scope: str
) -> None:
    set_quota(database, scope, QUOTA)
    upload(database, bob, make_coins(3 * QUOTA))
    senders = [alice if scope == "pair" else uuid.uuid4() for _ in range(CONNECTIONS)]
    async with asyncio.timeout(30):
        taken = await asyncio.gather(*(fetch_until_refused(http, bob, sender) for sender in senders))
    keys = [key for some in taken for key in some]
    assert (len(keys), len(set(keys))) == (QUOTA, QUOTA)


Given = tuple[str, bool]
"""key_id, and whether it is a last-resort coin."""


async def claim_by_function(
    connection: psycopg.AsyncConnection[Any], target: uuid.UUID, sender: uuid.UUID
) -> list[Given]:
    return await (await connection.execute(CLAIM_MANY, [sender, target, 1])).fetchall()


async def claim_over_http(http: aiohttp.ClientSession, target: uuid.UUID, sender: uuid.UUID) -> list[Given]:
    wish = {"target_user_id": str(target), "coin_category": "BRONZE", "accept_last_resort": True}
    async with http.post("/v1/coins/claim", json={"requester_id": str(sender), "claims": [wish]}) as answer:
        assert answer.status == 200, await answer.text()
        (entry,) = (await answer.json())["claims"]
    return [(coin["key_id"], coin["last_resort"]) for coin in entry["coins"]]


@pytest.mark.parametrize("way", ["function", "HTTP"])
async def test_a_hundred_senders_drain_a_recipient_to_its_last_resort_coin_and_never_to_nothing(
    database: Database, connections: Connections, http: aiohttp.ClientSession, bob: uuid.UUID, way: str
) -> None:
    quota, stock, senders = 5, 300, 100
    set_quota(database, "pair", quota)
    upload(database, bob, make_coins(stock))
    database.execute(PUT_LAST_RESORT, [bob, *make_coin("last")])

    async def drain(places: range) -> list[list[Given]]:
        answers = []
        for place in places:
            sender = uuid.uuid4()
            # One time more than its quota.
            for _ in range(quota + 1):
                if way == "HTTP":
                    answers.append(await claim_over_http(http, bob, sender))
                else:
                    answers.append(await claim_by_function(connections[place % CONNECTIONS], bob, sender))
        return answers

    drained = await asyncio.gather(*(drain(range(first, senders, CONNECTIONS)) for first in range(CONNECTIONS)))
    answers = [answer for some in drained for answer in some]
    assert len(answers) == senders * (quota + 1)
    assert all(len(answer) == 1 for answer in answers), "a sender was sent away with nothing"
    once = [key for ((key, is_last),) in answers if not is_last]
    assert sorted(once) == [f"key-{number:03}" for number in range(stock)]
    assert {key for ((key, is_last),) in answers if is_last} == {"last"}
