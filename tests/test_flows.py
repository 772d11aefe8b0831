"""Recipients and senders against a real server, with stores and servers that fail, lie, and are cut off half-way."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conftest import Database, RunningGateway, upload
from device import keys
from device.answers import Outcome, Status, Wish
from device.clock import DAY
from device.courier import CourierClient
from device.credentials import Credentials
from device.errors import (
    BackendUnavailableError,
    BadMessageError,
    ClockError,
    CoinsRationedError,
    Conflict,
    EpochChanged,
    ForgedCoinError,
    InvalidArgumentError,
    NoCoinError,
    NoKeyError,
    ServerUnavailable,
    TooManyRequests,
    Unauthorized,
)
from device.factory import DatabaseFactory, DatabaseSettings
from device.keys import Coin, Identity
from device.message import LARGEST_TEXT, Message, encrypt
from device.recipient import Recipient
from device.sealing import Cost
from device.sender import Sender
from device.tests.names import coin_id
from device.tests.servers import FAST

CHEAP = Cost(memory_kib=64, iterations=1, lanes=1)
NONE = {"GOLD": 0, "SILVER": 0, "BRONZE": 0}


class Pair:
    """Bob and Alice, on a clock that a test moves. ahead: everybody's. wrong: their devices' alone."""

    def __init__(self, gateway: RunningGateway, folder: Path, stack: AsyncExitStack) -> None:
        self.gateway = gateway
        self.folder = folder
        self.stack = stack
        self.ahead = 0.0
        self.wrong = 0.0
        self.identity = Identity()

    def clock(self) -> float:
        """The real time, and what the test has added."""
        return time.time() + self.ahead + self.wrong

    async def server_time(self) -> float:
        """What a server says whose clock is right."""
        return time.time() + self.ahead

    async def store(self, name: str) -> Any:
        factory = DatabaseFactory(
            DatabaseSettings(f"sqlite:///{self.folder / name}.db"), bytes(32), self.clock, cost=CHEAP
        )
        return await self.stack.enter_async_context(await factory.open())

    async def courier(self) -> CourierClient:
        made = CourierClient(self.gateway.url, Credentials(uuid.uuid4()), replace(FAST, deadline=2))
        made.server_time = self.server_time
        return await self.stack.enter_async_context(made)

    async def bob(self, *last_resort: str, **targets: int) -> Recipient:
        vault, courier = (await self.store("bob")).vault, await self.courier()
        return Recipient(self.identity, vault, courier, NONE | targets, last_resort=last_resort)

    async def alice(self, bob: Recipient, name: str = "alice") -> Sender:
        cards = {bob.card.user_id: bob.card.verify_keys}
        return Sender((await self.store(name)).inventory, await self.courier(), cards)

    async def cache(self, alice: Sender, bob: Recipient) -> None:
        """Room for coins of Bob's at Alice's."""
        await alice.inventory.set_priority(bob.courier.user_id, "BESTIE")


@pytest.fixture
async def pair(gateway: RunningGateway, tmp_path: Path) -> AsyncIterator[Pair]:
    async with AsyncExitStack() as stack:
        yield Pair(gateway, tmp_path, stack)


def offer(database: Database, bob: Recipient, *coins: Coin) -> None:
    """Put coins on sale past Bob's device."""
    rows = [(coin.key_id, coin.category, coin.public_key, coin.signature) for coin in coins]
    upload(database, bob.courier.user_id, rows)


def failing(monkeypatch: pytest.MonkeyPatch, target: object, name: str, *faults: Exception, done: bool) -> list[int]:
    """The next calls of a method fail, after they were done or before; returns a list with an entry for each call."""
    genuine: Callable[..., Any] = getattr(target, name)
    left, calls = list(faults), []

    async def call(*arguments: Any, **named: Any) -> Any:
        calls.append(1)
        if left:
            fault = left.pop(0)
            if done:
                await genuine(*arguments, **named)
            raise fault
        return await genuine(*arguments, **named)

    monkeypatch.setattr(target, name, call)
    return calls


# -- receive


