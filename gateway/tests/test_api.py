"""The seeds' five tests over HTTP, and every bad input: answered as the specification says, nothing stored."""

from __future__ import annotations

import asyncio
import base64
import json
import uuid
from io import BytesIO
from typing import Any

import aiohttp
import pytest

from conftest import Database, RunningGateway, claim, count, make_coin, make_coins, to_json, upload

UPLOAD = "/v1/coins/upload"
FETCH = "/v1/coins/fetch"
COUNT = "/v1/coins/count"


async def test_upload_endpoint(http: aiohttp.ClientSession, database: Database, bob: uuid.UUID) -> None:
    coins = make_coins(2, "GOLD", "g") + make_coins(1, "SILVER", "s") + make_coins(1, "BRONZE", "b")
    body = {"user_id": str(bob), "coins": [to_json(coin) for coin in coins]}
    for inserted in (4, 0):
        async with http.post(UPLOAD, json=body) as answer:
            assert answer.status == 200
            assert await answer.json() == {"inserted": inserted}
    stored = database.rows(
        "select key_id, coin_category, public_key_blob, signature_blob from coins.coin_inventory order by record_id"
    )
    assert stored == coins


async def test_fetch_endpoint(
    http: aiohttp.ClientSession, database: Database, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    coins = make_coins(3, "GOLD")
    upload(database, bob, coins)
    question = {"target_user_id": str(bob), "requester_id": str(alice), "coin_category": "GOLD", "count": "2"}
    for expected in (coins[:2], coins[2:], []):
        async with http.get(FETCH, params=question) as answer:
            assert answer.status == 200
            assert answer.headers["Cache-Control"] == "no-store"
            assert await answer.json() == {"coins": [to_json(coin) for coin in expected]}


async def test_fetch_takes_one_coin_by_default(
    http: aiohttp.ClientSession, database: Database, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    upload(database, bob, make_coins(3))
    question = {"target_user_id": str(bob), "requester_id": str(alice), "coin_category": "BRONZE"}
    async with http.get(FETCH, params=question) as answer:
        assert len((await answer.json())["coins"]) == 1


async def test_count_endpoint(http: aiohttp.ClientSession, database: Database, bob: uuid.UUID) -> None:
    upload(database, bob, make_coins(2, "GOLD", "g") + make_coins(1, "SILVER", "s"))
    async with http.get(COUNT, params={"user_id": str(bob)}) as answer:
        assert (answer.status, await answer.json()) == (200, {"gold": 2, "silver": 1, "bronze": 0})


async def test_health_endpoint(http: aiohttp.ClientSession) -> None:
    async with http.get("/v1/health") as answer:
        assert (answer.status, await answer.json()) == (200, {"status": "ok", "db_connected": True})


async def test_purge_endpoints(
    http: aiohttp.ClientSession, database: Database, bob: uuid.UUID, alice: uuid.UUID
) -> None:
    upload(database, bob, make_coins(3))
    claim(database, bob, alice, "BRONZE")
    for path, body, deleted in (
        ("/v1/admin/purge-stale", {"max_age_days": 1}, 0),
        ("/v1/admin/purge-stale", {"max_age_days": 0}, 2),
        ("/v1/admin/hard-delete", {}, 0),
        ("/v1/admin/hard-delete", {"grace_hours": 0}, 1),
    ):
        async with http.post(path, json=body) as answer:
            assert (answer.status, await answer.json()) == (200, {"deleted": deleted})


def changed(**changes: Any) -> dict[str, Any]:
    """A good upload of two coins whose second coin has been changed; None removes a field."""
    coins = [to_json(make_coin("good")), to_json(make_coin("second")) | changes]
    return {
        "user_id": str(uuid.uuid4()),
        "coins": [{name: value for name, value in coin.items() if value is not None} for coin in coins],
    }


def b64(size: int) -> str:
    return base64.b64encode(bytes(size)).decode()


GOOD = changed()
LONG_KEY = "k" * 37
BAD_UPLOADS: dict[str, tuple[Any, int, str]] = {
    "missing user": ({"coins": []}, 422, "user_id"),
    "missing coins": ({"user_id": str(uuid.uuid4())}, 422, "coins"),
    "null user": (GOOD | {"user_id": None}, 422, "user_id"),
    "bad user": (GOOD | {"user_id": "b0b"}, 422, "user_id"),
    "user without dashes": (GOOD | {"user_id": uuid.uuid4().hex}, 422, "user_id"),
    "user is a number": (GOOD | {"user_id": 7}, 422, "user_id"),
    "null coins": (GOOD | {"coins": None}, 422, "coins"),
    "coins is no list": (GOOD | {"coins": {"key_id": "a"}}, 422, "coins"),
    "coin is no object": (GOOD | {"coins": ["gold"]}, 422, "coins[0]"),
    "coin is null": (GOOD | {"coins": [None]}, 422, "coins[0]"),
    "unknown field": (GOOD | {"colour": "red"}, 422, "colour"),
    "unknown field of a coin": (changed(colour="red"), 422, "coins[1].colour"),
    "internal name": (GOOD | {"p_user_id": str(uuid.uuid4())}, 422, "p_user_id"),
    "missing key_id": (changed(key_id=None), 422, "coins[1].key_id"),
    "missing key": (changed(public_key_b64=None), 422, "coins[1].public_key_b64"),
    "empty key_id": (changed(key_id=""), 422, "coins[1].key_id"),
    "long key_id": (changed(key_id=LONG_KEY), 422, "coins[1].key_id"),
    "NUL in key_id": (changed(key_id="a\x00b"), 422, "coins[1].key_id"),
    "key_id is a number": (changed(key_id=5), 422, "coins[1].key_id"),
    "unknown category": (changed(coin_category="TIN"), 422, "coins[1].coin_category"),
    "category in lower case": (changed(coin_category="gold"), 422, "coins[1].coin_category"),
    "key one byte short": (changed(public_key_b64=b64(31)), 422, "coins[1].public_key"),
    "signature one byte long": (changed(signature_b64=b64(65)), 422, "coins[1].signature"),
    "empty key": (changed(public_key_b64=""), 422, "coins[1].public_key"),
    "bytes of another category": (changed(coin_category="GOLD"), 422, "coins[1].public_key"),
    "key larger than any": (changed(public_key_b64=b64(1185)), 413, "coins[1].public_key"),
    "signature larger than any": (changed(signature_b64=b64(2421)), 413, "coins[1].signature"),
    "base64 with a blank": (changed(public_key_b64=" " + b64(32)), 422, "coins[1].public_key_b64"),
    "base64 with a line break": (changed(public_key_b64=b64(32) + "\n"), 422, "coins[1].public_key_b64"),
    "base64 without padding": (changed(public_key_b64=b64(32).rstrip("=")), 422, "coins[1].public_key_b64"),
    "base64 with too much padding": (changed(public_key_b64=b64(32) + "="), 422, "coins[1].public_key_b64"),
    "base64 of the URL alphabet": (changed(public_key_b64="_-" + b64(32)[2:]), 422, "coins[1].public_key_b64"),
    "base64 with spare bits": (changed(public_key_b64=b64(32)[:-2] + "B="), 422, "coins[1].public_key_b64"),
    "base64 beyond ASCII": (changed(public_key_b64="é" + b64(32)), 422, "coins[1].public_key_b64"),
    "key as a list": (changed(public_key_b64=[1, 2]), 422, "coins[1].public_key_b64"),
    "1001 coins": (GOOD | {"coins": [to_json(make_coin(f"k{n}")) for n in range(1001)]}, 422, "coins"),
    "body is a list": ([GOOD], 422, "body"),
    "body is a string": ("coins", 422, "body"),
}


@pytest.mark.parametrize("what", BAD_UPLOADS)
async def test_bad_upload_names_the_field_and_stores_nothing(what: str, bad_input: BadInput) -> None:
    body, status, field = BAD_UPLOADS[what]
    await bad_input.refused("POST", UPLOAD, status, field, json=body)


FETCH_GOOD = {
    "target_user_id": str(uuid.UUID(int=1)),
    "requester_id": str(uuid.uuid4()),
    "coin_category": "BRONZE",
    "count": "1",
}
BAD_FETCHES: dict[str, tuple[dict[str, str], str]] = {
    **{f"missing {name}": ({n: v for n, v in FETCH_GOOD.items() if n != name}, name) for name in list(FETCH_GOOD)[:3]},
    "bad target": (FETCH_GOOD | {"target_user_id": "1"}, "target_user_id"),
    "bad requester": (FETCH_GOOD | {"requester_id": "x" * 36}, "requester_id"),
    "unknown category": (FETCH_GOOD | {"coin_category": "TIN"}, "coin_category"),
    "count 0": (FETCH_GOOD | {"count": "0"}, "count"),
    "count 101": (FETCH_GOOD | {"count": "101"}, "count"),
    "count -1": (FETCH_GOOD | {"count": "-1"}, "count"),
    "count 1.5": (FETCH_GOOD | {"count": "1.5"}, "count"),
    "count empty": (FETCH_GOOD | {"count": ""}, "count"),
    "count of two's complement": (FETCH_GOOD | {"count": str(2**31)}, "count"),
    "count in other digits": (FETCH_GOOD | {"count": "１"}, "count"),
    "unknown parameter": (FETCH_GOOD | {"limit": "5"}, "limit"),
}


@pytest.mark.parametrize("what", BAD_FETCHES)
async def test_bad_fetch_names_the_field_and_claims_nothing(what: str, bad_input: BadInput) -> None:
    params, field = BAD_FETCHES[what]
    await bad_input.refused("GET", FETCH, 422, field, params=params)


OTHER_REFUSALS: dict[str, tuple[str, str, int, str | None, dict[str, Any]]] = {
    "malformed JSON": ("POST", UPLOAD, 400, None, {"data": b"{", "headers": {"Content-Type": "application/json"}}),
    "no body": ("POST", UPLOAD, 422, "user_id", {}),
    "JSON of bad UTF-8": ("POST", UPLOAD, 400, None, {"data": b'{"a": "\xff"}', "headers": {"Content-Type": "application/json"}}),
    "JSON of 100,000 brackets": ("POST", UPLOAD, 400, None, {"data": b"[" * 100_000, "headers": {"Content-Type": "application/json"}}),
    "a form": ("POST", UPLOAD, 415, None, {"data": {"user_id": "x"}}),
    "text": ("POST", UPLOAD, 415, None, {"data": b"{}", "headers": {"Content-Type": "text/plain"}}),
    "query of a POST": ("POST", f"{UPLOAD}?user_id=1", 422, "user_id", {"json": GOOD}),
    "body over the limit": ("POST", UPLOAD, 413, None, {"data": BytesIO(b" " * (9 * 2**20)), "headers": {"Content-Type": "application/json"}}),
    "parameter twice": ("GET", f"{COUNT}?user_id=1&user_id=2", 422, "user_id", {}),
    "HEAD of a claim": ("HEAD", FETCH, 405, None, {"params": FETCH_GOOD}),
    "POST of a claim": ("POST", FETCH, 405, None, {"json": FETCH_GOOD}),
    "DELETE of an upload": ("DELETE", UPLOAD, 405, None, {}),
    "POST of health": ("POST", "/v1/health", 405, None, {}),
    "OPTIONS": ("OPTIONS", UPLOAD, 405, None, {}),
    "unknown path": ("GET", "/v1/coins", 404, None, {}),
    "a path that climbs": ("GET", "/v1/../../etc/passwd", 404, None, {}),
    "bad user of a count": ("GET", f"{COUNT}?user_id=1", 422, "user_id", {}),
    "negative age": ("POST", "/v1/admin/purge-stale", 422, "max_age_days", {"json": {"max_age_days": -1}}),
    "age as text": ("POST", "/v1/admin/purge-stale", 422, "max_age_days", {"json": {"max_age_days": "30"}}),
    "age true": ("POST", "/v1/admin/purge-stale", 422, "max_age_days", {"json": {"max_age_days": True}}),
    "null age": ("POST", "/v1/admin/purge-stale", 422, "max_age_days", {"json": {"max_age_days": None}}),
    "huge grace": ("POST", "/v1/admin/hard-delete", 422, "grace_hours", {"json": {"grace_hours": 2**31 - 1}}),
    "grace of 80 bits": ("POST", "/v1/admin/hard-delete", 422, "grace_hours", {"data": b'{"grace_hours": %d}' % 2**80, "headers": {"Content-Type": "application/json"}}),
}  # fmt: skip


@pytest.mark.parametrize("what", OTHER_REFUSALS)
async def test_other_refusal_changes_nothing(what: str, bad_input: BadInput) -> None:
    method, path, status, field, options = OTHER_REFUSALS[what]
    await bad_input.refused(method, path, status, field, **options)


async def test_invalid_input_422(bad_input: BadInput) -> None:
    await bad_input.refused("POST", UPLOAD, 422, "coins[1].coin_category", json=changed(coin_category="PLATINUM"))


async def test_the_cap_is_a_conflict(http: aiohttp.ClientSession, database: Database, bob: uuid.UUID) -> None:
    database.execute("update coins.coin_category set max_unclaimed = 3")
    body = {"user_id": str(bob), "coins": [to_json(coin) for coin in make_coins(4)]}
    async with http.post(UPLOAD, json=body) as answer:
        problem = await answer.json()
        assert (answer.status, problem["code"]) == (409, "PT409")
        assert "3 unclaimed BRONZE" in problem["detail"]
    assert count(database, bob) == (0, 0, 0)


class BadInput:
    """One gateway for all bad inputs; each is refused and leaves the inventory as it was."""

    def __init__(self, database: Database, url: str) -> None:
        self.database = database
        self.url = url

    def inventory(self) -> list[tuple[Any, ...]]:
        return self.database.rows("select record_id, fetched_by from coins.coin_inventory order by record_id")

    async def refused(self, method: str, path: str, status: int, field: str | None, **options: Any) -> None:
        before = self.inventory()
        assert before, "there is something to lose"
        async with aiohttp.ClientSession(self.url) as http, http.request(method, path, **options) as answer:
            assert answer.status == status, await answer.text()
            assert answer.content_type == "application/problem+json"
            if method == "HEAD":
                return
            problem = json.loads(await answer.text())
        assert problem["status"] == status
        assert problem["type"] == "about:blank"
        assert problem["title"]
        if status == 405:
            assert answer.headers["Allow"]
        if field:
            assert problem["detail"].startswith(field), problem
            assert problem["field"].startswith(field), problem
        assert self.inventory() == before


@pytest.fixture(scope="module")
def bad_input(cluster: Any, template: str, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A gateway over a database with some coins, shared by all bad inputs of this module."""
    from conftest import migrated_copy, started_gateway

    with migrated_copy(cluster, template) as database:
        upload(database, uuid.UUID(int=1), make_coins(3))
        with started_gateway(database.dsn, tmp_path_factory.mktemp("gateway")) as gateway:
            yield BadInput(database, gateway.url)


async def test_concurrent_fetches_over_http_give_each_coin_once(
    http: aiohttp.ClientSession, gateway: RunningGateway, database: Database, bob: uuid.UUID
) -> None:
    uploaded = make_coins(150, "SILVER")
    upload(database, bob, uploaded)

    async def fetch(number: int) -> list[str]:
        question = {
            "target_user_id": str(bob),
            "requester_id": str(uuid.uuid4()),
            "coin_category": "SILVER",
            "count": str(1 + number % 2),
        }
        async with http.get(FETCH, params=question) as answer:
            assert answer.status == 200
            return [coin["key_id"] for coin in (await answer.json())["coins"]]

    answers = await asyncio.gather(*(fetch(number) for number in range(120)))
    given = [key_id for answer in answers for key_id in answer]
    assert len(given) == 150
    assert len(set(given)) == 150
    assert all(len(answer) <= 1 + number % 2 for number, answer in enumerate(answers))
    assert count(database, bob) == (0, 0, 0)
    async with http.get("/metrics") as metrics:
        text = await metrics.text()
    assert 'aqm_rows_total{route="GET /v1/coins/fetch"} 150.0' in text
