"""Opens a device's vault and inventory, in the place that was configured or the best there is."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from .backends.base import Store
from .backends.redis.store import RedisStore
from .backends.sqlite import SQLiteStore
from .clock import Clock
from .errors import BackendUnavailableError, InvalidArgumentError
from .header import create_file, unlock_file
from .inventory import SmartInventory
from .metrics import Observe
from .sealing import Cost, Sealer, Secret
from .vault import SecureVault

REDIS_SCHEMES = ("redis", "rediss", "unix")


@dataclass(frozen=True)
class DatabaseSettings:
    """Where records are kept.

    url: redis://HOST:PORT/N, rediss://…, unix:///SOCKET, sqlite:///PATH, sqlcipher:///PATH (four slashes for an absolute
    path), or auto. folder: where auto puts a file, and notes what it picked. redis_url: what auto tries first, if any.
    """

    # Both URLs may hold a password.
    url: str = field(default="auto", repr=False)
    folder: Path = Path()
    redis_url: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Database:
    """An open store: `async with await factory.open() as database`. reason: why this backend was picked."""

    vault: SecureVault
    inventory: SmartInventory
    backend: str
    reason: str
    store: Store = field(repr=False)

    async def close(self) -> None:
        """Let go of the store."""
        await self.store.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()


class DatabaseFactory:
    """Picks a backend and opens it.

    settings: where. secret: the passphrase or 32-byte key of the store. clock: seconds since 1970. observe: is told of
    operations. cost: of the passphrase's derivation in a new store.
    """

    def __init__(
        self,
        settings: DatabaseSettings,
        secret: Secret,
        clock: Clock = time.time,
        observe: Observe | None = None,
        cost: Cost = Cost(),  # noqa: B008 (it is frozen)
    ) -> None:
        self.settings = settings
        self._secret = secret
        self._clock = clock
        self._observe = observe
        self._cost = cost

    async def open(self) -> Database:
        """Open the configured store, or the one that auto picks, and log which and why.

        auto takes Redis when it is reachable and keeps an AOF, else SQLCipher when it is installed, else SQLite. It
        notes its choice and keeps to it: keys in a Redis that is down today must not be looked for in an empty file.

        Raises InvalidArgumentError for the URL, WrongPassphraseError, BackendUnavailableError, DamagedStoreError,
        NewerStoreError.
        """
        if self.settings.url == "auto":
            store, sealer, reason = await self._automatic()
        else:
            store, sealer = await self._open(self.settings.url)
            reason = "configured"
        logging.getLogger(__name__).info("records are kept in %s: %s", store.name, reason)
        return Database(
            SecureVault(store, sealer, self._clock, self._observe),
            SmartInventory(store, self._clock, self._observe),
            store.name, reason, store,
        )  # fmt: skip

    async def _automatic(self) -> tuple[Store, Sealer, str]:
        self.settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        note, file = self.settings.folder / "aqm-device.backend", self.settings.folder / "aqm-device.db"
        urls = {"sqlcipher": f"sqlcipher:///{file}", "sqlite": f"sqlite:///{file}"}
        if self.settings.redis_url:
            urls["redis"] = self.settings.redis_url
        if note.exists():
            noted = note.read_text().strip()
            if noted not in urls:
                raise BackendUnavailableError(f"{note} says {noted!r}, for which there is no URL: set redis_url")
            return *await self._open(urls[noted]), f"auto picked it before, says {note}"
        reasons = []
        if self.settings.redis_url:
            try:
                picked = *await self._open(urls["redis"]), "auto: Redis is there and keeps an AOF"
            except BackendUnavailableError as error:
                reasons.append(str(error))
        else:
            reasons.append("no redis_url is set")
        if reasons:
            name = "sqlcipher" if importlib.util.find_spec("sqlcipher3") else "sqlite"
            reasons.append("sqlcipher3 is installed" if name == "sqlcipher" else "sqlcipher3 is not installed")
            picked = *await self._open(urls[name]), f"auto: {'; '.join(reasons)}"
        create_file(note, f"{picked[0].name}\n".encode())
        return picked

    async def _open(self, url: str) -> tuple[Store, Sealer]:
        scheme, _, rest = url.partition("://")
        if scheme in REDIS_SCHEMES:
            return await self._open_redis(url)
        path = rest.removeprefix("/")
        if scheme not in ("sqlite", "sqlcipher") or path in ("", rest):
            raise InvalidArgumentError("url: must be auto, redis://…, unix:///…, sqlite:///PATH or sqlcipher:///PATH")
        sealer = await asyncio.to_thread(unlock_file, Path(path), self._secret, self._cost)
        store = SQLiteStore(Path(path)) if scheme == "sqlite" else _sqlcipher(Path(path), sealer)
        await store.prepare()
        return store, sealer

    async def _open_redis(self, url: str) -> tuple[Store, Sealer]:
        try:
            store = RedisStore(url)
        except ValueError as error:
            raise InvalidArgumentError(f"url: not one of Redis ({type(error).__name__})") from None
        try:
            await store.prepare()
            return store, await store.unlock(self._secret, self._cost)
        except BaseException:
            await store.close()
            raise


def _sqlcipher(path: Path, sealer: Sealer) -> SQLiteStore:
    try:
        from .backends.sqlcipher import SQLCipherStore
    except ImportError:
        raise BackendUnavailableError("sqlcipher3 is not installed: pip install sqlcipher3, or use sqlite") from None
    return SQLCipherStore(path, sealer.sqlcipher_key)
