"""A store in Redis 7 or newer.

With AOF everysec, a crash of the machine loses what was written in its last second, two when the disk is slow; a crash of
Redis alone only what it held back because of such a disk. That may be a burn: the key is there again until it is burned
once more, or expires.

The sealed bytes of a burned key leave memory at once. They leave the append-only file when Redis rewrites it, which is
asked for CLEAN_AFTER seconds after the first burn that it still has, and by close(), which waits for it; what a killed
program left is rewritten when the store is opened next. Until then whoever has the file and the passphrase reads the key.
Not reached are what the file system keeps of freed blocks, copies of the file, replicas, and a dump.rdb where `save` is
set, until the next one.

A machine's clock that jumps ahead by 60 days or more lets Redis expire keys that are still good.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import time
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from redis.asyncio import BlockingConnectionPool, Connection, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from ...errors import BackendUnavailableError, DamagedStoreError, InvalidArgumentError, NewerStoreError
from ...keys import Coin
from ...sealing import Cost, Sealer, Secret, make_header, rewrap, unlock
from ...shielded import to_the_end
from ..base import (
    BATCH,
    BUDGETS,
    CATEGORIES,
    REMOVED,
    REMOVED_CONTACTS,
    Ages,
    Counts,
    KeyRow,
    Store,
    Stored,
    TakenCoin,
    digest,
)

VERSION = 2
"""Of the keys' layout; part of their prefix, and of the functions' names."""

OLDEST = 7
"""Major version of Redis that has functions."""

CONNECTIONS = 8
PATIENCE = 5
"""Seconds for an answer, with the wait for a free connection."""

CLEAN_AFTER = 10.0
"""Seconds. A rewriting costs the machine as much as all records are large."""

REWRITING = 60
"""Seconds that a rewriting may take."""

LOOK_AGAIN = 60.0
"""Seconds after which Redis's configuration may be another."""

ANOTHER = "Redis holds another store than when this one was opened: close it and open it again"


class UnfitError(RedisError):
    """This Redis would lose keys."""


