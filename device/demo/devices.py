"""The demo's first half: two devices, the server between them, and what may go wrong on the way."""

from __future__ import annotations

import math
import secrets
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID, uuid4

from yarl import URL

from ..card import Card
from ..clock import milliseconds
from ..courier import CourierClient
from ..errors import ForgedCoinError, NoKeyError
from ..factory import Database, DatabaseFactory, DatabaseSettings
from ..keys import ALGORITHMS, Identity, verify
from ..message import Message
from ..recipient import Recipient
from ..redis_server import RedisServer
from ..sender import Sender
from .accounts import Accounts
from .lossy import Tunnel, tunnel
from .report import StepError, bar, holds, in_words, say, step

TARGETS = {"GOLD": 12, "SILVER": 10, "BRONZE": 12}
BUDGET = {"GOLD": 5, "SILVER": 4, "BRONZE": 1}
"""Of a BESTIE, as a new store has it."""

LEFT_AFTER_PREFETCH = {category: TARGETS[category] - BUDGET[category] for category in TARGETS}
MESSAGES = 20
PATIENCE = 20
"""Seconds that Redis may take to write its file anew."""

MEANINGS = {
    "GOLD": "key and signature hold against a quantum computer: for a full battery and a good signal",
    "SILVER": "the key holds against one, the signature is short: the usual coin",
    "BRONZE": "short and cheap, holds against today's computers: for the last percents of a battery",
}
PASSPHRASE = secrets.token_urlsafe()
"""A person would type it."""


@dataclass(frozen=True)
class Sent:
    """A message of Alice's, and what it says."""

    message: Message
    text: bytes


@dataclass(frozen=True)
class Outcome:
    """What the database's half goes on with. left: Bob's unclaimed coins by category. used: names of those that Alice has used."""

    bob: Recipient
    left: dict[str, int]
    used: frozenset[str]


async def between_devices(server: URL, accounts: Accounts) -> Outcome:
    """The whole way of twenty messages; raises at the first step that does not hold."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aqm-demo-")))
        step("Two devices")
        redis = stack.enter_context(RedisServer(folder / "bob"))
        box = await open_store(redis.url)
        say("  Bob's box keeps private keys in Redis with an append-only file, each sealed by his master key")
        phone = await open_store(f"sqlcipher:///{folder / 'alice' / 'device.db'}")
        say("  Alice's phone caches coins in SQLCipher: without her passphrase the file is noise")
        lossy, through_tunnel = await enter(tunnel(server))
        to_bob = await enter(CourierClient(server, await accounts.device("bob")))
        to_alice = await enter(CourierClient(through_tunnel, await accounts.device("alice")))
        say(
            "  Both have signed up and logged in"
            if accounts.ids
            else "  The server checks no tokens: it serves this machine alone"
        )

        async with box, phone:
            bob = Recipient(Identity(), box.vault, to_bob, TARGETS)
            await mint(bob)
            # By another way than the server, as a QR code.
            card = Card.from_bytes(bob.card.to_bytes())
            alice = Sender(phone.inventory, to_alice, {card.user_id: card.verify_keys})
            await prefetch(alice, bob, lossy)
            refuse_forgeries(bob)
            sent = await write(alice, bob)
            secrets_of_used = await note_secrets(box, sent)
            await read(bob, sent)

        step("Redis on Bob's box is killed (kill -9), and started again")
        redis.kill()
        redis.start()
        async with await open_store(redis.url) as box:
            bob = Recipient(Identity.from_bytes(bob.identity.to_bytes()), box.vault, to_bob, TARGETS)
            await expect_burned(bob, sent)
            left = await top_up(bob)
            kept = await box.vault.count_active()
        redis.stop()
        expect_no_trace(folder, sent, secrets_of_used, to_bob.user_id)
        await expect_only_unused(folder / "bob", sent, kept)
        used = frozenset(entry.message.key_id for entry in sent)
        return Outcome(bob, left, used)


async def open_store(url: str) -> Database:
    """A device's store."""
    return await DatabaseFactory(DatabaseSettings(url), PASSPHRASE).open()


