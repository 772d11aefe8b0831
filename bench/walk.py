"""Who asks whom: the requests that a load walks through, the same for both sides."""

from __future__ import annotations

from hashlib import md5
from uuid import UUID

REQUESTERS = 10_000
"""At least so many different ones, so that nobody meets the gateway's rate limit."""


def identity(kind: str, number: int) -> UUID:
    """The UUID of a numbered person, as md5('recipient 7')::uuid has it in SQL: in no order, as real ones are."""
    return UUID(md5(f"{kind} {number}".encode(), usedforsecurity=False).hexdigest())


def paths(recipients: int, category: str) -> list[str]:
    """Paths of claims of one coin: round and round over the recipients, each path by a requester of its own."""
    turns = -(-REQUESTERS // recipients)
    return [
        f"/v1/coins/fetch?target_user_id={identity('recipient', 1 + place % recipients)}"
        f"&requester_id={identity('requester', place)}&coin_category={category}&count=1"
        for place in range(turns * recipients)
    ]
