"""SecureVault, on each backend."""

from __future__ import annotations

import asyncio
import functools
import os
import random
import time
import uuid

import pytest

from device.backends.sqlite import SQLiteStore
from device.clock import DAY, milliseconds
from device.errors import ClockError, DamagedStoreError, DuplicateCoinError, DuplicateKeyError, InvalidArgumentError
from device.factory import Database
from device.keys import Coin
from device.vault import LIFETIME, KeyInfo, StoredKey

from .conftest import Place, fetch
from .names import START, coin_id

NONE = {"GOLD": 0, "SILVER": 0, "BRONZE": 0}


async def test_a_key_is_stored_fetched_and_burned(opened: Database) -> None:
    vault = opened.vault
    await vault.store_key("one", "GOLD", b"private one")
    await vault.store_key("two", "BRONZE", b"private two")
    assert (await fetch(vault, "one"), await fetch(vault, "two")) == (b"private one", b"private two")
    assert await vault.count_active() == {**NONE, "GOLD": 1, "BRONZE": 1}
    assert await vault.burn_key("one") is True
    assert await fetch(vault, "one") is None
    assert await vault.burn_key("one") is False
    assert await fetch(vault, "two") == b"private two"
    assert await vault.count_active() == {**NONE, "BRONZE": 1}


async def test_an_unknown_key_is_neither_fetched_nor_burned(opened: Database) -> None:
    assert await fetch(opened.vault, "unknown") is None
    assert await opened.vault.burn_key("unknown") is False
    assert await opened.vault.count_active() == NONE


async def test_everything_outlives_a_restart(place: Place) -> None:
    async with await place.open() as first:
        await first.vault.store_key("kept", "SILVER", b"private")
        await first.vault.store_key("burned", "SILVER", b"private")
        await first.vault.burn_key("burned")
    second = await place.open()
    assert await fetch(second.vault, "kept") == b"private"
    assert await fetch(second.vault, "burned") is None
    with pytest.raises(DuplicateKeyError):
        await second.vault.store_key("burned", "SILVER", b"private")


@pytest.mark.parametrize("category", ["GOLD", "SILVER"])
async def test_a_name_is_stored_once(opened: Database, category: str) -> None:
    await opened.vault.store_key("name", "GOLD", b"first")
    with pytest.raises(DuplicateKeyError, match="'name'"):
        await opened.vault.store_key("name", category, b"second")
    assert await fetch(opened.vault, "name") == b"first"
    assert await opened.vault.count_active() == {**NONE, "GOLD": 1}


@pytest.mark.parametrize("key_id", ["", "x" * 37, "line\nbreak", "nul\0"])
async def test_what_is_no_name_is_refused(opened: Database, key_id: str) -> None:
    for refused in (
        opened.vault.store_key(key_id, "GOLD", b"private"),
        fetch(opened.vault, key_id),
        opened.vault.burn_key(key_id),
    ):
        with pytest.raises(InvalidArgumentError, match="key_id"):
            await refused


@pytest.mark.parametrize("key_id", ["Zoë's key: 'quoted' \"%s\" {} *", "x" * 36, "a:b:c"])
async def test_a_name_may_hold_any_printable_sign(opened: Database, key_id: str) -> None:
    await opened.vault.store_key(key_id, "GOLD", b"private")
    assert await fetch(opened.vault, key_id) == b"private"
    assert await opened.vault.burn_key(key_id)


async def test_an_unknown_category_is_refused(opened: Database) -> None:
    with pytest.raises(InvalidArgumentError, match="category"):
        await opened.vault.store_key("name", "gold", b"private")


async def test_a_key_expires_after_thirty_days(place: Place) -> None:
    opened = await place.open()
    vault = opened.vault
    await vault.store_key("old", "GOLD", b"private")
    await place.later(opened, LIFETIME - 0.001)
    await vault.store_key("new", "GOLD", b"private")
    assert await fetch(vault, "old") == b"private"
    assert await vault.count_active() == {**NONE, "GOLD": 2}
    place.clock.advance(0.001)
    assert await fetch(vault, "old") is None
    assert await vault.burn_key("old") is False
    assert await vault.count_active() == {**NONE, "GOLD": 1}
    assert await vault.purge_expired(is_certain=True) == 1
    assert await vault.purge_expired(is_certain=True) == 0
    assert await fetch(vault, "new") == b"private"


