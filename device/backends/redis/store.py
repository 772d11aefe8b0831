"""A store in Redis 7 or newer.

With AOF everysec, a crash of the machine loses what was written in its last second, two when the disk is slow; a crash of
Redis alone only what it held back because of such a disk. That may be a burn: the key is there again until it is burned
once more, or expires. The AOF keeps the sealed bytes of a burned key, which only the master key opens, until Redis
rewrites it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from ...errors import BackendUnavailableError, NewerStoreError
from ...keys import Coin
from ...sealing import Cost, Sealer, Secret, make_header, unlock
from ..base import BATCH, BUDGETS, CATEGORIES, Counts, Store, Stored, TakenCoin

VERSION = 1
"""Of the keys' layout; part of their prefix."""

OLDEST = 7
"""Major version of Redis that has functions."""

CONNECTIONS = 8
PATIENCE = 5
"""Seconds for an answer, with the wait for a free connection."""


class RedisStore(Store):
    """Records under one prefix of one Redis database.

    url: as redis-py reads it: redis://, rediss:// or unix://. version: of the layout; another one is for tests.
    """

    name = "redis"

    def __init__(self, url: str, version: int = VERSION) -> None:
        # A call that is sent again could take a second coin: nothing is ever retried here. And no socket_timeout, for
        # which redis-py uses wait_for(), that may swallow a cancellation before Python 3.12: _answer() has the time-out.
        pool = BlockingConnectionPool.from_url(
            url, max_connections=CONNECTIONS, timeout=None, socket_timeout=None, retry=Retry(NoBackoff(), 0)
        )
        self.client: Redis = Redis.from_pool(pool)
        self.version = version
        self.prefix = _prefix(version)
        self._is_closed = False

    async def prepare(self) -> None:
        """Load the functions, move what an older version left to this one's prefix, add the budgets that are missing.

        Raises BackendUnavailableError when Redis isn't reachable, is too old or would lose records, NewerStoreError.
        """
        self._refuse_unfit(await _answer(self.client.info()))
        await _answer(self.client.function_load(files(__package__).joinpath("library.lua").read_text(), replace=True))
        if await _answer(self.client.exists(f"{_prefix(self.version + 1)}header")):
            raise NewerStoreError("the records in Redis are of a newer version: update this program")
        for older in range(self.version):
            if await _answer(self.client.exists(f"{_prefix(older)}header")):
                await self._migrate(_prefix(older))
        for priority, budget in BUDGETS.items():
            for category, count in zip(CATEGORIES, budget, strict=True):
                await _answer(self.client.hsetnx(f"{self.prefix}budget:{priority}", category, str(count)))

    async def unlock(self, secret: Secret, cost: Cost) -> Sealer:
        """The keys of this store; its header is made with the cost when there is none. Raises what unlock() does."""
        key = f"{self.prefix}header"
        header = await _answer(self.client.get(key))
        if header is None:
            await _answer(self.client.set(key, await asyncio.to_thread(make_header, secret, cost), nx=True))
            header = await _answer(self.client.get(key))
        return await asyncio.to_thread(unlock, header, secret)

    async def put_key(self, key_id: str, category: str, sealed: bytes, expires_at: int, now: int) -> bool:
        return bool(await self._call("put_key", key_id, category, sealed, expires_at, now))

    async def get_key(self, key_id: str, now: int) -> tuple[str, bytes] | None:
        found = await self._call("get_key", key_id, now)
        # Without its bytes the record was changed, which the sealer tells.
        return (found[0].decode(), found[1] or b"") if found else None

    async def burn_key(self, key_id: str, now: int, until: int) -> bool:
        return bool(await self._call("burn_key", key_id, now, until))

    async def purge_keys(self, now: int) -> int:
        purged = 0
        while batch := int(await self._call("purge_keys", now, BATCH)):
            purged += batch
        return purged

    async def count_keys(self, now: int) -> Counts:
        return dict(zip(CATEGORIES, await self._call("count_keys", now), strict=True))

    async def put_coin(self, contact_id: str, coin: Coin, now: int) -> Stored:
        stored: Stored = (await self._call("put_coin", contact_id, now, *_arguments(coin))).decode()
        return stored

    async def take_coin(self, contact_id: str, categories: Sequence[str], now: int, until: int) -> TakenCoin | None:
        taken = await self._call("take_coin", contact_id, now, until, *categories)
        if taken is None:
            return None
        category, key_id, public_key, signature, sequence = taken
        return TakenCoin(Coin(key_id.decode(), category.decode(), public_key, signature), int(sequence))

    async def return_coin(self, contact_id: str, taken: TakenCoin) -> bool:
        return bool(await self._call("return_coin", contact_id, taken.sequence, *_arguments(taken.coin)))

    async def count_coins(self, contact_id: str) -> Counts:
        return dict(zip(CATEGORIES, await self._call("count_coins", contact_id), strict=True))

    async def room(self, contact_id: str) -> Counts:
        return dict(zip(CATEGORIES, await self._call("room", contact_id), strict=True))

    async def collect(self, before: int, now: int) -> list[str]:
        collected: list[str] = []
        while batch := await self._call("collect", before, BATCH):
            collected += [contact_id.decode() for contact_id in batch]
        return collected

    async def set_priority(self, contact_id: str, priority: str, now: int) -> int | None:
        removed: int | None = await self._call("set_priority", contact_id, priority, now)
        return removed

    async def set_budget(self, priority: str, budget: Sequence[int]) -> None:
        await self._call("set_budget", priority, *budget)

    async def remove_contact(self, contact_id: str) -> int:
        return int(await self._call("remove_contact", contact_id))

    async def contacts(self) -> dict[str, str]:
        found: dict[str, str] = {}
        cursor = None
        while cursor != 0:
            cursor, part = await _answer(self.client.hscan(f"{self.prefix}contacts", cursor or 0, count=BATCH))
            found |= {contact_id.decode(): priority.decode() for contact_id, priority in part.items()}
        return found

    async def close(self) -> None:
        self._is_closed = True
        await self.client.aclose()

    async def _call(self, function: str, *arguments: str | bytes | int) -> Any:
        if self._is_closed:
            raise BackendUnavailableError("the store is closed")
        return await _answer(self.client.fcall(f"aqm_{function}", 1, self.prefix, *arguments))

    async def _migrate(self, old: str) -> None:
        cursor = b"0"
        while True:
            cursor = await self._call("migrate", old, cursor, BATCH)
            if cursor == b"0":
                return

    def _refuse_unfit(self, info: dict[str, Any]) -> None:
        if int(str(info["redis_version"]).partition(".")[0]) < OLDEST:
            raise BackendUnavailableError(f"Redis is of version {info['redis_version']}: {OLDEST} or newer is needed")
        # A lost private key is a lost message, and nobody notices a warning: such a Redis is refused.
        if not info.get("aof_enabled"):
            raise BackendUnavailableError(
                "Redis would lose the keys when it restarts: set appendonly yes, as device/redis.conf does"
            )
        if info.get("maxmemory") and info.get("maxmemory_policy") != "noeviction":
            raise BackendUnavailableError(
                "Redis would drop keys when memory is short: set maxmemory-policy noeviction, as device/redis.conf does"
            )


async def _answer(command: Any) -> Any:
    """What Redis answers. Its messages may quote a command's arguments: of those only the code is told."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await command
    except ResponseError as error:
        raise BackendUnavailableError(f"Redis refused a command: {str(error).partition(' ')[0]}") from None
    except (RedisError, OSError) as error:
        raise BackendUnavailableError(f"Redis does not answer ({type(error).__name__}): is it running?") from None


def _arguments(coin: Coin) -> tuple[str, str, bytes, bytes]:
    return coin.category, coin.key_id, coin.public_key, coin.signature


def _prefix(version: int) -> str:
    return f"aqm:{version}:"
