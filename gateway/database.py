"""Connections and calls: a pool of logins for each HTTP role, one function call a request."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

import psycopg
from psycopg.adapt import AdaptersMap
from psycopg.types.composite import register_composite
from psycopg_pool import AsyncConnectionPool

from .catalog import Catalog, Field, Route
from .problems import Problem
from .settings import LOGIN, Settings, login_dsn

Connection = psycopg.AsyncConnection[Any]
SYNCHRONOUS_COMMIT_CANCELLED = "canceling wait for synchronous replication"
"""Start of the one message text that is read: it has no SQLSTATE of its own (PostgreSQL's syncrep.c)."""

CONNECTION = {
    "autocommit": True,
    "application_name": "aqm gateway",
    "connect_timeout": 5,
    # A server that is gone without a word is noticed within half a minute (libpq's names; TCP only).
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15000,
}
"""How every connection is made."""

TRUSTED_FOR = 1.0
"""Seconds in which a connection that was just used is handed out again without a check."""

GIVES_UP = 3.0
"""Seconds a pool tries to reconnect by itself; short, so that the next caller makes it try again."""


@dataclass(frozen=True)
class Answer:
    """What a function returned. columns: names. rows: tuples. status: what it set response.status to, or None."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    status: str | None = None


class _Adapters:
    """How values travel on every connection of a server; filled from the catalog."""

    def __init__(self) -> None:
        self.adapters = AdaptersMap(psycopg.adapters)
        self.connection = None


class Server:
    """One PostgreSQL server, primary or replica, seen through a pool for each login.

    dsn: connection string of the gateway's own login.
    """

    def __init__(self, dsn: str, settings: Settings) -> None:
        self.dsn = dsn
        self.settings = settings
        self.context = _Adapters()
        self.pools: dict[str, AsyncConnectionPool[Connection]] = {}
        self.last_used: WeakKeyDictionary[Connection, float] = WeakKeyDictionary()
        self.in_doubt: WeakSet[Connection] = WeakSet()
        self.opening = asyncio.Lock()

    async def pool(self, login: str, purpose: str = "calls") -> AsyncConnectionPool[Connection]:
        """The pool of a login for a purpose, opened at its first use.

        Batches have connections of their own: whoever fills the others can't stop everybody's claims.
        """
        name = f"{login} {purpose}"
        pool = self.pools.get(name)
        if pool is None:
            async with self.opening:
                pool = self.pools.get(name) or await self._open_pool(login, purpose, name)
        return pool

    async def _open_pool(self, login: str, purpose: str, name: str) -> AsyncConnectionPool[Connection]:
        settings = self.settings
        # The gateway's own queries are few (health, metrics, the catalog), and a batch needs one connection.
        is_small = login == LOGIN or purpose == "batches"
        pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            login_dsn(self.dsn, login, settings.password),
            kwargs=CONNECTION | {"prepare_threshold": 2 if settings.prepare else None, "context": self.context},
            min_size=1 if is_small else settings.pool_min,
            max_size=2 if is_small else settings.pool_max,
            timeout=settings.pool_wait,
            max_waiting=settings.max_waiting,
            max_idle=settings.pool_idle,
            max_lifetime=settings.pool_lifetime,
            reconnect_timeout=GIVES_UP,
            configure=self._configure,
            check=self._check,
            name=name,
            open=False,
        )
        await pool.open(wait=False)
        self.pools[name] = pool
        return pool

    async def use(self, catalog: Catalog) -> None:
        """Take over the types of a catalog and replace the connections, whose prepared calls may be of yesterday;
        those in use are replaced when they come back."""
        for composite in catalog.composites:
            register_composite(composite.info, self.context)
        await asyncio.gather(*(pool.drain() for pool in self.pools.values()))

    async def close(self) -> None:
        """Close all connections."""
        await asyncio.gather(*(pool.close() for pool in self.pools.values()))

    async def call(
        self, route: Route, role: str, arguments: Mapping[str, Any], request_id: str, prepare: bool | None = None
    ) -> Answer:
        """Call a route's function once, under an HTTP role, in one transaction and one round trip.

        arguments: values by argument name. request_id: shown by the database's log as the application's name.
        prepare: False plans anew whatever the connection remembers.
        Raises psycopg.Error, PoolTimeout, TooManyRequests; Problem 503 when it is not known whether it happened.
        """
        pool = await self.pool(f"{LOGIN}_{role}")
        async with pool.connection() as connection:
            async with connection.pipeline():
                await connection.execute(b"begin" if route.is_volatile else b"begin read only")
                await connection.execute("select set_config('application_name', %s, true)", [f"aqm {request_id}"])
                cursor = connection.cursor(binary=True)
                await cursor.execute(call_statement(route, arguments).encode(), arguments, prepare=prepare)
                status = await connection.execute("select current_setting('response.status', true)")
                await connection.execute(b"commit")
            # Only now is the commit acknowledged: a row read inside the pipeline could still be undone.
            self._settle(connection)
            answer = _answer(cursor, await cursor.fetchall())
            set_status = (await status.fetchone() or [None])[0]
        return Answer(answer.columns, answer.rows, set_status or None)

    async def call_many(self, route: Route, role: str, calls: Sequence[Mapping[str, Any]]) -> Answer:
        """Call a route's batch twin: the arguments of many calls as arrays, one statement, one commit."""
        pool = await self.pool(f"{LOGIN}_{role}", "batches")
        columns = [[call.get(field.name, default) for call in calls] for field, default in batch_arguments(route)]
        async with pool.connection() as connection:
            cursor = connection.cursor(binary=True)
            await cursor.execute(batch_statement(route).encode(), columns)
            self._settle(connection)
            return _answer(cursor, await cursor.fetchall())

    async def query(self, statement: str, timeout: float = 2.0) -> Answer:
        """Run a statement of the gateway's own under its own login, within so many seconds."""
        pool = await self.pool(LOGIN)
        async with asyncio.timeout(timeout), pool.connection(timeout=timeout) as connection:
            cursor = await connection.execute(statement.encode())
            return _answer(cursor, await cursor.fetchall())

    async def _configure(self, connection: Connection) -> None:
        def notice(diagnostic: psycopg.errors.Diagnostic) -> None:
            if (diagnostic.message_primary or "").startswith(SYNCHRONOUS_COMMIT_CANCELLED):
                self.in_doubt.add(connection)

        connection.add_notice_handler(notice)
        milliseconds = int(self.settings.statement_timeout * 1000)
        if milliseconds != 10_000:  # what the login has anyway; a SET would not survive PgBouncer
            await connection.execute(f"set statement_timeout = {milliseconds}".encode())

    async def _check(self, connection: Connection) -> None:
        now = time.monotonic()
        if now - self.last_used.get(connection, 0) > TRUSTED_FOR:
            await AsyncConnectionPool.check_connection(connection)
        self.last_used[connection] = now

    def _settle(self, connection: Connection) -> None:
        """Refuse an answer that was committed here but perhaps not on the standby: a failover would undo it."""
        if connection in self.in_doubt:
            self.in_doubt.discard(connection)
            raise Problem(503, "it is not known whether this happened; ask again")


def call_statement(route: Route, arguments: Mapping[str, Any]) -> str:
    """The call of a function with named arguments; those that were not sent keep their defaults."""
    given = ", ".join(
        f"{field.name} => %({field.name})b::{_type(field)}" for field in route.arguments if field.name in arguments
    )
    return f"select * from {route.function}({given})"


def batch_arguments(route: Route) -> list[tuple[Field, Any]]:
    """The arguments of a batch twin with the defaults that a missing one takes: the twin has an array for each."""
    return [(field, _constant(field.default)) for field in route.arguments]


def batch_statement(route: Route) -> str:
    """The call of a batch twin: arrays in the order of the single function's arguments."""
    arrays = ", ".join(f"%b::{field.type}[]" for field in route.arguments)
    return f"select * from {route.batch_function}({arrays})"


def _type(field: Field) -> str:
    return f"{field.type}[]" if field.is_array else field.type


def _constant(default: str | None) -> Any:
    """A default as the catalog prints it; a twin's arguments are simple enough: integers and nulls."""
    return int(default) if default and default.lstrip("-").isdecimal() else None


def _answer(cursor: psycopg.AsyncCursor[Any], rows: list[tuple[Any, ...]]) -> Answer:
    return Answer(tuple(column.name for column in cursor.description or ()), rows)