async def test_an_expired_name_may_be_stored_again_in_another_category(place: Place) -> None:
    opened = await place.open()
    vault = opened.vault
    await vault.store_key("name", "GOLD", b"first")
    await place.later(opened, LIFETIME)
    await vault.store_key("name", "BRONZE", b"second")
    await vault.purge_expired(is_certain=True)
    assert await fetch(vault, "name") == b"second"
    assert await vault.count_active() == {**NONE, "BRONZE": 1}


async def test_a_burned_name_is_refused_for_thirty_days(place: Place) -> None:
    opened = await place.open()
    vault = opened.vault
    await vault.store_key("name", "GOLD", b"first")
    await place.later(opened, 29 * DAY)
    await vault.burn_key("name")
    await place.later(opened, LIFETIME - 0.001)
    assert await vault.purge_expired(is_certain=True) == 0
    with pytest.raises(DuplicateKeyError):
        await vault.store_key("name", "GOLD", b"second")
    place.clock.advance(0.001)
    assert await vault.purge_expired(is_certain=True) == 0, "a burned key is none that expired"
    await vault.store_key("name", "GOLD", b"second")
    assert await fetch(vault, "name") == b"second"


async def test_many_keys_are_purged_in_batches(place: Place) -> None:
    opened = await place.open()
    vault = opened.vault
    for number in range(1201):
        await vault.store_key(f"key-{number}", ("GOLD", "SILVER", "BRONZE")[number % 3], b"private")
    await place.later(opened, LIFETIME)
    await vault.store_key("young", "GOLD", b"private")
    assert await vault.purge_expired(is_certain=True) == 1201
    assert await vault.count_active() == {**NONE, "GOLD": 1}


async def test_the_event_loop_goes_on_while_much_is_purged(place: Place) -> None:
    opened = await place.open()
    vault = opened.vault
    await asyncio.gather(*(vault.store_key(f"key-{number}", "GOLD", b"private") for number in range(1000)))
    await place.later(opened, LIFETIME)
    longest = 0.0

    async def tick() -> None:
        nonlocal longest
        while True:
            started = time.perf_counter()
            await asyncio.sleep(0)
            longest = max(longest, time.perf_counter() - started)

    ticking = asyncio.create_task(tick())
    await asyncio.sleep(0)
    started = time.perf_counter()
    assert await vault.purge_expired(is_certain=True) == 1000
    ticking.cancel()
    # On a busy machine any tick may be late; what must not be is the whole purge in one.
    assert longest < max(0.1, (time.perf_counter() - started) / 2)


async def test_only_one_of_many_stores_of_a_name_succeeds(opened: Database) -> None:
    outcomes = await asyncio.gather(
        *(opened.vault.store_key("name", "GOLD", b"%d" % number) for number in range(100)), return_exceptions=True
    )
    winners = [number for number, outcome in enumerate(outcomes) if outcome is None]
    assert len(winners) == 1
    assert sum(isinstance(outcome, DuplicateKeyError) for outcome in outcomes) == 99
    assert await fetch(opened.vault, "name") == b"%d" % winners[0]


async def test_no_key_comes_after_its_burn(opened: Database) -> None:
    await opened.vault.store_key("name", "GOLD", b"private")
    burned = asyncio.Event()
    late: list[bytes] = []

    async def look() -> None:
        await asyncio.sleep(random.random() / 50)
        was_burned = burned.is_set()
        found = await fetch(opened.vault, "name")
        if was_burned and found is not None:
            late.append(found)

    async def burn() -> bool:
        await asyncio.sleep(random.random() / 50)
        done = await opened.vault.burn_key("name")
        burned.set()
        return done

    answers = await asyncio.gather(*(burn() for _ in range(50)), *(look() for _ in range(100)))
    assert sum(answer is True for answer in answers) == 1
    assert late == []


