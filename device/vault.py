"""The recipient's private keys, each for one message."""

from __future__ import annotations

import time

from .backends.base import CATEGORIES, Counts, Store
from .clock import DAY, Clock, milliseconds
from .errors import DuplicateKeyError, InvalidArgumentError
from .metrics import Observe, Observed, observed
from .sealing import Sealer

LIFETIME = 30 * DAY
"""Seconds after which a key is gone by itself, and for which a burned key's name stays refused."""

LONGEST_KEY_ID = 128
"""Characters, as the server has it."""


class SecureVault(Observed):
    """Private keys, sealed before the store sees them, and gone after one use or LIFETIME.

    store: where they are. sealer: the store's master key. clock: seconds since 1970. observe: is told of operations.

    Every operation is atomic, and raises BackendUnavailableError or DamagedStoreError when the store fails. One that was
    cancelled, or that found the store unavailable, may have been done: burn_key can be called again, and so can
    store_key, whose DuplicateKeyError then says that it was done.
    """

    def __init__(self, store: Store, sealer: Sealer, clock: Clock = time.time, observe: Observe | None = None) -> None:
        super().__init__("vault", store.name, observe)
        self._store = store
        self._sealer = sealer
        self._clock = clock

    @observed
    async def store_key(self, key_id: str, category: str, private_key: bytes) -> None:
        """Store a key for LIFETIME. key_id: its coin's. category: GOLD, SILVER or BRONZE. private_key: its bytes.

        Raises DuplicateKeyError for a name that was stored or burned within LIFETIME, InvalidArgumentError.
        """
        check_key_id(key_id)
        check_category(category)
        now = self._now()
        sealed = self._sealer.seal(key_id, category, private_key)
        if not await self._store.put_key(key_id, category, sealed, now + milliseconds(LIFETIME), now):
            raise DuplicateKeyError(f"key_id {key_id!r} was stored or burned before: mint a new coin")

    @observed
    async def fetch_key(self, key_id: str) -> bytes | None:
        """The bytes of a key; None when it is not there, burned or expired.

        Raises DamagedStoreError when its record was changed, InvalidArgumentError.
        """
        check_key_id(key_id)
        found = await self._store.get_key(key_id, self._now())
        return self._sealer.open(key_id, found[0], found[1]) if found else None

    @observed
    async def burn_key(self, key_id: str) -> bool:
        """Remove a key for ever; False when there was none to burn. Raises InvalidArgumentError.

        First its record becomes BURNED and loses the sealed bytes, in one step: from then on no crash brings it back.
        The rest, a name that is refused, is deleted after LIFETIME. How long a backend's log keeps the sealed bytes says
        its module.
        """
        check_key_id(key_id)
        now = self._now()
        return await self._store.burn_key(key_id, now, now + milliseconds(LIFETIME))

    @observed
    async def purge_expired(self) -> int:
        """Delete what has expired, in batches; returns how many keys that were. Call it once a day.

        Until then expired keys are on the disk, sealed, but never returned.
        """
        return await self._store.purge_keys(self._now())

    @observed
    async def count_active(self) -> Counts:
        """How many keys may still be used, by category; from an index, so that it costs little with many keys."""
        return await self._store.count_keys(self._now())

    def _now(self) -> int:
        return milliseconds(self._clock())


def check_key_id(key_id: str) -> None:
    """Raises InvalidArgumentError for what is no name of a key."""
    if not 0 < len(key_id) <= LONGEST_KEY_ID or not key_id.isprintable():
        raise InvalidArgumentError(f"key_id: must have 1 to {LONGEST_KEY_ID} printable characters")


def check_category(category: str) -> None:
    """Raises InvalidArgumentError for what is no category."""
    if category not in CATEGORIES:
        raise InvalidArgumentError(f"category: must be one of {', '.join(CATEGORIES)}")
