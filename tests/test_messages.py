"""From a sender's device to a recipient's, with everything real between them: each message is read once, no coin serves twice."""

from __future__ import annotations

import asyncio
import random
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from conftest import Database, RunningGateway, upload
from device.courier import CourierClient
from device.credentials import Credentials
from device.errors import BadMessageError, ForgedCoinError, InvalidArgumentError, NoCoinError, NoKeyError
from device.factory import DatabaseFactory, DatabaseSettings
from device.keys import Identity, VerifyKeys
from device.message import Message
from device.recipient import Recipient
from device.redis_server import RedisServer
from device.sealing import Cost
from device.sender import Sender

CHEAP = Cost(memory_kib=64, iterations=1, lanes=1)
MASTER_KEY = bytes(32)
RECIPIENTS, SENDERS, MESSAGES = 10, 100, 1000


@pytest.fixture(scope="module")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


class House:
    """Devices of a test, and how to make more."""

    def __init__(self, gateway: RunningGateway, folder: Path, redis_url: str, stack: AsyncExitStack) -> None:
        self.gateway = gateway
        self.folder = folder
        self.redis_url = redis_url
        self.stack = stack
        self.cards: dict[uuid.UUID, VerifyKeys] = {}

    async def _courier(self) -> CourierClient:
        return await self.stack.enter_async_context(CourierClient(self.gateway.url, Credentials(uuid.uuid4())))

    async def recipient(self, backend: str, targets: dict[str, int]) -> Recipient:
        """A device that is written to, with an empty vault."""
        courier = await self._courier()
        url = self.redis_url if backend == "redis" else f"{backend}:///{self.folder / str(courier.user_id)}.db"
        factory = DatabaseFactory(DatabaseSettings(url), MASTER_KEY, cost=CHEAP)
        opened = await self.stack.enter_async_context(await factory.open())
        made = Recipient(Identity(), opened.vault, courier, targets)
        self.cards[courier.user_id] = made.identity.verify_keys
        return made

    async def sender(self, backend: str = "sqlite") -> Sender:
        """A device that writes to everybody."""
        courier = await self._courier()
        url = f"{backend}:///{self.folder / str(courier.user_id)}.db"
        opened = await self.stack.enter_async_context(
            await DatabaseFactory(DatabaseSettings(url), MASTER_KEY, cost=CHEAP).open()
        )
        return Sender(opened.inventory, courier, self.cards)


@pytest.fixture
async def house(gateway: RunningGateway, tmp_path: Path, redis_server: RedisServer) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        yield House(gateway, tmp_path, redis_server.url, stack)


async def test_a_thousand_messages_are_read_once_each_and_no_coin_serves_twice(house: House) -> None:
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    each = MESSAGES // RECIPIENTS
    backends = ["redis", *(["sqlite", "sqlcipher"] * RECIPIENTS)][:RECIPIENTS]
    targets = {"GOLD": each // 2, "SILVER": each // 2, "BRONZE": each // 2}
    recipients = {
        recipient.courier.user_id: recipient
        for recipient in [await house.recipient(backend, targets) for backend in backends]
    }
    await asyncio.gather(*(recipient.top_up() for recipient in recipients.values()))
    senders = [await house.sender() for _ in range(SENDERS)]

    async def write(number: int) -> list[tuple[uuid.UUID, bytes, Message]]:
        """A sender's ten messages, one to each recipient: to some with cached coins, to others with fresh ones."""
        sender = senders[number]
        friends = chance.sample(list(recipients), 2)
        for friend in friends:
            await sender.inventory.set_priority(friend, "BESTIE")
        await sender.inventory.set_budget("BESTIE", 1, 0, 0)
        prefetched = await sender.prefetch()
        assert prefetched.forged == {}
        written = []
        for whom in recipients:
            text = f"message {number} to {whom}".encode()
            message = await sender.send(whom, text, chance.random(), chance.random())
            written.append((whom, text, message))
        return written

    written = [entry for entries in await asyncio.gather(*map(write, range(SENDERS))) for entry in entries]
    assert len(written) == MESSAGES
    used = Counter((whom, message.key_id) for whom, _, message in written)
    assert max(used.values()) == 1, f"seed {seed}"
    assert {message.category for _, _, message in written} == {"GOLD", "SILVER", "BRONZE"}

    for whom, text, message in written:
        arrived = Message.from_bytes(message.to_bytes())
        assert await recipients[whom].receive(arrived) == text
        with pytest.raises(NoKeyError):
            await recipients[whom].receive(arrived)


async def test_only_one_of_many_who_open_a_message_at_once_reads_it(house: House) -> None:
    bob = await house.recipient("sqlcipher", {"GOLD": 3, "SILVER": 0, "BRONZE": 0})
    await bob.top_up()
    alice = await house.sender()
    message = await alice.send(bob.courier.user_id, b"hello", 1, 1)
    read = await asyncio.gather(*(bob.receive(message) for _ in range(20)), return_exceptions=True)
    assert read.count(b"hello") == 1
    assert all(isinstance(entry, NoKeyError) for entry in read if entry != b"hello")


async def test_a_changed_message_is_refused_and_burns_nothing(house: House) -> None:
    bob = await house.recipient("sqlite", {"GOLD": 1, "SILVER": 1, "BRONZE": 1})
    await bob.top_up()
    alice = await house.sender()
    for battery in (1.0, 0.3, 0.0):
        message = await alice.send(bob.courier.user_id, b"hello", battery, 1)
        for part in ("encapsulated", "ciphertext"):
            value = getattr(message, part)
            bent = replace(message, **{part: bytes([value[0] ^ 1]) + value[1:]})
            with pytest.raises(BadMessageError):
                await bob.receive(bent)
        assert await bob.receive(message) == b"hello"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x01",
        b"\x02\x00\x00" + bytes(1200),
        b"\x01\x03\x00" + bytes(1200),
        b"\x01\x02\x02\xff\xff" + bytes(60),
        b"\x01\x02\x00" + bytes(60),
        b"\x01\x02\x25" + b"k" * 37 + bytes(60),
        b"\x01\x02\x02k\n" + bytes(60),
        b"\x01\x02\x01k" + bytes(32 + 15),
        b"\x01\x02\x01k" + bytes(32 + 16 + 2**20 + 1),
    ],
)
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(BadMessageError):
        Message.from_bytes(data)