async def test_answers_stay_with_their_questions_when_some_are_cancelled(opened: Database) -> None:
    for number in range(20):
        await opened.vault.store_key(f"key-{number}", "GOLD", b"%d" % number)

    async def ask(number: int) -> None:
        async with asyncio.timeout(random.choice((0, 0.0005, 0.001, 10))):
            assert await fetch(opened.vault, f"key-{number}") == b"%d" % number

    for _ in range(10):
        outcomes = await asyncio.gather(*(ask(number) for number in range(20)), return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} <= {type(None), TimeoutError}
    for number in range(20):
        assert await fetch(opened.vault, f"key-{number}") == b"%d" % number


async def test_a_changed_record_is_one_clear_error(place: Place) -> None:
    opened = await place.open()
    for key_id in ("changed", "whole", "moved"):
        await opened.vault.store_key(key_id, "GOLD", os.urandom(64))
    await change_record(place, opened, "changed", "whole")
    for key_id in ("changed", "moved"):
        with pytest.raises(DamagedStoreError, match=f"'{key_id}'"):
            await fetch(opened.vault, key_id)
    assert await fetch(opened.vault, "whole") is not None


async def test_a_record_without_its_bytes_is_one_clear_error(in_redis: Place) -> None:
    vault = (await in_redis.open()).vault
    await vault.store_key("name", "GOLD", b"private")
    with in_redis.redis() as client:
        client.hdel("aqm:2:key:name", "sealed")
    with pytest.raises(DamagedStoreError, match="'name'"):
        await fetch(vault, "name")


async def change_record(place: Place, opened: Database, changed: str, whole: str) -> None:
    """Flip a byte of one record, and put another's sealed bytes in the place of a third."""
    found = await opened.store.get_key(changed, 0)
    other = await opened.store.get_key(whole, 0)
    assert found
    assert other
    flipped = found[1][:40] + bytes([found[1][40] ^ 1]) + found[1][41:]
    records = {changed: flipped, "moved": other[1]}
    if place.name == "redis":
        with place.redis() as client:
            for key_id, sealed in records.items():
                client.hset(f"aqm:2:key:{key_id}", "sealed", sealed)
    else:
        store = opened.store
        assert isinstance(store, SQLiteStore)
        for key_id, sealed in records.items():
            statement = "update vault set sealed = ? where key_id = ?"
            await store._run(functools.partial(store._connection.execute, statement, (sealed, key_id)))


async def test_keys_are_listed_oldest_first_with_those_of_last_resort(place: Place) -> None:
    opened = await place.open()
    vault = opened.vault
    start = place.clock()
    await vault.store_key("z oldest", "GOLD", b"private")
    place.clock.advance(DAY)
    await vault.store_key("last", "SILVER", b"shared", is_last_resort=True)
    await vault.store_key("burned", "SILVER", b"private")
    place.clock.advance(DAY)
    await vault.store_key("a newest", "BRONZE", b"private")
    await vault.burn_key("burned")
    assert await vault.list_keys() == [
        KeyInfo("z oldest", "GOLD", start, False),
        KeyInfo("last", "SILVER", start + DAY, True),
        KeyInfo("a newest", "BRONZE", start + 2 * DAY, False),
    ]
    assert [key.key_id for key in await vault.list_keys(start + 2 * DAY)] == ["z oldest", "last"]
    assert await vault.count_active() == {**NONE, "GOLD": 1, "BRONZE": 1}, "none of last resort"
    assert await vault.fetch_key("last") == StoredKey("SILVER", b"shared", True)
    await place.later(opened, 28 * DAY)
    assert [key.key_id for key in await vault.list_keys()] == ["last", "a newest"], "one has expired"
    assert await vault.burn_key("last")
    assert [key.key_id for key in await vault.list_keys()] == ["a newest"]
    assert await vault.purge_expired(is_certain=True) == 1
    await place.later(opened, LIFETIME)
    assert await vault.purge_expired(is_certain=True) == 1
    assert await vault.list_keys() == []


async def test_many_keys_are_listed_in_batches(place: Place) -> None:
    opened = await place.open()
    vault = opened.vault
    names = [f"key-{number}" for number in range(1201)]
    for name in names:
        await vault.store_key(name, "GOLD", b"private", is_last_resort=True)
    assert sorted(key.key_id for key in await vault.list_keys()) == sorted(names)
    await place.later(opened, LIFETIME)
    assert await vault.purge_expired(is_certain=True) == 1201


