"""SQLite's write-ahead log: how long it gets, what is left of it, and what a copy that fails costs."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from device.backends import checkpoints
from device.backends.checkpoints import EVERY, LONG, Checkpoints
from device.factory import Database

from .conftest import PASSPHRASE, Place, fetch

PAGE = 4096

OPEN_AND_CLOSE = """
import asyncio, sys
from pathlib import Path
from device.factory import DatabaseFactory, DatabaseSettings

async def main():
    await (await DatabaseFactory(DatabaseSettings(sys.argv[1]), sys.argv[2]).open()).close()

asyncio.run(main())
"""


@pytest.fixture(autouse=True)
def _warnings(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)


def log_size(place: Place) -> int:
    """Bytes; 0 without a log."""
    log = place.folder / "device.db-wal"
    return log.stat().st_size if log.exists() else 0


async def write(opened: Database, count: int) -> None:
    for number in range(count):
        await opened.inventory.set_budget("BESTIE", number, number, number)


async def write_without_pause(place: Place, opened: Database, count: int) -> int:
    """Always with writes in the queue; returns how long the log was at most."""
    longest = 0

    async def one_after_the_other(name: int) -> None:
        nonlocal longest
        for number in range(count // 4):
            await opened.vault.store_key(f"{name}-{number}", "GOLD", bytes(2000))
            longest = max(longest, log_size(place))

    await asyncio.gather(*map(one_after_the_other, range(4)))
    return longest


async def test_the_log_stays_short_under_steady_writing(in_file: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "LONG", 200)
    opened = await in_file.open()
    longest = await write_without_pause(in_file, opened, 2000)
    # 300 to 1,100, as the threads get their turns; 16,700 when nobody copies, or the writer does not help.
    assert longest < 4000 * PAGE, longest // PAGE


async def test_an_idle_store_has_its_log_in_the_database(in_file: Place) -> None:
    """So that the next write begins the log anew, and it is never longer than a few rounds of EVERY."""
    opened = await in_file.open()
    sizes = set()
    for _ in range(20):
        await write(opened, EVERY)
        await asyncio.sleep(0.02)
        sizes.add(log_size(in_file))
    assert max(sizes) < LONG * PAGE / 2


async def test_a_copy_that_fails_is_a_warning_and_tried_again(
    in_file: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    opened, genuine = await in_file.open(), checkpoints._checkpoint
    faults: list[Exception] = [opened.store.driver.OperationalError("disk I/O error"), RuntimeError("unforeseen")]  # type: ignore[attr-defined]

    def failing(connection: Any) -> int:
        if faults:
            raise faults.pop()
        tried.append(genuine(connection))
        return tried[-1]

    tried: list[int] = []
    monkeypatch.setattr(checkpoints, "_checkpoint", failing)
    async with asyncio.timeout(30):
        while not tried:
            await write(opened, 10)
    assert tried[0] > 2 * EVERY, "pages; the log had grown meanwhile"
    assert [record.getMessage() for record in caplog.records] == [
        "the write-ahead log could not be copied: unforeseen",
        "the write-ahead log could not be copied: disk I/O error",
    ]


async def test_a_copy_that_has_no_thread_costs_no_write(in_file: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = await in_file.open()

    def refuse(*_arguments: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(opened.store._checkpoints._thread, "submit", refuse)  # type: ignore[attr-defined]
    await write(opened, 2 * EVERY)


@pytest.mark.parametrize("writes", [1, EVERY, 10 * EVERY])
async def test_closing_leaves_an_empty_log_and_all_records(
    in_file: Place, writes: int, caplog: pytest.LogCaptureFixture
) -> None:
    opened = await in_file.open()
    storing = [opened.vault.store_key(f"key-{number}", "GOLD", bytes(2000)) for number in range(writes)]
    await asyncio.gather(*storing)
    await opened.close()
    assert log_size(in_file) == 0
    assert await fetch((await in_file.open()).vault, f"key-{writes - 1}") == bytes(2000)
    assert caplog.text == ""


async def test_closing_waits_for_a_copy_that_is_under_way(
    in_file: Place, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    opened, genuine = await in_file.open(), checkpoints._checkpoint
    is_copying, go_on = threading.Event(), threading.Event()

    def slow(connection: Any) -> int:
        is_copying.set()
        assert go_on.wait(10)
        return genuine(connection) + LONG

    monkeypatch.setattr(checkpoints, "_checkpoint", slow)
    await write(opened, EVERY)
    assert await asyncio.to_thread(is_copying.wait, 10)
    closing = asyncio.create_task(opened.close())
    await asyncio.sleep(0.05)
    assert not closing.done()
    go_on.set()
    await closing
    assert log_size(in_file) == 0
    assert caplog.text == ""


def test_a_writer_that_is_asked_for_help_while_the_store_closes_has_nothing_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The copy ends when the writer's thread is in close() already, and takes orders for afterwards still."""
    writers, own = (sqlite3.connect(tmp_path / "x.db", check_same_thread=False) for _ in range(2))
    writer, is_closing = ThreadPoolExecutor(1), threading.Event()
    copied = Checkpoints(own, writer, writers)

    def long(connection: Any) -> int:
        assert is_closing.wait(10)
        connection.execute("select 1")
        return LONG + 1

    def close() -> None:
        is_closing.set()
        copied.close()
        writers.close()

    monkeypatch.setattr(checkpoints, "EVERY", 1)
    monkeypatch.setattr(checkpoints, "_checkpoint", long)
    writer.submit(copied.after_write).result()
    writer.submit(close).result()
    writer.shutdown()
    assert caplog.text == ""


async def test_a_store_that_is_open_twice_keeps_its_log_when_another_program_closes_it(in_file: Place) -> None:
    """That program deletes the log if it finds no lock of another's: closing a file takes a process's locks away."""
    opened = await in_file.open()
    await write(opened, 2 * EVERY)
    async with await in_file.open() as other:
        await write(other, 2 * EVERY)
    other = await in_file.open()
    command = [sys.executable, "-c", OPEN_AND_CLOSE, in_file.url, PASSPHRASE]
    await asyncio.to_thread(subprocess.run, command, check=True, timeout=60)
    for store in (opened, other):
        await store.vault.store_key(f"after {id(store)}", "GOLD", b"private")
        assert await fetch(store.vault, f"after {id(store)}") == b"private"


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():
            await asyncio.sleep(0.05)


async def test_what_a_killed_program_left_in_the_log_leaves_it_even_if_another_reads_at_first(
    in_file: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("device.backends.sqlite.PATIENCE", 100)
    killed = await in_file.open()
    await killed.vault.store_key("name", "GOLD", bytes(2000))
    reader: Any = killed.store._connect()  # type: ignore[attr-defined]
    reader.execute("begin")
    reader.execute("select count(*) from vault").fetchall()
    await killed.vault.burn_key("name")
    # As a kill does: nobody cleans any more.
    killed.store._cleaning.cancel()  # type: ignore[attr-defined]
    opened = await in_file.open()
    assert log_size(in_file) > 0, "the reader was in the way"
    reader.execute("rollback")
    await until(lambda: log_size(in_file) == 0)
    reader.close()
    assert await fetch(opened.vault, "name") is None
