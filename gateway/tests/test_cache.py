"""Answers that are kept: given again without the database, and never after a change."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from conftest import Database, RunningGateway
from gateway.cache import Cache
from gateway.keys import read_private_key
from gateway.tokens import make_token

Ask = Callable[..., Any]
ADMIN = uuid.UUID(int=1)


def keep(cache: Cache, function: str, question: str, body: bytes = b"1", seconds: float = 60) -> None:
    cache.keep(function, question, cache.state(function), 200, body, seconds)


def test_an_answer_is_kept_for_its_time_and_its_question() -> None:
    cache = Cache()
    cache.open()
    keep(cache, "f", "one")
    keep(cache, "f", "short", seconds=0)
    kept = cache.find("f", "one")
    assert kept
    assert kept.body == b"1"
    assert cache.find("f", "other") is cache.find("g", "one") is cache.find("f", "short") is None


def test_what_changed_is_forgotten_also_what_is_on_its_way() -> None:
    cache = Cache()
    cache.open()
    keep(cache, "f", "one")
    keep(cache, "g", "one")
    before = cache.state("f")
    cache.hear("bust f")
    assert cache.find("f", "one") is None
    assert cache.find("g", "one") is not None
    cache.keep("f", "one", before, 200, b"of yesterday", 60)
    assert cache.find("f", "one") is None


def test_nothing_is_kept_while_nobody_tells_of_changes() -> None:
    cache = Cache()
    keep(cache, "f", "one")
    assert cache.find("f", "one") is None
    cache.open()
    before = cache.state("f")
    keep(cache, "f", "one")
    cache.close()
    assert cache.find("f", "one") is None
    cache.open()
    cache.keep("f", "one", before, 200, b"from before the line was cut", 60)
    assert cache.find("f", "one") is None


@pytest.fixture
async def ask(database: Database, run_gateway: Callable[..., RunningGateway], tmp_path: Path) -> AsyncIterator[Ask]:
    gateway = run_gateway(database.dsn, AQM_AUTH="jwt")
    key = read_private_key(tmp_path / "token_key.pem")
    async with aiohttp.ClientSession(gateway.url) as http:

        async def call(
            method: str, path: str, role: str = "admin", subject: uuid.UUID = ADMIN, **options: Any
        ) -> tuple[int, Any, Any]:
            headers = {"Authorization": f"Bearer {make_token(key, role, str(subject))}", **options.pop("headers", {})}
            async with http.request(method, path, headers=headers, **options) as answer:
                body = await answer.json(content_type=None) if answer.status not in (204, 304) else None
                return answer.status, body, answer.headers

        async def metrics() -> dict[str, float]:
            async with http.get("/metrics") as answer:
                lines = (await answer.text()).splitlines()
            return {
                line.split("{")[0]: float(line.split()[-1])
                for line in lines
                if line.startswith(("aqm_cache_hits_total", "aqm_cache_misses_total"))
            }

        call.metrics = metrics  # type: ignore[attr-defined]
        yield call


async def test_a_company_is_read_once_and_anew_after_a_change(ask: Ask, database: Database) -> None:
    _, company, _ = await ask("POST", "/companies", json={"name": "Coins Ltd"})
    path = f"/companies/{company['id']}"
    status, body, headers = await ask("GET", path)
    assert (status, body["name"]) == (200, "Coins Ltd")
    assert (headers["Cache-Control"], headers["Vary"]) == ("private, no-cache", "Authorization")
    # Behind the functions' back, so that it is seen where an answer comes from.
    database.execute("update auth.companies set name = 'Changed by hand'")
    assert (await ask("GET", path))[1]["name"] == "Coins Ltd"
    status, body, _ = await ask("GET", path, headers={"If-None-Match": headers["ETag"]})
    assert (status, body) == (304, None)
    assert await ask.metrics() == {"aqm_cache_hits_total": 2, "aqm_cache_misses_total": 1}  # type: ignore[attr-defined]

    assert (await ask("PUT", path, json={"name": "Coins Limited"}))[0] == 200
    deadline = time.monotonic() + 1
    while (await ask("GET", path))[1]["name"] != "Coins Limited":
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_what_one_may_see_is_not_given_to_another(ask: Ask, database: Database) -> None:
    _, company, _ = await ask("POST", "/companies", json={"name": "Coins Ltd"})
    path = f"/companies/{company['id']}"
    member, stranger = uuid.uuid4(), uuid.uuid4()
    for person in (member, stranger):
        database.execute("insert into auth.users (id) values (%s)", [person])
    assert (await ask("POST", f"{path}/members", json={"user_id": str(member)}))[0] == 204
    await asyncio.sleep(0.1)
    assert (await ask("GET", path))[0] == 200
    assert (await ask("GET", path, "user", member))[0] == 200
    assert (await ask("GET", path, "user", stranger))[0] == 404
    assert (await ask("DELETE", f"{path}/members/{member}"))[0] == 204
    deadline = time.monotonic() + 1
    while (await ask("GET", path, "user", member))[0] != 404:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


async def test_json_comes_back_as_the_database_has_it(ask: Ask, database: Database) -> None:
    _, company, _ = await ask("POST", "/companies", json={"name": "Coins Ltd", "metadata": {"large": 1e200}})
    metadata = '{"rate": 1.10, "huge": 123456789012345678901234567890}'
    database.execute("update auth.companies set metadata = %s", [metadata])
    _, read, _ = await ask("GET", f"/companies/{company['id']}")
    assert read["metadata"] == {"rate": 1.1, "huge": 123456789012345678901234567890}
