"""kill -9 at random moments, and several processes on one store.

SQLite and SQLCipher: whatever was acknowledged is there, and what was burned is not, when the process was killed.
Redis: an acknowledged write is in the kernel's hands, unless a slow disk held the append-only file's write up, for two
seconds at most. So a kill of redis-server may cost the last operations of the two seconds before, in order, and no other.

DEVICE_KILLS=200 is the long form.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from device.errors import BackendUnavailableError, DuplicateKeyError, WrongPassphraseError
from device.factory import Database
from device.keys import Coin
from device.redis_server import RedisServer

from .conftest import PASSPHRASE, Place, fetch
from .names import coin_id
from .worker import CONTACT, OTHER

KILLS = int(os.environ.get("DEVICE_KILLS", "10"))
ROOT = Path(__file__).parents[2]
POSTPONED = 2.0
"""Seconds for which Redis holds a write of its append-only file up at most, while the disk is busy."""


@contextmanager
def workers(place: Place) -> Iterator[subprocess.Popen[str]]:
    """Where workers are forked from."""
    process = subprocess.Popen(
        [sys.executable, "-m", "device.tests.worker", place.url, PASSPHRASE], cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


class Told:
    """What workers acknowledged, and what they had begun when they were killed."""

    def __init__(self) -> None:
        self.stored: set[str] = set()
        self.burning: set[str] = set()
        self.burned: set[str] = set()
        self.cached: set[str] = set()
        self.taken: list[str] = []
        self.lost = 0

    def read(self, lines: list[str]) -> None:
        """The lines of one worker's life."""
        taking = False
        for line in lines:
            kind, _, name = line.partition(" ")
            match kind:
                case "stored" | "burning" | "burned" | "cached":
                    getattr(self, kind).add(name)
                case "failed":
                    pytest.fail(line)
                case "taking":
                    taking = True
                case "taken":
                    taking = False
                    self.taken += [name] if name else []
        self.lost += taking


async def check(opened: Database, told: Told) -> None:
    """Nothing acknowledged is lost, nothing burned is back."""
    for key_id in told.stored - told.burning:
        assert await fetch(opened.vault, key_id) == key_id.encode(), f"{key_id} is lost"
    for key_id in told.burned:
        assert await opened.vault.fetch_key(key_id) is None, f"{key_id} is back"
        with pytest.raises(DuplicateKeyError):
            await opened.vault.store_key(key_id, "GOLD", b"again")
    assert len(told.taken) == len(set(told.taken)), "a coin was given out twice"


async def test_a_killed_process_loses_nothing_that_returned(in_file: Place) -> None:
    in_file.clock.seconds = time.time()
    told = Told()
    with workers(in_file) as process:
        assert process.stdin
        assert process.stdout
        for _ in range(KILLS):
            seed = random.randrange(2**32)
            print("seed", seed)
            process.stdin.write(f"work {seed}\n")
            process.stdin.flush()
            pid = int(process.stdout.readline().removeprefix("pid "))
            lines = [process.stdout.readline()]
            await asyncio.sleep(random.Random(seed).random() * 0.15)
            os.kill(pid, signal.SIGKILL)
            lines += read_all(process)
            told.read([line.rstrip("\n") for line in lines])
            async with await in_file.open() as opened:
                await check(opened, told)
    async with await in_file.open() as opened:
        left = []
        while coin := await opened.inventory.select_coin(CONTACT, "GOLD"):
            left.append(coin.key_id)
    assert set(left).isdisjoint(told.taken)
    # A worker that died while it took one may have had it, and one that cached another may have done so.
    assert len(told.cached - set(told.taken) - set(left)) <= told.lost
    assert len(told.stored) > KILLS, "the workers came to do something"


def read_all(process: subprocess.Popen[str]) -> list[str]:
    """What a killed worker has still in the pipe: all up to the word of its successor, which says nothing but its pid."""
    assert process.stdin
    assert process.stdout
    process.stdin.write("nothing 0\n")
    process.stdin.flush()
    lines = []
    while not (line := process.stdout.readline()).startswith("pid"):
        lines.append(line)
    return lines


