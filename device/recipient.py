"""What an app does to be written to: mint, top up, receive."""

from __future__ import annotations

import asyncio
import logging
import math
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import aclosing, suppress
from dataclasses import replace

from .answers import Status
from .card import Card
from .clock import DAY
from .courier import BATCH, LONGEST_OBEDIENCE, LONGEST_PAUSE, CourierClient
from .errors import (
    BackendUnavailableError,
    BadMessageError,
    ClockError,
    Conflict,
    CourierError,
    EpochChanged,
    InvalidArgumentError,
    InvalidRequest,
    NoKeyError,
    ServerUnavailable,
    TooManyRequests,
)
from .inventory import CACHED_FOR
from .keys import ALGORITHMS, Coin, Identity, minted_at, private_bytes, read_private_key
from .message import Message, decrypt
from .shielded import to_the_end
from .vault import LIFETIME, KeyInfo, SecureVault
from .wire import is_passing

TARGETS: Mapping[str, int] = {"GOLD": 100, "SILVER": 100, "BRONZE": 100}
"""Unclaimed coins of a device on the server, by category."""

OLD_LAST_RESORT = 7 * DAY
"""Seconds after which a last-resort coin is replaced: what was written with it is safe only when its key is gone."""

MOST_ACTIVE = 3
"""How many times the target of a category top_up() lets keys be active: a server that says that it has nothing, and again, must
not fill a device. Keys of coins that senders have and did not use yet are among them."""

MOST_LAST_RESORT = 15
"""Last-resort keys of a category; one a week is five in their lifetime."""

DISCARDED_AT_ONCE = 500
"""Names in one request."""

PASSING = (EpochChanged, ServerUnavailable, TooManyRequests)
"""Errors beside is_passing() after which topping up is tried again: nobody waits for it."""

REFUSED = (Conflict, InvalidRequest)
"""What the same coins would meet again."""