async def mint(bob: Recipient) -> None:
    """Private keys into the vault, public halves to the server."""
    step("Bob mints key pairs and signs each public key; private keys go into his vault, public ones to the server")
    inserted = 0
    for category, number in TARGETS.items():
        for done in range(0, number, 4):
            bar(f"minting {category}", done, number)
            inserted += await bob.mint({category: min(4, number - done)})
    bar("", 1, 1)
    for category, (agreement, signature) in ALGORITHMS.items():
        coin, _ = bob.identity.mint(bob.courier.user_id, category)
        say(
            f"  {TARGETS[category]} {category:<6}  {agreement:<10} {len(coin.public_key):>4} bytes, "
            f"signed by {signature:<9} {len(coin.signature):>4} bytes"
        )
        say(f"             {MEANINGS[category]}")
    holds(inserted == sum(TARGETS.values()), f"the server has stored {sum(TARGETS.values())} coins", inserted)
    counts = await bob.vault.count_active()
    holds(counts == TARGETS, f"the vault keeps as many private keys: {in_words(TARGETS)}", in_words(counts))


async def prefetch(alice: Sender, bob: Recipient, lossy: Tunnel) -> None:
    """By budget, and through a lost answer."""
    step("Bob is Alice's bestie: she caches what his budget allows, and the server's first answer is lost")
    whom = bob.courier.user_id
    await alice.inventory.set_priority(whom, "BESTIE")
    lossy.lose = 1
    prefetched = await alice.prefetch()
    holds(lossy.lost == 1, "the answer was lost, and she asked again with the same Idempotency-Key", lossy.lost)
    holds(dict(prefetched.stored) == BUDGET, f"cached: {in_words(BUDGET)}, each with Bob's signature", prefetched)
    status = await bob.courier.status()
    holds(
        dict(status.counts) == LEFT_AFTER_PREFETCH,
        f"so many are gone from the server and no more: it has {in_words(LEFT_AFTER_PREFETCH)}",
        in_words(dict(status.counts)),
    )


def refuse_forgeries(bob: Recipient) -> None:
    """A stranger's key, a stranger's signature, a changed signature, another name and another owner, in each category."""
    step("Mallory puts a key of her own in the place of Bob's")
    mallory, whom = Identity(), bob.courier.user_id
    for category in ALGORITHMS:
        genuine, hers = bob.identity.mint(whom, category)[0], mallory.mint(whom, category)[0]
        forgeries = {
            "her key under Bob's signature": replace(hers, signature=genuine.signature),
            "her key under her own": hers,
            "Bob's key under a changed signature": replace(
                genuine, signature=bytes([genuine.signature[0] ^ 1]) + genuine.signature[1:]
            ),
            "Bob's coin under another name": replace(genuine, key_id=hers.key_id),
            "a coin that Bob made for another key store": bob.identity.mint(uuid4(), category)[0],
        }
        for what, forgery in forgeries.items():
            try:
                verify(whom, forgery, bob.identity.verify_keys)
            except ForgedCoinError:
                continue
            raise StepError(f"a forged {category} coin was taken for Bob's: {what}")
        holds(True, f"{category:<6}  refused: {', '.join(forgeries)}")


async def write(alice: Sender, bob: Recipient) -> list[Sent]:
    """Twenty messages while the battery runs down and the signal comes and goes."""
    step(f"Alice writes {MESSAGES} messages while her battery runs down and the signal comes and goes")
    say("   no  battery  signal  coin    from    bytes")
    whom, sent = bob.courier.user_id, []
    for number in range(1, MESSAGES + 1):
        battery, signal = 1 - number / (MESSAGES + 1), 0.5 + 0.5 * math.sin(number)
        cached = sum((await alice.inventory.count_coins(whom)).values())
        text = f"text number {number} of Alice's".encode()
        message = await alice.send(whom, text, battery, signal)
        is_cached = sum((await alice.inventory.count_coins(whom)).values()) < cached
        sent.append(Sent(message, text))
        say(
            f"  {number:>3}  {battery:>6.0%}  {signal:>6.0%}  {message.category:<6}  "
            f"{'cache ' if is_cached else 'server'}  {len(message.to_bytes()):>5}"
        )
    used = Counter(entry.message.key_id for entry in sent)
    holds(len(used) == MESSAGES, f"{MESSAGES} messages, {MESSAGES} different coins: none was given twice", used)
    return sent


