"""The recipient's private keys, each for one message."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from .backends.base import CATEGORIES, Counts, Store
from .clock import DAY, JUMPED, Clock, WatchedClock, milliseconds
from .errors import ClockError, DuplicateKeyError, InvalidArgumentError
from .keys import LONGEST_KEY_ID, is_key_id
from .metrics import Observe, Observed, observed
from .sealing import Sealer

LIFETIME = 30 * DAY
"""Seconds after which a key is gone by itself, and for which a burned key's name stays refused."""


@dataclass(frozen=True)
class StoredKey:
    """A private key as it was stored. is_last_resort: its coin is given to many, so that reading one message leaves it."""

    category: str
    private_key: bytes = field(repr=False)
    is_last_resort: bool


@dataclass(frozen=True)
class KeyInfo:
    """What is known of a key without opening it. stored_at: seconds since 1970."""

    key_id: str
    category: str
    stored_at: float
    is_last_resort: bool


class SecureVault(Observed):
    """Private keys, sealed before the store sees them, and gone after one use or LIFETIME.

    store: where they are. sealer: the store's master key. clock: seconds since 1970. observe: is told of operations.

    Every operation is atomic, and raises BackendUnavailableError or DamagedStoreError when the store fails. One that was
    cancelled, or that found the store unavailable, may have been done: burn_key can be called again, and so can
    store_key, whose DuplicateKeyError then says that it was done.

    The store keeps the highest time it has believed, to the hour: a clock that is before 2025, more than a day behind it, or
    over 7 days ahead stores and purges nothing, and lets nothing expire, before the server (in the flows of Recipient and
    Sender) or the app says that it is right.
    """

    def __init__(self, store: Store, sealer: Sealer, clock: Clock = time.time, observe: Observe | None = None) -> None:
        super().__init__("vault", store.name, observe)
        self._store = store
        self._sealer = sealer
        self._clock = WatchedClock(store, clock)

    @property
    def clock(self) -> WatchedClock:
        """The time, and whether it is to be believed."""
        return self._clock

    @observed
    async def store_key(self, key_id: str, category: str, private_key: bytes, *, is_last_resort: bool = False) -> None:
        """Store a key for LIFETIME. key_id: its coin's. category: GOLD, SILVER or BRONZE. private_key: its bytes.

        Raises DuplicateKeyError for a name that was stored or burned within LIFETIME, InvalidArgumentError, ClockError.
        """
        check_key_id(key_id)
        check_category(category)
        now = await self._clock.for_storing()
        sealed = self._sealer.seal(key_id, category, private_key, is_last_resort)
        if not await self._store.put_key(key_id, category, sealed, now + milliseconds(LIFETIME), now, is_last_resort):
            raise DuplicateKeyError(f"key_id {key_id!r} was stored or burned before: mint a new coin")

    @observed
    async def fetch_key(self, key_id: str) -> StoredKey | None:
        """A key; None when it is not there, burned or expired.

        Raises DamagedStoreError when its record was changed, InvalidArgumentError, ClockError when it has expired only by a
        clock that has jumped ahead and is not believed: whoever took that for "expired" would lose the message.
        """
        check_key_id(key_id)
        now, believed = self._clock.now(), await self._clock.trusted()
        found = await self._store.get_key(key_id, believed)
        if not found:
            return None
        if now > believed and not await self._store.get_key(key_id, now):
            raise ClockError(JUMPED)
        category, sealed, is_last_resort = found
        return StoredKey(category, self._sealer.open(key_id, category, sealed, is_last_resort), is_last_resort)

    @observed
    async def burn_key(self, key_id: str) -> bool:
        """Remove a key for ever; False when there was none to burn. Raises InvalidArgumentError.

        First its record becomes BURNED and loses the sealed bytes, in one step: from then on no crash brings it back.
        The rest, a name that is refused, is deleted after LIFETIME. How long a backend's log keeps the sealed bytes says
        its module.
        """
        check_key_id(key_id)
        until = await self._clock.latest() + milliseconds(LIFETIME)
        return await self._store.burn_key(key_id, await self._clock.trusted(), until)

    @observed
    async def purge_expired(self, is_certain: bool = False) -> int:
        """Delete what has expired, in batches; returns how many keys that were. Call it once a day, after top_up(): that finds
        by the keys which coins are to be taken back.

        Until then expired keys are on the disk, sealed, but never returned.

        is_certain: the clock is right, as the network's time or a person says. An app that was off for more than 7 days, and has
        not topped up or prefetched since, asks the network before it says so; this also mends a store that had seen a time
        too high. Raises ClockError.
        """
        return await self._store.purge_keys(await self._clock.for_removing(is_certain))

    @observed
    async def count_active(self) -> Counts:
        """How many keys may still be used, by category, without those of last resort; from an index, so that it costs
        little with many keys."""
        return await self._store.count_keys(await self._clock.trusted())

    @observed
    async def list_keys(self, stored_before: float | None = None, *, with_expired: bool = False) -> list[KeyInfo]:
        """Active keys, oldest first, those of last resort among them.

        stored_before: seconds since 1970; None: all. with_expired: also those that have expired and are not purged yet, whose
        coins may still be on the server.
        """
        before = None if stored_before is None else milliseconds(stored_before)
        now = 0 if with_expired else await self._clock.trusted()
        return [
            KeyInfo(row.key_id, row.category, row.stored_at / 1000, row.is_last_resort)
            for row in await self._store.list_keys(now, before)
        ]


def check_key_id(key_id: str) -> None:
    """Raises InvalidArgumentError for what is no name of a key."""
    if not is_key_id(key_id):
        raise InvalidArgumentError(f"key_id: must have 1 to {LONGEST_KEY_ID} printable characters")


def check_category(category: str) -> None:
    """Raises InvalidArgumentError for what is no category."""
    if category not in CATEGORIES:
        raise InvalidArgumentError(f"category: must be one of {', '.join(CATEGORIES)}")