async def test_a_stored_key_shows_no_bytes() -> None:
    assert "secret" not in repr(StoredKey("GOLD", b"secret", False))


@pytest.mark.parametrize("wrong", [0.0, 1_735_689_599.0])
async def test_a_clock_before_2025_stores_and_removes_nothing(place: Place, wrong: float) -> None:
    opened = await place.open()
    right, place.clock.seconds = place.clock.seconds, wrong
    contact = uuid.uuid4()
    for refused in (
        opened.vault.store_key("early", "GOLD", b"private"),
        opened.vault.purge_expired(),
        opened.vault.purge_expired(is_certain=True),
        opened.inventory.store_key(contact, Coin(coin_id("coin"), "GOLD", b"public", b"signature")),
        opened.inventory.garbage_collect(),
    ):
        with pytest.raises(ClockError, match="2025"):
            await refused
    place.clock.seconds = right
    await opened.vault.store_key("early", "GOLD", b"private")


async def test_a_clock_that_starts_in_1970_costs_nothing(place: Place) -> None:
    async with await place.open() as opened:
        for key_id in ("kept", "burned"):
            await opened.vault.store_key(key_id, "GOLD", b"private")
    right, place.clock.seconds = place.clock.seconds, 100.0
    opened, contact = await place.open(), uuid.uuid4()
    await opened.inventory.set_priority(contact, "BESTIE")
    assert await opened.vault.burn_key("burned"), "burning is never refused"
    with pytest.raises(ClockError):
        await opened.vault.purge_expired()
    place.clock.seconds = right
    assert await opened.vault.purge_expired() == 0
    assert await opened.inventory.garbage_collect() == []
    assert await opened.inventory.contacts() == {contact: "BESTIE"}
    assert await fetch(opened.vault, "kept") == b"private"
    with pytest.raises(DuplicateKeyError):
        await opened.vault.store_key("burned", "GOLD", b"private")


async def test_a_clock_that_jumps_ahead_and_back_costs_nothing(place: Place) -> None:
    opened, contact = await place.open(), uuid.uuid4()
    await opened.vault.store_key("kept", "GOLD", b"private")
    await opened.inventory.set_priority(contact, "BESTIE")
    coin = Coin(coin_id("coin"), "GOLD", b"public", b"signature")
    await opened.inventory.store_key(contact, coin)
    await opened.vault.store_key("burned", "GOLD", b"private")
    await opened.vault.store_key("burned meanwhile", "GOLD", b"private")
    assert await opened.vault.burn_key("burned")
    place.clock.advance(31 * DAY)
    again = await place.open()
    for refused in (
        opened.vault.purge_expired(),
        again.vault.purge_expired(),
        again.inventory.garbage_collect(),
        opened.vault.store_key("meanwhile", "GOLD", b"private"),
        opened.vault.store_key("burned", "GOLD", b"private"),
        opened.inventory.store_key(contact, Coin(coin_id("other", place.clock()), "GOLD", b"other", b"signature")),
        opened.vault.fetch_key("kept"),
        again.vault.fetch_key("kept"),
    ):
        with pytest.raises(ClockError, match="is_certain"):
            await refused
    assert await opened.vault.fetch_key("never here") is None
    assert await opened.vault.fetch_key("burned") is None
    assert await opened.inventory.select_coin(contact, "GOLD") is None
    assert await opened.vault.burn_key("burned meanwhile"), "burning is never refused"
    assert (await opened.vault.count_active())["GOLD"] == len(await opened.vault.list_keys()) == 1
    place.clock.advance(-31 * DAY)
    assert await opened.vault.purge_expired() == 0
    assert await opened.inventory.garbage_collect() == []
    assert await fetch(opened.vault, "kept") == b"private"
    for burned in ("burned", "burned meanwhile"):
        assert await fetch(opened.vault, burned) is None
        with pytest.raises(DuplicateKeyError):
            await opened.vault.store_key(burned, "GOLD", b"private")
    assert await opened.inventory.select_coin(contact, "GOLD") == coin


