"""What the server's answers mean, checked: whatever has not the promised form is a BadAnswer.

Names and sizes are checked, signatures are not: only who knows the recipient's verify keys can (keys.verify).
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from .errors import BadAnswer
from .keys import ALGORITHMS, LONGEST_KEY_ID, Coin

SIZES = {"GOLD": (1184, 2420), "SILVER": (1184, 64), "BRONZE": (32, 64)}
"""Bytes of public key and signature by category."""

T = TypeVar("T")


@dataclass(frozen=True)
class Wish:
    """What a sender wants of one recipient. target: the recipient's key store. category: GOLD, SILVER or BRONZE. count: 1 to
    100. accept_last_resort: whether a coin that others get as well is better than none."""

    target: UUID
    category: str
    count: int = 1
    accept_last_resort: bool = False


@dataclass(frozen=True)
class Outcome:
    """What a sender got of one recipient.

    wish: what was asked for. coins: oldest first, at most as many as wished. last_resort: no one-time coin, others have it too;
    only where there are no coins and the wish accepts it. remaining: unclaimed coins of the category that are left.
    retry_after: seconds until a quota gives one, None where none was in the way.
    """

    wish: Wish
    coins: list[Coin]
    last_resort: Coin | None
    remaining: int
    retry_after: int | None


@dataclass(frozen=True)
class Status:
    """What a device wants to know before it mints. counts: unclaimed coins by category. epoch: of the server's inventory.
    last_resort: categories that have such a coin. low_stock: thresholds by category."""

    counts: Mapping[str, int]
    epoch: int
    last_resort: frozenset[str]
    low_stock: Mapping[str, int]


@dataclass(frozen=True)
class Issued:
    """A coin of ours that somebody has claimed. claimed_at: when. cursor: where to go on after it."""

    key_id: str
    category: str
    claimed_at: datetime
    cursor: str


@dataclass(frozen=True)
class LowStock:
    """A category is below its threshold. unclaimed: coins that are left. threshold: coins."""

    category: str
    unclaimed: int
    threshold: int


@dataclass(frozen=True)
class Epoch:
    """The epoch of the server's inventory; see errors.EpochChanged for what a new one means."""

    number: int


def encode_coin(coin: Coin) -> dict[str, str]:
    """A coin as JSON has it."""
    return {
        "key_id": coin.key_id,
        "coin_category": coin.category,
        "public_key_b64": b64encode(coin.public_key).decode(),
        "signature_b64": b64encode(coin.signature).decode(),
    }


def take(answer: Any, name: str, kind: type[T]) -> T:
    """A member of a JSON object that has exactly this type; raises BadAnswer."""
    value = answer.get(name) if isinstance(answer, dict) else None
    # Not isinstance(): True is an int.
    if type(value) is not kind:
        raise BadAnswer(f"the answer's {name} is no {kind.__name__}")
    return value


def take_number(answer: Any, name: str) -> int:
    """A member that counts something; raises BadAnswer for a negative one."""
    number = take(answer, name, int)
    if number < 0:
        raise BadAnswer(f"the answer's {name} is negative")
    return number


def take_uuid(answer: Any, name: str) -> UUID:
    """A member that is a UUID; raises BadAnswer."""
    try:
        return UUID(take(answer, name, str))
    except ValueError:
        pass
    raise BadAnswer(f"the answer's {name} is no UUID")


def read_counts(answer: Any) -> dict[str, int]:
    """A number for each category; raises BadAnswer."""
    return {category: take_number(answer, category.lower()) for category in ALGORITHMS}


def read_status(answer: Any) -> Status:
    """The answer of GET status; raises BadAnswer."""
    last_resort = frozenset(str(category) for category in take(answer, "last_resort", list))
    if not last_resort <= ALGORITHMS.keys():
        raise BadAnswer("the answer's last_resort names an unknown category")
    thresholds = read_counts(take(answer, "low_stock", dict))
    return Status(read_counts(answer), take_number(answer, "epoch"), last_resort, thresholds)


def read_issued(answer: Any) -> Issued:
    """An element of GET claimed; raises BadAnswer."""
    key_id, category, cursor = (take(answer, name, str) for name in ("key_id", "coin_category", "cursor"))
    try:
        claimed_at = datetime.fromisoformat(take(answer, "claimed_at", str))
    except ValueError:
        claimed_at = datetime.min
    if claimed_at.tzinfo is None:
        raise BadAnswer("the answer's claimed_at is no time with a zone")
    return Issued(key_id, category, claimed_at, cursor)


def read_event(name: str, data: Any) -> LowStock | Epoch | None:
    """An event of GET watch; None for one that a newer server tells. Raises BadAnswer."""
    if name == "epoch":
        return Epoch(take_number(data, "epoch"))
    if name == "low_stock" and (category := take(data, "coin_category", str)) in ALGORITHMS:
        return LowStock(category, take_number(data, "unclaimed"), take_number(data, "low_stock"))
    return None


def read_coins(answer: Any, category: str, most: int) -> list[Coin]:
    """The coins of a claim; raises BadAnswer for another category, too many, or one that is there twice."""
    coins = [_read_coin(coin, category) for coin in take(answer, "coins", list)]
    if len(coins) > most or len({coin.key_id for coin in coins}) < len(coins):
        raise BadAnswer("the answer has more coins than were asked for")
    return coins


def read_outcome(answer: Any, wish: Wish) -> Outcome:
    """What became of a wish; raises BadAnswer, also when it is the answer to another."""
    asked = take_uuid(answer, "target_user_id"), take(answer, "coin_category", str), take_number(answer, "requested")
    if asked != (wish.target, wish.category, wish.count):
        raise BadAnswer("the answer is that of another claim")
    coins, last_resort = read_coins(answer, wish.category, wish.count), None
    marks = [take(coin, "last_resort", bool) for coin in answer["coins"]]
    if any(marks):
        if len(coins) > 1 or not wish.accept_last_resort:
            raise BadAnswer("the answer has a last-resort coin that was not asked for")
        last_resort = coins.pop()
    waits = answer.get("retry_after") is not None
    return Outcome(
        wish,
        coins,
        last_resort,
        take_number(answer, "remaining"),
        take_number(answer, "retry_after") if waits else None,
    )


def _read_coin(answer: Any, category: str) -> Coin:
    if take(answer, "coin_category", str) != category or category not in SIZES:
        raise BadAnswer("the answer has a coin of another category")
    key_id = take(answer, "key_id", str)
    # Any characters: the recipient chose them, and could else spoil the claim of a whole group.
    if not 1 <= len(key_id) <= LONGEST_KEY_ID:
        raise BadAnswer("the answer's key_id has a wrong length")
    public_key, signature = SIZES[category]
    return Coin(
        key_id,
        category,
        _read_blob(answer, "public_key_b64", public_key),
        _read_blob(answer, "signature_b64", signature),
    )


def _read_blob(answer: Any, name: str, size: int) -> bytes:
    text = take(answer, name, str)
    try:
        blob = b64decode(text, validate=True)
    except (Error, ValueError):
        blob = b""
    if len(blob) != size or b64encode(blob).decode() != text:
        raise BadAnswer(f"the answer's {name} is not base64 of {size} bytes")
    return blob
