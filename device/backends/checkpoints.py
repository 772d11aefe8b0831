"""SQLite's write-ahead log, copied into the database beside the writer.

SQLite would let the writer who finds the log long copy it and wait for the disk meanwhile: 10 ms after every 50th removal
of a contact (docs/adr/0019).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any

EVERY = 50
"""Writes after which copying begins."""

LONG = 1000
"""Pages of log with which the writer is asked to help."""


class Checkpoints:
    """A thread and a connection of its own for one store.

    connect: makes the connection. writer: the thread of the writer, and of `connection`. fault: what its driver raises.
    """

    def __init__(
        self, connect: Callable[[], Any], writer: ThreadPoolExecutor, connection: Any, fault: type[Exception]
    ) -> None:
        self._connect = connect
        self._writer = writer
        self._writers_connection = connection
        self._fault = fault
        self._thread = ThreadPoolExecutor(1, "aqm-checkpoints")
        self._connection: Any = None
        self._writes = 0
        self._is_copying = False
        connection.execute("pragma wal_autocheckpoint = 0").fetchall()

    def after_write(self) -> None:
        """Count a write; after EVERY of them copy."""
        self._writes += 1
        if self._writes >= EVERY and not self._is_copying:
            self._writes = 0
            self._is_copying = True
            self._thread.submit(self._copy)

    def close(self) -> None:
        """Finish what was begun."""
        self._thread.shutdown()
        if self._connection:
            self._connection.close()

    def _copy(self) -> None:
        with self._told():
            self._connection = self._connection or self._connect()
            if _checkpoint(self._connection) > LONG:
                # While others write, some pages are always new. The writer itself copies the last of them, and its next
                # write begins the log anew.
                with suppress(RuntimeError):  # the store is being closed, which empties the log
                    self._writer.submit(self._copy_rest)
                return
        self._is_copying = False

    def _copy_rest(self) -> None:
        with self._told():
            _checkpoint(self._writers_connection)
        self._is_copying = False

    @contextmanager
    def _told(self) -> Iterator[None]:
        """A log that can't be copied only grows: the next time, then."""
        try:
            yield
        except (self._fault, OSError) as error:
            logging.getLogger(__name__).warning("the write-ahead log could not be copied: %s", error)


def _checkpoint(connection: Any) -> int:
    """Copy what is copied without waiting for anybody; returns how many pages the log has."""
    (_, pages, _) = connection.execute("pragma wal_checkpoint(passive)").fetchone()
    return int(pages)
