"""SmartInventory, on each backend."""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import Sequence

import pytest

from device.backends.base import CATEGORIES, Ages
from device.clock import DAY
from device.errors import (
    DuplicateCoinError,
    InvalidArgumentError,
    OverBudgetError,
    StaleCoinError,
    UnknownPriorityError,
)
from device.factory import Database
from device.inventory import CACHED_FOR, SmartInventory
from device.keys import Coin
from device.vault import LIFETIME

from .conftest import Place
from .names import START, coin_id

NONE = {"GOLD": 0, "SILVER": 0, "BRONZE": 0}
BESTIE = {"GOLD": 5, "SILVER": 4, "BRONZE": 1}


def make_coin(name: object, category: str = "GOLD", minted_at: float = START) -> Coin:
    return Coin(coin_id(name, minted_at), category, os.urandom(32), os.urandom(64))


@pytest.fixture
def inventory(opened: Database) -> SmartInventory:
    return opened.inventory


@pytest.fixture
async def bob(inventory: SmartInventory) -> uuid.UUID:
    """A contact with BESTIE's budget."""
    contact = uuid.uuid4()
    assert await inventory.set_priority(contact, "BESTIE") == 0
    return contact


async def fill(inventory: SmartInventory, contact: uuid.UUID, category: str, count: int) -> list[Coin]:
    coins = [make_coin(f"{category}-{number}", category) for number in range(count)]
    for coin in coins:
        await inventory.store_key(contact, coin)
    return coins


async def test_coins_come_back_whole_and_oldest_first(inventory: SmartInventory, bob: uuid.UUID) -> None:
    coins = await fill(inventory, bob, "GOLD", 5)
    assert await inventory.count_coins(bob) == {**NONE, "GOLD": 5}
    assert [await inventory.select_coin(bob, "GOLD") for _ in range(6)] == [*coins, None]
    assert await inventory.count_coins(bob) == NONE


@pytest.mark.parametrize(
    ("wished", "expected"),
    [
        ("GOLD", ["GOLD", "SILVER", "BRONZE", None]),
        ("SILVER", ["SILVER", "BRONZE", None]),
        ("BRONZE", ["BRONZE", None]),
    ],
)
async def test_a_selection_falls_and_never_rises(
    inventory: SmartInventory, bob: uuid.UUID, wished: str, expected: Sequence[str | None]
) -> None:
    for category in CATEGORIES:
        await fill(inventory, bob, category, 1)
    taken = [await inventory.select_coin(bob, wished) for _ in expected]
    assert [coin and coin.category for coin in taken] == expected


async def test_a_selection_stops_at_the_least_category(place: Place) -> None:
    opened, bob = await place.open(), uuid.uuid4()
    inventory = opened.inventory
    await inventory.set_priority(bob, "BESTIE")
    for category in ("SILVER", "BRONZE"):
        await fill(inventory, bob, category, 1)
    assert await inventory.select_coin(bob, "GOLD", "GOLD") is None
    coin = await inventory.select_coin(bob, "GOLD", "SILVER")
    assert coin
    assert coin.category == "SILVER"
    await place.later(opened, 29 * DAY)
    assert await inventory.select_coin(bob, "GOLD", "SILVER") is None
    await place.later(opened, 2 * DAY)
    assert await inventory.garbage_collect() == [], "asking was use"
    with pytest.raises(InvalidArgumentError, match="category"):
        await inventory.select_coin(bob, "GOLD", "IRON")


async def test_the_budget_of_each_category_is_kept(inventory: SmartInventory, bob: uuid.UUID) -> None:
    assert await inventory.room(bob) == BESTIE
    for category, budget in BESTIE.items():
        await fill(inventory, bob, category, budget)
        with pytest.raises(OverBudgetError, match=category):
            await inventory.store_key(bob, make_coin("surplus", category))
    assert await inventory.count_coins(bob) == BESTIE
    assert await inventory.room(bob) == NONE
    await inventory.select_coin(bob, "GOLD")
    assert await inventory.room(bob) == {**NONE, "GOLD": 1}


