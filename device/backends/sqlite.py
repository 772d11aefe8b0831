"""A store in an SQLite file, for one process or several.

A write has returned when it is on the disk. A burned key's sealed bytes leave the database at once and the write-ahead
log within CLEAN_AFTER seconds, or by close(); a purged one's leave both as soon. What the file system keeps of freed blocks is out of reach; it is sealed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from ..errors import BackendUnavailableError, DamagedStoreError, NewerStoreError
from ..keys import Coin
from ..shielded import to_the_end
from .base import (
    BATCH,
    BUDGETS,
    CATEGORIES,
    REMOVED,
    REMOVED_CONTACTS,
    STRANGER,
    Ages,
    Counts,
    KeyRow,
    Store,
    Stored,
    TakenCoin,
    digest,
)
from .checkpoints import Checkpoints

VERSION = 3
"""Of the schema, kept in user_version: the last of migrations/."""

PATIENCE = 5000
"""Milliseconds that an operation waits for another process's."""

CLEAN_AFTER = 1.0
"""Seconds. Each burn at once would cost two more waits for the disk, many together cost as much as one."""

LAST = 2**62
"""Milliseconds after all others."""

COUNT_COINS = "select category, count(*) from coins where contact_id = ? and minted_at >= ? group by category"

Result = TypeVar("Result")


