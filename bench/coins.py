"""Coins to upload: random bytes in the sizes of their category, never twice the same."""

from __future__ import annotations

import os
from functools import cache
from uuid import UUID, uuid4

import orjson
from pybase64 import b64encode

SIZES = {"GOLD": (1184, 2420), "SILVER": (1184, 64), "BRONZE": (32, 64)}
"""Bytes of public key and signature by category."""

RawCoin = tuple[str, str, bytes, bytes]
"""key_id, category, public key, signature: coins.coin_upload."""


def make_coins(category: str, number: int) -> list[RawCoin]:
    """New coins, at most 10,000. Made at little cost, since the servers wait for it on the same machine: a coin's own
    bytes are the first 16 of each blob."""
    public_key, signature = _blobs(category)
    batch, own = uuid4().hex, os.urandom(number * 32)
    return [
        (
            f"{batch}{place:04}",
            category,
            own[place * 32 : place * 32 + 16] + public_key,
            own[place * 32 + 16 : (place + 1) * 32] + signature,
        )
        for place in range(number)
    ]


@cache
def _blobs(category: str) -> tuple[bytes, bytes]:
    """What all coins of a process end in: random, since other bytes would be compressed."""
    public_key, signature = SIZES[category]
    return os.urandom(public_key - 16), os.urandom(signature - 16)


def make_user() -> UUID:
    """Somebody without coins yet."""
    return uuid4()


def make_upload(category: str, number: int) -> bytes:
    """The body of an upload by somebody new."""
    coins = [
        {
            "key_id": key_id,
            "coin_category": category,
            "public_key_b64": b64encode(public_key).decode(),
            "signature_b64": b64encode(signature).decode(),
        }
        for key_id, category, public_key, signature in make_coins(category, number)
    ]
    return orjson.dumps({"user_id": make_user(), "coins": coins})