async def test_a_hundred_stores_at_once_stay_within_the_budget(inventory: SmartInventory, bob: uuid.UUID) -> None:
    await inventory.set_budget("BESTIE", 10, 0, 0)
    outcomes = await asyncio.gather(
        *(inventory.store_key(bob, make_coin(f"coin-{number}")) for number in range(100)), return_exceptions=True
    )
    assert sum(outcome is None for outcome in outcomes) == 10
    assert sum(isinstance(outcome, OverBudgetError) for outcome in outcomes) == 90
    assert await inventory.count_coins(bob) == {**NONE, "GOLD": 10}


async def test_no_coin_is_selected_twice(inventory: SmartInventory, bob: uuid.UUID) -> None:
    await inventory.set_budget("BESTIE", 50, 0, 0)
    coins = await fill(inventory, bob, "GOLD", 50)
    taken = await asyncio.gather(*(inventory.select_coin(bob, "GOLD") for _ in range(100)))
    assert sorted(coin.key_id for coin in taken if coin) == sorted(coin.key_id for coin in coins)


async def test_a_coin_is_stored_once_even_after_it_was_used(place: Place) -> None:
    opened, bob = await place.open(), uuid.uuid4()
    inventory = opened.inventory
    await inventory.set_priority(bob, "BESTIE")
    coin = make_coin("once")
    await inventory.store_key(bob, coin)
    with pytest.raises(DuplicateCoinError, match=coin.key_id):
        await inventory.store_key(bob, coin)
    assert await inventory.select_coin(bob, "GOLD") == coin
    await place.later(opened, LIFETIME - 0.001)
    again = Coin(coin_id("again", place.clock()), "GOLD", coin.public_key, coin.signature)
    with pytest.raises(DuplicateCoinError):
        await inventory.store_key(bob, again)
    place.clock.advance(0.001)
    await inventory.store_key(bob, again)


async def test_a_coin_that_was_used_without_being_cached_is_used_once(place: Place) -> None:
    opened, bob, other = await place.open(), uuid.uuid4(), uuid.uuid4()
    inventory = opened.inventory
    coin, cached, request = make_coin("coin"), make_coin("cached"), uuid.uuid4()
    renamed = Coin(coin_id("renamed"), "GOLD", coin.public_key, coin.signature)
    assert await inventory.note_used(bob, coin, request)
    assert await inventory.contacts() == {bob: "STRANGER"}
    assert await inventory.note_used(bob, coin, request), "the same request's"
    assert not await inventory.note_used(bob, coin)
    assert not await inventory.note_used(bob, coin, uuid.uuid4())
    assert not await inventory.note_used(bob, renamed)
    assert await inventory.note_used(other, coin), "contacts have nothing in common"
    await inventory.set_priority(bob, "BESTIE")
    for known in (coin, renamed):
        with pytest.raises(DuplicateCoinError):
            await inventory.store_key(bob, known)
    await inventory.store_key(bob, cached)
    assert not await inventory.note_used(bob, cached)
    assert await inventory.select_coin(bob, "GOLD") == cached
    assert not await inventory.note_used(bob, cached, request)
    await place.later(opened, LIFETIME)
    assert await inventory.note_used(bob, coin)


async def test_contacts_have_nothing_in_common(inventory: SmartInventory, bob: uuid.UUID) -> None:
    carol = uuid.uuid4()
    await inventory.set_priority(carol, "BESTIE")
    coin, same_name = make_coin("name"), make_coin("name")
    await inventory.store_key(bob, coin)
    await inventory.store_key(carol, same_name)
    assert await inventory.remove_contact(bob) == 1
    assert await inventory.select_coin(carol, "GOLD") == same_name


