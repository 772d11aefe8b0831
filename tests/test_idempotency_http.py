"""Idempotency-Key on GET fetch and POST claim: whatever becomes of an answer, asking again gives the same coins."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from conftest import Database, RunningGateway, count, make_coins, to_json, upload
from tests.wire import Answer, claim, fetch, given, state, wish

Ask = Callable[..., Awaitable[Answer]]


async def by_fetch(
    http: aiohttp.ClientSession, bob: uuid.UUID, alice: uuid.UUID, key: object, coins: int = 2, category: str = "BRONZE"
) -> Answer:
    return await fetch(http, bob, alice, key, coin_category=category, count=str(coins))


async def by_claim(
    http: aiohttp.ClientSession, bob: uuid.UUID, alice: uuid.UUID, key: object, coins: int = 2, category: str = "BRONZE"
) -> Answer:
    return await claim(http, alice, wish(bob, category, count=coins), key=key)


def coins_of(answer: Answer) -> list[dict[str, Any]]:
    """The coins in an answer of either route."""
    assert answer.status == 200, answer.raw
    entries = answer.body.get("claims") or [answer.body]
    return [coin for entry in entries for coin in entry["coins"]]


both_routes = pytest.mark.parametrize("ask", [by_fetch, by_claim], ids=["fetch", "claim"])


@both_routes
async def test_a_retry_gets_the_same_answer_byte_for_byte(
    database: Database, http: aiohttp.ClientSession, bob: uuid.UUID, alice: uuid.UUID, ask: Ask
) -> None:
    coins = make_coins(5)
    upload(database, bob, coins)
    key = uuid.uuid4()
    first = await ask(http, bob, alice, key)
    expected = [to_json(coin) if ask is by_fetch else given(coin) for coin in coins[:2]]
    assert coins_of(first) == expected
    assert len(coins_of(await ask(http, bob, alice, uuid.uuid4()))) == 2, "another id is another claim"
    for written in (key, f'"{key}"', str(key).upper()):
        again = await ask(http, bob, alice, written)
        assert (again.status, again.raw) == (200, first.raw), written
    assert count(database, bob) == (0, 0, 1)


@both_routes
async def test_the_id_of_another_claim_is_refused_and_nothing_changes(
    database: Database, http: aiohttp.ClientSession, bob: uuid.UUID, alice: uuid.UUID, ask: Ask
) -> None:
    upload(database, bob, make_coins(5) + make_coins(5, "SILVER", "silver"))
    carol = uuid.uuid4()
    upload(database, carol, make_coins(5))
    key = uuid.uuid4()
    first = await ask(http, bob, alice, key)
    before = state(database)
    other = by_claim if ask is by_fetch else by_fetch
    for what, answer in {
        "another recipient": await ask(http, carol, alice, key),
        "another count": await ask(http, bob, alice, key, coins=1),
        "another category": await ask(http, bob, alice, key, category="SILVER"),
        "the other route": await other(http, bob, alice, key),
    }.items():
        assert (answer.status, answer.body["code"]) == (422, "PT422"), what
        assert answer.body["detail"] == "this request id was used for another claim", what
    assert state(database) == before
    assert (await ask(http, bob, alice, key)).raw == first.raw
    assert len(coins_of(await ask(http, bob, carol, key))) == 2, "ids are a sender's own"


@both_routes
async def test_after_the_hard_delete_the_id_answers_gone_and_never_new_coins(
    database: Database, http: aiohttp.ClientSession, bob: uuid.UUID, alice: uuid.UUID, ask: Ask
) -> None:
    upload(database, bob, make_coins(5))
    key = uuid.uuid4()
    assert len(coins_of(await ask(http, bob, alice, key))) == 2
    database.execute("select coins.hard_delete_fetched(0)")
    before = state(database)
    for _ in range(2):
        answer = await ask(http, bob, alice, key)
        assert (answer.status, answer.body["code"]) == (410, "PT410")
    assert state(database) == before


@both_routes
async def test_an_empty_answer_is_not_remembered(
    database: Database, http: aiohttp.ClientSession, bob: uuid.UUID, alice: uuid.UUID, ask: Ask
) -> None:
    key = uuid.uuid4()
    assert coins_of(await ask(http, bob, alice, key)) == []
    upload(database, bob, make_coins(5))
    first = await ask(http, bob, alice, key)
    assert len(coins_of(first)) == 2
    assert (await ask(http, bob, alice, key)).raw == first.raw


@both_routes
@pytest.mark.parametrize("gateways", [1, 2])
async def test_of_many_at_once_with_one_id_one_claims_and_all_get_the_same(
    database: Database,
    run_gateway: Callable[..., RunningGateway],
    bob: uuid.UUID,
    alice: uuid.UUID,
    ask: Ask,
    gateways: int,
) -> None:
    upload(database, bob, make_coins(80))
    sessions = [aiohttp.ClientSession(run_gateway(database.dsn).url) for _ in range(gateways)]
    try:
        for _ in range(10):
            key = uuid.uuid4()
            # Others' claims between them, so that one batch has both.
            others = [ask(sessions[0], bob, uuid.uuid4(), None, coins=1) for _ in range(3)]
            asked = [ask(sessions[number % gateways], bob, alice, key) for number in range(4)]
            answers = (await asyncio.gather(*asked, *others))[:4]
            assert len(coins_of(answers[0])) == 2
            assert {answer.raw for answer in answers} == {answers[0].raw}
    finally:
        for session in sessions:
            await session.close()
    assert count(database, bob) == (0, 0, 80 - 10 * (2 + 3))
    assert database.value("select count(*) from coins.coin_inventory where fetched_by = %s", [alice]) == 20


@both_routes
@pytest.mark.parametrize("key", ["", "1", '"', '""', "null", "{id}x", "'{id}'", '"{id}', "{id}, {id}", "{id} {id}"])
async def test_a_malformed_id_names_the_header_and_claims_nothing(
    database: Database, http: aiohttp.ClientSession, bob: uuid.UUID, alice: uuid.UUID, ask: Ask, key: str
) -> None:
    upload(database, bob, make_coins(2))
    answer = await ask(http, bob, alice, key.format(id=uuid.uuid4()))
    assert (answer.status, answer.body["field"]) == (422, "Idempotency-Key")
    assert count(database, bob) == (0, 0, 2)


async def test_ids_are_forgotten_after_a_day(
    database: Database, http: aiohttp.ClientSession, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    upload(database, bob, make_coins(4))
    key = uuid.uuid4()
    first = await by_fetch(http, bob, alice, key)
    for age, is_known in (("23 hours 59 minutes", True), ("24 hours 1 minute", False)):
        database.execute("update coins.claim_request set claimed_at = now() - %s::interval", [age])
        database.execute("select coins.purge_claim_requests()")
        assert ((await by_fetch(http, bob, alice, key)).raw == first.raw) is is_known, age
