"""What a store does for SecureVault and SmartInventory: every method is atomic, for any number of callers.

Private keys come sealed, contacts as text; times are whole milliseconds since 1970 and always the caller's.
"""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ..keys import ALGORITHMS, Coin

CATEGORIES = tuple(ALGORITHMS)
"""Best first."""

Counts = dict[str, int]
"""By category, all three of them."""

Stored = Literal["STORED", "DUPLICATE", "OVER_BUDGET"]

STRANGER = "STRANGER"
"""The priority of a contact that nobody gave another."""

BUDGETS: Mapping[str, tuple[int, int, int]] = {"BESTIE": (5, 4, 1), "MATE": (0, 6, 4), STRANGER: (0, 0, 0)}
"""Gold, silver, bronze by priority, in a new store. The roadmap fixes BESTIE alone; the lesser ones are our choice."""

BATCH = 500
"""Records that one of several reads of a whole store returns at most; between two of them others get their turn."""

REMOVED = 50
"""Keys or coins that one of several transactions of a clean-up removes at most, in a few milliseconds."""

REMOVED_CONTACTS = 5
"""The same for contacts, each with its coins."""


@dataclass(frozen=True)
class TakenCoin:
    """A coin that was taken out, and its place in the order, to put it back there."""

    coin: Coin
    sequence: int
    minted_at: int


@dataclass(frozen=True)
class Ages:
    """When a coin must have been minted to be of use: since then. Those from before `stale` may be removed, too."""

    since: int
    stale: int


@dataclass(frozen=True)
class KeyRow:
    """What a store knows of an active key without opening it. stored_at: milliseconds."""

    key_id: str
    category: str
    stored_at: int
    is_last_resort: bool


def digest(coin: Coin) -> str:
    """What a public key is known by, whatever name it comes under."""
    return hashlib.sha256(coin.public_key).hexdigest()


class Store(ABC):
    """One open store. All methods raise BackendUnavailableError and DamagedStoreError."""

    name: str
    """The backend, as metrics and logs have it."""

    @abstractmethod
    async def put_key(
        self, key_id: str, category: str, sealed: bytes, expires_at: int, now: int, is_last_resort: bool
    ) -> bool:
        """Store a sealed key; False when the name is taken by one that is active or burned, and not expired."""

    @abstractmethod
    async def get_key(self, key_id: str, now: int) -> tuple[str, bytes, bool] | None:
        """Category, sealed bytes, and whether it is of last resort, of an active key that has not expired."""

    @abstractmethod
    async def list_keys(self, now: int, before: int | None) -> list[KeyRow]:
        """Active keys that have not expired, stored before then, oldest first; read in batches."""

    @abstractmethod
    async def burn_key(self, key_id: str, now: int, until: int) -> bool:
        """Turn an active key into the word that it was burned, kept until then; False when there is no active key."""

    @abstractmethod
    async def purge_keys(self, now: int) -> int:
        """Remove what has expired, in batches; returns how many of it were active keys."""

    @abstractmethod
    async def count_keys(self, now: int) -> Counts:
        """Active keys that have not expired, without those of last resort."""

    @abstractmethod
    async def put_coin(self, contact_id: str, coin: Coin, minted_at: int, now: int, ages: Ages) -> Stored:
        """Cache a contact's coin as its newest, when the budget has room.

        DUPLICATE: its name or its public key is here, or was taken and may not come again.
        """

    @abstractmethod
    async def take_coin(
        self, contact_id: str, categories: Sequence[str], now: int, until: int, ages: Ages
    ) -> TakenCoin | None:
        """Remove the oldest coin of use of the first category that has one; the contact counts as used now.

        until: how long the coin's name stays refused.
        """

    @abstractmethod
    async def note_coin(self, contact_id: str, coin: Coin, mark: str, now: int, until: int, ages: Ages) -> bool:
        """Refuse a coin that was never cached as one that was taken, by its name and its public key, until then; False when it is
        here, or was taken before.

        mark: is noted beside it, unless it is empty; a coin that comes under a mark that is known is answered with True.
        """

    @abstractmethod
    async def return_coin(self, contact_id: str, taken: TakenCoin, since: int) -> bool:
        """Undo take_coin(); False when the contact is gone or has no room any more."""

    @abstractmethod
    async def count_coins(self, contact_id: str, since: int) -> Counts:
        """The contact's cached coins that were minted since then."""

    @abstractmethod
    async def count_all(self, since: int) -> Counts:
        """The cached coins of all contacts that were minted since then."""

    @abstractmethod
    async def room(self, contact_id: str, since: int) -> Counts:
        """How many more coins the contact's budget allows beside those that were minted since then."""

    @abstractmethod
    async def collect(self, before: int, now: int, stale: int) -> list[str]:
        """Remove contacts that were not used since then, in batches, least recently used first; returns them.

        Coins that were minted before `stale` go, too.
        """

    @abstractmethod
    async def set_priority(self, contact_id: str, priority: str, now: int, since: int) -> int | None:
        """Give a contact a priority and remove the newest coins over its budget; the contact counts as used now.

        Coins that were minted before `since` are not looked at. Returns how many coins went, None for an unknown priority.
        """

    @abstractmethod
    async def set_budget(self, priority: str, budget: Sequence[int]) -> None:
        """Store gold, silver and bronze of a priority, new or not. Coins over it stay."""

    @abstractmethod
    async def remove_contact(self, contact_id: str) -> int:
        """Remove a contact and all that is known of it; returns how many coins that were."""

    @abstractmethod
    async def contacts(self) -> dict[str, str]:
        """Priority by contact."""

    @abstractmethod
    async def highest_time(self) -> int:
        """The highest time that was set; 0 in a new store."""

    @abstractmethod
    async def set_highest_time(self, now: int, is_certain: bool) -> None:
        """Keep a time as the highest, unless there is a higher one; is_certain: even then."""

    @abstractmethod
    async def close(self) -> None:
        """Let go of the store."""