async def read(bob: Recipient, sent: Sequence[Sent]) -> None:
    """Each once."""
    step("Bob comes online, reads them, and each private key is burned before he sees the text")
    before = sum((await bob.vault.count_active()).values())
    for number, entry in enumerate(sent):
        bar("reading", number, len(sent))
        arrived = Message.from_bytes(entry.message.to_bytes())
        text = await bob.receive(arrived)
        if text != entry.text:
            raise StepError(f"message {number + 1} says something else than Alice wrote")
    bar("", 1, 1)
    holds(True, f"{len(sent)} texts are what Alice wrote; who wrote them is for the texts to prove, no coin says it")
    after = sum((await bob.vault.count_active()).values())
    holds(before - after == len(sent), f"{len(sent)} private keys are gone, {after} are left", before - after)


async def expect_burned(bob: Recipient, sent: Sequence[Sent]) -> None:
    """No used key has come back, no other was lost."""
    for entry in sent:
        try:
            await bob.receive(entry.message)
        except NoKeyError:
            continue
        raise StepError("a message could be read a second time")
    holds(True, f"none of the {len(sent)} messages can be read again: their keys stay burned")
    kept = sum((await bob.vault.count_active()).values())
    wanted = sum(TARGETS.values()) - len(sent)
    holds(kept == wanted, f"the other {wanted} private keys are still there", kept)


async def note_secrets(box: Database, sent: Sequence[Sent]) -> dict[str, list[bytes]]:
    """What must be gone later: the private keys of messages that are not read yet, and the sealed bytes that the disk has."""
    keys, sealed = [], []
    for entry in sent:
        stored = await box.vault.fetch_key(entry.message.key_id)
        record = await box.store.get_key(entry.message.key_id, milliseconds(time.time()))
        if not stored or not record:
            raise StepError("a private key is not in Bob's vault before its message is read")
        keys.append(stored.private_key)
        sealed.append(record[1])
    return {"no private key that was used": keys, "nor the sealed bytes of one": sealed}


def expect_no_trace(folder: Path, sent: Sequence[Sent], secrets_of_used: Mapping[str, list[bytes]], bob: UUID) -> None:
    """Every file of both devices, byte by byte."""
    step("Both devices are closed, and somebody takes their disks")
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    size = f"{len(files)} files, {sum(map(len, files.values())):,} bytes"
    wanted_by_name = {**secrets_of_used, "nor one of the texts": [entry.text for entry in sent]}
    for what, wanted in wanted_by_name.items():
        found = [str(path) for path, data in files.items() if any(secret in data for secret in wanted)]
        holds(
            len(wanted) == len(sent) and not found, f"{what} stands in any file ({len(wanted)} sought, {size})", found
        )
    names = [str(bob).encode(), bob.bytes]
    found = [
        str(path) for path, data in files.items() if path.parent.name == "alice" and any(name in data for name in names)
    ]
    holds(not found, "and nobody learns from Alice's phone whom she writes to", found)


async def expect_only_unused(bobs: Path, sent: Sequence[Sent], kept: Mapping[str, int]) -> None:
    """Even who knows the passphrase."""
    with tempfile.TemporaryDirectory(prefix="aqm-demo-") as other:
        copy = Path(other) / "bob"
        shutil.copytree(bobs, copy, ignore=shutil.ignore_patterns("*.sock"))
        with RedisServer(copy) as redis:
            async with await open_store(redis.url) as box:
                found = [entry for entry in sent if await box.vault.fetch_key(entry.message.key_id)]
                holds(
                    not found,
                    "a copy of Bob's store, opened with his passphrase, has none of the used keys",
                    len(found),
                )
                counts = await box.vault.count_active()
                holds(counts == kept, f"it has those that wait for a message: {in_words(dict(kept))}", counts)


async def top_up(bob: Recipient) -> dict[str, int]:
    """Where less than a third is left; returns what the server then has."""
    step("Bob tops up what has fallen below a third, or below what the server warns of")
    status = await bob.courier.status()
    before = dict(status.counts)
    minted = await bob.top_up()
    least = {category: max(target / 3, min(status.low_stock[category], target)) for category, target in TARGETS.items()}
    expected = {category: TARGETS[category] if count < least[category] else count for category, count in before.items()}
    say(f"  left on the server: {in_words(before)}; minted: {in_words(minted) or 'nothing'}")
    counts = dict((await bob.courier.status()).counts)
    holds(counts == expected, f"the server has {in_words(expected)}", in_words(counts))
    return counts