async def test_a_key_that_no_time_has_expired_is_there_after_a_jump(place: Place) -> None:
    opened = await place.open()
    await opened.vault.store_key("kept", "GOLD", b"private")
    place.clock.advance(29 * DAY)
    assert await fetch(opened.vault, "kept") == b"private"


async def test_an_expired_key_does_not_come_back_with_a_clock_that_is_set_back(place: Place) -> None:
    opened = await place.open()
    await opened.vault.store_key("old", "GOLD", b"private")
    await place.later(opened, LIFETIME)
    assert await fetch(opened.vault, "old") is None
    place.clock.advance(-LIFETIME)
    assert await fetch(opened.vault, "old") is None
    assert await opened.vault.burn_key("old") is False
    assert await opened.vault.list_keys() == []
    assert await opened.vault.count_active() == NONE
    assert [key.key_id for key in await opened.vault.list_keys(with_expired=True)] == ["old"], "until it is purged"


async def test_a_store_that_was_made_in_1970_believes_the_first_time_that_can_be(place: Place) -> None:
    right, place.clock.seconds = place.clock.seconds, 2 * DAY
    opened = await place.open()
    assert await opened.vault.count_active() == NONE
    place.clock.seconds = right
    await opened.vault.store_key("name", "GOLD", b"private")


async def test_used_coins_are_not_forgotten_during_a_jump(place: Place) -> None:
    opened, contact = await place.open(), uuid.uuid4()
    await opened.inventory.set_priority(contact, "BESTIE")
    used = Coin(coin_id("used"), "GOLD", b"used", b"signature")
    await opened.inventory.store_key(contact, used)
    assert await opened.inventory.select_coin(contact, "GOLD") == used
    await place.later(opened, 22 * DAY)
    cached = Coin(coin_id("cached", place.clock()), "GOLD", b"cached", b"signature")
    await opened.inventory.store_key(contact, cached)
    place.clock.advance(10 * DAY)
    assert await opened.inventory.select_coin(contact, "GOLD") == cached
    place.clock.advance(-10 * DAY)
    with pytest.raises(DuplicateCoinError):
        await opened.inventory.store_key(contact, used)


@pytest.mark.parametrize(
    ("days", "theirs", "is_believed"),
    [
        (6, None, True),
        (40, 40, True),
        (40, 40.9, True),
        (40, 41.1, False),
        (40, 0, False),
        (40, None, False),
        (-2, -2, False),
        (-15_000, -15_000, False),
    ],
)
async def test_a_jump_is_believed_when_the_servers_clock_has_made_it_too(
    place: Place, days: float, theirs: float | None, is_believed: bool
) -> None:
    opened, asked = await place.open(), []
    await opened.vault.store_key("first", "GOLD", b"private")
    place.clock.advance(days * DAY)

    async def server_time() -> float | None:
        asked.append(1)
        return None if theirs is None else START + theirs * DAY

    if is_believed:
        assert await opened.vault.clock.for_asking(server_time) == milliseconds(START + days * DAY)
        assert await opened.inventory.garbage_collect() == [], "known to all"
        await opened.vault.purge_expired()
    else:
        with pytest.raises(ClockError):
            await opened.vault.clock.for_asking(server_time)
    assert len(asked) == (days == 40), "only after a jump"


async def test_an_app_that_was_off_for_a_month_says_that_it_is_certain(place: Place) -> None:
    async with await place.open() as opened:
        await opened.vault.store_key("old", "GOLD", b"private")
    place.clock.advance(35 * DAY)
    opened, other = await place.open(), await place.open()
    assert await opened.vault.purge_expired(is_certain=True) == 1
    await opened.vault.store_key("new", "GOLD", b"private")
    assert await other.inventory.garbage_collect() == [], "said once, it is known to all"
    place.clock.advance(6 * DAY)
    assert await other.vault.purge_expired() == 0
    place.clock.advance(-2 * DAY)
    with pytest.raises(ClockError, match="behind"):
        await other.vault.store_key("behind", "GOLD", b"private")
    await opened.vault.purge_expired(is_certain=True)
    await other.vault.store_key("behind", "GOLD", b"private")
