"""The seeds' five tests of the purges, their full cycle, and purges beside claims."""

from __future__ import annotations

import asyncio
import uuid

from conftest import CLAIM, Database, claim, count, make_coins, upload


def age(database: Database, column: str, interval: str, keys: str = "%") -> None:
    """Make coins look older than they are."""
    database.execute(
        f"update coins.coin_inventory set {column} = {column} - %s::interval where key_id like %s", [interval, keys]
    )


def keys(database: Database) -> set[str]:
    return {row[0] for row in database.rows("select key_id from coins.coin_inventory")}


def purge_stale(database: Database) -> int:
    return int(database.value("select coins.purge_stale()"))


def hard_delete(database: Database) -> int:
    return int(database.value("select coins.hard_delete_fetched()"))


def test_purge_stale_removes_old_unfetched(database: Database, bob: uuid.UUID) -> None:
    upload(database, bob, make_coins(3, prefix="old") + make_coins(2, prefix="new"))
    age(database, "uploaded_at", "31 days", "old%")
    assert purge_stale(database) == 3
    assert keys(database) == {"new-000", "new-001"}


def test_purge_stale_keeps_recent(database: Database, bob: uuid.UUID) -> None:
    upload(database, bob, make_coins(3))
    age(database, "uploaded_at", "29 days 23 hours")
    assert purge_stale(database) == 0
    assert count(database, bob) == (0, 0, 3)


def test_purge_stale_ignores_fetched(database: Database, bob: uuid.UUID, alice: uuid.UUID) -> None:
    upload(database, bob, make_coins(3))
    claim(database, bob, alice, "BRONZE", 2)
    age(database, "uploaded_at", "31 days")
    assert purge_stale(database) == 1
    assert keys(database) == {"key-000", "key-001"}


def test_hard_delete_removes_old_fetched(database: Database, bob: uuid.UUID, alice: uuid.UUID) -> None:
    upload(database, bob, make_coins(3))
    claim(database, bob, alice, "BRONZE", 2)
    age(database, "fetched_at", "61 minutes")
    assert hard_delete(database) == 2
    assert keys(database) == {"key-002"}


def test_hard_delete_keeps_recent_fetched(database: Database, bob: uuid.UUID, alice: uuid.UUID) -> None:
    upload(database, bob, make_coins(3))
    claim(database, bob, alice, "BRONZE", 2)
    age(database, "fetched_at", "59 minutes")
    assert hard_delete(database) == 0
    assert len(keys(database)) == 3


def test_full_cycle(database: Database, bob: uuid.UUID, alice: uuid.UUID) -> None:
    """Upload, claim, count, purge, hard delete: the numbers are right after each step."""
    assert upload(database, bob, make_coins(5, "GOLD", "g") + make_coins(5, "SILVER", "s")) == 10
    assert len(claim(database, bob, alice, "GOLD", 3)) == 3
    assert count(database, bob) == (2, 5, 0)
    age(database, "uploaded_at", "31 days", "s-%")
    assert purge_stale(database) == 5
    assert count(database, bob) == (2, 0, 0)
    assert hard_delete(database) == 0
    age(database, "fetched_at", "2 hours")
    assert hard_delete(database) == 3
    assert keys(database) == {"g-003", "g-004"}
    assert upload(database, bob, make_coins(5, "SILVER", "new")) == 5
    assert len(claim(database, bob, alice, "SILVER", 5)) == 5


async def test_two_purges_and_claims_at_once_neither_wait_nor_overlap(database: Database, bob: uuid.UUID) -> None:
    upload(database, bob, make_coins(200))
    age(database, "uploaded_at", "31 days", "key-1%")
    connections = await asyncio.gather(*(database.connect_async() for _ in range(12)))
    claims = [connection.execute(CLAIM, [bob, uuid.uuid4(), "BRONZE", 10]) for connection in connections[2:]]
    purges = [connection.execute("select coins.purge_stale()") for connection in connections[:2]]
    async with asyncio.timeout(30):
        cursors = await asyncio.gather(*purges, *claims)
    rows = [await cursor.fetchall() for cursor in cursors]
    await asyncio.gather(*(connection.close() for connection in connections))
    deleted = rows[0][0][0] + rows[1][0][0]
    given = [coin[0] for answer in rows[2:] for coin in answer]
    assert len(given) == len(set(given))
    left, claimed = database.rows(
        "select count(*) filter (where fetched_by is null), count(*) filter (where fetched_by is not null) from coins.coin_inventory"
    )[0]
    assert claimed == len(given)
    assert deleted + claimed + left == 200


async def test_a_purge_does_not_wait_for_an_open_claim(database: Database, bob: uuid.UUID) -> None:
    upload(database, bob, make_coins(3))
    age(database, "uploaded_at", "31 days")
    holder = await database.connect_async()
    purger = await database.connect_async()
    async with asyncio.timeout(10):
        async with holder.transaction(force_rollback=True):
            await holder.execute(CLAIM, [bob, uuid.uuid4(), "BRONZE", 1])
            assert await (await purger.execute("select coins.purge_stale()")).fetchall() == [(2,)]
    await holder.close()
    await purger.close()
    assert count(database, bob) == (0, 0, 1)
