"""Coins to upload: random bytes in the sizes of their category, never twice the same."""

from __future__ import annotations

import os
from base64 import b64encode
from uuid import UUID, uuid4

import orjson

SIZES = {"GOLD": (1184, 2420), "SILVER": (1184, 64), "BRONZE": (32, 64)}
"""Bytes of public key and signature by category."""

RawCoin = tuple[str, str, bytes, bytes]
"""key_id, category, public key, signature: coins.coin_upload."""


def make_coins(category: str, number: int) -> list[RawCoin]:
    """New coins, at most 10,000. Made at little cost, since the servers wait for it on the same machine."""
    public_key, signature = SIZES[category]
    size = public_key + signature
    batch, raw = uuid4().hex, os.urandom(number * size)
    return [
        (
            f"{batch}{place:04}",
            category,
            raw[place * size : place * size + public_key],
            raw[place * size + public_key : (place + 1) * size],
        )
        for place in range(number)
    ]


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
