"""Names of coins, which say when they were minted."""

from __future__ import annotations

import hashlib
import uuid

START = 1_800_000_000.0
"""Where the clocks of tests begin."""


def coin_id(name: object, minted_at: float = START) -> str:
    """A UUID of version 7 of that time, always the same for a name."""
    rest = hashlib.sha256(str(name).encode()).digest()[:10]
    whole = bytearray(round(minted_at * 1000).to_bytes(6, "big") + rest)
    whole[6] = whole[6] & 0x0F | 0x70
    whole[8] = whole[8] & 0x3F | 0x80
    return str(uuid.UUID(bytes=bytes(whole)))
