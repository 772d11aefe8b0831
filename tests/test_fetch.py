"""The seeds' eight tests of claiming (their "fetch"), by the function itself; races on as many connections as claims."""

from __future__ import annotations

import asyncio
import uuid

from conftest import CLAIM, UPLOAD, Coin, Database, claim, count, make_coins, upload, upload_arguments


async def claim_at_once(
    database: Database, target: uuid.UUID, categories: list[str], counts: int = 1
) -> list[list[Coin]]:
    """One sender a category in the list, each on a connection of its own, all at the same moment."""
    connections = await asyncio.gather(*(database.connect_async() for _ in categories))
    try:
        cursors = await asyncio.gather(
            *(
                connection.execute(CLAIM, [target, uuid.uuid4(), category, counts])
                for connection, category in zip(connections, categories, strict=True)
            )
        )
        return [await cursor.fetchall() for cursor in cursors]
    finally:
        await asyncio.gather(*(connection.close() for connection in connections))


async def test_concurrent_fetch_no_duplicates(database: Database, bob: uuid.UUID) -> None:
    uploaded = make_coins(20, "SILVER")
    upload(database, bob, uploaded)
    answers = await claim_at_once(database, bob, ["SILVER"] * 20)
    given = [coin for answer in answers for coin in answer]
    assert len(given) == 20
    assert {coin[0] for coin in given} == {coin[0] for coin in uploaded}
    assert count(database, bob) == (0, 0, 0)


def test_fetch_returns_correct_tier(database: Database, bob: uuid.UUID, alice: uuid.UUID) -> None:
    for category in ("GOLD", "SILVER", "BRONZE"):
        upload(database, bob, make_coins(2, category, category))
    for category in ("GOLD", "SILVER", "BRONZE"):
        assert [coin[1] for coin in claim(database, bob, alice, category, 2)] == [category] * 2


def test_fetch_fifo_order(database: Database, bob: uuid.UUID, alice: uuid.UUID) -> None:
    first, second = make_coins(5, prefix="z-first"), make_coins(5, prefix="a-second")
    upload(database, bob, first)
    upload(database, bob, second)
    assert claim(database, bob, alice, "BRONZE", 3) == first[:3]
    assert claim(database, bob, alice, "BRONZE", 7) == first[3:] + second


def test_fetch_partial_when_insufficient(database: Database, bob: uuid.UUID, alice: uuid.UUID) -> None:
    upload(database, bob, make_coins(2, "SILVER"))
    assert len(claim(database, bob, alice, "SILVER", 4)) == 2


def test_fetch_empty_returns_empty_list(database: Database, bob: uuid.UUID, alice: uuid.UUID) -> None:
    assert claim(database, bob, alice, "GOLD") == []


def test_fetch_marks_fetched_by(database: Database, bob: uuid.UUID, alice: uuid.UUID) -> None:
    upload(database, bob, make_coins(2))
    claim(database, bob, alice, "BRONZE")
    rows = database.rows(
        "select key_id, fetched_by, fetched_at between now() - interval '1 minute' and now() from coins.coin_inventory order by key_id"
    )
    assert rows == [("key-000", alice, True), ("key-001", None, None)]


def test_fetch_skips_already_fetched(database: Database, bob: uuid.UUID, alice: uuid.UUID) -> None:
    upload(database, bob, make_coins(3))
    taken = [coin[0] for _ in range(4) for coin in claim(database, bob, alice, "BRONZE")]
    assert taken == ["key-000", "key-001", "key-002"]


async def test_concurrent_fetch_different_tiers(database: Database, bob: uuid.UUID) -> None:
    for category in ("GOLD", "SILVER", "BRONZE"):
        upload(database, bob, make_coins(10, category, category))
    asked = ["GOLD", "SILVER", "BRONZE"] * 10
    answers = await claim_at_once(database, bob, asked)
    assert [coin[1] for answer in answers for coin in answer] == asked
    assert len({coin[0] for answer in answers for coin in answer}) == 30


async def test_100_concurrent_requests_assign_no_coin_twice(database: Database, bob: uuid.UUID) -> None:
    """The seeds' stress test: 100 senders, 80 coins, up to 2 each."""
    uploaded = make_coins(80, "SILVER")
    upload(database, bob, uploaded)
    answers = await claim_at_once(database, bob, ["SILVER"] * 100, counts=2)
    given = [coin[0] for answer in answers for coin in answer]
    assert max(len(answer) for answer in answers) <= 2
    assert sorted(given) == sorted(coin[0] for coin in uploaded)


async def test_no_claim_says_none_while_another_only_holds_the_lock(database: Database, bob: uuid.UUID) -> None:
    upload(database, bob, make_coins(1))
    holder = await database.connect_async()
    waiter = await database.connect_async()
    try:
        async with holder.transaction(force_rollback=True):
            assert len(await (await holder.execute(CLAIM, [bob, uuid.uuid4(), "BRONZE", 1])).fetchall()) == 1
            waiting = asyncio.create_task(waiter.execute(CLAIM, [bob, uuid.uuid4(), "BRONZE", 1]))
            await asyncio.sleep(0.005)
            assert not waiting.done()
        assert len(await (await waiting).fetchall()) == 1
    finally:
        await holder.close()
        await waiter.close()


async def test_a_claim_waits_no_longer_than_a_moment_for_locks(database: Database, bob: uuid.UUID) -> None:
    upload(database, bob, make_coins(1))
    holder = await database.connect_async()
    try:
        async with holder.transaction():
            await holder.execute(CLAIM, [bob, uuid.uuid4(), "BRONZE", 1])
            async with asyncio.timeout(10):
                assert await claim_at_once(database, bob, ["BRONZE"]) == [[]]
    finally:
        await holder.close()


async def test_uploads_at_once_never_exceed_the_cap(database: Database, bob: uuid.UUID) -> None:
    database.execute("update coins.coin_category set max_unclaimed = 30 where name = 'BRONZE'")
    connections = await asyncio.gather(*(database.connect_async() for _ in range(8)))
    uploads = [
        connection.execute(UPLOAD, upload_arguments(bob, make_coins(10, prefix=f"c{number}")))
        for number, connection in enumerate(connections)
    ]
    outcomes = await asyncio.gather(*uploads, return_exceptions=True)
    await asyncio.gather(*(connection.close() for connection in connections))
    refused = [outcome.sqlstate for outcome in outcomes if isinstance(outcome, Exception)]  # type: ignore[attr-defined]
    assert refused == ["PT409"] * 5
    assert count(database, bob) == (0, 0, 30)
