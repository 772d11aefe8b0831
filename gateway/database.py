"""Connections and calls: a pool of logins for each HTTP role, one function call a request."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import NoneType
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

import psycopg
from psycopg import abc, pq
from psycopg.adapt import AdaptersMap, Dumper
from psycopg.types.composite import register_composite
from psycopg_pool import AsyncConnectionPool, PoolTimeout, TooManyRequests

from .catalog import Catalog, Composite, Field, Route
from .problems import OUTCOME_UNKNOWN, Problem
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
        self.adapters.register_dumper(None, _UuidDumper)
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
        # Batches follow each other; in turn on two connections each would find its backend's caches cold, which costs a
        # tenth of the database's time and of ours. The gateway's own queries are few: health, metrics, the catalog.
        is_own = login == LOGIN
        least, most = (1, 1) if purpose == "batches" else (1, 2) if is_own else (settings.pool_min, settings.pool_max)
        pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            login_dsn(self.dsn, login, settings.password),
            kwargs=CONNECTION | {"prepare_threshold": 2 if settings.prepare else None, "context": self.context},
            min_size=least,
            max_size=most,
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
            _register_domains(composite, self.context.adapters)
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
        try:
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
        except psycopg.Error as error:
            self._distrust(error)
            raise
        return Answer(answer.columns, answer.rows, set_status or None)

    async def call_many(self, route: Route, role: str, calls: Sequence[Mapping[str, Any]]) -> Answer:
        """Call a route's batch twin: the arguments of many calls as arrays, one statement, one commit."""
        pool = await self.pool(f"{LOGIN}_{role}", "batches")
        defaults = [(field.name, field.constant) for field in route.arguments]
        columns = [array_of([call.get(name, default) for call in calls]) for name, default in defaults]
        try:
            async with pool.connection() as connection:
                cursor = connection.cursor(binary=True)
                await cursor.execute(batch_statement(route).encode(), columns)
                self._settle(connection)
                return _answer(cursor, await cursor.fetchall())
        except psycopg.Error as error:
            self._distrust(error)
            raise

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

    def _distrust(self, error: psycopg.Error) -> None:
        """After a lost connection look at every other before it is used: they may have gone with it."""
        if is_lost(error):
            self.last_used.clear()

    def _settle(self, connection: Connection) -> None:
        """Refuse an answer that was committed here but perhaps not on the standby: a failover would undo it."""
        if connection in self.in_doubt:
            self.in_doubt.discard(connection)
            raise Problem(503, OUTCOME_UNKNOWN)


class _UuidDumper(Dumper):
    """Puts the text of a UUID into a composite; elsewhere the server takes the text as it is."""

    oid = psycopg.adapters.types["uuid"].oid
    format = pq.Format.BINARY

    def dump(self, obj: str) -> bytes:
        return bytes.fromhex(obj.replace("-", ""))


def _register_domains(composite: Composite, adapters: AdaptersMap) -> None:
    """Let the fields of a composite whose types are domains travel as what the domains are made of.

    Inside of a composite PostgreSQL tells and wants the domain's own OID, of which the driver knows nothing.
    """
    for oid, field in zip(composite.info.field_types, composite.fields, strict=True):
        base = adapters.types.get(field.type)
        if base is None or field.is_array or field.composite or adapters.types.get(oid):
            continue
        for form in (pq.Format.TEXT, pq.Format.BINARY):
            with suppress(psycopg.ProgrammingError):  # a type that the driver can't send
                adapters.register_dumper(None, _dumper_of(oid, form, adapters.get_dumper_by_oid(base.oid, form)))
            if loader := adapters.get_loader(base.oid, form):
                adapters.register_loader(oid, loader)


def _dumper_of(domain: int, form: pq.Format, base: type[abc.Dumper]) -> type[Dumper]:
    """A dumper for a domain that leaves the work to another, which the driver's C code lets nobody inherit from."""

    class DomainDumper(Dumper):
        oid = domain
        format = form

        def __init__(self, cls: type, context: abc.AdaptContext | None = None) -> None:
            super().__init__(cls, context)
            self.base = base(cls, context)

        def dump(self, obj: Any) -> abc.Buffer | None:
            return self.base.dump(obj)

    return DomainDumper


def is_lost(error: psycopg.Error) -> bool:
    """Whether an error leaves open what happened: the connection went away under the call."""
    if isinstance(error, PoolTimeout | TooManyRequests) or error.sqlstate == "57014":
        return False  # never sent; a time-out, and so rolled back
    return not error.sqlstate or error.sqlstate.startswith(("08", "57"))


def may_repeat(route: Route, arguments: Mapping[str, Any]) -> bool:
    """Whether a call may be made again when nobody knows what became of it: it carries a request id."""
    return route.request_id_argument is not None and arguments.get(route.request_id_argument) is not None


def call_statement(route: Route, arguments: Mapping[str, Any]) -> str:
    """The call of a function with named arguments; those that were not sent keep their defaults."""
    given = ", ".join(
        f"{field.name} => %({field.name})b::{_type(field)}" for field in route.arguments if field.name in arguments
    )
    return f"select * from {route.function}({given})"


def batch_statement(route: Route) -> str:
    """The call of a batch twin: arrays in the order of the single function's arguments."""
    arrays = ", ".join(f"%b::{field.type}[]" for field in route.arguments)
    return f"select * from {route.batch_function}({arrays})"


def array_of(values: list[Any]) -> str | list[Any]:
    """An array as PostgreSQL writes it, where strings and integers are all there is: the driver, which looks into each
    element for its type, takes five times as long."""
    if not {type(value) for value in values} <= {str, int, NoneType}:
        return values
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: str | int | None) -> str:
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return "null" if value is None else str(value)


def _type(field: Field) -> str:
    return f"{field.type}[]" if field.is_array else field.type


def _answer(cursor: psycopg.AsyncCursor[Any], rows: list[tuple[Any, ...]]) -> Answer:
    return Answer(tuple(column.name for column in cursor.description or ()), rows)