class Recipient:
    """A device that is written to. One object at a time may use a key store.

    identity: signs its coins; senders know the public half, as from card. targets: unclaimed coins that top_up() restores.
    last_resort: categories in which top_up() keeps a coin of last resort, whatever the server says; see docs/device.md for what
    such a coin means.

    Coins whose upload failed are kept in memory, and offered again by the next mint() or top_up(); after a restart their
    private keys expire by themselves. One of last resort is offered again by top_up(), also after a restart.

    top_up() lets no more than three times the targets be active in the vault: who is written to by many, who keep coins of his,
    sets his targets accordingly.

    All methods raise CourierError for the server and StoreError for the vault, of which ClockError says that nothing was minted or
    taken back: see docs/device.md. Raises InvalidArgumentError for targets of
    a category that there is not, or below 0.
    """

    def __init__(
        self,
        identity: Identity,
        vault: SecureVault,
        courier: CourierClient,
        targets: Mapping[str, int] = TARGETS,
        *,
        last_resort: Collection[str] = (),
    ) -> None:
        _check_counts(targets)
        _check_categories(last_resort)
        self.identity = identity
        self.vault = vault
        self.courier = courier
        self.targets = targets
        self.last_resort = frozenset(last_resort)
        self._minting = asyncio.Lock()
        self._opening = asyncio.Lock()
        self._not_uploaded: list[tuple[int, Coin]] = []
        self._discarded: set[str] = set()
        self._on_offer: dict[str, str] = {}
        self._opened: dict[Message, bytes] = {}

    @property
    def card(self) -> Card:
        """What senders need to write to this device."""
        return Card(self.courier.user_id, self.identity.verify_keys)

    async def mint(self, wanted: Mapping[str, int]) -> int:
        """Make coins, so many by category, keep their private keys and upload the public halves.

        Returns how many the server stored, with those of an earlier upload that failed. Raises EpochChanged when a restore came
        between: then nothing of these is on the server, and their private keys are burned. Raises InvalidArgumentError.
        """
        _check_counts(wanted)
        async with self._minting:
            await self._check_clock()
            return await self._mint(wanted)

    async def top_up(self) -> dict[str, int]:
        """Mint where less than a third of the target is left, or less than the server warns of; returns how many by category.

        Takes back, too, coins that are too old to be offered. Of the categories that the app has named as last_resort it makes
        such a coin where there is none, and replaces one that is older than a week; of others it takes it back.
        One at a time; after a restore of the server (EpochChanged) once more.
        """
        async with self._minting:
            await self._check_clock()
            # After a month away the server has coins whose keys have expired.
            keys = await self.vault.list_keys(with_expired=True)
            await self._discard_old(keys)
            await self._upload_earlier()
            status = await self.courier.status()
            await self._keep_last_resort(keys, status)
            wanted = await self._missing(status)
            if wanted:
                try:
                    await self._mint(wanted)
                except EpochChanged:
                    await self._mint(wanted)
            return wanted

    async def keep_stocked(self) -> None:
        """Top up at once, and whenever the server tells that coins run low or that its epoch has changed, until cancelled.

        Goes on after errors that pass, with pauses between the tries, of which the server can make none longer than an hour; a
        clock that is not set yet passes, too. Raises CourierError and StoreError for those that don't pass. Beside it, call top_up() once a day: nobody tells of coins that grow old.
        """
        async with aclosing(self.courier.watch()) as events:
            async for _ in events:
                await self._top_up_at_last()

    async def put_last_resort(self, category: str) -> None:
        """Make the coin that senders who accept it get when this device's others of a category are gone, in the place of the
        one before, and at once; top_up() does it when it is due. Its private key is not burned by receive(): see
        docs/device.md for what that means.

        Raises InvalidArgumentError for a category that is not among last_resort, as nobody would replace that coin; Conflict.
        """
        if category not in self.last_resort:
            raise InvalidArgumentError(f"category: {category} is not among this recipient's last_resort")
        async with self._minting:
            await self._check_clock()
            await self._put_last_resort(category)

    async def receive(self, message: Message) -> bytes:
        """The text of a message; its key is burned before anyone sees the text, unless it is one of last resort.

        Raises NoKeyError for a message whose key was burned, has expired or is another's; BadMessageError for one that was
        changed on its way: its key stays, or strangers could burn keys by naming them.

        A call that is cancelled while the key is burned, and one that raises BackendUnavailableError, keeps the text in
        memory: call it again with the same message. Only the end of the process loses it.
        """
        # One at a time: who finds no key to burn must know whether it was he himself who has burned it.
        async with self._opening:
            text = await to_the_end(self._open(message))
            # Whoever is cancelled before this has not seen it.
            self._opened.pop(message, None)
            return text

    async def is_last_resort(self, message: Message) -> bool:
        """Whether a message was written with a coin that others have too, so that its key is not burned and the message can be
        read again from a copy; before receive() or after it. Raises ClockError as receive() does."""
        stored = await self.vault.fetch_key(message.key_id)
        return stored is not None and stored.is_last_resort

    async def _open(self, message: Message) -> bytes:
        """The text; unless it is one of last resort, its key is burned then, and the text in _opened until receive() has it."""
        text = self._opened.get(message)
        may_be_burned = text is not None
        if text is None:
            stored = await self.vault.fetch_key(message.key_id)
            if stored is None:
                raise NoKeyError("key_id: there is no such private key: burned, expired, or never here")
            if stored.category != message.category:
                raise BadMessageError("category: the message was made for a key of another category")
            text = decrypt(read_private_key(stored.category, stored.private_key), message)
            if stored.is_last_resort:
                return text
            self._opened[message] = text
        try:
            is_burned = await self.vault.burn_key(message.key_id)
        except BackendUnavailableError:
            # It may have been done. A second time does no harm, and its answer is the end of the doubt.
            may_be_burned = True
            is_burned = await self.vault.burn_key(message.key_id)
        if not (is_burned or may_be_burned):
            del self._opened[message]
            raise NoKeyError("key_id: somebody else has opened this message meanwhile")
        return text

    async def _top_up_at_last(self) -> None:
        retries, failures = replace(self.courier.wire.retries, longest_wait=LONGEST_PAUSE), 0
        while True:
            try:
                await self.top_up()
                return
            except (CourierError, BackendUnavailableError, ClockError) as error:
                if isinstance(error, CourierError) and not (is_passing(error) or isinstance(error, PASSING)):
                    raise
                logging.getLogger(__name__).warning("topping up failed and is tried again: %s", type(error).__name__)
                asked = min(error.retry_after, LONGEST_OBEDIENCE) if isinstance(error, CourierError) else 0
                await retries.sleep(retries.wait(failures, asked))
                failures += 1

    async def _check_clock(self) -> None:
        # By a wrong clock good coins would be taken back, and others minted that no sender takes.
        await self.vault.clock.for_asking(self.courier.server_time)

    def _now(self) -> float:
        return self.vault.clock.now() / 1000

    async def _missing(self, status: Status) -> dict[str, int]:
        """How many coins are to be minted, by category."""
        active, missing = await self.vault.count_active(), {}
        for category, target in self.targets.items():
            count = status.counts[category]
            if count >= max(math.ceil(target / 3), min(status.low_stock[category], target)):
                continue
            missing[category] = max(0, min(target - count, MOST_ACTIVE * target - active[category]))
            if missing[category] < target - count:
                logging.getLogger(__name__).warning(
                    "%s coins are missing and not minted: %d keys wait for messages already", category, active[category]
                )
        return {category: number for category, number in missing.items() if number}

    async def _mint(self, wanted: Mapping[str, int]) -> int:
        inserted = await self._upload_earlier()
        epoch = (await self.courier.status()).epoch
        for category in (category for category, number in wanted.items() for _ in range(number)):
            # Before the coin is offered: a message to a key that was lost can be read by nobody.
            self._not_uploaded.append((epoch, await self._make(category)))
        return inserted + await self._upload()

    async def _make(self, category: str, is_last_resort: bool = False) -> Coin:
        coin, private_key = await asyncio.to_thread(
            self.identity.mint, self.courier.user_id, category, self._now(), is_last_resort=is_last_resort
        )
        kept = private_bytes(private_key)
        await self.vault.store_key(coin.key_id, category, kept, is_last_resort=is_last_resort)
        return coin

    async def _upload_earlier(self) -> int:
        """Offer what failed to be offered; what is of an epoch that has ended is burned, and missed by nobody."""
        inserted, oldest = 0, self._now() - CACHED_FOR
        # No sender would keep those; their private keys expire.
        self._forget([coin for _, coin in self._not_uploaded if (minted_at(coin.key_id) or 0) < oldest])
        while self._not_uploaded:
            with suppress(EpochChanged):
                inserted += await self._upload()
        return inserted

    async def _upload(self) -> int:
        """Offer what is not offered yet, batch by batch, each refused or stored as a whole."""
        inserted = 0
        while self._not_uploaded:
            epoch = self._not_uploaded[0][0]
            coins = [coin for minted_in, coin in self._not_uploaded if minted_in == epoch][:BATCH]
            try:
                inserted += await self.courier.upload(coins, epoch)
            except EpochChanged:
                old = [coin for minted_in, coin in self._not_uploaded if minted_in == epoch]
                self._forget(old)
                for coin in old:
                    await self.vault.burn_key(coin.key_id)
                raise
            except REFUSED:
                # Kept, they would block those after them. Their private keys expire.
                self._forget(coins)
                raise
            self._forget(coins)
        return inserted

    def _forget(self, coins: list[Coin]) -> None:
        names = {coin.key_id for coin in coins}
        self._not_uploaded = [entry for entry in self._not_uploaded if entry[1].key_id not in names]

    async def _discard_old(self, keys: list[KeyInfo]) -> None:
        """Take back what no sender would keep any more, and last-resort coins that the app does not want any more."""
        before = self._now() - CACHED_FOR
        old = {
            key.key_id
            for key in keys
            if (key.category not in self.last_resort if key.is_last_resort else key.stored_at < before)
        }
        self._discarded &= old
        names = sorted(old - self._discarded)
        for start in range(0, len(names), DISCARDED_AT_ONCE):
            slice_ = names[start : start + DISCARDED_AT_ONCE]
            await self.courier.discard(slice_)
            self._discarded.update(slice_)

    async def _keep_last_resort(self, keys: list[KeyInfo], status: Status) -> None:
        """Have a coin of last resort on the server in each category that the app named, less than a week old, with its key here:
        what others write with another can't be read."""
        active = [key for key in keys if key.is_last_resort and key.stored_at > self._now() - LIFETIME]
        newest = {key.category: key for key in active}
        number = Counter(key.category for key in active)
        for category in sorted(self.last_resort):
            key = newest.get(category)
            if number[category] >= MOST_LAST_RESORT:
                logging.getLogger(__name__).warning("%s has too many keys of last resort for another", category)
            elif key is None or key.stored_at < self._now() - OLD_LAST_RESORT:
                await self._put_last_resort(category)
            elif category not in status.last_resort or self._on_offer.get(category) != key.key_id:
                await self._put_last_resort_again(key)

    async def _put_last_resort(self, category: str) -> None:
        await self._offer_last_resort(await self._make(category, is_last_resort=True))

    async def _put_last_resort_again(self, key: KeyInfo) -> None:
        """The key is stored before its coin is offered, so that after a failure or a restart nobody knows whether it was: the
        coin is made of it once more, and the server takes the same one twice."""
        stored = await self.vault.fetch_key(key.key_id)
        with suppress(Conflict):
            if stored:
                private_key = read_private_key(stored.category, stored.private_key)
                owner = self.courier.user_id
                await self._offer_last_resort(
                    self.identity.sign(owner, stored.category, key.key_id, private_key, is_last_resort=True)
                )
                return
        # Taken back, or replaced by another vault's: the server gives it to nobody any more.
        await self._put_last_resort(key.category)

    async def _offer_last_resort(self, coin: Coin) -> None:
        await self.courier.put_last_resort(coin)
        self._on_offer[coin.category] = coin.key_id


def _check_categories(categories: Collection[str]) -> None:
    if unknown := set(categories) - ALGORITHMS.keys():
        raise InvalidArgumentError(f"category: there is no {', '.join(sorted(unknown))}")


def _check_counts(counts: Mapping[str, int]) -> None:
    _check_categories(counts)
    for category, count in counts.items():
        if count < 0:
            raise InvalidArgumentError(f"{category}: must not be negative")
