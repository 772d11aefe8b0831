"""What an app does with its two ends: mint, top up and receive; prefetch and send."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from cryptography.exceptions import InvalidSignature

from .answers import Wish
from .context import choose_category
from .courier import CourierClient
from .errors import DuplicateCoinError, EpochChanged, ForgedCoinError, NoCoinError, NoKeyError, OverBudgetError
from .inventory import SmartInventory
from .keys import ALGORITHMS, Coin, Identity, VerifyKeys, private_bytes, read_private_key, verify
from .message import Message, decrypt, encrypt
from .vault import SecureVault

TARGETS: Mapping[str, int] = {"GOLD": 100, "SILVER": 100, "BRONZE": 100}
"""Unclaimed coins of a device on the server, by category."""

MOST_WISHES = 10
"""In one request: 1,000 coins at most."""

MOST_COINS = 100
"""In one wish."""


class Recipient:
    """A device that is written to.

    identity: signs its coins; senders know the public half. targets: unclaimed coins that top_up() restores.
    All methods raise CourierError for the server and StoreError for the vault.
    """

    def __init__(
        self, identity: Identity, vault: SecureVault, courier: CourierClient, targets: Mapping[str, int] = TARGETS
    ) -> None:
        self.identity = identity
        self.vault = vault
        self.courier = courier
        self.targets = targets

    async def mint(self, wanted: Mapping[str, int]) -> int:
        """Make coins, so many by category, keep their private keys and upload the public halves.

        Returns how many the server stored. Raises EpochChanged when a restore came between: nothing was stored then.
        """
        epoch = (await self.courier.status()).epoch
        coins = []
        for category in (category for category, number in wanted.items() for _ in range(number)):
            coin, private_key = await asyncio.to_thread(self.identity.mint, category)
            # Before the coin is offered: a message to a key that was lost can be read by nobody.
            await self.vault.store_key(coin.key_id, category, private_bytes(private_key))
            coins.append(coin)
        return await self.courier.upload(coins, epoch)

    async def top_up(self) -> dict[str, int]:
        """Mint where less than a third of the target is left; returns how many coins by category.

        After a restore of the server (EpochChanged) once more: private keys of coins that are gone expire by themselves, as
        nobody can tell which of them a message is on its way to.
        """
        counts = (await self.courier.status()).counts
        wanted = {
            category: target - counts[category]
            for category, target in self.targets.items()
            if counts[category] < math.ceil(target / 3)
        }
        if wanted:
            try:
                await self.mint(wanted)
            except EpochChanged:
                await self.mint(wanted)
        return wanted

    async def receive(self, message: Message) -> bytes:
        """The text of a message; its key is burned before anyone sees the text.

        Raises NoKeyError for a message whose key was burned, has expired or is another's; BadMessageError for one that was
        changed on its way: its key stays, or strangers could burn keys by naming them.
        """
        private = await self.vault.fetch_key(message.key_id)
        if private is None:
            raise NoKeyError("key_id: there is no such private key: burned, expired, or never here")
        text = decrypt(read_private_key(message.category, private), message)
        if not await self.vault.burn_key(message.key_id):
            raise NoKeyError("key_id: somebody else has opened this message meanwhile")
        return text


@dataclass(frozen=True)
class Prefetched:
    """What a prefetch brought. stored: coins by category. forged: coins without their owner's signature. dropped: coins that had
    no room any more, or were there."""

    stored: Counter[str] = field(default_factory=Counter)
    forged: Counter[UUID] = field(default_factory=Counter)
    dropped: int = 0


class Sender:
    """A device that writes to contacts.

    verify_keys: by contact, as learned from the contact itself and not from the server.
    All methods raise CourierError for the server and StoreError for the inventory.
    """

    def __init__(
        self, inventory: SmartInventory, courier: CourierClient, verify_keys: Mapping[UUID, VerifyKeys]
    ) -> None:
        self.inventory = inventory
        self.courier = courier
        self.verify_keys = verify_keys

    async def prefetch(self, contacts: Sequence[UUID] | None = None) -> Prefetched:
        """Claim what the contacts' budgets have room for, and keep what carries the owner's signature.

        contacts: whose coins; None: of all contacts of the inventory whose verify_keys are known.
        """
        if contacts is None:
            contacts = [contact for contact in await self.inventory.contacts() if contact in self.verify_keys]
        wishes = [
            Wish(contact, category, min(room, MOST_COINS))
            for contact in contacts
            for category, room in (await self.inventory.room(contact)).items()
            if room
        ]
        stored: Counter[str] = Counter()
        forged: Counter[UUID] = Counter()
        dropped = 0
        for start in range(0, len(wishes), MOST_WISHES):
            for outcome in await self.courier.claim_many(wishes[start : start + MOST_WISHES]):
                for coin in outcome.coins:
                    try:
                        self._verify(outcome.wish.target, coin)
                        await self.inventory.store_key(outcome.wish.target, coin)
                        stored[coin.category] += 1
                    except ForgedCoinError:
                        forged[outcome.wish.target] += 1
                    except (OverBudgetError, DuplicateCoinError):
                        dropped += 1
        return Prefetched(stored, forged, dropped)

    async def send(self, contact: UUID, text: bytes, battery: float, signal: float) -> Message:
        """A message to a contact, by the best coin that battery and signal allow and that there is.

        battery, signal: 0 to 1. A cached coin if there is one, else one from the server, at last one that others have too.
        Raises NoCoinError when there is none at all, ForgedCoinError for one without the contact's signature.
        """
        wished = choose_category(battery, signal)
        coin = await self.inventory.select_coin(contact, wished) or await self._claim(contact, wished)
        return await asyncio.to_thread(encrypt, coin, text)

    async def _claim(self, contact: UUID, wished: str) -> Coin:
        categories = list(ALGORITHMS)
        allowed = categories[categories.index(wished) :]
        # Each alone, as a coin that is claimed and not used is gone; one that others have too is the last choice.
        for accept, category in [(accept, category) for accept in (False, True) for category in allowed]:
            (outcome,) = await self.courier.claim_many([Wish(contact, category, accept_last_resort=accept)])
            for coin in [*outcome.coins, outcome.last_resort]:
                if coin:
                    self._verify(contact, coin)
                    return coin
        raise NoCoinError("contact: has no coin here or on the server")

    def _verify(self, contact: UUID, coin: Coin) -> None:
        if contact not in self.verify_keys:
            raise ForgedCoinError("contact: the keys that verify its coins are not known")
        try:
            verify(coin, self.verify_keys[contact])
        except InvalidSignature:
            raise ForgedCoinError(f"key_id {coin.key_id}: this coin does not carry its owner's signature") from None
