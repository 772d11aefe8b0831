"""A connection with a thread of its own, on which batches travel one after the other."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, Protocol

import psycopg
from psycopg import pq
from psycopg.adapt import PyFormat, Transformer

from .connections import CONNECTION, TRUSTED_FOR, Answer, is_lost, settings_of_session, tells_of_doubt
from .logs import fault, log
from .problems import OUTCOME_UNKNOWN, Problem
from .settings import Settings
from .wire import answer_of, check

RECONNECTS_EVERY = 0.2
"""Seconds between two attempts to reach the server while there is no connection."""

RENEWS_EVERY = 30.0
"""Seconds between two attempts to replace a connection that serves: an attempt that hangs holds up everybody."""

STALE = {"0A000", "26000", "42P05"}
"""A prepared call whose result type changed, one that is gone, one of that name that is there: a new connection helps."""

Execute = Callable[[str, Sequence[Any]], Answer]
"""Runs a statement ($1, $2, …) with its values; raises psycopg.Error, and Problem 503 when the outcome isn't known."""


class Traveller(Protocol):
    """Who has calls to send."""

    def send(self, execute: Execute) -> None:
        """Take what waits and send it. Runs in the lane's thread when its turn has come; raises nothing."""

    def ask_again(self) -> None:
        """Ask for another turn if anything still waits."""


class Lane:
    """Lets those who have something to send go one after the other.

    Why a thread: to read an answer, the asynchronous driver needs several turns of the event loop, and under load a turn
    takes milliseconds, in which PostgreSQL has nothing to do. The thread waits inside libpq, without the interpreter's
    lock, and sends the next batch before the loop has seen the last answer (docs/adr/0017).

    dsn: of the login. context: how values travel. lost: called, in the thread, when the connection went away under a call.
    """

    def __init__(
        self, dsn: str, settings: Settings, context: psycopg.abc.AdaptContext, lost: Callable[[], object]
    ) -> None:
        self.dsn = dsn
        self.settings = settings
        self.context = context
        self.lost = lost
        self.turns: SimpleQueue[Traveller | None] = SimpleQueue()
        self.stopping = threading.Event()
        self.connection: psycopg.Connection[Any] | None = None
        self.must_renew = self.is_away = False
        self.used_at = self.connects_at = self.expires_at = float("-inf")
        self.thread = threading.Thread(target=self._run, name="lane", daemon=True)
        self.thread.start()

    # -- from the event loop

    def ask(self, traveller: Traveller) -> None:
        """Let it have a turn."""
        self.turns.put(traveller)

    def renew(self) -> None:
        """Take a new connection for the next turn: what this one has prepared may be of yesterday."""
        self.must_renew = True

    def distrust(self) -> None:
        """Look at the connection before its next use."""
        self.used_at = float("-inf")

    def stop(self, seconds: float) -> None:
        """End after the turn that is under way; waits for it so many seconds, so not in the event loop."""
        self.stopping.set()
        self.turns.put(None)
        self.thread.join(seconds)

    # -- in the thread

    def _run(self) -> None:
        while (traveller := self.turns.get()) is not None and not self.stopping.is_set():
            try:
                if self._is_connected():
                    traveller.send(self._execute)
                    continue
            except Exception as error:  # a thread that ends would stop all claims
                with suppress(OSError):  # nor does a full disk under the log
                    log().error("fault", route="lane", **fault(error))
            # Who waits too long meanwhile is told so by its own clock.
            self.stopping.wait(RECONNECTS_EVERY)
            traveller.ask_again()
        self._close()

    def _is_connected(self) -> bool:
        """Whether there is a connection, after a look at one that was idle and an attempt to make one that is due."""
        now = time.monotonic()
        if self.connection and now > self.used_at + TRUSTED_FOR:
            try:
                self.connection.execute("")
                self.used_at = now
            except psycopg.Error:
                self._close()
        if (self.connection is None or self.must_renew or now > self.expires_at) and now >= self.connects_at:
            try:
                self._connect()
            except (psycopg.Error, OSError) as error:
                self.connects_at = time.monotonic() + (RENEWS_EVERY if self.connection else RECONNECTS_EVERY)
                was_away, self.is_away, self.must_renew = self.is_away, True, True
                # Told once. libpq's reason names server and database, never a password.
                if not was_away:
                    with suppress(OSError):
                        log().warning("lane can't connect", **fault(error), reason=str(error).split("\n")[0])
        return self.connection is not None

    def _connect(self) -> None:
        """A new connection in place of the old one, which serves until then."""
        self.must_renew = False  # before: it may be told anew meanwhile
        connection = psycopg.connect(self.dsn, context=self.context, prepare_threshold=None, **CONNECTION)  # type: ignore[arg-type]
        connection.add_notice_handler(self._hear)
        if first := settings_of_session(self.settings.statement_timeout):
            connection.execute(first)
        self._close()
        self.connection = connection
        self.server = connection.pgconn
        self.transformer = Transformer(connection)
        self.prepared: dict[tuple[str, tuple[int, ...] | None], bytes] = {}
        self.in_doubt = self.is_away = False
        self.used_at = time.monotonic()
        self.expires_at = self.used_at + self.settings.pool_lifetime

    def _close(self) -> None:
        if self.connection:
            self.connection.close()
        self.connection = None
        self.connects_at = float("-inf")

    def _hear(self, diagnostic: psycopg.errors.Diagnostic) -> None:
        self.in_doubt = self.in_doubt or tells_of_doubt(diagnostic)

    def _execute(self, statement: str, arguments: Sequence[Any]) -> Answer:
        try:
            answer = self._call(statement, arguments)
        except psycopg.Error as error:
            if is_lost(error):
                self._close()
                self.lost()
            elif error.sqlstate in STALE:
                self.must_renew = True
            raise
        self.used_at = time.monotonic()
        if self.in_doubt:
            self.in_doubt = False
            raise Problem(503, OUTCOME_UNKNOWN)
        return answer

    def _call(self, statement: str, arguments: Sequence[Any]) -> Answer:
        """One statement in one round trip and one transaction; libpq's blocking call, since a cursor's steps would each
        ask for the interpreter's lock."""
        server, transformer = self.server, self.transformer
        values = transformer.dump_sequence(arguments, [PyFormat.AUTO] * len(arguments))
        types, formats = transformer.types, transformer.formats
        if self.settings.prepare:
            name = self.prepared.get((statement, types)) or self._prepare(statement, types)
            result = server.exec_prepared(name, values, formats, pq.Format.BINARY)  # type: ignore[arg-type]
        else:
            result = server.exec_params(statement.encode(), values, types, formats, pq.Format.BINARY)
        check(result)
        return answer_of(transformer, result)

    def _prepare(self, statement: str, types: tuple[int, ...] | None) -> bytes:
        name = f"batch_{len(self.prepared)}".encode()
        check(self.server.prepare(name, statement.encode(), types))
        self.prepared[statement, types] = name
        return name
