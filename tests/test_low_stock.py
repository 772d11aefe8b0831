"""Low stock: told when a claim takes a category below its threshold, at least once a crossing, and not at each claim."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import psycopg
import pytest

from conftest import Database, claim, count, make_coin, make_coins, upload
from tests.wire import claim as claim_many
from tests.wire import fetch, wish

CHANNEL = "coins_stock"
LOW = 10
"""The threshold of a new database."""


class Ear:
    """A psql that has said LISTEN coins_stock."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        connection.execute(f"listen {CHANNEL}")

    def heard(self) -> list[str]:
        """The payloads since the last time."""
        # What was committed before our own notification arrives before it.
        self.connection.execute(f"notify {CHANNEL}, 'until here'")
        payloads = []
        for notice in self.connection.notifies():
            if notice.payload == "until here":
                break
            payloads.append(notice.payload)
        return payloads


def test_a_crossing_is_told_once_and_no_other_claim(database: Database, bob: uuid.UUID, alice: uuid.UUID) -> None:
    with database.connect() as connection:
        ear = Ear(connection)
        upload(database, bob, make_coins(LOW + 2))
        upload(database, alice, make_coins(LOW - 1))
        assert ear.heard() == [], "an upload is no crossing"
        told = []
        for _ in range(LOW + 3):
            claim(database, bob, alice, "BRONZE")
            told.append(ear.heard())
        # Twelve coins, then eleven, ten, and nine.
        assert told == [[], [], [str(bob)], *([[]] * LOW)]
        claim(database, alice, bob, "BRONZE")
        assert ear.heard() == [], "it was low before"
        upload(database, bob, make_coins(LOW + 1, prefix="more"))
        claim(database, bob, alice, "BRONZE", 3)
        assert ear.heard() == [str(bob)], "at the next crossing again"


@pytest.mark.parametrize(
    ("stock", "taken", "is_told"), [(100, 90, False), (100, 91, True), (10, 10, True), (9, 9, False)]
)
def test_a_claim_of_many_coins_crosses_as_well(
    database: Database, bob: uuid.UUID, alice: uuid.UUID, stock: int, taken: int, is_told: bool
) -> None:
    upload(database, bob, make_coins(stock))
    with database.connect() as connection:
        ear = Ear(connection)
        claim(database, bob, alice, "BRONZE", taken)
        assert ear.heard() == [str(bob)] * is_told


def test_each_category_has_a_threshold_of_its_own(database: Database, bob: uuid.UUID, alice: uuid.UUID) -> None:
    database.execute("update coins.coin_category set low_stock = 3 where name = 'GOLD'")
    upload(database, bob, make_coins(20, "GOLD", "g") + make_coins(20))
    with database.connect() as connection:
        ear = Ear(connection)
        claim(database, bob, alice, "GOLD", 17)
        assert ear.heard() == []
        claim(database, bob, alice, "GOLD")
        assert ear.heard() == [str(bob)]
        claim(database, bob, alice, "BRONZE", 11)
        assert ear.heard() == [str(bob)]