async def test_a_contact_without_priority_is_a_stranger(inventory: SmartInventory) -> None:
    contact = uuid.uuid4()
    assert await inventory.room(contact) == NONE
    with pytest.raises(OverBudgetError):
        await inventory.store_key(contact, make_coin("coin"))
    assert await inventory.select_coin(contact, "GOLD") is None
    assert await inventory.contacts() == {}, "asking for a coin makes no contact"
    await inventory.set_budget("STRANGER", 0, 0, 1)
    await inventory.store_key(contact, make_coin("coin", "BRONZE"))
    assert await inventory.contacts() == {contact: "STRANGER"}


async def test_the_surplus_of_a_lower_priority_goes_and_the_oldest_stay(
    inventory: SmartInventory, bob: uuid.UUID
) -> None:
    await inventory.set_budget("PEN PAL", 2, 4, 0)
    coins = [coin for category, count in BESTIE.items() for coin in await fill(inventory, bob, category, count)]
    assert await inventory.set_priority(bob, "PEN PAL") == 4
    assert await inventory.contacts() == {bob: "PEN PAL"}
    assert await inventory.count_coins(bob) == {"GOLD": 2, "SILVER": 4, "BRONZE": 0}
    assert [await inventory.select_coin(bob, "GOLD") for _ in range(2)] == coins[:2]
    assert await inventory.set_priority(bob, "BESTIE") == 0
    assert await inventory.room(bob) == {"GOLD": 5, "SILVER": 0, "BRONZE": 1}
    await inventory.store_key(bob, coins[4])
    assert await inventory.set_priority(bob, "STRANGER") == 5


async def test_a_lowered_budget_takes_nothing_away_at_once(inventory: SmartInventory, bob: uuid.UUID) -> None:
    await fill(inventory, bob, "GOLD", 5)
    await inventory.set_budget("BESTIE", 1, 0, 0)
    assert await inventory.count_coins(bob) == {**NONE, "GOLD": 5}
    assert await inventory.room(bob) == NONE


async def test_budgets_and_contacts_outlive_a_restart(place: Place) -> None:
    contact = uuid.uuid4()
    async with await place.open() as first:
        await first.inventory.set_budget("BESTIE", 7, 0, 0)
        await first.inventory.set_priority(contact, "BESTIE")
        await fill(first.inventory, contact, "GOLD", 2)
    second = await place.open()
    assert await second.inventory.room(contact) == {**NONE, "GOLD": 5}
    coin = await second.inventory.select_coin(contact, "GOLD")
    assert coin
    assert coin.key_id == coin_id("GOLD-0")


async def test_an_unknown_priority_is_refused(inventory: SmartInventory, bob: uuid.UUID) -> None:
    with pytest.raises(UnknownPriorityError, match="'BESTY'"):
        await inventory.set_priority(bob, "BESTY")
    assert await inventory.contacts() == {bob: "BESTIE"}


@pytest.mark.parametrize(("counts", "field"), [((-1, 0, 0), "gold"), ((0, 1001, 0), "silver"), ((0, 0, -5), "bronze")])
async def test_an_impossible_budget_is_refused(
    inventory: SmartInventory, counts: tuple[int, int, int], field: str
) -> None:
    with pytest.raises(InvalidArgumentError, match=field):
        await inventory.set_budget("BESTIE", *counts)


async def test_what_is_no_coin_is_refused(inventory: SmartInventory, bob: uuid.UUID) -> None:
    with pytest.raises(InvalidArgumentError, match="category"):
        await inventory.store_key(bob, make_coin("coin", "IRON"))
    with pytest.raises(InvalidArgumentError, match="key_id"):
        await inventory.store_key(bob, Coin("", "GOLD", b"", b""))
    with pytest.raises(InvalidArgumentError, match="category"):
        await inventory.select_coin(bob, "IRON")


