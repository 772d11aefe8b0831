"""Opens a device's vault and inventory, in the place that was configured or the best there is."""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from .backends.base import Store
from .backends.redis.store import RedisStore
from .backends.sqlite import SQLiteStore
from .clock import Clock
from .errors import BackendUnavailableError, InvalidArgumentError
from .header import change_header, create_file, unlock_file
from .inventory import SmartInventory
from .metrics import Observe
from .sealing import Cost, Sealer, Secret
from .shielded import to_the_end
from .vault import SecureVault

REDIS_SCHEMES = ("redis", "rediss", "unix")


@dataclass(frozen=True)
class DatabaseSettings:
    """Where records are kept.

    url: unix:///SOCKET, redis://localhost:PORT/N, rediss://HOST:PORT/N, sqlite:///PATH, sqlcipher:///PATH (four slashes for
    an absolute path), or auto. folder: where auto puts a file, and notes what it picked. redis_url: what auto tries first, if any.
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
        notes its choice and keeps to it: keys in a Redis that is down today must not be looked for in an empty file. Of
        several that pick at once all take what the first has noted.

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

    async def change_secret(self, new_secret: Secret, cost: Cost = Cost()) -> None:  # noqa: B008 (it is frozen)
        """Let another passphrase or 32-byte key open the store from now on, with this cost of a passphrase's derivation.

        It may be the same passphrase, for another cost. The records stay as they are, and so do programs that have the
        store open. A kill in the middle leaves one of the two that is good. Whoever has a copy of the old header, as in a
        backup, still opens it with the old secret: the master key is the same.

        Raises WrongPassphraseError when this factory's secret is not the store's, InvalidArgumentError, and what open()
        does. A call that is cancelled goes on to its end first, so that this factory knows the secret.
        """
        await to_the_end(self._change_secret(new_secret, cost))

    async def _change_secret(self, new_secret: Secret, cost: Cost) -> None:
        url = self.settings.url
        if url == "auto":
            noted = self._noted()
            if noted is None:
                raise BackendUnavailableError("auto has not picked a store yet: open one first")
            url = noted
        path = _path(url)
        if path:
            await asyncio.to_thread(change_header, path, self._secret, new_secret, cost)
        else:
            store = _redis(url)
            try:
                await store.prepare()
                await store.change_secret(self._secret, new_secret, cost)
            finally:
                await store.close()
        self._secret, self._cost = new_secret, cost

    async def _automatic(self) -> tuple[Store, Sealer, str]:
        noted = self._noted()
        if noted:
            return *await self._open(noted), f"auto picked it before, says {self._note}"
        urls = self._urls()
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
        try:
            with self._errors():
                create_file(self._note, f"{picked[0].name}\n".encode())
            if self._noted() == urls[picked[0].name]:
                return picked
        except BaseException:
            await picked[0].close()
            raise
        # Another program has noted another place meanwhile; nothing was stored in ours.
        await picked[0].close()
        return await self._automatic()

    @property
    def _note(self) -> Path:
        return self.settings.folder / "aqm-device.backend"

    def _noted(self) -> str | None:
        """The URL that auto picked before."""
        with self._errors():
            self.settings.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self._note.exists():
                return None
            noted = self._note.read_text(errors="replace").strip()
        if noted not in self._urls():
            raise BackendUnavailableError(f"{self._note} says {noted!r}, for which there is no URL: set redis_url")
        return self._urls()[noted]

    def _urls(self) -> dict[str, str]:
        file = self.settings.folder / "aqm-device.db"
        urls = {"sqlcipher": f"sqlcipher:///{file}", "sqlite": f"sqlite:///{file}"}
        return urls | ({"redis": self.settings.redis_url} if self.settings.redis_url else {})

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise BackendUnavailableError(f"can't use the folder of {self._note} ({error.strerror})") from None

    async def _open(self, url: str) -> tuple[Store, Sealer]:
        path = _path(url)
        if not path:
            return await self._open_redis(url)
        sealer = await asyncio.to_thread(unlock_file, path, self._secret, self._cost)
        store = SQLiteStore(path) if url.startswith("sqlite:") else _sqlcipher(path, sealer)
        await store.prepare()
        return store, sealer

    async def _open_redis(self, url: str) -> tuple[Store, Sealer]:
        store = _redis(url)
        try:
            await store.prepare()
            return store, await store.unlock(self._secret, self._cost)
        except BaseException:
            await store.close()
            raise


def _path(url: str) -> Path | None:
    """The file that a URL names; None for one of Redis. Raises InvalidArgumentError."""
    scheme, _, rest = url.partition("://")
    if scheme in REDIS_SCHEMES:
        return None
    path = rest.removeprefix("/")
    if scheme not in ("sqlite", "sqlcipher") or path in ("", rest):
        raise InvalidArgumentError("url: must be auto, redis://…, unix:///…, sqlite:///PATH or sqlcipher:///PATH")
    return Path(path)


def _redis(url: str) -> RedisStore:
    try:
        return RedisStore(url)
    except InvalidArgumentError:
        raise
    except ValueError as error:
        raise InvalidArgumentError(f"url: not one of Redis ({type(error).__name__})") from None


def _sqlcipher(path: Path, sealer: Sealer) -> SQLiteStore:
    try:
        from .backends.sqlcipher import SQLCipherStore
    except ImportError:
        raise BackendUnavailableError("sqlcipher3 is not installed: pip install sqlcipher3, or use sqlite") from None
    return SQLCipherStore(path, sealer.sqlcipher_key)