def test_a_claim_that_is_rolled_back_tells_nobody_and_hides_nothing(
    database: Database, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    upload(database, bob, make_coins(LOW))
    with database.connect() as connection, database.connect() as other:
        ear = Ear(connection)
        other.execute("begin")
        other.execute("select from coins.claim_coins(%s, %s, 'BRONZE', 5)", [bob, alice])
        other.execute("rollback")
        assert ear.heard() == []
        claim(database, bob, alice, "BRONZE")
        assert ear.heard() == [str(bob)]


@pytest.mark.parametrize("number", range(5))
async def test_of_claims_that_cross_together_one_speaks(database: Database, bob: uuid.UUID, number: int) -> None:
    """Each takes few enough to see more than the threshold, if it could not see the others."""
    senders = 16
    connections = await asyncio.gather(*(database.connect_async() for _ in range(senders)))
    with database.connect() as connection:
        ear = Ear(connection)
        for turn in range(10):
            upload(database, bob, make_coins(LOW + senders - 1, prefix=f"{number}-{turn}"))
            await asyncio.gather(
                *(
                    connection.execute("select from coins.claim_coins(%s, %s, 'BRONZE')", [bob, uuid.uuid4()])
                    for connection in connections
                )
            )
            assert count(database, bob) == (0, 0, LOW - 1)
            heard = ear.heard()
            assert set(heard) == {str(bob)}, f"turn {turn}: a crossing that nobody told"
            claim(database, bob, uuid.uuid4(), "BRONZE", LOW)
            assert ear.heard() == []
    await asyncio.gather(*(connection.close() for connection in connections))


@pytest.mark.parametrize("marks", ["seen", "not seen"])
def test_of_two_open_claims_that_cross_only_together_the_second_speaks(
    database: Database, bob: uuid.UUID, alice: uuid.UUID, marks: str
) -> None:
    """Neither sees what the other has written, but it sees that the other has taken; without that nobody would speak."""
    if marks == "not seen":
        definition = database.value("select pg_get_functiondef('coins.tend_queue'::regproc)")
        assert definition.count("n.claimer = 0") == 1
        database.execute(definition.replace("n.claimer = 0", "true"))
    upload(database, bob, make_coins(LOW + 5))
    with database.connect() as connection, database.connect() as first, database.connect() as second:
        ear = Ear(connection)
        for session in (first, second):
            session.execute("begin")
            session.execute("select from coins.claim_coins(%s, %s, 'BRONZE', 3)", [bob, alice])
        first.execute("commit")
        assert ear.heard() == []
        second.execute("commit")
        assert ear.heard() == [str(bob)] * (marks == "seen")


Event = tuple[str, dict[str, Any]]


class Watcher:
    """Reads a stream of events."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer

    async def event(self) -> Event:
        """The next event; what only keeps the connection open is no event."""
        async with asyncio.timeout(20):
            name = None
            while line := (await self.answer.content.readline()).decode().rstrip("\n") + "\n":
                if line.startswith("event: "):
                    name = line.removeprefix("event: ").strip()
                elif line.startswith("data: ") and name:
                    return name, json.loads(line.removeprefix("data: "))
        raise AssertionError("the stream has ended")

    async def state(self, low: int) -> list[Event]:
        """An epoch and so many categories that are low."""
        events = [await self.event() for _ in range(1 + low)]
        assert [name for name, _ in events] == ["epoch"] + ["low_stock"] * low
        return events

    async def until(self, is_it: Callable[[Event], bool]) -> Event:
        """Read on to an event of this kind."""
        while not is_it(event := await self.event()):
            pass
        return event


@asynccontextmanager
async def watching(http: aiohttp.ClientSession, user_id: uuid.UUID) -> AsyncIterator[Watcher]:
    async with http.get("/v1/coins/watch", params={"user_id": str(user_id)}) as answer:
        assert (answer.status, answer.content_type) == (200, "text/event-stream")
        yield Watcher(answer)


def stock(database: Database, user_id: uuid.UUID, bronze: int, prefix: str = "key") -> None:
    """Enough of the others, and so many BRONZE."""
    upload(database, user_id, make_coins(LOW, "GOLD", "g") + make_coins(LOW, "SILVER", "s"))
    upload(database, user_id, make_coins(bronze, prefix=prefix))


async def test_a_stream_begins_with_the_state_of_now(
    database: Database, http: aiohttp.ClientSession, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    stock(database, bob, LOW - 3)
    for expected in (LOW - 3, LOW - 4):
        async with watching(http, bob) as watcher:
            (_, epoch), (_, low) = await watcher.state(low=1)
            assert epoch["epoch"] == 1
            assert (low["coin_category"], low["unclaimed"], low["low_stock"]) == ("BRONZE", expected, LOW)
        claim(database, bob, alice, "BRONZE")
    async with watching(http, uuid.uuid4()) as watcher:
        await watcher.state(low=3)


async def by_fetch(http: aiohttp.ClientSession, bob: uuid.UUID) -> int:
    return (await fetch(http, bob, uuid.uuid4())).status


async def by_claim(http: aiohttp.ClientSession, bob: uuid.UUID) -> int:
    return (await claim_many(http, uuid.uuid4(), wish(bob))).status


@pytest.mark.parametrize("send", [by_fetch, by_claim], ids=["fetch", "claim"])
async def test_a_crossing_by_many_claims_at_once_reaches_who_watches(
    database: Database,
    http: aiohttp.ClientSession,
    bob: uuid.UUID,
    send: Callable[[aiohttp.ClientSession, uuid.UUID], Awaitable[int]],
) -> None:
    claims = 30
    stock(database, bob, LOW + claims - 1)
    carol = uuid.uuid4()
    stock(database, carol, LOW)
    async with watching(http, bob) as bobs, watching(http, carol) as carols:
        await bobs.state(low=0)
        await carols.state(low=0)
        for low in range(LOW, LOW + 5):
            # Another threshold each time, so that nobody takes an old event for the new.
            database.execute("update coins.coin_category set low_stock = %s where name = 'BRONZE'", [low])
            assert await asyncio.gather(*(send(http, bob) for _ in range(claims))) == [200] * claims
            _, told = await bobs.until(lambda event, low=low: event[1].get("low_stock") == low)  # type: ignore[misc]
            assert told["coin_category"] == "BRONZE"
            assert told["unclaimed"] < low
            upload(database, bob, make_coins(claims + 1, prefix=f"low-{low}"))
        database.execute("update coins.coin_category set low_stock = %s where name = 'BRONZE'", [LOW])
        await by_fetch(http, carol)
        _, (_, told) = await carols.state(low=1)
        assert told["unclaimed"] == LOW - 1, "nothing of Bob's came before"


async def test_after_a_fence_all_who_watch_learn_the_new_epoch(
    database: Database, http: aiohttp.ClientSession, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    stock(database, bob, LOW)
    database.execute("select coins.put_last_resort(%s, row(%s, %s, %s, %s)::coins.coin_upload)", [bob, *make_coin("l")])
    async with watching(http, bob) as bobs, watching(http, alice) as alices:
        await bobs.state(low=0)
        await alices.state(low=3)
        ((dropped, epoch),) = database.rows("select dropped, epoch from ops.fence_coins()")
        assert dropped == 3 * LOW
        for watcher in (bobs, alices):
            (_, told), *low = await watcher.state(low=3)
            assert told["epoch"] == epoch > 1
            assert {data["unclaimed"] for _, data in low} == {0}
    async with watching(http, bob) as later:
        assert (await later.state(low=3))[0][1]["epoch"] == epoch
