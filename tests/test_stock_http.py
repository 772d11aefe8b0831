"""What a device asks about its own coins: status, which ones went, and to discard those it has lost the keys of."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from conftest import Database, claim, count, make_coin, make_coins, to_json, upload
from tests.wire import CLAIMED, DISCARD, STATUS, UPLOAD, ask, state

PUT = "select coins.put_last_resort(%s, row(%s, %s, %s, %s)::coins.coin_upload)"


async def test_status_says_counts_epoch_last_resorts_and_thresholds(
    database: Database, http: aiohttp.ClientSession, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    thresholds = {"gold": 10, "silver": 10, "bronze": 10}
    empty = {"gold": 0, "silver": 0, "bronze": 0, "epoch": 1, "last_resort": [], "low_stock": thresholds}
    answer = await ask(http, "GET", STATUS, params={"user_id": str(bob)})
    assert (answer.status, answer.body) == (200, empty)
    upload(database, bob, make_coins(3, "GOLD", "g") + make_coins(2))
    claim(database, bob, alice, "GOLD")
    for category in ("SILVER", "GOLD"):
        database.execute(PUT, [bob, *make_coin(f"last-{category}", category)])
    database.execute("update coins.coin_category set low_stock = 7 where name = 'SILVER'")
    full = {
        "gold": 2, "silver": 0, "bronze": 2, "epoch": 1, "last_resort": ["GOLD", "SILVER"],
        "low_stock": thresholds | {"silver": 7},
    }  # fmt: skip
    assert (await ask(http, "GET", STATUS, params={"user_id": str(bob)})).body == full
    assert (await ask(http, "GET", STATUS, params={"user_id": str(alice)})).body["gold"] == 0


async def test_an_upload_of_an_older_epoch_is_refused_and_stores_nothing(
    database: Database, http: aiohttp.ClientSession, bob: uuid.UUID
) -> None:
    async def send(key_id: str, **epoch: object) -> tuple[int, object]:
        body = {"user_id": str(bob), "coins": [to_json(make_coin(key_id))], **epoch}
        answer = await ask(http, "POST", UPLOAD, json=body)
        return answer.status, answer.body

    async def known_epoch() -> int:
        return int((await ask(http, "GET", STATUS, params={"user_id": str(bob)})).body["epoch"])

    old = await known_epoch()
    assert await send("one", epoch=old) == (200, {"inserted": 1})
    database.execute("select ops.fence_coins()")
    new = await known_epoch()
    assert new > old
    status, problem = await send("two", epoch=old)
    assert (status, problem["constraint"], problem["detail"]) == (409, "epoch", f"epoch is now {new}")  # type: ignore[index]
    assert "mint" in problem["hint"]  # type: ignore[index]
    assert count(database, bob) == (0, 0, 0)
    assert await send("two", epoch=new) == (200, {"inserted": 1})
    assert await send("three") == (200, {"inserted": 1}), "a device that names none is not checked"
    assert await send("one", epoch=new) == (200, {"inserted": 0}), "what the fence dropped is spent"
    assert (await send("four", epoch="1"))[0] == 422


async def test_claimed_lists_which_coins_went_page_by_page_and_never_to_whom(
    database: Database, http: aiohttp.ClientSession, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    upload(database, bob, make_coins(12))
    upload(database, alice, make_coins(1, prefix="alices"))
    claim(database, alice, bob, "BRONZE")
    # Coins of one claim have one time, and here two claims have the same.
    went = [coin[0] for step in (5, 1, 4) for coin in claim(database, bob, alice, "BRONZE", step)]
    database.execute("""
        update coins.coin_inventory set fetched_at = (select min(fetched_at) from coins.coin_inventory)
        where key_id <= 'key-005'
    """)
    listed: list[str] = []
    cursor: str | None = None
    for expected in (4, 4, 2, 0):
        page = {"user_id": str(bob), "limit": "4"} | ({"cursor": cursor} if cursor else {})
        answer = await ask(http, "GET", CLAIMED, params=page)
        assert answer.status == 200
        coins = answer.body["coins"]
        assert len(coins) == expected
        assert all(coin.keys() == {"key_id", "coin_category", "claimed_at", "cursor"} for coin in coins)
        assert str(alice) not in answer.raw.decode()
        listed += [coin["key_id"] for coin in coins]
        cursor = coins[-1]["cursor"] if coins else cursor
    assert listed == went
    upload(database, bob, make_coins(1, prefix="late"))
    claim(database, bob, alice, "BRONZE", 3)
    answer = await ask(http, "GET", CLAIMED, params={"user_id": str(bob), "cursor": cursor})
    assert [coin["key_id"] for coin in answer.body["coins"]] == ["key-010", "key-011", "late-000"], "it goes on"


@pytest.mark.parametrize("key_id", ["a-b", "ключ 1", "a&b=c", "x" * 36, "line\nline", "-"])
async def test_a_cursor_carries_any_key_id(
    database: Database, http: aiohttp.ClientSession, bob: uuid.UUID, alice: uuid.UUID, key_id: str
) -> None:
    upload(database, bob, [make_coin(key_id)])
    claim(database, bob, alice, "BRONZE")
    (coin,) = (await ask(http, "GET", CLAIMED, params={"user_id": str(bob)})).body["coins"]
    assert coin["key_id"] == key_id
    answer = await ask(http, "GET", CLAIMED, params={"user_id": str(bob), "cursor": coin["cursor"]})
    assert (answer.status, answer.body) == (200, {"coins": []})


async def test_claimed_since(database: Database, http: aiohttp.ClientSession, bob: uuid.UUID, alice: uuid.UUID) -> None:
    upload(database, bob, make_coins(3))
    now = datetime.now(UTC)
    claim(database, bob, alice, "BRONZE", 2)
    database.execute(
        "update coins.coin_inventory set fetched_at = %s where key_id = 'key-000'", [now - timedelta(minutes=10)]
    )
    for minutes, expected in ((20, ["key-000", "key-001"]), (5, ["key-001"]), (-5, [])):
        question = {"user_id": str(bob), "since": (now - timedelta(minutes=minutes)).isoformat()}
        answer = await ask(http, "GET", CLAIMED, params=question)
        assert [coin["key_id"] for coin in answer.body["coins"]] == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("cursor", value) for value in ("", "x", "1", "1-", "-key", "9" * 17 + "-key", "1-" + "k" * 37)),
        *(("limit", value) for value in ("0", "1001", "-1", "many")),
        *(("since", value) for value in ("yesterday", "2026-01-01", "2026-01-01T00:00:00")),
    ],
)
async def test_claimed_refuses_what_makes_no_sense(
    http: aiohttp.ClientSession, bob: uuid.UUID, name: str, value: str
) -> None:
    answer = await ask(http, "GET", CLAIMED, params={"user_id": str(bob), name: value})
    assert answer.status == 422
    assert answer.body["detail"].startswith(f"{name} ")


async def test_discard_deletes_what_nobody_has_claimed(
    database: Database, http: aiohttp.ClientSession, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    upload(database, bob, make_coins(5))
    upload(database, alice, make_coins(2))
    claim(database, bob, alice, "BRONZE")
    database.execute(PUT, [bob, *make_coin("last")])

    async def discard(**key_ids: object) -> object:
        answer = await ask(http, "POST", DISCARD, json={"user_id": str(bob), **key_ids})
        assert answer.status == 200, answer.raw
        return answer.body

    assert await discard(key_ids=[]) == {"deleted": 0}
    assert await discard(key_ids=["unknown", "key-000"]) == {"deleted": 0}, "a claimed coin is its sender's"
    assert await discard(key_ids=["key-001", "key-001", "key-002"]) == {"deleted": 2}
    assert count(database, bob) == (0, 0, 2)
    assert await discard() == {"deleted": 3}, "the last-resort coin as well"
    assert await discard() == {"deleted": 0}
    assert count(database, bob) == (0, 0, 0)
    assert count(database, alice) == (0, 0, 2), "others' coins are theirs"
    assert claim(database, bob, alice, "BRONZE") == []


@pytest.mark.parametrize("key_ids", ["key-000", {}, [1], [["key-000"]]])
async def test_discard_refuses_what_is_no_list_of_names(
    database: Database, http: aiohttp.ClientSession, bob: uuid.UUID, key_ids: object
) -> None:
    upload(database, bob, make_coins(1))
    before = state(database)
    answer = await ask(http, "POST", DISCARD, json={"user_id": str(bob), "key_ids": key_ids})
    assert answer.status == 422
    assert answer.body["field"].startswith("key_ids")
    assert state(database) == before
