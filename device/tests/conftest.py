"""One suite for three backends: each test of a vault or inventory runs on Redis, SQLite and SQLCipher.

Redis is a real redis-server; without one the tests fail, they are never skipped.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis

from device.clock import milliseconds
from device.factory import Database, DatabaseFactory, DatabaseSettings
from device.metrics import Observe
from device.redis_server import RedisServer
from device.sealing import Cost, Secret
from device.vault import SecureVault

from .names import START

BACKENDS = ("redis", "sqlite", "sqlcipher")
CHEAP = Cost(memory_kib=64, iterations=1, lanes=1)
PASSPHRASE = "a passphrase that no file may hold"


class SetClock:
    """A clock that only a test moves."""

    def __init__(self) -> None:
        self.seconds = START

    def __call__(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class Place:
    """An empty store of a test's own, to be opened as often as it likes."""

    name: str
    url: str
    folder: Path
    clock: SetClock = field(default_factory=SetClock)
    opened: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def open(self, secret: Secret = PASSPHRASE, observe: Observe | None = None, url: str = "") -> Database:
        """Open it; it is closed when the test ends."""
        settings = DatabaseSettings(url or self.url, self.folder)
        factory = DatabaseFactory(settings, secret, self.clock, observe, CHEAP)
        return await self.opened.enter_async_context(await factory.open())

    async def later(self, opened: Database, seconds: float) -> None:
        """Let time pass that everybody is certain of."""
        self.clock.advance(seconds)
        await opened.store.set_highest_time(milliseconds(self.clock()), is_certain=True)

    @property
    def file(self) -> Path:
        """The database, of those that are files."""
        return self.folder / "device.db"

    def redis(self) -> redis.Redis:
        """A client of the test's own."""
        return redis.Redis.from_url(self.url)


async def fetch(vault: SecureVault, key_id: str) -> bytes | None:
    """The bytes of a key, if there is one."""
    found = await vault.fetch_key(key_id)
    return found.private_key if found else None


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One server for all tests that do not harm it."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@asynccontextmanager
async def made(request: pytest.FixtureRequest, folder: Path, name: str) -> AsyncIterator[Place]:
    """An empty store on the named backend."""
    if name == "redis":
        place = Place(name, request.getfixturevalue("redis_server").url, folder)
        with place.redis() as client:
            client.flushall()
    else:
        place = Place(name, f"{name}:///{folder / 'device.db'}", folder)
    async with place.opened:
        yield place


@pytest.fixture(params=BACKENDS)
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    """An empty store on each backend."""
    async with made(request, tmp_path, request.param) as place:
        yield place


@pytest.fixture(params=["sqlite", "sqlcipher"])
async def in_file(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    """An empty store on each backend that is a file."""
    async with made(request, tmp_path, request.param) as place:
        yield place


@pytest.fixture
async def in_redis(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    """An empty store in Redis."""
    async with made(request, tmp_path, "redis") as place:
        yield place


@pytest.fixture
async def opened(place: Place) -> Database:
    """An open, empty store on each backend."""
    return await place.open()