async def test_a_forged_coin_is_neither_kept_nor_used(house: House, database: Database) -> None:
    bob = await house.recipient("sqlite", {"GOLD": 1, "SILVER": 0, "BRONZE": 0})
    whom = bob.courier.user_id
    mallory = Identity()
    forged = [mallory.mint(whom, "GOLD")[0] for _ in range(2)]
    upload(database, whom, [(coin.key_id, coin.category, coin.public_key, coin.signature) for coin in forged])
    alice = await house.sender()
    await alice.inventory.set_priority(whom, "BESTIE")
    await alice.inventory.set_budget("BESTIE", 1, 0, 0)
    prefetched = await alice.prefetch()
    assert prefetched.forged == {whom: 1}
    assert await alice.inventory.count_coins(whom) == {"GOLD": 0, "SILVER": 0, "BRONZE": 0}
    with pytest.raises(ForgedCoinError):
        await alice.send(whom, b"hello", 1, 1)


async def test_who_has_no_coin_left_can_not_be_written_to(house: House) -> None:
    bob = await house.recipient("sqlite", {})
    alice = await house.sender()
    with pytest.raises(NoCoinError):
        await alice.send(bob.courier.user_id, b"hello", 1, 1)


async def test_a_stranger_is_not_written_to_without_knowing_the_keys_of_its_coins(house: House) -> None:
    bob = await house.recipient("sqlite", {"GOLD": 1})
    await bob.top_up()
    alice = await house.sender()
    del house.cards[bob.courier.user_id]
    with pytest.raises(InvalidArgumentError, match="contact"):
        await alice.send(bob.courier.user_id, b"hello", 1, 1)


async def test_topping_up_begins_below_a_third(house: House) -> None:
    bob = await house.recipient("sqlite", {"GOLD": 0, "SILVER": 0, "BRONZE": 45})
    assert await bob.top_up() == {"BRONZE": 45}
    alice = await house.sender()
    await alice.courier.claim(bob.courier.user_id, "BRONZE", 30)
    assert await bob.top_up() == {}, "a third is left"
    await alice.send(bob.courier.user_id, b"hello", 0, 0)
    assert await bob.top_up() == {"BRONZE": 31}
    assert (await bob.courier.count())["BRONZE"] == 45
    assert (await bob.vault.count_active())["BRONZE"] == 76, "31 messages are on their way"


async def test_topping_up_begins_where_the_server_warns(house: House) -> None:
    bob = await house.recipient("sqlite", {"GOLD": 0, "SILVER": 0, "BRONZE": 12})
    small = await house.recipient("sqlite", {"BRONZE": 3})
    await asyncio.gather(bob.top_up(), small.top_up())
    alice = await house.sender()
    await alice.courier.claim(bob.courier.user_id, "BRONZE", 2)
    assert await bob.top_up() == {}
    for whom in (bob, small):
        await alice.courier.claim(whom.courier.user_id, "BRONZE", 1)
    assert await bob.top_up() == {"BRONZE": 3}
    assert await small.top_up() == {"BRONZE": 1}, "a threshold that is above the target is the target"


async def test_after_a_restore_a_device_mints_anew(house: House, database: Database) -> None:
    bob = await house.recipient("sqlite", {"GOLD": 0, "SILVER": 0, "BRONZE": 3})
    await bob.top_up()
    database.execute("select ops.fence_coins()")
    assert await bob.top_up() == {"BRONZE": 3}
    alice = await house.sender()
    message = await alice.send(bob.courier.user_id, b"hello", 0, 0)
    assert await bob.receive(message) == b"hello"