class RedisStore(Store):
    """Records under one prefix of one Redis database.

    url: as redis-py reads it: rediss://, unix://, or redis:// to this machine. Raises InvalidArgumentError for another
    machine, as who one's contacts are would travel in the clear, and ValueError for what is no URL.
    """

    name = "redis"

    def __init__(self, url: str) -> None:
        # A call that is sent again could take a second coin: nothing is ever retried here. And no socket_timeout, for
        # which redis-py uses wait_for(), that may swallow a cancellation before Python 3.12: _answer() has the time-out.
        pool = BlockingConnectionPool.from_url(
            url, max_connections=CONNECTIONS, timeout=None, socket_timeout=None, retry=Retry(NoBackoff(), 0),
            redis_connect_func=self._greet,
        )  # fmt: skip
        if pool.connection_class is Connection and not _is_here(pool.connection_kwargs.get("host", "localhost")):
            raise InvalidArgumentError("url: redis:// to another machine is not encrypted: use rediss:// or unix://")
        self.client: Redis = Redis.from_pool(pool)
        self.prefix = f"aqm:{VERSION}:"
        self._identity = ""
        self._look_at = time.monotonic() + LOOK_AGAIN
        self._timer: asyncio.TimerHandle | None = None
        self._cleaning: asyncio.Task[None] | None = None
        self._one_cleaning = asyncio.Lock()
        self._is_closed = False

    async def prepare(self) -> None:
        """Load the functions, move what an older version left to this one's prefix, add the budgets that are missing.

        Raises BackendUnavailableError when Redis isn't reachable, is too old or would lose records, NewerStoreError.
        """
        if int(await _answer(self.client.get("aqm:version")) or 0) > VERSION:
            raise NewerStoreError("the records in Redis are of a newer version: update this program")
        await _answer(self.client.function_load(files(__package__).joinpath("library.lua").read_text(), replace=True))
        await self._function("begin")
        # A program of version 1 that has the store open must stop: it would write where nobody looks any more.
        if await _answer(self.client.function_list(library="aqm")):
            await _answer(self.client.function_delete("aqm"))
        if await _answer(self.client.exists("aqm:1:header")):
            cursor = b"0"
            while (cursor := await self._function("migrate", cursor, BATCH)) != b"0":
                pass
        for priority, budget in BUDGETS.items():
            for category, count in zip(CATEGORIES, budget, strict=True):
                await _answer(self.client.hsetnx(f"{self.prefix}budget:{priority}", category, str(count)))

    async def unlock(self, secret: Secret, cost: Cost) -> Sealer:
        """The keys of this store; its header is made with the cost when the store is new.

        Raises what unlock() does, and DamagedStoreError for records without a header.
        """
        header = await self._function("open")
        if header is None:
            fresh = await asyncio.to_thread(make_header, secret, cost)
            header = await self._function("open", fresh, (await asyncio.to_thread(unlock, fresh, secret)).identity)
        sealer = await asyncio.to_thread(unlock, header, secret)
        if (await self._function("identify", sealer.identity)).decode() != sealer.identity:
            raise BackendUnavailableError(ANOTHER)
        self._identity = sealer.identity
        if await self._call("uncleaned"):
            self._clean_soon()
        return sealer

    async def change_secret(self, secret: Secret, new_secret: Secret, cost: Cost) -> None:
        """Put another header in the old one's place, of the same master key. Raises what unlock() does."""
        header = await self._function("open")
        if header is None:
            raise BackendUnavailableError("there is no store in Redis yet: open one first")
        fresh = await asyncio.to_thread(rewrap, header, secret, new_secret, cost)
        if not await self._function("change_header", header, fresh):
            raise BackendUnavailableError("another program has just changed the secret: try again")
        # So that close() lets the old header leave Redis's file, too.
        await self.unlock(new_secret, cost)

    async def put_key(
        self, key_id: str, category: str, sealed: bytes, expires_at: int, now: int, is_last_resort: bool
    ) -> bool:
        return bool(await self._call("put_key", key_id, category, sealed, expires_at, now, int(is_last_resort)))

    async def get_key(self, key_id: str, now: int) -> tuple[str, bytes, bool] | None:
        found = await self._call("get_key", key_id, now)
        # Without its bytes the record was changed, which the sealer tells.
        return (found[0].decode(), found[1] or b"", found[2] == b"1") if found else None

    async def list_keys(self, now: int, before: int | None) -> list[KeyRow]:
        rows: list[KeyRow] = []
        place: bytes = b"-"
        while place:
            place, *found = await self._call("list_keys", now, place, "" if before is None else before, BATCH)
            rows += [
                KeyRow(key_id.decode(), category.decode(), int(stored_at), last == b"1")
                for key_id, category, stored_at, last in zip(*[iter(found)] * 4, strict=True)
            ]
        return rows

    async def burn_key(self, key_id: str, now: int, until: int) -> bool:
        # Before, not after: a caller who is cancelled meanwhile must not keep the file from being rewritten.
        self._clean_soon()
        return bool(await self._call("burn_key", key_id, now, until))

    async def purge_keys(self, now: int) -> int:
        self._clean_soon()
        purged = 0
        while batch := int(await self._call("purge_keys", now, REMOVED)):
            purged += batch
        return purged

    async def count_keys(self, now: int) -> Counts:
        return dict(zip(CATEGORIES, await self._call("count_keys", now), strict=True))

    async def put_coin(self, contact_id: str, coin: Coin, minted_at: int, now: int, ages: Ages) -> Stored:
        stored: Stored = (
            await self._call("put_coin", contact_id, now, ages.since, ages.stale, *_arguments(coin, minted_at))
        ).decode()
        return stored

    async def take_coin(
        self, contact_id: str, categories: Sequence[str], now: int, until: int, ages: Ages
    ) -> TakenCoin | None:
        taken = await self._call("take_coin", contact_id, now, until, ages.since, ages.stale, *categories)
        if taken is None:
            return None
        category, key_id, public_key, signature, sequence, minted_at = taken
        coin = Coin(key_id.decode(), category.decode(), public_key, signature)
        return TakenCoin(coin, int(sequence), int(minted_at))

    async def note_coin(self, contact_id: str, coin: Coin, mark: str, now: int, until: int, ages: Ages) -> bool:
        known_by = coin.key_id, digest(coin)
        return bool(await self._call("note_coin", contact_id, now, until, ages.stale, *known_by, mark))

    async def return_coin(self, contact_id: str, taken: TakenCoin, since: int) -> bool:
        arguments = _arguments(taken.coin, taken.minted_at)
        return bool(await self._call("return_coin", contact_id, taken.sequence, since, *arguments))

    async def count_coins(self, contact_id: str, since: int) -> Counts:
        return dict(zip(CATEGORIES, await self._call("count_coins", contact_id, since), strict=True))

    async def count_all(self, since: int) -> Counts:
        return dict(zip(CATEGORIES, await self._call("count_all", since), strict=True))

    async def room(self, contact_id: str, since: int) -> Counts:
        return dict(zip(CATEGORIES, await self._call("room", contact_id, since), strict=True))

    async def collect(self, before: int, now: int, stale: int) -> list[str]:
        collected: list[str] = []
        while batch := await self._call("collect", before, REMOVED_CONTACTS):
            collected += [contact_id.decode() for contact_id in batch]
        while await self._call("drop_all_stale", stale, REMOVED):
            pass
        return collected

    async def set_priority(self, contact_id: str, priority: str, now: int, since: int) -> int | None:
        removed: int | None = await self._call("set_priority", contact_id, priority, now, since)
        return removed

    async def set_budget(self, priority: str, budget: Sequence[int]) -> None:
        await self._call("set_budget", priority, *budget)

    async def remove_contact(self, contact_id: str) -> int:
        return int(await self._call("remove_contact", contact_id))

    async def contacts(self) -> dict[str, str]:
        if self._is_closed:
            raise BackendUnavailableError("the store is closed")
        found: dict[str, str] = {}
        cursor = None
        while cursor != 0:
            cursor, part = await _answer(self.client.hscan(f"{self.prefix}contacts", cursor or 0, count=BATCH))
            found |= {contact_id.decode(): priority.decode() for contact_id, priority in part.items()}
        return found

    async def highest_time(self) -> int:
        return int(await self._call("highest_time"))

    async def set_highest_time(self, now: int, is_certain: bool) -> None:
        await self._call("set_highest_time", now, int(is_certain))

    async def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        if self._timer:
            self._timer.cancel()
        try:
            if self._identity:
                await self._clean_quietly()
        finally:
            await to_the_end(self.client.aclose())

    async def _call(self, function: str, *arguments: str | bytes | int) -> Any:
        """What a function of this store answers; another's refuses it."""
        if self._is_closed:
            raise BackendUnavailableError("the store is closed")
        if time.monotonic() > self._look_at:
            info, settings = await _answer(self.client.info()), await _answer(self.client.config_get("appendfsync"))
            try:
                _refuse_unfit(info, settings.get("appendfsync", ""))
            except UnfitError as error:
                raise BackendUnavailableError(str(error)) from None
            self._look_at = time.monotonic() + LOOK_AGAIN
        return await self._function(function, self._identity, *arguments)

    async def _function(self, function: str, *arguments: str | bytes | int) -> Any:
        return await _answer(self.client.fcall(f"aqm_{VERSION}_{function}", 1, self.prefix, *arguments))

    def _clean_soon(self) -> None:
        if self._timer is None and not self._is_closed:
            self._timer = asyncio.get_running_loop().call_later(CLEAN_AFTER, self._clean_now)

    def _clean_now(self) -> None:
        async def clean() -> None:
            if not await self._clean_quietly():
                self._clean_soon()

        self._timer = None
        self._cleaning = asyncio.create_task(clean())

    async def _clean_quietly(self) -> bool:
        try:
            async with self._one_cleaning:
                return await self._clean()
        except BackendUnavailableError as error:
            logging.getLogger(__name__).warning("the append-only file could not be rewritten: %s", error)
            return False

    async def _clean(self) -> bool:
        """Let Redis rewrite its file, if something was burned, and wait for that; False when it is to be done again."""
        mark = await self._function("uncleaned", self._identity)
        if mark is None:
            return True
        # One that runs may have begun before the burn.
        await self._rewritten()
        await _answer(self.client.bgrewriteaof())
        if not await self._rewritten():
            raise BackendUnavailableError("Redis says that it failed")
        return bool(await self._function("cleaned", self._identity, mark))

    async def _rewritten(self) -> bool:
        """Wait until no rewriting is under way; returns whether the last one was well."""
        deadline = time.monotonic() + REWRITING
        while time.monotonic() < deadline:
            info = await _answer(self.client.info("persistence"))
            if not info["aof_rewrite_in_progress"] and not info["aof_rewrite_scheduled"]:
                return bool(info["aof_last_bgrewrite_status"] == "ok")
            await asyncio.sleep(0.02)
        raise BackendUnavailableError("it takes too long")

    async def _greet(self, connection: Connection) -> None:
        """What a new connection begins with: after a restart, Redis may be configured otherwise."""
        try:
            await connection.on_connect()
            await connection.send_command("INFO")
            text = (await connection.read_response()).decode()
            info = dict(line.split(":", 1) for line in text.splitlines() if ":" in line)
            _refuse_old(info)
            try:
                await connection.send_command("CONFIG", "GET", "appendfsync")
                answer = await connection.read_response()
            except ResponseError:
                raise UnfitError("Redis does not tell its appendfsync: let this user call CONFIG GET") from None
            values = list(answer.values()) if isinstance(answer, dict) else answer[1::2]
            _refuse_unfit(info, b"".join(values).decode())
        except BaseException:
            # An answer that is still to come must not be taken for another's.
            await connection.disconnect(nowait=True)
            raise


