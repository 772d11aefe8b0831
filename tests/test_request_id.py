"""Claims with one request id, made at the same moment: one claims, and all get the same coins."""

from __future__ import annotations

import asyncio
import uuid

from conftest import Database, make_coins, upload

CLAIM = "select * from coins.claim_coins(%s, %s, 'BRONZE', %s, %s)"
TRIES = 64
CONNECTIONS = 8


async def test_one_of_eight_claims_and_all_get_the_same(database: Database, bob: uuid.UUID, alice: uuid.UUID) -> None:
    upload(database, bob, make_coins(TRIES * 3))
    connections = await asyncio.gather(*(database.connect_async() for _ in range(CONNECTIONS)))
    given = []
    for _ in range(TRIES):
        request = [bob, alice, 3, uuid.uuid4()]
        async with asyncio.timeout(20):
            cursors = await asyncio.gather(*(connection.execute(CLAIM, request) for connection in connections))
        answers = [await cursor.fetchall() for cursor in cursors]
        assert len(answers[0]) == 3
        assert answers == [answers[0]] * CONNECTIONS
        given += answers[0]
    await asyncio.gather(*(connection.close() for connection in connections))
    assert [coin[0] for coin in given] == [f"key-{number:03}" for number in range(TRIES * 3)], (
        "oldest first, none left out"
    )