async def test_a_removed_contact_leaves_nothing(inventory: SmartInventory, bob: uuid.UUID) -> None:
    coins = await fill(inventory, bob, "GOLD", 3)
    await inventory.select_coin(bob, "GOLD")
    assert await inventory.remove_contact(bob) == 2
    assert await inventory.remove_contact(bob) == 0
    assert await inventory.contacts() == {}
    await inventory.set_priority(bob, "BESTIE")
    assert await inventory.count_coins(bob) == NONE
    await inventory.store_key(bob, coins[0])


async def test_contacts_unused_for_thirty_days_go_least_recently_used_first(place: Place) -> None:
    opened = await place.open()
    inventory = opened.inventory
    contacts = [uuid.uuid4() for _ in range(4)]
    for contact in contacts:
        await inventory.set_priority(contact, "BESTIE")
        place.clock.advance(DAY)
    await inventory.select_coin(contacts[0], "GOLD")  # as if just added, though it had none
    await place.later(opened, 28 * DAY)
    await inventory.store_key(contacts[1], make_coin("no use", minted_at=place.clock()))
    assert await inventory.garbage_collect(is_certain=True) == contacts[1:3]
    assert await inventory.garbage_collect(is_certain=True) == []
    assert set(await inventory.contacts()) == {contacts[0], contacts[3]}
    assert await inventory.count_coins(contacts[1]) == NONE
    place.clock.advance(2 * DAY)
    assert await inventory.garbage_collect(is_certain=True) == [contacts[3], contacts[0]]


async def test_many_contacts_are_collected_in_batches(place: Place) -> None:
    inventory = (await place.open()).inventory
    contacts = [uuid.uuid4() for _ in range(1100)]
    await asyncio.gather(*(inventory.set_priority(contact, "MATE") for contact in contacts))
    assert set(await inventory.contacts()) == set(contacts)
    place.clock.advance(30 * DAY)
    assert set(await inventory.garbage_collect(is_certain=True)) == set(contacts)
    assert await inventory.contacts() == {}


async def test_a_cancelled_selection_loses_no_coin(inventory: SmartInventory, bob: uuid.UUID) -> None:
    coins = await fill(inventory, bob, "GOLD", 5)
    received = []
    for number in range(200):
        selecting = asyncio.create_task(inventory.select_coin(bob, "GOLD"))
        await asyncio.sleep(number / 200 * 0.002)
        selecting.cancel()
        try:
            coin = await selecting
        except asyncio.CancelledError:
            continue
        assert coin
        received.append(coin)
        if len(received) == 4:
            break
    left = [await inventory.select_coin(bob, "GOLD") for _ in range(5 - len(received))]
    assert received + left == coins, "nothing is lost, and the order is as it was"


async def test_a_coin_that_came_back_is_not_taken_for_a_used_one(inventory: SmartInventory, bob: uuid.UUID) -> None:
    (coin,) = await fill(inventory, bob, "GOLD", 1)
    selecting = asyncio.create_task(inventory.select_coin(bob, "GOLD"))
    await asyncio.sleep(0)
    selecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await selecting
    assert await inventory.count_coins(bob) == {**NONE, "GOLD": 1}
    assert await inventory.select_coin(bob, "GOLD") == coin


async def test_all_coins_are_counted(inventory: SmartInventory, bob: uuid.UUID) -> None:
    carol = uuid.uuid4()
    await inventory.set_priority(carol, "MATE")
    await fill(inventory, bob, "GOLD", 2)
    await fill(inventory, bob, "SILVER", 1)
    await fill(inventory, carol, "SILVER", 3)
    assert await inventory.count_all() == {"GOLD": 2, "SILVER": 4, "BRONZE": 0}


