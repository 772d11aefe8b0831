"""The sender's cached coins, by contact."""

from __future__ import annotations

import asyncio
import logging
import time
from hashlib import sha256
from uuid import UUID

from .backends.base import CATEGORIES, Ages, Counts, Store, TakenCoin, digest
from .clock import DAY, Clock, WatchedClock, milliseconds
from .errors import (
    DuplicateCoinError,
    InvalidArgumentError,
    OverBudgetError,
    StaleCoinError,
    StoreError,
    UnknownPriorityError,
)
from .keys import Coin, minted_at
from .metrics import Observe, Observed, observed
from .shielded import to_the_end
from .vault import LIFETIME, check_category, check_key_id

UNUSED_AFTER = 30 * DAY
"""Seconds without a message to a contact, or a new priority, after which its coins are not worth their room."""

CACHED_FOR = 23 * DAY
"""Seconds after its minting for which a coin is of use: its private key lives for LIFETIME, and a message may take a week."""

LARGEST_BUDGET = 1000


class SmartInventory(Observed):
    """Coins of contacts, as many of each category as the contact's priority allows, each given out once.

    store: where they are. clock: seconds since 1970. observe: is told of operations.

    Coins are public, so they are not sealed; but who one's contacts are is private, and of the backends only SQLCipher
    hides that. A contact that was given no priority is a STRANGER.

    Coins that were minted over CACHED_FOR ago are as good as gone: they are neither given nor counted, and leave room.

    Every operation is atomic, and raises BackendUnavailableError or DamagedStoreError when the store fails. A clock that
    is not to be believed stores and collects nothing, as with SecureVault.
    """

    def __init__(self, store: Store, clock: Clock = time.time, observe: Observe | None = None) -> None:
        super().__init__("inventory", store.name, observe)
        self._store = store
        self._clock = WatchedClock(store, clock)

    @property
    def clock(self) -> WatchedClock:
        """The time, and whether it is to be believed."""
        return self._clock

    @observed
    async def store_key(self, contact_id: UUID, coin: Coin) -> None:
        """Cache a coin as its contact's newest. Verify its signature first.

        Raises OverBudgetError, InvalidArgumentError, ClockError, StaleCoinError for a coin that was minted over CACHED_FOR
        ago, more than a day in the future, or nobody knows when, and DuplicateCoinError for one that is here, or was taken
        within LIFETIME, even under another name: an answer of the server may come twice.
        """
        check_category(coin.category)
        check_key_id(coin.key_id)
        now = await self._clock.for_storing()
        ages = await self._ages()
        minted = minted_at(coin.key_id)
        if minted is None:
            raise StaleCoinError(f"key_id {coin.key_id!r} does not say when it was minted: it is no UUID of version 7")
        if not ages.since <= milliseconds(minted) <= now + milliseconds(DAY):
            raise StaleCoinError(f"key_id {coin.key_id!r} was minted too long ago, or in the future: claim another")
        stored = await self._store.put_coin(str(contact_id), coin, milliseconds(minted), now, ages)
        if stored == "DUPLICATE":
            raise DuplicateCoinError(f"key_id {coin.key_id!r} of this contact, or its public key, was stored before")
        if stored == "OVER_BUDGET":
            raise OverBudgetError(f"the contact's priority has no room for more {coin.category} coins")

    @observed
    async def select_coin(self, contact_id: UUID, category: str, least: str = "BRONZE") -> Coin | None:
        """Take the oldest coin of the wished category, else of the next lower one, never of a higher; None without any.

        least: the lowest category that it may be. The contact counts as used, with a coin or without.

        The coin is gone then: a message is lost rather than a coin used twice. A call that is cancelled while the store
        works waits for it and puts the coin back. One that ends with BackendUnavailableError, or a kill, may have cost
        a coin. Raises InvalidArgumentError.
        """
        check_category(category)
        check_category(least)
        now, ages = await self._clock.latest(), await self._ages()
        taking = asyncio.ensure_future(
            self._store.take_coin(
                str(contact_id),
                CATEGORIES[CATEGORIES.index(category) : CATEGORIES.index(least) + 1],
                now,
                now + milliseconds(LIFETIME),
                ages,
            )
        )
        try:
            taken = await to_the_end(taking)
        except asyncio.CancelledError:
            await to_the_end(self._put_back(contact_id, taking, ages.since))
            raise
        return taken.coin if taken else None

    @observed
    async def note_used(self, contact_id: UUID, coin: Coin, request: UUID | None = None) -> bool:
        """Remember a coin that is used without ever having been cached; False when it must not be, as it is cached, or was used
        within LIFETIME under this name or another: a server may give one coin twice.

        request: what brought the coin, if that may be repeated to get the same coin again; then it may be used again.
        The contact is a STRANGER, if it was not known.
        """
        mark = sha256(f"{request} {digest(coin)}".encode()).hexdigest() if request else ""
        now, ages = await self._clock.latest(), await self._ages()
        return await self._store.note_coin(str(contact_id), coin, mark, now, now + milliseconds(LIFETIME), ages)

    @observed
    async def count_coins(self, contact_id: UUID) -> Counts:
        """The contact's coins, by category."""
        return await self._store.count_coins(str(contact_id), (await self._ages()).since)

    @observed
    async def count_all(self) -> Counts:
        """The coins of all contacts, by category."""
        return await self._store.count_all((await self._ages()).since)

    @observed
    async def room(self, contact_id: UUID) -> Counts:
        """How many more coins of each category store_key() would take."""
        return await self._store.room(str(contact_id), (await self._ages()).since)

    @observed
    async def garbage_collect(self, is_certain: bool = False) -> list[UUID]:
        """Forget contacts unused for UNUSED_AFTER with their coins, least recently used first; returns them in that order.

        A contact is used when a coin is asked for and when it is given a priority; storing coins is no use. The coins
        of others that are too old go, too. is_certain: as of SecureVault.purge_expired(). Raises ClockError.
        """
        now = await self._clock.for_removing(is_certain)
        collected = await self._store.collect(now - milliseconds(UNUSED_AFTER), now, now - milliseconds(CACHED_FOR))
        return [UUID(contact_id) for contact_id in collected]

    @observed
    async def set_priority(self, contact_id: UUID, priority: str) -> int:
        """Give a contact, known or new, another budget; returns how many coins over it went, the newest of each category.

        Raises UnknownPriorityError.
        """
        now, ages = await self._clock.latest(), await self._ages()
        removed = await self._store.set_priority(str(contact_id), priority, now, ages.since)
        if removed is None:
            raise UnknownPriorityError(f"priority: there is no {priority!r}; set_budget makes one")
        return removed

    @observed
    async def set_budget(self, priority: str, gold: int, silver: int, bronze: int) -> None:
        """Say how many coins a contact of a priority, known or new, may have.

        Coins that are over it stay until they are used or the contact's priority is set. Raises InvalidArgumentError.
        """
        if not priority:
            raise InvalidArgumentError("priority: is empty")
        for field, count in (("gold", gold), ("silver", silver), ("bronze", bronze)):
            if not 0 <= count <= LARGEST_BUDGET:
                raise InvalidArgumentError(f"{field}: must be from 0 to {LARGEST_BUDGET}")
        await self._store.set_budget(priority, (gold, silver, bronze))

    @observed
    async def remove_contact(self, contact_id: UUID) -> int:
        """Forget a contact; returns how many coins went."""
        return await self._store.remove_contact(str(contact_id))

    @observed
    async def contacts(self) -> dict[UUID, str]:
        """The priority of each contact."""
        return {UUID(contact_id): priority for contact_id, priority in (await self._store.contacts()).items()}

    async def _ages(self) -> Ages:
        cached_for = milliseconds(CACHED_FOR)
        return Ages(await self._clock.latest() - cached_for, await self._clock.trusted() - cached_for)

    async def _put_back(self, contact_id: UUID, taking: asyncio.Future[TakenCoin | None], since: int) -> None:
        is_back = False
        try:
            taken = await taking
            is_back = taken is None or await self._store.return_coin(str(contact_id), taken, since)
        except StoreError:
            pass
        finally:
            if not is_back:
                logging.getLogger(__name__).warning("select_coin was cancelled, and its coin could not be put back")