def _refuse_old(info: dict[str, Any]) -> None:
    if int(str(info["redis_version"]).partition(".")[0]) < OLDEST:
        raise UnfitError(f"Redis is of version {info['redis_version']}: {OLDEST} or newer is needed")


def _refuse_unfit(info: dict[str, Any], appendfsync: str) -> None:
    # A lost private key is a lost message, and nobody notices a warning: such a Redis is refused.
    if not int(info.get("aof_enabled", 0)):
        raise UnfitError("Redis would lose the keys when it restarts: set appendonly yes, as device/redis.conf does")
    if appendfsync not in ("everysec", "always"):
        raise UnfitError("Redis would lose more than a second: set appendfsync everysec, as device/redis.conf does")
    if int(info.get("maxmemory", 0)) and info.get("maxmemory_policy") != "noeviction":
        raise UnfitError(
            "Redis would drop keys when memory is short: set maxmemory-policy noeviction, as device/redis.conf does"
        )


async def _answer(command: Any) -> Any:
    """What Redis answers. Its messages may quote a command's arguments: of those only the code is told."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await command
    except UnfitError as error:
        raise BackendUnavailableError(str(error)) from None
    except ResponseError as error:
        code = str(error).partition(" ")[0]
        if code == "NEWER":
            raise NewerStoreError("the records in Redis are of a newer version: update this program") from None
        if code == "HEADERLESS":
            raise DamagedStoreError("the store's header is missing in Redis: restore it from a backup") from None
        if code == "ANOTHER":
            raise BackendUnavailableError(ANOTHER) from None
        raise BackendUnavailableError(f"Redis refused a command: {code}") from None
    except (RedisError, OSError) as error:
        raise BackendUnavailableError(f"Redis does not answer ({type(error).__name__}): is it running?") from None


def _arguments(coin: Coin, minted_at: int) -> tuple[str, str, bytes, bytes, str, int]:
    return coin.category, coin.key_id, coin.public_key, coin.signature, digest(coin), minted_at


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