class SQLiteStore(Store):
    """Records in one file. All work is done by one thread of its own, so that the event loop never waits for a disk."""

    name = "sqlite"
    driver: Any = sqlite3

    def __init__(self, path: Path) -> None:
        self.path = path
        self._thread = ThreadPoolExecutor(1, f"aqm-{self.name}")
        self._cleaning: asyncio.TimerHandle | None = None
        self._connection: Any = None
        self._checkpoints: Checkpoints | None = None
        self._files: dict[str, tuple[int, int]] = {}
        self._has_remains = False
        self._is_closed = False

    async def prepare(self) -> None:
        """Open the file, make or migrate its tables, add the budgets that are missing.

        Raises BackendUnavailableError, DamagedStoreError, NewerStoreError.
        """
        try:
            if not await self._run(self._open):
                self._clean_soon()
        except BaseException:
            await self.close()
            raise

    async def put_key(
        self, key_id: str, category: str, sealed: bytes, expires_at: int, now: int, is_last_resort: bool
    ) -> bool:
        def put() -> bool:
            cursor = self._connection.execute(
                """
                insert into vault (key_id, category, expires_at, sealed, stored_at, is_last_resort)
                values (?1, ?2, ?3, ?4, ?5, ?6)
                on conflict (key_id) do update
                set category = ?2, state = 'ACTIVE', expires_at = ?3, sealed = ?4, stored_at = ?5, is_last_resort = ?6
                where expires_at <= ?5
                """,
                (key_id, category, expires_at, sealed, now, is_last_resort),
            )
            return bool(cursor.rowcount)

        return await self._write(put)

    async def get_key(self, key_id: str, now: int) -> tuple[str, bytes, bool] | None:
        rows = await self._read(
            """
            select category, sealed, is_last_resort from vault
            where key_id = ? and state = 'ACTIVE' and expires_at > ?
            """,
            key_id, now,
        )  # fmt: skip
        return (rows[0][0], rows[0][1], bool(rows[0][2])) if rows else None

    async def list_keys(self, now: int, before: int | None) -> list[KeyRow]:
        found: list[KeyRow] = []
        rows: list[Any] = [(-1, -1)]
        while rows:
            rows = await self._read(
                """
                select stored_at, id, key_id, category, is_last_resort from vault
                where state = 'ACTIVE' and (stored_at, id) > (?, ?) and stored_at < ? and expires_at > ?
                order by stored_at, id limit ?
                """,
                *rows[-1][:2], LAST if before is None else before, now, BATCH,
            )  # fmt: skip
            found += [KeyRow(key_id, category, stored_at, bool(last)) for stored_at, _, key_id, category, last in rows]
        return found

    async def burn_key(self, key_id: str, now: int, until: int) -> bool:
        def burn() -> bool:
            cursor = self._connection.execute(
                """
                update vault set state = 'BURNED', sealed = null, expires_at = ?
                where key_id = ? and state = 'ACTIVE' and expires_at > ?
                """,
                (until, key_id, now),
            )
            return bool(cursor.rowcount)

        # Before, not after: a caller who is cancelled meanwhile must not keep the log from being cleaned.
        self._clean_soon()
        return await self._write(burn)

    async def purge_keys(self, now: int) -> int:
        def purge() -> tuple[int, int]:
            rows = self._connection.execute(
                """
                delete from vault where id in (select id from vault where expires_at <= ? order by expires_at limit ?)
                returning state
                """,
                (now, REMOVED),
            ).fetchall()
            self._has_remains |= bool(rows)
            return len(rows), sum(state == "ACTIVE" for (state,) in rows)

        self._clean_soon()
        purged, gone = 0, REMOVED
        while gone == REMOVED:
            gone, active = await self._write(purge)
            purged += active
        return purged

    async def count_keys(self, now: int) -> Counts:
        return _counts(
            await self._read(
                """
                select category, count(*) from vault
                where state = 'ACTIVE' and is_last_resort = 0 and expires_at > ? group by category
                """,
                now,
            )
        )

    async def put_coin(self, contact_id: str, coin: Coin, minted_at: int, now: int, ages: Ages) -> Stored:
        def put() -> Stored:
            if self._is_known(contact_id, coin, now):
                return "DUPLICATE"
            if self._room(contact_id, ages.since)[coin.category] == 0:
                return "OVER_BUDGET"
            self._drop_stale(contact_id, ages.stale)
            self._meet(contact_id, now)
            self._add(contact_id, TakenCoin(coin, 0, minted_at))
            return "STORED"

        return await self._write(put)

    async def take_coin(
        self, contact_id: str, categories: Sequence[str], now: int, until: int, ages: Ages
    ) -> TakenCoin | None:
        def take() -> TakenCoin | None:
            self._connection.execute("update contacts set used_at = ? where contact_id = ?", (now, contact_id))
            self._drop_stale(contact_id, ages.stale)
            for category in categories:
                row = self._connection.execute(
                    """
                    delete from coins
                    where id = (
                        select id from coins where contact_id = ? and category = ? and minted_at >= ? order by id limit 1)
                    returning key_id, public_key, signature, id, minted_at
                    """,
                    (contact_id, category, ages.since),
                ).fetchall()
                if row:
                    key_id, public_key, signature, sequence, minted_at = row[0]
                    coin = Coin(key_id, category, public_key, signature)
                    self._connection.execute(
                        "insert or replace into taken values (?, ?, ?, ?)", (contact_id, key_id, until, digest(coin))
                    )
                    return TakenCoin(coin, sequence, minted_at)
            return None

        return await self._write(take)

    async def note_coin(self, contact_id: str, coin: Coin, mark: str, now: int, until: int, ages: Ages) -> bool:
        def note() -> bool:
            if self._connection.execute(
                "select 1 from taken where contact_id = ? and key_id = ? and until > ?", (contact_id, mark, now)
            ).fetchone():
                return True
            if self._is_known(contact_id, coin, now):
                return False
            self._meet(contact_id, now)
            names = [(coin.key_id, digest(coin)), *([(mark, "")] if mark else [])]
            self._connection.executemany(
                "insert or replace into taken values (?, ?, ?, ?)",
                [(contact_id, name, until, known_by) for name, known_by in names],
            )
            return True

        return await self._write(note)

    async def return_coin(self, contact_id: str, taken: TakenCoin, since: int) -> bool:
        def put_back() -> bool:
            known = self._connection.execute("select 1 from contacts where contact_id = ?", (contact_id,)).fetchone()
            if not known or self._room(contact_id, since)[taken.coin.category] == 0:
                return False
            self._connection.execute(
                "delete from taken where contact_id = ? and key_id = ?", (contact_id, taken.coin.key_id)
            )
            self._add(contact_id, taken)
            return True

        return await self._write(put_back)

    async def count_coins(self, contact_id: str, since: int) -> Counts:
        return _counts(await self._read(COUNT_COINS, contact_id, since))

    async def count_all(self, since: int) -> Counts:
        return _counts(
            await self._read("select category, count(*) from coins where minted_at >= ? group by category", since)
        )

    async def room(self, contact_id: str, since: int) -> Counts:
        return await self._write(lambda: self._room(contact_id, since))

    async def collect(self, before: int, now: int, stale: int) -> list[str]:
        def remove() -> list[str]:
            unused = self._connection.execute(
                "select contact_id from contacts where used_at <= ? order by used_at, contact_id limit ?",
                (before, REMOVED_CONTACTS),
            ).fetchall()
            self._connection.executemany("delete from contacts where contact_id = ?", unused)
            return [contact_id for (contact_id,) in unused]

        def remove_stale() -> int:
            return int(
                self._connection.execute(
                    "delete from coins where id in (select id from coins where minted_at < ? limit ?)", (stale, REMOVED)
                ).rowcount
            )

        collected: list[str] = []
        batch = [""] * REMOVED_CONTACTS
        while len(batch) == REMOVED_CONTACTS:
            batch = await self._write(remove)
            collected += batch
        while await self._write(remove_stale) == REMOVED:
            pass
        await self._write(lambda: self._connection.execute("delete from taken where until <= ?", (now,)))
        return collected

    async def set_priority(self, contact_id: str, priority: str, now: int, since: int) -> int | None:
        def give() -> int | None:
            budget = self._connection.execute(
                "select gold, silver, bronze from budgets where priority = ?", (priority,)
            ).fetchone()
            if not budget:
                return None
            self._connection.execute(
                """
                insert into contacts values (?, ?, ?)
                on conflict (contact_id) do update set priority = excluded.priority, used_at = excluded.used_at
                """,
                (contact_id, priority, now),
            )
            removed = 0
            for category, kept in zip(CATEGORIES, budget, strict=True):
                removed += self._connection.execute(
                    """
                    delete from coins where id in (
                        select id from coins where contact_id = ? and category = ? and minted_at >= ?
                        order by id limit -1 offset ?)
                    """,
                    (contact_id, category, since, kept),
                ).rowcount
            return removed

        return await self._write(give)

    async def set_budget(self, priority: str, budget: Sequence[int]) -> None:
        await self._write(
            lambda: self._connection.execute(
                """
                insert into budgets values (?, ?, ?, ?)
                on conflict (priority) do update set gold = excluded.gold, silver = excluded.silver, bronze = excluded.bronze
                """,
                (priority, *budget),
            )
        )

    async def remove_contact(self, contact_id: str) -> int:
        def remove() -> int:
            (count,) = self._connection.execute(
                "select count(*) from coins where contact_id = ?", (contact_id,)
            ).fetchone()
            self._connection.execute("delete from contacts where contact_id = ?", (contact_id,))
            return int(count)

        return await self._write(remove)

    async def contacts(self) -> dict[str, str]:
        return dict(await self._read("select contact_id, priority from contacts"))

    async def highest_time(self) -> int:
        return int((await self._read("select highest from clock"))[0][0])

    async def set_highest_time(self, now: int, is_certain: bool) -> None:
        await self._write(
            lambda: self._connection.execute(
                "update clock set highest = case when ?2 then ?1 else max(highest, ?1) end", (now, is_certain)
            )
        )

    async def close(self) -> None:
        if self._is_closed:
            return
        if self._cleaning:
            self._cleaning.cancel()
        closing = asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._is_closed = True
        self._thread.shutdown(wait=False)
        # Cancelled before it began, it would leave burned keys in the log.
        await to_the_end(closing)

    def _connect(self) -> Any:
        return self.driver.connect(str(self.path), isolation_level=None, check_same_thread=False)

    def _open(self) -> bool:
        """Returns whether the log is empty."""
        # SQLite would make it, were it gone. Nobody may open the file beside SQLite: who closes it takes away the locks of
        # another store in this process (POSIX), and the next program to close it would delete the log under that.
        self.path.stat()
        self._connection = self._connect()
        for pragma in (
            f"busy_timeout = {PATIENCE}", "journal_mode = wal", "synchronous = full", "secure_delete = on",
            "foreign_keys = on", "temp_store = memory",
        ):  # fmt: skip
            self._connection.execute(f"pragma {pragma}").fetchall()
        self._in_transaction(self._migrate)
        # What a killed process left in the log.
        is_clean = self._clean()
        self._checkpoints = Checkpoints(self._connect(), self._thread, self._connection)
        self._files = {path: place for path in self._names() if (place := _place(path))}
        return is_clean

    def _close(self) -> None:
        if self._checkpoints:
            self._checkpoints.close()
        if self._connection:
            self._clean_quietly()
            self._connection.close()

    def _migrate(self) -> None:
        (version,) = self._connection.execute("pragma user_version").fetchone()
        if version > VERSION:
            raise NewerStoreError(f"{self.path} is of version {version}: update this program")
        for number in range(version + 1, VERSION + 1):
            for statement in _statements(files(__package__).joinpath(f"migrations/{number}.sql").read_text()):
                self._connection.execute(statement)
        self._connection.execute(f"pragma user_version = {VERSION}")
        self._connection.executemany(
            "insert into budgets values (?, ?, ?, ?) on conflict do nothing",
            [(priority, *budget) for priority, budget in BUDGETS.items()],
        )

    def _room(self, contact_id: str, since: int) -> Counts:
        budget = self._connection.execute(
            """
            select gold, silver, bronze from budgets
            where priority = coalesce((select priority from contacts where contact_id = ?), ?)
            """,
            (contact_id, STRANGER),
        ).fetchone()
        used = _counts(self._connection.execute(COUNT_COINS, (contact_id, since)).fetchall())
        return {category: max(0, most - used[category]) for category, most in zip(CATEGORIES, budget, strict=True)}

    def _is_known(self, contact_id: str, coin: Coin, now: int) -> bool:
        """Whether a coin is cached, or was taken and may not come again, under this name or another."""
        found = self._connection.execute(
            """
            select 1 from coins where contact_id = ?1 and (key_id = ?2 or digest = ?3)
            union all select 1 from taken where contact_id = ?1 and (key_id = ?2 or digest = ?3) and until > ?4
            """,
            (contact_id, coin.key_id, digest(coin), now),
        ).fetchone()
        return found is not None

    def _meet(self, contact_id: str, now: int) -> None:
        """Who is not known yet is a stranger."""
        self._connection.execute(
            "insert into contacts values (?, ?, ?) on conflict do nothing", (contact_id, STRANGER, now)
        )

    def _add(self, contact_id: str, taken: TakenCoin) -> None:
        """Insert a coin at its place in the order; 0: as the newest."""
        coin = taken.coin
        self._connection.execute(
            "insert into coins values (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                taken.sequence or None, contact_id, coin.category, coin.key_id, coin.public_key, coin.signature,
                taken.minted_at, digest(coin),
            ),
        )  # fmt: skip

    def _drop_stale(self, contact_id: str, stale: int) -> None:
        self._connection.execute("delete from coins where contact_id = ? and minted_at < ?", (contact_id, stale))

    def _clean_soon(self) -> None:
        if self._cleaning is None and not self._is_closed:
            loop = asyncio.get_running_loop()
            self._cleaning = loop.call_later(CLEAN_AFTER, self._clean_now, loop)

    def _clean_now(self, loop: asyncio.AbstractEventLoop) -> None:
        def clean() -> None:
            # Others may read what is in the log, or the disk be full: another time, then.
            if not self._clean_quietly():
                with suppress(RuntimeError):  # the loop has ended
                    loop.call_soon_threadsafe(self._clean_soon)

        self._cleaning = None
        self._thread.submit(clean)

    def _clean_quietly(self) -> bool:
        try:
            with self._errors():
                return self._clean()
        except (BackendUnavailableError, DamagedStoreError) as error:
            logging.getLogger(__name__).warning("the write-ahead log could not be emptied: %s", error)
            return False

    def _clean(self) -> bool:
        """Write the log into the database and empty it; False when other processes were in the way.

        What a purge has left between the records of its pages goes before that, as all pages are written anew: 10,000 keys
        take 20 to 90 ms. After a kill the next purge that finds something does it.
        """
        if self._has_remains:
            self._connection.execute("vacuum")
            self._has_remains = False
        (is_busy, _, _) = self._connection.execute("pragma wal_checkpoint(truncate)").fetchone()
        return not is_busy

    async def _read(self, statement: str, *parameters: str | int) -> list[Any]:
        rows: list[Any] = await self._run(lambda: self._connection.execute(statement, parameters).fetchall())
        return rows

    async def _write(self, work: Callable[[], Result]) -> Result:
        def write() -> Result:
            result = self._in_transaction(work)
            self._refuse_replaced()
            if self._checkpoints:
                self._checkpoints.after_write()
            return result

        return await self._run(write)

    def _names(self) -> tuple[str, str]:
        return str(self.path), f"{self.path}-wal"

    def _refuse_replaced(self) -> None:
        """SQLite goes on with files that have lost their names: what it writes there nobody reads again."""
        for path, place in self._files.items():
            if _place(path) != place:
                raise DamagedStoreError(
                    f"{path} was removed or replaced while it was open: what was written since is lost; open it anew"
                )

    async def _run(self, work: Callable[[], Result]) -> Result:
        def guarded() -> Result:
            with self._errors():
                return work()

        if self._is_closed:
            raise BackendUnavailableError("the store is closed")
        return await asyncio.get_running_loop().run_in_executor(self._thread, guarded)

    def _in_transaction(self, work: Callable[[], Result]) -> Result:
        self._connection.execute("begin immediate")
        try:
            result = work()
            self._connection.execute("commit")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("rollback")
            raise
        return result

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise BackendUnavailableError(f"can't open {self.path} ({error.strerror})") from None
        except (self.driver.OperationalError, self.driver.ProgrammingError) as error:
            raise BackendUnavailableError(f"{self.path}: {error}") from None
        except self.driver.DatabaseError as error:
            raise DamagedStoreError(f"{self.path}: {error}; restore it from a backup") from None


def _statements(script: str) -> Iterator[str]:
    """The statements of a script: executescript() would commit before it begins."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _place(path: str) -> tuple[int, int] | None:
    """Which file a path leads to, if any."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _counts(rows: Sequence[tuple[str, int]]) -> Counts:
    return dict.fromkeys(CATEGORIES, 0) | dict(rows)
