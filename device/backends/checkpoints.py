"""SQLite's write-ahead log, copied into the database beside the writer.

SQLite would let the writer who finds the log long copy it and wait for the disk meanwhile: 10 ms after every 50th removal
of a contact (docs/adr/0019).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

EVERY = 50
"""Writes after which copying begins."""

LONG = 1000
"""Pages of log with which the writer is asked to help."""


class Checkpoints:
    """A thread that copies one store's log, through a connection of its own.

    connection: its own; closed by close(). writer: the thread of the writer, in which after_write() and close() are called.
    writers_connection: what that one writes through.
    """

    def __init__(self, connection: Any, writer: ThreadPoolExecutor, writers_connection: Any) -> None:
        self._connection = connection
        self._writer = writer
        self._writers_connection = writers_connection
        self._thread = ThreadPoolExecutor(1, "aqm-checkpoints")
        self._writes = 0
        self._is_copying = False
        self._is_closed = False
        writers_connection.execute("pragma wal_autocheckpoint = 0").fetchall()

    def after_write(self) -> None:
        """Count a write; after EVERY of them copy. Raises nothing, as the write is done."""
        self._writes += 1
        if self._writes >= EVERY and not self._is_copying:
            self._writes = 0
            self._is_copying = True
            self._hand(self._thread, self._copy)

    def close(self) -> None:
        """Finish what was begun. Emptying the log is left to the writer."""
        self._is_closed = True
        self._thread.shutdown()
        self._connection.close()

    def _copy(self) -> None:
        if _checkpoint(self._connection) > LONG:
            # While others write, some pages are always new. The writer itself copies the last of them, and its next write
            # begins the log anew.
            self._hand(self._writer, self._copy_rest)
        else:
            self._is_copying = False

    def _copy_rest(self) -> None:
        # It may come after close(), and then has no connection any more.
        if not self._is_closed:
            _checkpoint(self._writers_connection)
        self._is_copying = False

    def _hand(self, thread: ThreadPoolExecutor, work: Callable[[], None]) -> None:
        """Let a thread do it. A log that can't be copied only grows: the next time, then."""

        def told() -> None:
            try:
                work()
            except Exception as error:
                self._is_copying = False
                logging.getLogger(__name__).warning("the write-ahead log could not be copied: %s", error)

        try:
            thread.submit(told)
        except RuntimeError:  # the store is being closed, which empties the log, or there is no thread to be had
            self._is_copying = False


def _checkpoint(connection: Any) -> int:
    """Copy what is copied without waiting for anybody; returns how many pages the log has."""
    (_, pages, _) = connection.execute("pragma wal_checkpoint(passive)").fetchone()
    return int(pages)
