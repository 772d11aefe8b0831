"""The people of an interleaving, and the calls that they make: each makes the step of one of the two sessions."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from conftest import UPLOAD, Coin, make_coins, upload_arguments
from tests.isolation.interleavings import Step

EARLY = "early-000"
"""The coin that is claimed before the sessions begin."""

CLAIM = "select key_id, public_key_blob from coins.claim_coins(%s, %s, 'BRONZE', %s, %s)"
CLAIM_BATCH = """
select key_id, public_key_blob
from coins.claim_coins_batch(%s::uuid[], %s::uuid[], array['BRONZE', 'BRONZE'], %s::integer[], array[null, null]::uuid[])
where error_code is null
"""
CLAIM_MANY = """
select c.key_id, c.public_key_blob
from coins.claim_many(%s, array[row(%s, 'BRONZE', %s, false), row(%s, 'BRONZE', %s, false)]::coins.claim_wish[]) as m
cross join unnest(m.coins) as c
"""


UPLOAD_WITH_EPOCH = UPLOAD.rstrip().removesuffix(")") + ", %s)"


@dataclass
class World:
    """Two recipients with coins on sale, two senders; the first sender has claimed one coin of Bob's, with a request id."""

    bob: uuid.UUID = field(default_factory=uuid.uuid4)
    carol: uuid.UUID = field(default_factory=uuid.uuid4)
    senders: tuple[uuid.UUID, uuid.UUID] = field(default_factory=lambda: (uuid.uuid4(), uuid.uuid4()))
    early_request: uuid.UUID = field(default_factory=uuid.uuid4)
    epoch: int = 0
    request: uuid.UUID = field(default_factory=uuid.uuid4)
    early: list[Coin] = field(default_factory=lambda: make_coins(1, prefix="early"))
    stock: list[Coin] = field(default_factory=list)
    other_stock: list[Coin] = field(default_factory=lambda: make_coins(4, prefix="carol"))
    fresh: list[Coin] = field(default_factory=lambda: make_coins(2, prefix="fresh"))


Call = Callable[[World, int], Step]
"""Makes the step for one of the two sessions, 0 or 1."""


def claim(count: int = 1) -> Call:
    return lambda world, me: Step("claim", CLAIM, [world.bob, world.senders[me], count, None], count)


def claim_with_id(count: int = 1) -> Call:
    """A claim that both sessions make for the first sender, with one request id."""
    return lambda world, _me: Step("claim with id", CLAIM, [world.bob, world.senders[0], count, world.request], count)


def claim_early_again(world: World, _me: int) -> Step:
    return Step("claim again", CLAIM, [world.bob, world.senders[0], 1, world.early_request], 1)


def in_order(world: World, me: int) -> list[uuid.UUID]:
    """Both recipients; the two sessions have them in opposite orders."""
    return [world.bob, world.carol] if me == 0 else [world.carol, world.bob]


def claim_batch(count: int = 1) -> Call:
    """Claims of both recipients in one batch."""
    return lambda world, me: Step(
        "claim batch", CLAIM_BATCH, [in_order(world, me), [world.senders[me]] * 2, [count] * 2], 2 * count
    )


def claim_many(count: int = 1) -> Call:
    """A claim of both recipients in one call, as for a group."""

    def make(world: World, me: int) -> Step:
        first, second = in_order(world, me)
        return Step("claim many", CLAIM_MANY, [world.senders[me], first, count, second, count], 2 * count)

    return make


def upload_again(world: World, _me: int) -> Step:
    return Step("upload again", UPLOAD, upload_arguments(world.bob, world.stock))


def upload_spent(world: World, _me: int) -> Step:
    return Step("upload spent", UPLOAD, upload_arguments(world.bob, world.early))


def upload_new(world: World, _me: int) -> Step:
    return Step("upload new", UPLOAD, upload_arguments(world.bob, world.fresh))


def upload_in_epoch(world: World, _me: int) -> Step:
    """An upload that names the epoch in which the sessions began."""
    return Step("upload new", UPLOAD_WITH_EPOCH, [*upload_arguments(world.bob, world.fresh), world.epoch])


def fence(_world: World, _me: int) -> Step:
    return Step("fence", "select dropped from ops.fence_coins()")


def discard_all(world: World, _me: int) -> Step:
    return Step("discard", "select coins.discard_coins(%s)", [world.bob])


def discard_first(world: World, _me: int) -> Step:
    keys = [coin[0] for coin in world.stock[:1]]
    return Step("discard", "select coins.discard_coins(%s, %s::text[])", [world.bob, keys])


def purge(_world: World, _me: int) -> Step:
    return Step("purge", "select coins.purge_stale(0)")


def hard_delete(_world: World, _me: int) -> Step:
    return Step("hard delete", "select coins.hard_delete_fetched(0)")