async def test_a_killed_change_of_the_secret_leaves_one_that_is_good(place: Place) -> None:
    place.clock.seconds = time.time()
    async with await place.open() as opened:
        await opened.vault.store_key("name", "GOLD", b"private")
    with workers(place) as process:
        assert process.stdin
        assert process.stdout
        for _ in range(KILLS):
            process.stdin.write("change 0\n")
            process.stdin.flush()
            pid = int(process.stdout.readline().removeprefix("pid "))
            assert process.stdout.readline() == "changed\n"
            await asyncio.sleep(random.random() * 0.05)
            os.kill(pid, signal.SIGKILL)
            assert not [line for line in read_all(process) if line.startswith("failed")]
            good = 0
            for secret in (PASSPHRASE, OTHER):
                with suppress(WrongPassphraseError):
                    async with await place.open(secret) as opened:
                        assert await fetch(opened.vault, "name") == b"private"
                    good += 1
            assert good == 1


async def test_a_killed_redis_loses_at_most_the_last_two_seconds_in_order(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "redis")
    place = Place("redis", server.url, tmp_path)
    history: list[tuple[str, str, float]] = []
    lost = 0
    server.start()
    try:
        async with place.opened:
            opened = await place.open()
            for turn in range(KILLS):
                seed = random.randrange(2**32)
                print("seed", seed)
                begun = len(history)
                working = asyncio.create_task(store_and_burn(opened, seed, history))
                await asyncio.sleep(random.Random(seed).random() * 0.2)
                killed = time.monotonic()
                server.kill()
                with pytest.raises(BackendUnavailableError):
                    await working
                server.start()
                seen = [await happened(opened, kind, key_id) for kind, key_id, _ in history[begun:]]
                kept = seen.index(False) if False in seen else len(seen)
                assert not any(seen[kept:]), f"turn {turn}: a later operation is there, an earlier one is not"
                assert all(at > killed - POSTPONED for _, _, at in history[begun + kept :]), (
                    f"turn {turn}: too much is lost"
                )
                lost += len(seen) - kept
                del history[begun + kept :]
            for kind, key_id, _ in history:
                assert await happened(opened, kind, key_id), f"{kind} {key_id} is lost, which had outlived a kill"
    finally:
        server.kill()
        server.stop()
    print(f"{lost} acknowledged operations of {len(history) + lost} were lost in {KILLS} kills")
    assert len(history) > 10 * KILLS


async def store_and_burn(opened: Database, seed: int, history: list[tuple[str, str, float]]) -> None:
    """One operation after the other until Redis is gone; those that returned are written down."""
    chance = random.Random(seed)
    alive: list[str] = []
    for number in range(10**9):
        key_id = f"{seed}-{number}"
        if alive and chance.random() < 0.4:
            key_id = alive.pop(chance.randrange(len(alive)))
            await opened.vault.burn_key(key_id)
            history.append(("burn", key_id, time.monotonic()))
        else:
            await opened.vault.store_key(key_id, "GOLD", key_id.encode())
            history.append(("store", key_id, time.monotonic()))
            alive.append(key_id)


async def happened(opened: Database, kind: str, key_id: str) -> bool:
    """Whether an operation's effect is there."""
    from device.backends.redis.store import RedisStore

    assert isinstance(opened.store, RedisStore)
    state = await opened.store.client.hget(f"aqm:2:key:{key_id}", "state")
    return state == b"BURNED" or (kind == "store" and state == b"ACTIVE")


async def test_processes_share_a_store(place: Place) -> None:
    place.clock.seconds = time.time()
    opened = await place.open()
    await opened.inventory.set_budget("RACE", 60, 0, 0)
    await opened.inventory.set_priority(CONTACT, "RACE")
    for number in range(100):
        await opened.vault.store_key(f"burn-{number}", "GOLD", b"private")
    for number in range(60):
        await opened.inventory.store_key(
            CONTACT, Coin(coin_id(number, time.time()), "GOLD", b"%d" % number, b"signature")
        )
    with workers(place) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write("race 1\nrace 2\nrace 3\n")
        process.stdin.flush()
        lines: list[str] = []
        while lines.count("done") < 3:
            lines.append((await asyncio.to_thread(process.stdout.readline)).rstrip("\n"))
            assert not lines[-1].startswith("failed"), lines[-1]
    words = [line.split() for line in lines]
    assert sorted(int(number) for kind, number, *_ in filter(lambda w: w[0] == "burned", words)) == list(range(100))
    assert len({name for kind, name, *_ in filter(lambda w: w[0] == "taken", words)}) == 60
    assert sum(kind == "taken" for kind, *_ in words) == 60
    stored = {number: seed for kind, number, seed in filter(lambda w: w[0] == "stored", words)}
    assert len(stored) == 100 == sum(kind == "stored" for kind, *_ in words)
    for number, seed in stored.items():
        assert await fetch(opened.vault, f"store-{number}") == seed.encode()
    assert await opened.vault.count_active() == {"GOLD": 100, "SILVER": 0, "BRONZE": 0}
