"""Calls that are cancelled, twice and three times, at any moment: what they had begun is done, and nothing is lost."""

from __future__ import annotations

import asyncio
import os
import random
import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from device.answers import Outcome, Wish
from device.courier import CourierClient
from device.credentials import Credentials
from device.errors import NoKeyError
from device.factory import Database, DatabaseFactory, DatabaseSettings
from device.keys import Coin, Identity, private_bytes
from device.message import Message, encrypt
from device.recipient import Recipient
from device.sender import Sender
from device.shielded import to_the_end

from .conftest import CHEAP, PASSPHRASE, Place

BUDGET = {"GOLD": 0, "SILVER": 0, "BRONZE": 20}


@pytest.fixture
def chance() -> random.Random:
    seed = int.from_bytes(os.urandom(4))
    print(f"seed: {seed}")
    return random.Random(seed)


class Shop(CourierClient):
    """A server that gives coins of one owner's, as many as are asked for."""

    def __init__(self, identity: Identity, clock: Callable[[], float]) -> None:
        super().__init__("http://127.0.0.1:1", Credentials(uuid.uuid4()))
        self.identity = identity
        self.clock = clock
        self.given = 0

    async def claim_many(self, wishes: Sequence[Wish], *, idempotency_key: uuid.UUID | None = None) -> list[Outcome]:
        outcomes = []
        for wish in wishes:
            minted = [self.identity.mint(wish.target, wish.category, self.clock()) for _ in range(wish.count)]
            outcomes.append(Outcome(wish, [coin for coin, _ in minted], None, 0, None))
            self.given += wish.count
        return outcomes


async def cancelled_at_random(chance: random.Random, call: Awaitable[Any], longest: float) -> Any:
    """What a call gives that is cancelled two or three times; None when it was cancelled before it had an answer."""
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(call)
    moment = chance.uniform(0, longest)
    for _ in range(chance.choice((2, 3))):
        loop.call_later(moment, task.cancel)
        # In the same turn, in the next ones, or later.
        moment += chance.choice((0, 0.00005, chance.uniform(0, longest)))
    (result,) = await asyncio.gather(task, return_exceptions=True)
    if isinstance(result, asyncio.CancelledError):
        return None
    if isinstance(result, BaseException):
        raise result
    return result


async def stocked(opened: Database, contact: uuid.UUID) -> None:
    await opened.inventory.set_budget("BESTIE", *BUDGET.values())
    await opened.inventory.set_priority(contact, "BESTIE")


async def test_selections_lose_no_coin_and_keep_the_order(
    place: Place, opened: Database, chance: random.Random
) -> None:
    bob, identity, stocks = uuid.uuid4(), Identity(), opened.inventory
    await stocked(opened, bob)
    coins = [identity.mint(bob, "BRONZE", place.clock())[0] for _ in range(20)]
    for coin in coins:
        await stocks.store_key(bob, coin)
    received: list[Coin] = []
    for _ in range(100):
        coin = await cancelled_at_random(chance, stocks.select_coin(bob, "GOLD"), 0.004)
        received += [coin] if coin and len(received) < 20 else []
    while coin := await stocks.select_coin(bob, "GOLD"):
        received.append(coin)
    assert received == coins


async def test_a_prefetch_stores_all_that_has_come(place: Place, opened: Database, chance: random.Random) -> None:
    bob = uuid.uuid4()
    shop = Shop(Identity(), place.clock)
    alice = Sender(opened.inventory, shop, {bob: shop.identity.verify_keys})
    for number in range(10):
        await stocked(opened, bob)
        before = shop.given
        await cancelled_at_random(chance, alice.prefetch(), 0.03)
        counts = await opened.inventory.count_coins(bob)
        assert counts["BRONZE"] == shop.given - before, f"prefetch {number}"
        await opened.inventory.remove_contact(bob)


async def test_no_text_is_lost_and_none_is_read_twice(place: Place, opened: Database, chance: random.Random) -> None:
    bob = Recipient(Identity(), opened.vault, Shop(Identity(), place.clock), {})

    async def message(text: bytes) -> Message:
        coin, private_key = bob.identity.mint(bob.card.user_id, "BRONZE", place.clock())
        await opened.vault.store_key(coin.key_id, "BRONZE", private_bytes(private_key))
        return encrypt(coin, text)

    for number in range(100):
        text = str(number).encode()
        sent = await message(text)
        if await cancelled_at_random(chance, bob.receive(sent), 0.006) is None:
            assert await bob.receive(sent) == text
        with pytest.raises(NoKeyError):
            await bob.receive(sent)
    assert not bob._opened


