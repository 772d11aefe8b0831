"""A device's stores, Redis, SQLite and SQLCipher beside each other: every operation, and what an app does in a burst."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from uuid import UUID, uuid4

from device.clock import DAY
from device.factory import Database, DatabaseFactory, DatabaseSettings
from device.inventory import CACHED_FOR
from device.keys import Coin
from device.redis_server import RedisServer
from device.vault import LIFETIME

from ..coins import SIZES
from ..goals import Goal
from ..report import Section, table
from ..results import P50, P99, Result, latencies
from ..setup import Bench

BACKENDS = ("redis", "sqlite", "sqlcipher")
BUDGET = {"GOLD": 5, "SILVER": 4, "BRONZE": 1}
"""Of a BESTIE."""

SAMPLES = 1000
"""Calls of an operation in a round."""

LOOK_UPS, SELECTIONS = 100, 10
WORKLOADS = 30
BESTIES = 5
BURSTS = 20
WHOLES = 20
"""Calls of an operation on the whole store in a round."""

HOUR = DAY / 24

GONE = 100
"""Keys that a purge finds expired, and coins that a collection finds too old."""

WITHOUT_GOAL = (
    "vault.list_keys", "inventory.contacts", f"inventory.garbage_collect of {GONE} coins", f"vault.purge_expired of {GONE} keys",
)  # fmt: skip
"""Operations that take as long as what they return, or remove."""

SECRET_BYTES = 32
"""Sealed in the place of a private key: X25519's size, ML-KEM-768's seed has twice that."""


def run(bench: Bench) -> list[Section]:
    """All backends in turn, from empty stores in each round."""
    operations: dict[str, list[Result]] = defaultdict(list)
    workloads: dict[str, list[Result]] = defaultdict(list)
    bursts: dict[str, list[Result]] = defaultdict(list)
    for number in range(1, bench.options.rounds + 1):
        for backend in BACKENDS:
            bench.say(
                f"round {number} of {bench.options.rounds}: {backend}, {bench.options.keys:,} keys and as many coins"
            )
            with place(bench.home / f"device-{backend}-{number}", backend) as url:
                times = asyncio.run(Load(bench.options.keys, bench.options.seed).run(url))
            for name, taken in times.items():
                ms = [1000 * seconds for seconds in taken]
                result = Result(coins=len(taken), seconds=sum(taken), **latencies(ms))
                if name in ("workload", "burst"):
                    (workloads if name == "workload" else bursts)[backend].append(result)
                else:
                    operations[f"{backend} {name}"].append(result)
    bench.commands.append(["python", "-m", "bench", "device", "--keys", str(bench.options.keys)])
    names = list(dict.fromkeys(key.partition(" ")[2] for key in operations))
    rows = [
        [
            name,
            *(
                f"{figure(operations[f'{backend} {name}'], measure):.2f}"
                for backend in BACKENDS
                for measure in (P50, P99)
            ),
        ]
        for name in names
    ]
    head = ["ms, median of the rounds", *(f"{backend} {word}" for backend in BACKENDS for word in ("p50", "p99"))]
    described = f"{bench.options.keys:,} private keys, and as many coins of {bench.options.keys // sum(BUDGET.values()):,} contacts"
    return [
        Section(
            title="A device's store: every operation",
            text=f"{described}; one call at a time. What survives what: Redis (AOF everysec) may lose a second when the machine "
            "goes down, SQLite and SQLCipher lose nothing that returned. The goal, 5 ms in 99 of 100 calls, is for all "
            f"but those that take as long as what they return or remove: {', '.join(WITHOUT_GOAL)}.\n\n"
            + "\n".join(table(head, rows, numbers=True)),
            results=operations,
            goals=[
                Goal(name, measure=P99, at_most=5) for name in operations if name.partition(" ")[2] not in WITHOUT_GOAL
            ],
            unit="calls",
            shows_speed=False,
        ),
        Section(
            title=f"A device's store: {LOOK_UPS} look-ups and {SELECTIONS} selections",
            text=f"What a busy minute asks for: {LOOK_UPS} fetch_key and {SELECTIONS} select_coin, one after the other.",
            results=workloads,
            unit="workloads",
        ),
        Section(
            title=f"A device's store: bursts to {BESTIES} BESTIE contacts",
            text=f"{BESTIES} contacts at once, each written to until its {sum(BUDGET.values())} coins are used and one more is asked "
            "for; figures are of one selection.",
            results=bursts,
            unit="selections",
        ),
    ]


def figure(results: list[Result], measure: str) -> float:
    """The median of a measure."""
    return median(result.figures[measure] for result in results)


@contextmanager
def place(folder: Path, backend: str) -> Iterator[str]:
    """The URL of an empty store."""
    folder.mkdir()
    if backend != "redis":
        yield f"{backend}:///{folder / 'device.db'}"
        return
    with RedisServer(folder) as server:
        yield server.url


class Load:
    """One round on one backend. keys: private keys, and coins. seed: of what is left to chance."""

    def __init__(self, keys: int, seed: int) -> None:
        self.chance = random.Random(seed)  # noqa: S311 (a load, no key)
        self.keys = [str(uuid4()) for _ in range(keys)]
        self.contacts = [uuid4() for _ in range(keys // sum(BUDGET.values()))]
        self.times: dict[str, list[float]] = defaultdict(list)
        self.ahead = 0.0

    async def run(self, url: str) -> dict[str, list[float]]:
        """Seconds of each call, by operation."""
        async with await DatabaseFactory(DatabaseSettings(url), os.urandom(32), self._clock).open() as database:
            await self._store_old(database)
            await self._vault(database)
            await self._inventory(database)
            await self._workloads(database)
            await self._bursts(database)
            await self._clean_up(database)
            for contact in self.contacts[:SAMPLES]:
                await self._time("inventory.remove_contact", database.inventory.remove_contact(contact))
        return self.times

    def _clock(self) -> float:
        return time.time() + self.ahead

    async def _time(self, name: str, call: Awaitable[object]) -> None:
        started = time.perf_counter()
        await call
        self.times[name].append(time.perf_counter() - started)

    async def _vault(self, database: Database) -> None:
        vault = database.vault
        for key in self.keys:
            await self._time("vault.store_key", vault.store_key(key, "BRONZE", os.urandom(SECRET_BYTES)))
        for key in self.chance.choices(self.keys, k=SAMPLES):
            await self._time("vault.fetch_key", vault.fetch_key(key))
        for _ in range(SAMPLES // 10):
            await self._time("vault.count_active", vault.count_active())
            await self._time("vault.purge_expired of nothing", vault.purge_expired())
        for _ in range(WHOLES):
            await self._time("vault.list_keys", vault.list_keys())
        burned = self.keys[: min(SAMPLES, len(self.keys) // 2)]
        for key in burned:
            await self._time("vault.burn_key", vault.burn_key(key))
        self.keys = self.keys[len(burned) :]

    async def _inventory(self, database: Database) -> None:
        inventory = database.inventory
        for contact in self.contacts:
            await self._time("inventory.set_priority", inventory.set_priority(contact, "BESTIE"))
            for coin in make_coins(self._clock()):
                await self._time("inventory.store_key", inventory.store_key(contact, coin))
        for contact in self.chance.choices(self.contacts, k=SAMPLES):
            await self._time("inventory.count_coins", inventory.count_coins(contact))
            await self._time("inventory.room", inventory.room(contact))
            await self._time("inventory.select_coin", inventory.select_coin(contact, "GOLD"))
        for _ in range(SAMPLES // 10):
            await self._time("inventory.garbage_collect of nothing", inventory.garbage_collect())
            await self._time("inventory.set_budget", inventory.set_budget("BESTIE", *BUDGET.values()))
        for _ in range(WHOLES):
            await self._time("inventory.count_all", inventory.count_all())
            await self._time("inventory.contacts", inventory.contacts())

    async def _store_old(self, database: Database) -> None:
        """What cleaning up is to find, for each of its calls; all else is stored a day later."""
        for hour in range(WHOLES):
            self.ahead = hour * HOUR
            for _ in range(GONE):
                await database.vault.store_key(str(uuid4()), "BRONZE", os.urandom(SECRET_BYTES))
            for _ in range(GONE // sum(BUDGET.values())):
                contact = uuid4()
                await database.inventory.set_priority(contact, "BESTIE")
                for coin in make_coins(self._clock()):
                    await database.inventory.store_key(contact, coin)
        self.ahead = DAY

    async def _clean_up(self, database: Database) -> None:
        """Cleaning up with something to do, while the rest stays."""
        vault, inventory = database.vault, database.inventory
        for age, name, call in (
            (CACHED_FOR, f"inventory.garbage_collect of {GONE} coins", inventory.garbage_collect),
            (LIFETIME, f"vault.purge_expired of {GONE} keys", vault.purge_expired),
        ):
            for hour in range(WHOLES):
                self.ahead = age + (hour + 0.5) * HOUR
                await self._time(name, call(is_certain=True))

    async def _workloads(self, database: Database) -> None:
        for _ in range(WORKLOADS):
            keys = self.chance.choices(self.keys, k=LOOK_UPS)
            contacts = self.chance.choices(self.contacts, k=SELECTIONS)

            async def workload(keys: list[str] = keys, contacts: list[UUID] = contacts) -> None:
                for key in keys:
                    await database.vault.fetch_key(key)
                for contact in contacts:
                    await database.inventory.select_coin(contact, "GOLD")

            await self._time("workload", workload())

    async def _bursts(self, database: Database) -> None:
        for _ in range(BURSTS):
            besties = [uuid4() for _ in range(BESTIES)]
            for contact in besties:
                await database.inventory.set_priority(contact, "BESTIE")
                for coin in make_coins(self._clock()):
                    await database.inventory.store_key(contact, coin)

            async def burst(contact: UUID) -> None:
                for _ in range(sum(BUDGET.values()) + 1):
                    await self._time("burst", database.inventory.select_coin(contact, "GOLD"))

            await asyncio.gather(*map(burst, besties))


def make_coins(minted_at: float) -> list[Coin]:
    """As many coins of random bytes as a BESTIE may have. minted_at: seconds since 1970."""
    return [
        Coin(coin_id(minted_at), category, *(os.urandom(size) for size in SIZES[category]))
        for category, number in BUDGET.items()
        for _ in range(number)
    ]


def coin_id(seconds: float) -> str:
    """A UUID of version 7 of that time."""
    return str(UUID(int=round(seconds * 1000) << 80 | 7 << 76 | uuid4().int & ~(0xFFFFFFFFFFFFF << 76)))