async def test_a_coin_comes_back_only_to_a_contact_that_has_room(opened: Database, bob: uuid.UUID) -> None:
    await opened.inventory.set_budget("STRANGER", 1, 0, 0)
    await fill(opened.inventory, bob, "GOLD", 2)
    first, second = [await opened.store.take_coin(str(bob), ["GOLD"], 1, 2, Ages(0, 0)) for _ in range(2)]
    assert first
    assert second
    await opened.inventory.set_priority(bob, "STRANGER")
    assert await opened.store.return_coin(str(bob), first, 0)
    assert not await opened.store.return_coin(str(bob), second, 0)
    await opened.inventory.remove_contact(bob)
    assert not await opened.store.return_coin(str(bob), second, 0)
    assert await opened.inventory.contacts() == {}


async def test_no_coin_outlives_its_private_key(place: Place) -> None:
    opened, bob = await place.open(), uuid.uuid4()
    inventory = opened.inventory
    await inventory.set_priority(bob, "BESTIE")
    old = await fill(inventory, bob, "GOLD", 5)
    await place.later(opened, CACHED_FOR)
    assert await inventory.select_coin(bob, "GOLD") == old[0], "23 days are not over 23 days"
    place.clock.advance(0.001)
    assert await inventory.count_coins(bob) == NONE
    assert await inventory.count_all() == NONE
    assert await inventory.room(bob) == BESTIE
    fresh = make_coin("fresh", minted_at=place.clock())
    await inventory.store_key(bob, fresh)
    assert await inventory.room(bob) == {**BESTIE, "GOLD": 4}
    assert await inventory.set_priority(bob, "BESTIE") == 0
    assert await inventory.select_coin(bob, "GOLD") == fresh
    assert await inventory.select_coin(bob, "GOLD") is None


@pytest.mark.parametrize("days", [-24, 1.1])
async def test_a_coin_too_old_or_from_the_future_is_refused(
    inventory: SmartInventory, bob: uuid.UUID, days: float
) -> None:
    with pytest.raises(StaleCoinError, match="key_id"):
        await inventory.store_key(bob, make_coin("coin", minted_at=START + days * DAY))


@pytest.mark.parametrize(
    "key_id", ["coin", "5a5a5a5a-5a5a-4a5a-8a5a-5a5a5a5a5a5a", coin_id("x").replace("-", ""), "{" + coin_id("x")[:-2]]
)
async def test_a_coin_that_does_not_say_its_age_is_refused(
    inventory: SmartInventory, bob: uuid.UUID, key_id: str
) -> None:
    with pytest.raises(StaleCoinError, match="key_id"):
        await inventory.store_key(bob, Coin(key_id, "GOLD", b"public", b"signature"))


async def test_the_coins_of_all_contacts_that_are_too_old_are_collected(place: Place) -> None:
    opened = await place.open()
    contacts = [uuid.uuid4() for _ in range(3)]
    for contact in contacts:
        await opened.inventory.set_priority(contact, "BESTIE")
        await fill(opened.inventory, contact, "GOLD", 2)
    await place.later(opened, CACHED_FOR + 1)
    await opened.inventory.store_key(contacts[0], make_coin("fresh", minted_at=place.clock()))
    assert await opened.inventory.garbage_collect(is_certain=True) == []
    assert [await opened.store.count_coins(str(contact), 0) for contact in contacts] == [
        {**NONE, "GOLD": 1},
        NONE,
        NONE,
    ]
    assert await opened.inventory.remove_contact(contacts[0]) == 1


async def test_a_public_key_is_stored_once_whatever_its_name(inventory: SmartInventory, bob: uuid.UUID) -> None:
    coin = make_coin("coin")
    renamed = Coin(coin_id("other"), "GOLD", coin.public_key, coin.signature)
    await inventory.store_key(bob, coin)
    with pytest.raises(DuplicateCoinError):
        await inventory.store_key(bob, renamed)
    assert await inventory.select_coin(bob, "GOLD") == coin
    with pytest.raises(DuplicateCoinError):
        await inventory.store_key(bob, renamed)
    carol = uuid.uuid4()
    await inventory.set_priority(carol, "BESTIE")
    await inventory.store_key(carol, renamed)
