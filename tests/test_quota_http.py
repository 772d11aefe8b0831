"""Quotas over HTTP: who has used one up is told when to return, whether the call went alone or in a batch."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable

import aiohttp
import pytest

from conftest import Database, RunningGateway, count, make_coin, make_coins, upload
from tests.wire import Answer, claim, fetch, state, wish

DAY = 86400
QUOTA = 24
"""Coins a day: one comes back each hour."""


@pytest.fixture
def limited(database: Database, bob: uuid.UUID) -> Database:
    """A database with a quota for each pair, and coins of Bob."""
    database.execute("select coins.set_claim_quota('pair', true, %s, '1 day')", [QUOTA])
    upload(database, bob, make_coins(100))
    return database


def is_told_to_wait(answer: Answer, seconds: int = 3600) -> bool:
    """Whether it is a refusal for lack of quota that names a time, at most so many seconds."""
    assert (answer.status, answer.body["code"]) == (429, "PT429"), answer.raw
    assert answer.headers["Content-Type"] == "application/problem+json"
    # In the time that the test took a part of it has passed; a call that waited for another began before it.
    return seconds - 120 < int(answer.headers["Retry-After"]) <= seconds + 60


async def test_what_is_left_is_given_and_then_the_sender_is_told_to_wait(
    limited: Database, http: aiohttp.ClientSession, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    for asked, given in ((20, 20), (20, 4)):
        answer = await fetch(http, bob, alice, count=str(asked))
        assert (answer.status, len(answer.body["coins"])) == (200, given)
    before = state(limited)
    refused = await fetch(http, bob, alice)
    assert is_told_to_wait(refused)
    assert refused.body["detail"] == "the quota of coins for this recipient is used up"
    assert state(limited)[:3] == before[:3]
    assert len((await fetch(http, bob, uuid.uuid4(), count="3")).body["coins"]) == 3, "others have their own"
    limited.execute("select coins.set_claim_quota('pair', false)")
    assert len((await fetch(http, bob, alice, count="3")).body["coins"]) == 3, "off is off at once"


async def test_after_the_time_that_it_was_told_the_sender_gets_a_coin(
    limited: Database, http: aiohttp.ClientSession, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    await fetch(http, bob, alice, count=str(QUOTA))
    wait = int((await fetch(http, bob, alice)).headers["Retry-After"])
    for earlier, status in ((60, 429), (0, 200)):
        limited.execute("update coins.quota_use set full_at = full_at - make_interval(secs => %s)", [wait - earlier])
        assert (await fetch(http, bob, alice)).status == status
        limited.execute("update coins.quota_use set full_at = full_at + make_interval(secs => %s)", [wait - earlier])


async def test_coins_are_charged_and_not_calls(
    limited: Database, http: aiohttp.ClientSession, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    for _ in range(2 * QUOTA):
        assert (await fetch(http, bob, alice, coin_category="GOLD", count="100")).body == {"coins": []}
    assert (await fetch(http, bob, alice, count="0")).status == 422
    assert len((await fetch(http, bob, alice, count="100")).body["coins"]) == QUOTA


async def test_a_retry_costs_no_quota_and_is_answered_when_it_is_used_up(
    limited: Database, http: aiohttp.ClientSession, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    key = uuid.uuid4()
    first = await fetch(http, bob, alice, key, count="20")
    for _ in range(3):
        assert (await fetch(http, bob, alice, key, count="20")).raw == first.raw
    assert len((await fetch(http, bob, alice, count="20")).body["coins"]) == QUOTA - 20
    assert (await fetch(http, bob, alice, key, count="20")).raw == first.raw
    assert is_told_to_wait(await fetch(http, bob, alice, uuid.uuid4()))


@pytest.mark.parametrize("gateways", [1, 2])
@pytest.mark.parametrize("keyed", [False, True])
async def test_many_at_once_share_exactly_the_quota_and_all_others_are_told_to_wait(
    limited: Database,
    run_gateway: Callable[..., RunningGateway],
    bob: uuid.UUID,
    alice: uuid.UUID,
    gateways: int,
    keyed: bool,
) -> None:
    carol, asked = uuid.uuid4(), 60
    sessions = [
        aiohttp.ClientSession(run_gateway(limited.dsn).url, connector=aiohttp.TCPConnector(limit=0))
        for _ in range(gateways)
    ]
    try:
        # Two senders, mixed, so that a batch has refusals beside coins.
        calls = [(sessions[n % gateways], sender) for n in range(asked) for sender in (alice, carol)]
        async with asyncio.timeout(60):
            answers = await asyncio.gather(
                *(fetch(session, bob, sender, uuid.uuid4() if keyed else None) for session, sender in calls)
            )
        batches = []
        for session in sessions:
            async with session.get("/metrics") as page:
                batches += [line for line in (await page.text()).splitlines() if line.startswith("aqm_batch_calls_")]
    finally:
        for session in sessions:
            await session.close()
    for sender in (alice, carol):
        its = [answer for (_, whose), answer in zip(calls, answers, strict=True) if whose == sender]
        assert Counter(answer.status for answer in its) == {200: QUOTA, 429: asked - QUOTA}
        # A call that began before the first coin was charged, and came to be charged after it, is told 1 second.
        waits = Counter(int(answer.headers["Retry-After"]) for answer in its if answer.status == 429)
        assert all(0 < wait <= 3660 for wait in waits), waits
    keys = [coin["key_id"] for answer in answers if answer.status == 200 for coin in answer.body["coins"]]
    assert len(keys) == len(set(keys)) == 2 * QUOTA
    sent = sum(float(line.split()[-1]) for line in batches if "_count" in line)
    assert 0 < sent < 2 * asked, "some travelled together"


async def test_in_a_call_of_many_only_those_whose_quota_is_used_up_get_nothing(
    limited: Database, http: aiohttp.ClientSession, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    carol = uuid.uuid4()
    upload(limited, carol, make_coins(50))
    await fetch(http, bob, alice, count=str(QUOTA))
    answer = await claim(http, alice, wish(bob, count=2), wish(carol, count=30))
    assert answer.status == 200
    bobs, carols = answer.body["claims"]
    assert (bobs["coins"], bobs["remaining"]) == ([], 100 - QUOTA)
    assert DAY // QUOTA - 120 < bobs["retry_after"] <= DAY // QUOTA
    assert (len(carols["coins"]), carols["remaining"], carols["retry_after"]) == (QUOTA, 50 - QUOTA, None)
    refused = await claim(http, alice, wish(bob), wish(carol), wish(uuid.uuid4()), key=uuid.uuid4())
    assert is_told_to_wait(refused)
    assert refused.body["detail"] == "the quota of coins for these recipients is used up"
    assert (count(limited, bob), count(limited, carol)) == ((0, 0, 100 - QUOTA), (0, 0, 50 - QUOTA))


async def test_a_last_resort_coin_costs_no_quota(
    limited: Database, http: aiohttp.ClientSession, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    limited.execute("select coins.put_last_resort(%s, row(%s, %s, %s, %s)::coins.coin_upload)", [bob, *make_coin("l")])
    await fetch(http, bob, alice, count=str(QUOTA))
    for _ in range(3):
        (entry,) = (await claim(http, alice, wish(bob, accept_last_resort=True))).body["claims"]
        assert [coin["last_resort"] for coin in entry["coins"]] == [True]
        assert entry["retry_after"] is not None
    assert is_told_to_wait(await claim(http, alice, wish(bob)))


async def test_of_two_quotas_the_stricter_counts(
    limited: Database, http: aiohttp.ClientSession, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    limited.execute("select coins.set_claim_quota('recipient', true, 30, '30 days')")
    assert len((await fetch(http, bob, alice, count="100")).body["coins"]) == QUOTA
    assert len((await fetch(http, bob, uuid.uuid4(), count="100")).body["coins"]) == 30 - QUOTA
    assert is_told_to_wait(await fetch(http, bob, uuid.uuid4()), seconds=DAY)
    assert len((await fetch(http, uuid.uuid4(), alice)).body["coins"]) == 0, "another recipient's is its own"