async def test_whatever_a_message_says_is_a_bad_message_or_without_a_key(pair: Pair) -> None:
    bob = await pair.bob(GOLD=2, BRONZE=1)
    await bob.top_up()
    alice = await pair.alice(bob)
    gold = await alice.send(bob.courier.user_id, b"hello", 1, 1)
    bronze = await alice.send(bob.courier.user_id, b"hello", 0, 0)
    for crafted in (
        replace(gold, category="BRONZE"),
        replace(gold, category="SILVER"),
        replace(bronze, category="GOLD"),
        replace(gold, encapsulated=b"", ciphertext=b""),
        replace(bronze, encapsulated=bytes(32)),
        Message.from_bytes(b"\x01\x02\x24" + gold.key_id.encode() + bytes(60)),
        Message.from_bytes(b"\x01\x00\x24" + bronze.key_id.encode() + bytes(1200)),
    ):
        with pytest.raises(BadMessageError):
            await bob.receive(crafted)
    (coin,) = await alice.courier.claim(bob.courier.user_id, "GOLD")
    with pytest.raises(BadMessageError, match="category"):
        await bob.receive(encrypt(replace(coin, category="SILVER"), b"hello"))
    with pytest.raises(NoKeyError):
        await bob.receive(replace(gold, key_id="somebody's ключ"))
    chance = random.Random(1)
    for message in (gold, bronze):
        data = message.to_bytes()
        for _ in range(200):
            place = chance.randrange(len(data))
            try:
                await bob.receive(Message.from_bytes(data[:place] + chance.randbytes(1) + data[place + 1 :]))
            except (BadMessageError, NoKeyError):
                continue
            return
        assert await bob.receive(message) == b"hello"


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("failures", [1, 2, 4])
async def test_a_text_is_not_lost_when_nobody_knows_whether_its_key_is_burned(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, failures: int, done: bool
) -> None:
    bob = await pair.bob(BRONZE=1)
    await bob.top_up()
    message = await (await pair.alice(bob)).send(bob.courier.user_id, b"hello", 0, 0)
    faults = [BackendUnavailableError("gone")] * failures
    failing(monkeypatch, bob.vault, "burn_key", *faults, done=done)
    for _ in range(failures // 2):
        with pytest.raises(BackendUnavailableError):
            await bob.receive(message)
    assert await bob.receive(message) == b"hello"
    for _ in range(2):
        with pytest.raises(NoKeyError):
            await bob.receive(message)


async def test_a_receive_that_is_cancelled_while_it_burns_can_be_called_again(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = await pair.bob("GOLD", BRONZE=2)
    await bob.top_up()
    alice = await pair.alice(bob)
    genuine, burning, go_on = bob.vault.burn_key, asyncio.Event(), asyncio.Event()

    async def slow(key_id: str) -> bool:
        burned = await genuine(key_id)
        burning.set()
        await go_on.wait()
        return burned

    monkeypatch.setattr(bob.vault, "burn_key", slow)
    message = await alice.send(bob.courier.user_id, b"hello", 0, 0)
    reading = asyncio.create_task(bob.receive(message))
    await burning.wait()
    reading.cancel()
    await asyncio.sleep(0)
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert await bob.vault.fetch_key(message.key_id) is None
    assert await bob.receive(message) == b"hello"
    with pytest.raises(NoKeyError):
        await bob.receive(message)


# -- prefetch


async def test_each_coin_of_a_prefetch_fails_alone(pair: Pair, database: Database) -> None:
    bob = await pair.bob()
    whom = bob.courier.user_id
    alice = await pair.alice(bob)
    await pair.cache(alice, bob)
    await alice.inventory.set_budget("BESTIE", 0, 0, 9)

    def bronze(at: float = pair.clock()) -> Coin:
        return bob.identity.mint(whom, "BRONZE", at)[0]

    odd = Identity().mint(whom, "BRONZE")[0]
    offer(database, bob, replace(bronze(), key_id="a\nb"), bronze(), odd, bronze(pair.clock() - 24 * DAY), bronze())
    told = await alice.prefetch()
    assert (told.stored, told.forged, told.stale, told.dropped) == ({"BRONZE": 2}, {whom: 2}, {whom: 1}, 0)
    assert (await alice.inventory.count_coins(whom))["BRONZE"] == 2


async def test_a_coin_of_one_owner_is_refused_as_anothers(pair: Pair, database: Database) -> None:
    bob = await pair.bob()
    await pair.cache(alice := await pair.alice(bob), bob)
    theirs = bob.identity.mint(uuid.uuid4(), "GOLD")[0]
    offer(database, bob, theirs, bob.identity.mint(bob.courier.user_id, "GOLD")[0])
    told = await alice.prefetch()
    assert (told.stored, told.forged) == ({"GOLD": 1}, {bob.courier.user_id: 1})


async def test_a_prefetch_that_is_repeated_under_its_key_gets_the_same_coins(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = await pair.bob(GOLD=12, SILVER=12, BRONZE=12)
    await bob.top_up()
    await pair.cache(alice := await pair.alice(bob), bob)
    wishes, key = await alice.wishes(), uuid.uuid4()
    assert sum(wish.count for wish in wishes) == 10
    failing(monkeypatch, alice.courier, "claim_many", ServerUnavailable("lost"), done=True)
    with pytest.raises(ServerUnavailable):
        await alice.prefetch(wishes=wishes, idempotency_key=key)
    failing(monkeypatch, alice.inventory, "store_key", BackendUnavailableError("full"), done=True)
    with pytest.raises(BackendUnavailableError):
        await alice.prefetch(wishes=wishes, idempotency_key=key)
    told = await alice.prefetch(wishes=wishes, idempotency_key=key)
    assert (sum(told.stored.values()), told.dropped) == (9, 1)
    assert sum((await bob.courier.count()).values()) == 36 - 10, "nothing was claimed twice"
    again = await alice.prefetch(idempotency_key=uuid.uuid4())
    assert again.stored == {}


async def test_a_prefetch_of_many_contacts_has_a_key_for_each_request(pair: Pair) -> None:
    bob = await pair.bob(BRONZE=30)
    await bob.top_up()
    alice = await pair.alice(bob)
    wishes = [Wish(bob.courier.user_id, "BRONZE", 1)] * 25
    for _ in range(2):
        await alice.prefetch(wishes=wishes, idempotency_key=uuid.UUID(int=7))
    assert (await bob.courier.count())["BRONZE"] == 5


async def test_a_prefetch_that_is_cancelled_keeps_what_has_come(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    bob = await pair.bob(GOLD=12, SILVER=12, BRONZE=12)
    await bob.top_up()
    await pair.cache(alice := await pair.alice(bob), bob)
    genuine, storing = alice.inventory.store_key, asyncio.Event()

    async def slow(contact: uuid.UUID, coin: Coin) -> None:
        storing.set()
        await asyncio.sleep(0.01)
        await genuine(contact, coin)

    monkeypatch.setattr(alice.inventory, "store_key", slow)
    fetching = asyncio.create_task(alice.prefetch())
    await storing.wait()
    fetching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await fetching
    assert await alice.inventory.count_coins(bob.courier.user_id) == {"GOLD": 5, "SILVER": 4, "BRONZE": 1}


# -- send


async def test_a_cached_coin_that_was_changed_is_not_used(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    bob = await pair.bob(GOLD=1)
    await bob.top_up()
    await pair.cache(alice := await pair.alice(bob), bob)
    await alice.prefetch()
    genuine = alice.inventory.select_coin

    async def changed(*arguments: Any) -> Coin | None:
        coin = await genuine(*arguments)
        return coin and replace(coin, public_key=Identity().mint(bob.courier.user_id, "GOLD")[0].public_key)

    monkeypatch.setattr(alice.inventory, "select_coin", changed)
    with pytest.raises(NoCoinError):
        await alice.send(bob.courier.user_id, b"hello", 1, 1)


@pytest.mark.parametrize(
    ("category", "battery", "public_key"), [("BRONZE", 0.0, bytes(32)), ("GOLD", 1.0, b"\xff" * 1184)]
)
async def test_nonsense_that_a_contact_has_signed_is_a_forged_coin(
    pair: Pair, database: Database, monkeypatch: pytest.MonkeyPatch, category: str, battery: float, public_key: bytes
) -> None:
    bob = await pair.bob()
    alice = await pair.alice(bob)
    coin = bob.identity.mint(bob.courier.user_id, category)[0]
    signed = keys._signed(bob.courier.user_id, category, coin.key_id, public_key, is_last_resort=False)
    signature = bob.identity._signers[category].sign(signed)
    offer(database, bob, replace(coin, public_key=public_key, signature=signature))
    with pytest.raises(ForgedCoinError):
        await alice.send(bob.courier.user_id, b"hello", battery, 1)


async def test_the_least_level_is_the_senders_choice(pair: Pair) -> None:
    bob = await pair.bob(GOLD=1, SILVER=2, BRONZE=9)
    await bob.top_up()
    alice, whom = await pair.alice(bob), bob.courier.user_id
    await pair.cache(alice, bob)
    await alice.inventory.set_budget("BESTIE", 0, 1, 3)
    await alice.prefetch()

    async def send(least: str, battery: float) -> str:
        return (await alice.send(whom, b"hello", battery, 1, least=least)).category

    assert await send("GOLD", 0.0) == "GOLD", "at least, whatever the battery says"
    with pytest.raises(NoCoinError):
        await send("GOLD", 1.0)
    assert await alice.inventory.count_coins(whom) == {"GOLD": 0, "SILVER": 1, "BRONZE": 3}, "none was thrown away"
    assert [await send("SILVER", 1.0), await send("SILVER", 0.0)] == ["SILVER", "SILVER"]
    with pytest.raises(NoCoinError):
        await send("SILVER", 1.0)
    assert await send("BRONZE", 1.0) == "BRONZE"
    with pytest.raises(InvalidArgumentError, match="least"):
        await send("IRON", 1.0)


async def test_a_card_without_a_category_is_written_to_with_the_others(pair: Pair) -> None:
    bob = await pair.bob(GOLD=12, SILVER=12, BRONZE=12)
    await bob.top_up()
    alice, whom = await pair.alice(bob), bob.courier.user_id
    alice.verify_keys = {whom: {name: bob.identity.verify_keys[name] for name in ("SILVER", "BRONZE")}}
    assert (await alice.send(whom, b"hello", 1, 1)).category == "SILVER"
    await pair.cache(alice, bob)
    told = await alice.prefetch()
    assert (told.stored, told.forged) == ({"SILVER": 4, "BRONZE": 1}, {})
    with pytest.raises(NoCoinError, match="card"):
        await alice.send(whom, b"hello", 1, 1, least="GOLD")
    assert (await bob.courier.count()) == {"GOLD": 12, "SILVER": 7, "BRONZE": 11}, "none was wasted"


async def test_after_a_contact_has_renewed_its_identity_its_cached_coins_are_in_nobodys_way(pair: Pair) -> None:
    bob = await pair.bob(GOLD=12, SILVER=12, BRONZE=12)
    await bob.top_up()
    alice, whom = await pair.alice(bob), bob.courier.user_id
    await pair.cache(alice, bob)
    await alice.prefetch()
    await bob.courier.discard()
    bob.identity = Identity()
    await bob.top_up()
    alice.verify_keys = {whom: bob.card.verify_keys}
    message = await alice.send(whom, b"hello", 1, 1)
    assert (await bob.receive(message), message.category) == (b"hello", "GOLD")


async def test_who_is_written_to_without_cached_coins_is_not_forgotten(pair: Pair) -> None:
    bob = await pair.bob(SILVER=12)
    await bob.top_up()
    alice, whom = await pair.alice(bob), bob.courier.user_id
    await pair.cache(alice, bob)
    pair.ahead = 20 * DAY
    await alice.send(whom, b"hello", 1, 1, least="SILVER")
    pair.ahead = 31 * DAY
    assert await alice.inventory.garbage_collect(is_certain=True) == []


async def test_a_contact_whose_card_is_not_known_costs_no_coin(pair: Pair) -> None:
    bob = await pair.bob(GOLD=12)
    await bob.top_up()
    await pair.cache(alice := await pair.alice(bob), bob)
    wishes, alice.verify_keys = await alice.wishes(), {}
    assert await alice.wishes() == []
    for refused in (
        alice.send(bob.courier.user_id, b"hello", 1, 1),
        alice.prefetch([bob.courier.user_id]),
        alice.prefetch(wishes=wishes),
    ):
        with pytest.raises(InvalidArgumentError, match="contact"):
            await refused
    assert (await bob.courier.count())["GOLD"] == 12


async def test_arguments_are_refused_before_a_coin_is_taken(pair: Pair) -> None:
    bob = await pair.bob(GOLD=1)
    await bob.top_up()
    alice = await pair.alice(bob)
    with pytest.raises(InvalidArgumentError, match="text"):
        await alice.send(bob.courier.user_id, bytes(LARGEST_TEXT + 1), 1, 1)
    for text in ("hello", None, bytearray(5)):
        with pytest.raises(InvalidArgumentError, match="text"):
            await alice.send(bob.courier.user_id, text, 1, 1)
    with pytest.raises(InvalidArgumentError, match="battery"):
        await alice.send(bob.courier.user_id, b"", 2, 1)
    assert (await bob.courier.count())["GOLD"] == 1


async def test_a_quota_is_said_at_once(pair: Pair, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    bob = await pair.bob(GOLD=12, SILVER=12, BRONZE=12)
    await bob.top_up()
    database.execute("select coins.set_claim_quota('pair', true, 1)")
    alice = await pair.alice(bob)
    await alice.send(bob.courier.user_id, b"hello", 1, 1)
    calls = failing(monkeypatch, alice.courier, "claim_many", done=False)
    with pytest.raises(CoinsRationedError) as caught:
        await alice.send(bob.courier.user_id, b"hello", 1, 1)
    assert caught.value.retry_after > 0
    assert len(calls) == 1


async def test_coins_that_are_nearly_expired_are_skipped(pair: Pair, database: Database) -> None:
    bob = await pair.bob()
    whom, now = bob.courier.user_id, pair.clock()
    alice = await pair.alice(bob)
    old, usable = (bob.identity.mint(whom, "BRONZE", now - days * DAY)[0] for days in (29.5, 28))
    offer(database, bob, old, usable)
    assert (await alice.send(whom, b"hello", 0, 0)).key_id == usable.key_id
    await pair.cache(alice, bob)
    cached, fresh = (bob.identity.mint(whom, "BRONZE", now + days * DAY)[0] for days in (0, 10))
    await alice.inventory.store_key(whom, cached)
    pair.ahead = 29.5 * DAY
    offer(database, bob, fresh)
    assert (await alice.send(whom, b"hello", 0, 0)).key_id == fresh.key_id
    with pytest.raises(NoCoinError):
        await alice.send(whom, b"hello", 0, 0)


async def test_no_server_has_a_coin_used_twice(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    bob = await pair.bob(GOLD=12)
    await bob.top_up()
    await pair.cache(alice := await pair.alice(bob), bob)
    whom = bob.courier.user_id
    (coin,) = await alice.courier.claim(whom, "GOLD")
    renamed = bob.identity.sign(whom, "GOLD", coin_id("renamed", time.time()), await private_key(bob, coin))

    offered = [coin]

    async def lying(wishes: Sequence[Wish], **_: Any) -> list[Outcome]:
        return [Outcome(wish, offered if wish.category == "GOLD" else [], None, 9, None) for wish in wishes]

    monkeypatch.setattr(alice.courier, "claim_many", lying)
    message = await alice.send(whom, b"one", 1, 1)
    for again in (coin, renamed):
        offered[:] = [again]
        with pytest.raises(NoCoinError):
            await alice.send(whom, b"two", 1, 1)
        assert (await alice.prefetch()).dropped == 1
    assert await bob.receive(message) == b"one"


async def private_key(bob: Recipient, coin: Coin) -> Any:
    stored = await bob.vault.fetch_key(coin.key_id)
    assert stored
    return keys.read_private_key(stored.category, stored.private_key)


async def test_a_send_that_is_repeated_under_its_key_costs_one_coin(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = await pair.bob(BRONZE=12)
    await bob.top_up()
    alice, key = await pair.alice(bob), uuid.uuid4()
    failing(monkeypatch, alice.courier, "claim_many", ServerUnavailable("lost"), done=True)
    with pytest.raises(ServerUnavailable):
        await alice.send(bob.courier.user_id, b"hello", 0, 0, idempotency_key=key)
    failing(monkeypatch, alice.inventory, "note_used", BackendUnavailableError("gone"), done=True)
    with pytest.raises(BackendUnavailableError):
        await alice.send(bob.courier.user_id, b"hello", 0, 0, idempotency_key=key)
    message = await alice.send(bob.courier.user_id, b"hello", 0, 0, idempotency_key=key)
    assert await bob.receive(message) == b"hello"
    assert (await bob.courier.count())["BRONZE"] == 11


# -- top up


async def test_an_unknown_category_is_refused(pair: Pair) -> None:
    with pytest.raises(InvalidArgumentError, match="IRON"):
        await pair.bob(IRON=1)
    bob = await pair.bob()
    for call in (bob.mint({"IRON": 1}), bob.put_last_resort("IRON")):
        with pytest.raises(InvalidArgumentError, match="IRON"):
            await call


async def test_a_negative_number_is_refused(pair: Pair) -> None:
    with pytest.raises(InvalidArgumentError, match="GOLD"):
        await pair.bob(GOLD=-1)
    bob = await pair.bob()
    with pytest.raises(InvalidArgumentError, match="GOLD"):
        await bob.mint({"GOLD": -1, "BRONZE": 1})
    assert await bob.vault.list_keys() == []


async def test_a_server_that_always_says_that_it_has_nothing_makes_no_device_mint_without_end(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bob = await pair.bob("GOLD", SILVER=10, BRONZE=20)
    genuine = bob.courier.status

    async def lying() -> Status:
        return replace(await genuine(), counts=NONE, last_resort=frozenset())

    async def refusing(_: Coin) -> bool:
        raise Conflict("was in use", 409)

    monkeypatch.setattr(bob.courier, "status", lying)
    monkeypatch.setattr(bob.courier, "put_last_resort", refusing)
    for _ in range(15):
        with pytest.raises(Conflict):
            await bob.top_up()
    minted = [await bob.top_up() for _ in range(5)]
    assert minted == [{"SILVER": 10, "BRONZE": 20}] * 3 + [{}] * 2
    assert "BRONZE coins are missing" in caplog.text
    assert "GOLD has too many keys" in caplog.text
    assert await bob.vault.count_active() == {"GOLD": 0, "SILVER": 30, "BRONZE": 60}
    assert len(await bob.vault.list_keys()) == 90 + 15
    pair.ahead = 30.1 * DAY
    monkeypatch.undo()
    assert await bob.top_up() == {"SILVER": 10, "BRONZE": 20}
    assert (await bob.courier.status()).last_resort == {"GOLD"}


async def test_coins_whose_upload_failed_are_not_offered_when_they_have_grown_old(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = await pair.bob(BRONZE=12)
    failing(monkeypatch, bob.courier, "upload", ServerUnavailable("lost"), done=False)
    with pytest.raises(ServerUnavailable):
        await bob.mint({"BRONZE": 3})
    pair.ahead = 24 * DAY
    old = {key.key_id for key in await bob.vault.list_keys()}
    assert await bob.top_up() == {"BRONZE": 12}
    coins = await (await pair.alice(bob)).courier.claim(bob.courier.user_id, "BRONZE", 20)
    assert len(coins) == 12
    assert not old & {coin.key_id for coin in coins}


async def test_only_one_top_up_runs_at_a_time(pair: Pair) -> None:
    bob = await pair.bob(BRONZE=12)
    minted = await asyncio.gather(*(bob.top_up() for _ in range(4)))
    assert sorted(map(len, minted)) == [0, 0, 0, 1]
    assert (await bob.courier.count())["BRONZE"] == 12


@pytest.mark.parametrize("done", [True, False])
async def test_coins_whose_upload_failed_are_offered_again(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, done: bool
) -> None:
    bob = await pair.bob(BRONZE=12)
    failing(monkeypatch, bob.courier, "upload", ServerUnavailable("lost"), done=done)
    with pytest.raises(ServerUnavailable):
        await bob.top_up()
    assert await bob.top_up() == {}
    assert (await bob.courier.count())["BRONZE"] == (await bob.vault.count_active())["BRONZE"] == 12


async def test_coins_of_an_epoch_that_has_ended_are_burned(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, database: Database
) -> None:
    bob = await pair.bob(BRONZE=12)
    failing(monkeypatch, bob.courier, "upload", ServerUnavailable("lost"), done=False)
    with pytest.raises(ServerUnavailable):
        await bob.top_up()
    database.execute("select ops.fence_coins()")
    assert await bob.top_up() == {"BRONZE": 12}
    assert (await bob.courier.count())["BRONZE"] == (await bob.vault.count_active())["BRONZE"] == 12
    genuine = bob.courier.status

    async def fenced() -> Any:
        status = await genuine()
        database.execute("select ops.fence_coins()")
        return status

    monkeypatch.setattr(bob.courier, "status", fenced)
    with pytest.raises(EpochChanged):
        await bob.mint({"BRONZE": 5})
    assert (await bob.vault.count_active())["BRONZE"] == 12


async def test_coins_that_are_refused_do_not_block_the_next(pair: Pair) -> None:
    bob = await pair.bob(BRONZE=12)
    await bob.mint({"GOLD": 1})
    with pytest.raises(Conflict):
        await bob.mint({"BRONZE": 1001})
    assert (await bob.courier.count())["BRONZE"] == 1000
    assert await bob.mint({"GOLD": 1}) == 1


async def test_coins_that_grow_old_are_taken_back(pair: Pair) -> None:
    bob = await pair.bob("BRONZE", BRONZE=12)
    await bob.top_up()
    old = await (await pair.alice(bob)).send(bob.courier.user_id, b"hello", 0, 0)
    await bob.mint({"BRONZE": 1})
    pair.ahead = 22 * DAY
    assert await bob.top_up() == {}
    await bob.mint({"BRONZE": 3})
    pair.ahead = 24 * DAY
    assert await bob.top_up() == {"BRONZE": 9}
    assert (await bob.courier.status()).last_resort == {"BRONZE"}
    assert await bob.receive(old) == b"hello", "its key is kept, it was on its way"


async def test_keep_stocked_never_lets_a_recipient_run_dry(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    bob = await pair.bob(BRONZE=14)
    alice = await pair.alice(bob)
    bob.courier.wire.retries = replace(FAST, first_wait=0.01)
    keeping = asyncio.create_task(bob.keep_stocked())
    failing(monkeypatch, bob.courier, "upload", ServerUnavailable("lost"), ServerUnavailable("lost"), done=False)
    async with asyncio.timeout(30):
        while not (await bob.courier.count())["BRONZE"]:
            await asyncio.sleep(0.05)
        for number in range(30):
            text = f"message {number}".encode()
            assert await bob.receive(await alice.send(bob.courier.user_id, text, 0, 0)) == text
            await asyncio.sleep(0.15)
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert not [task for task in others if "calm" in repr(task)]


async def test_keep_stocked_ends_with_what_does_not_pass(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    bob = await pair.bob(BRONZE=12)
    failing(monkeypatch, bob, "top_up", EpochChanged("a restore"), Unauthorized("no", 401), done=False)
    with pytest.raises(Unauthorized):
        await asyncio.wait_for(bob.keep_stocked(), 20)


async def test_keep_stocked_outlives_whatever_passes(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    bob = await pair.bob(BRONZE=12)
    slept: list[float] = []

    async def nap(seconds: float) -> None:
        slept.append(seconds)
        await asyncio.sleep(0)

    bob.courier.wire.retries = replace(FAST, sleep=nap)
    long = TooManyRequests("later", 429)
    long.retry_after = 999_999_999
    failing(monkeypatch, bob, "top_up", long, ClockError("1970"), ServerUnavailable("oops", 500), done=False)
    failing(monkeypatch, bob.courier.wire, "open", ServerUnavailable("oops", 500), done=False)
    keeping = asyncio.create_task(bob.keep_stocked())
    async with asyncio.timeout(20):
        while not (await bob.courier.count())["BRONZE"]:
            await asyncio.sleep(0.05)
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    assert 3600 <= max(slept) < 3700
    assert len(slept) >= 4


# -- clocks


@pytest.mark.parametrize("days", [-15_000, -2, 25, 40])
async def test_a_wrong_clock_costs_nothing(pair: Pair, days: float) -> None:
    bob = await pair.bob("GOLD", BRONZE=20)
    await bob.top_up()
    await pair.cache(alice := await pair.alice(bob), bob)
    message = await alice.send(bob.courier.user_id, b"hello", 0, 0)
    keys = await bob.vault.list_keys()
    pair.wrong = days * DAY
    for refused in (
        bob.top_up,
        lambda: bob.mint({"BRONZE": 1}),
        lambda: bob.put_last_resort("GOLD"),
        alice.prefetch,
        lambda: alice.send(bob.courier.user_id, b"hello", 0, 0),
    ):
        with pytest.raises(ClockError):
            await refused()
    if days == 40:
        with pytest.raises(ClockError):
            await bob.receive(message)
    pair.wrong = 0
    assert (await bob.courier.count())["BRONZE"] == 19
    assert await bob.vault.list_keys() == keys
    assert await bob.receive(message) == b"hello"
    await alice.prefetch()
    assert (await alice.inventory.count_coins(bob.courier.user_id))["BRONZE"] == 1


async def test_apps_that_were_off_for_weeks_just_work(pair: Pair) -> None:
    bob = await pair.bob(BRONZE=20)
    await bob.top_up()
    await pair.cache(alice := await pair.alice(bob), bob)
    await alice.prefetch()
    pair.ahead = 40 * DAY
    assert await bob.top_up() == {"BRONZE": 20}
    assert (await alice.prefetch()).stored == {"BRONZE": 1}
    message = await alice.send(bob.courier.user_id, b"hello", 0, 0)
    assert await bob.receive(message) == b"hello"
    assert await bob.vault.purge_expired() == 20


# -- last resort


async def test_a_drained_recipient_is_written_to_by_two(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    bob = await pair.bob("SILVER")
    await bob.top_up()
    assert sum((await bob.vault.count_active()).values()) == 0
    senders = [await pair.alice(bob, name) for name in ("alice", "carol")]
    messages = [await one.send(bob.courier.user_id, b"hello", 1, 1) for one in senders]
    assert messages[0].key_id == messages[1].key_id
    for message in messages * 2:
        assert await bob.receive(message) == b"hello"
        assert await bob.is_last_resort(message)
    assert await bob.top_up() == {}
    pair.ahead = 6 * DAY
    await bob.top_up()
    assert len(await bob.vault.list_keys()) == 1
    pair.ahead = 8 * DAY
    await bob.top_up()
    assert len(await bob.vault.list_keys()) == 2
    newer = await senders[0].send(bob.courier.user_id, b"again", 1, 1)
    assert newer.key_id != messages[0].key_id
    assert [await bob.receive(message) for message in (newer, messages[0])] == [b"again", b"hello"]


async def test_a_last_resort_coin_that_grew_old_offline_is_replaced(pair: Pair) -> None:
    bob = await pair.bob("GOLD")
    await bob.top_up()
    pair.ahead = 24 * DAY
    await bob.top_up()
    assert (await bob.courier.status()).last_resort == {"GOLD"}
    assert len(await bob.vault.list_keys()) == 2


async def test_a_last_resort_coin_whose_key_is_lost_is_replaced(pair: Pair) -> None:
    bob = await pair.bob("GOLD")
    await bob.top_up()
    bob.vault = (await pair.store("another")).vault
    await bob.top_up()
    message = await (await pair.alice(bob)).send(bob.courier.user_id, b"hello", 1, 1)
    assert await bob.receive(message) == b"hello"


@pytest.mark.parametrize("is_restarted", [True, False])
@pytest.mark.parametrize("done", [True, False])
async def test_a_last_resort_coin_whose_upload_failed_is_offered_again(
    pair: Pair, monkeypatch: pytest.MonkeyPatch, done: bool, is_restarted: bool
) -> None:
    bob = await pair.bob("SILVER")
    await bob.top_up()
    pair.ahead = 8 * DAY
    failing(monkeypatch, bob.courier, "put_last_resort", ServerUnavailable("lost"), done=done)
    with pytest.raises(ServerUnavailable):
        await bob.top_up()
    newest = (await bob.vault.list_keys())[-1].key_id
    if is_restarted:
        bob = Recipient(bob.identity, bob.vault, bob.courier, NONE, last_resort=["SILVER"])
    calls = failing(monkeypatch, bob.courier, "put_last_resort", done=False)
    for _ in range(3):
        await bob.top_up()
    assert len(calls) == 1, "once is enough"
    message = await (await pair.alice(bob)).send(bob.courier.user_id, b"hello", 1, 1)
    assert message.key_id == newest
    assert await bob.receive(message) == b"hello"
    assert len(await bob.vault.list_keys()) == 2, "no more were made"


async def test_a_last_resort_coin_that_the_server_does_not_take_again_is_replaced(pair: Pair) -> None:
    bob = await pair.bob("SILVER")
    await bob.top_up()
    await bob.courier.discard()
    await bob.top_up()
    message = await (await pair.alice(bob)).send(bob.courier.user_id, b"hello", 1, 1)
    assert await bob.receive(message) == b"hello"


async def test_no_server_makes_a_last_resort_of_what_the_app_did_not_name(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = await pair.bob("SILVER")
    genuine = bob.courier.status

    async def lying() -> Status:
        return replace(await genuine(), last_resort=frozenset(keys.ALGORITHMS))

    monkeypatch.setattr(bob.courier, "status", lying)
    for _ in range(2):
        await bob.top_up()
    assert [key.category for key in await bob.vault.list_keys()] == ["SILVER"]
    with pytest.raises(InvalidArgumentError, match="GOLD"):
        await bob.put_last_resort("GOLD")


async def test_a_last_resort_coin_that_the_app_does_not_want_any_more_is_taken_back(pair: Pair) -> None:
    bob = await pair.bob("SILVER")
    await bob.top_up()
    message = await (await pair.alice(bob)).send(bob.courier.user_id, b"hello", 1, 1)
    bob.last_resort = frozenset()
    await bob.top_up()
    assert (await bob.courier.status()).last_resort == frozenset()
    assert await bob.receive(message) == b"hello"


async def test_a_last_resort_coin_is_never_taken_for_one_that_serves_once(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = await pair.bob("SILVER", GOLD=12)
    await bob.top_up()
    await pair.cache(alice := await pair.alice(bob), bob)
    whom, genuine = bob.courier.user_id, alice.courier.claim_many
    (outcome,) = await genuine([Wish(whom, "SILVER", accept_last_resort=True)])
    (one_time,) = await alice.courier.claim(whom, "GOLD")
    shared = outcome.last_resort
    assert shared

    async def lying(wishes: Sequence[Wish], **_: Any) -> list[Outcome]:
        return [
            Outcome(wish, [], one_time, 0, None)
            if wish.accept_last_resort
            else Outcome(wish, [shared] if wish.category == "SILVER" else [], None, 0, None)
            for wish in wishes
        ]

    monkeypatch.setattr(alice.courier, "claim_many", lying)
    told = await alice.prefetch()
    assert (told.stored, told.forged) == ({}, {whom: 1})
    for battery in (0.3, 1.0):
        with pytest.raises(ForgedCoinError):
            await alice.send(whom, b"hello", battery, 1, least="GOLD" if battery == 1 else "SILVER")


async def test_a_sender_may_refuse_coins_of_last_resort(pair: Pair) -> None:
    bob = await pair.bob("BRONZE")
    await bob.top_up()
    alice = await pair.alice(bob)
    with pytest.raises(NoCoinError):
        await alice.send(bob.courier.user_id, b"hello", 1, 1, accept_last_resort=False)
    assert await bob.receive(await alice.send(bob.courier.user_id, b"hello", 1, 1)) == b"hello"
    await bob.mint({"GOLD": 1})
    message = await alice.send(bob.courier.user_id, b"hello", 1, 1)
    assert not await bob.is_last_resort(message)
    await bob.receive(message)
    assert not await bob.is_last_resort(message)


def test_a_message_of_a_right_name_has_room_for_every_name() -> None:
    coin = Identity().mint(uuid.uuid4(), "BRONZE")[0]
    message = encrypt(replace(coin, key_id="💰" * 36), b"hello")
    assert Message.from_bytes(message.to_bytes()) == message