async def test_who_waits_behind_a_cancelled_reader_reads_and_only_one_does(
    place: Place, opened: Database, chance: random.Random
) -> None:
    bob = Recipient(Identity(), opened.vault, Shop(Identity(), place.clock), {})
    coin, private_key = bob.identity.mint(bob.card.user_id, "BRONZE", place.clock())
    await opened.vault.store_key(coin.key_id, "BRONZE", private_bytes(private_key))
    sent = encrypt(coin, b"hello")
    first = asyncio.create_task(cancelled_at_random(chance, bob.receive(sent), 0.001))
    told = await asyncio.gather(first, *(bob.receive(sent) for _ in range(3)), return_exceptions=True)
    assert told.count(b"hello") == 1, told


async def test_a_store_that_is_closed_by_a_cancelled_call_leaves_an_empty_log(in_file: Place) -> None:
    opened = await in_file.open()
    await asyncio.gather(*(opened.vault.store_key(f"key-{number}", "GOLD", bytes(2000)) for number in range(50)))
    # What the store's thread is still at when it is closed.
    busy = [asyncio.create_task(opened.vault.burn_key(f"key-{number}")) for number in range(50)]
    await asyncio.sleep(0)
    closing = asyncio.create_task(opened.close())
    await asyncio.sleep(0)
    for _ in range(3):
        closing.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await closing
    await asyncio.gather(*busy, return_exceptions=True)
    log = in_file.folder / "device.db-wal"
    assert not log.exists() or log.stat().st_size == 0


async def test_a_factory_whose_change_was_cancelled_knows_the_secret(place: Place) -> None:
    await (await place.open()).close()
    factory = DatabaseFactory(DatabaseSettings(place.url, place.folder), PASSPHRASE, place.clock, cost=CHEAP)
    changing = asyncio.create_task(factory.change_secret("another", CHEAP))
    for _ in range(3):
        await asyncio.sleep(0)
        changing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await changing
    for opening in (factory.open(), place.open("another")):
        await (await opening).close()


# -- to_the_end


async def some_turns(number: int, done: list[str]) -> str:
    for _ in range(number):
        await asyncio.sleep(0)
    done.append("done")
    return "result"


async def test_the_work_ends_and_then_the_caller_is_cancelled(chance: random.Random) -> None:
    for _ in range(300):
        done: list[str] = []
        caller = asyncio.create_task(to_the_end(some_turns(chance.randrange(8), done)))
        await asyncio.sleep(0)
        cancellations = 0
        for _ in range(chance.randrange(20)):
            cancellations += chance.random() < 0.3 and caller.cancel()
            await asyncio.sleep(0)
        (result,) = await asyncio.gather(caller, return_exceptions=True)
        assert done == ["done"]
        assert isinstance(result, asyncio.CancelledError) if cancellations else result == "result"
        assert caller.cancelling() == cancellations


async def test_a_time_out_ends_the_call_after_the_work() -> None:
    done: list[str] = []

    async def work() -> None:
        await asyncio.sleep(0.05)
        done.append("done")

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await to_the_end(work())
    assert done == ["done"]
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(to_the_end(work()), 0.01)
    assert done == ["done", "done"]
    task = asyncio.current_task()
    assert task
    assert task.cancelling() == 0


@pytest.mark.parametrize("cancellations", [0, 1, 3])
async def test_the_works_error_is_told_even_when_the_caller_was_cancelled(cancellations: int) -> None:
    unheard: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unheard.append(context))

    async def fail() -> None:
        await asyncio.sleep(0.01)
        raise NoKeyError("of the work")

    caller = asyncio.create_task(to_the_end(fail()))
    await asyncio.sleep(0)
    for _ in range(cancellations):
        caller.cancel()
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError if cancellations else NoKeyError) as caught:
        await caller
    assert isinstance(caught.value.__cause__ if cancellations else caught.value, NoKeyError)
    assert unheard == []


async def test_work_that_is_cancelled_itself_cancels_its_caller() -> None:
    work = asyncio.create_task(asyncio.sleep(10))
    caller = asyncio.create_task(to_the_end(work))
    await asyncio.sleep(0)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
