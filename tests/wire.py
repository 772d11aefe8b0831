"""The promises' routes as a client sees them: what is sent, and what comes back."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import aiohttp

from conftest import Coin, Database, to_json

FETCH, CLAIM, LAST_RESORT = "/v1/coins/fetch", "/v1/coins/claim", "/v1/coins/last-resort"
UPLOAD, STATUS, CLAIMED, DISCARD = "/v1/coins/upload", "/v1/coins/status", "/v1/coins/claimed", "/v1/coins/discard"


@dataclass(frozen=True)
class Answer:
    """An answer that has arrived whole; raw is its body byte for byte."""

    status: int
    body: Any
    raw: bytes
    headers: Any


async def ask(http: aiohttp.ClientSession, method: str, path: str, key: object = None, **options: Any) -> Answer:
    """One request; key is its Idempotency-Key."""
    headers = {} if key is None else {"Idempotency-Key": str(key)}
    async with http.request(method, path, headers=headers, **options) as answer:
        return Answer(answer.status, await answer.json(content_type=None), await answer.read(), answer.headers)


async def fetch(
    http: aiohttp.ClientSession, target: uuid.UUID, sender: uuid.UUID, key: object = None, **changes: Any
) -> Answer:
    """GET fetch of a BRONZE coin, with changes."""
    question = {"target_user_id": str(target), "requester_id": str(sender), "coin_category": "BRONZE", **changes}
    return await ask(http, "GET", FETCH, key, params=question)


def wish(target: uuid.UUID, category: str = "BRONZE", **changes: Any) -> dict[str, Any]:
    """What a sender wants of one recipient; count and accept_last_resort only where they are given."""
    return {"target_user_id": str(target), "coin_category": category, **changes}


async def claim(http: aiohttp.ClientSession, sender: uuid.UUID, *wishes: dict[str, Any], key: object = None) -> Answer:
    """POST claim of many recipients."""
    return await ask(http, "POST", CLAIM, key, json={"requester_id": str(sender), "claims": list(wishes)})


def given(coin: Coin, last_resort: bool = False) -> dict[str, Any]:
    """A coin as POST claim answers it."""
    return to_json(coin) | {"last_resort": last_resort}


def state(database: Database) -> list[Any]:
    """All that a claim may change, to show that nothing has."""
    return [
        database.rows(f"select t::text from {table} as t order by 1")
        for table in ("coins.coin_inventory", "coins.claim_request", "coins.last_resort_coin", "coins.quota_use")
    ]
