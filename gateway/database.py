"""Connections and calls: a pool of logins for each HTTP role, one function call a request."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache, partial
from types import NoneType
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

import psycopg
from psycopg import abc, pq
from psycopg.adapt import AdaptersMap, Dumper, Loader
from psycopg.types.composite import register_composite
from psycopg.types.string import BytesBinaryDumper, TextBinaryLoader
from psycopg_pool import AsyncConnectionPool

from .catalog import Catalog, Composite, Field, Route
from .codec import JsonText
from .connections import CONNECTION, TRUSTED_FOR, Answer, is_lost, settings_of_session, tells_of_doubt
from .lane import Lane
from .problems import OUTCOME_UNKNOWN, Problem
from .settings import LOGIN, Settings, login_dsn
from .wire import Statement, Wire

GIVES_UP = 3.0
"""Seconds a pool tries to reconnect by itself; short, so that the next caller makes it try again."""


class _Adapters:
    """How values travel on every connection of a server; filled from the catalog."""

    def __init__(self) -> None:
        self.adapters = AdaptersMap(psycopg.adapters)
        self.adapters.register_dumper(None, _UuidDumper)
        # The driver's default for bytea is the one for its DB-API class Binary, which is Python.
        self.adapters.register_dumper(bytes, BytesBinaryDumper)
        self.adapters.register_loader("jsonb", _JsonbLoader)
        self.connection = None


class Server:
    """One PostgreSQL server, primary or replica, seen through a pool for each login.

    dsn: connection string of the gateway's own login.
    """

    def __init__(self, dsn: str, settings: Settings) -> None:
        self.dsn = dsn
        self.settings = settings
        self.context = _Adapters()
        self.pools: dict[str, AsyncConnectionPool[Wire]] = {}
        self.last_used: WeakKeyDictionary[Wire, float] = WeakKeyDictionary()
        self.in_doubt: WeakSet[Wire] = WeakSet()
        self.opening = asyncio.Lock()
        self.lanes: dict[str, Lane] = {}

    async def pool(self, login: str) -> AsyncConnectionPool[Wire]:
        """The pool of a login, opened at its first use."""
        pool = self.pools.get(login)
        if pool is None:
            async with self.opening:
                pool = self.pools.get(login) or await self._open_pool(login)
        return pool

    async def _open_pool(self, login: str) -> AsyncConnectionPool[Wire]:
        settings = self.settings
        # The gateway's own queries are few: health, metrics, the catalog.
        least, most = (1, 2) if login == LOGIN else (settings.pool_min, settings.pool_max)
        pool: AsyncConnectionPool[Wire] = AsyncConnectionPool(
            login_dsn(self.dsn, login, settings.password),
            connection_class=Wire,
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
            name=login,
            open=False,
        )
        await pool.open(wait=False)
        self.pools[login] = pool
        return pool

    def lane(self, role: str) -> Lane:
        """Where the batches of an HTTP role travel, begun at its first use.

        Apart from the pools: whoever fills those can't stop everybody's claims. One connection: batches that took turns on
        two would find each backend's caches cold, which costs a tenth of the database's time and of ours.
        """
        lane = self.lanes.get(role)
        if lane is None:
            dsn = login_dsn(self.dsn, f"{LOGIN}_{role}", self.settings.password)
            lost = partial(asyncio.get_running_loop().call_soon_threadsafe, self.distrust)
            lane = self.lanes[role] = Lane(dsn, self.settings, self.context, lost)
        return lane

    async def use(self, catalog: Catalog) -> None:
        """Take over the types of a catalog and replace the connections, whose prepared calls may be of yesterday;
        those in use are replaced when they come back."""
        for enum in catalog.enums:
            enum.register(self.context)
            self.context.adapters.register_loader(enum.oid, TextBinaryLoader)
        for composite in catalog.composites:
            register_composite(composite.info, self.context)
            _register_domains(composite, self.context.adapters)
        for lane in self.lanes.values():
            lane.renew()
        await asyncio.gather(*(pool.drain() for pool in self.pools.values()))

    async def close(self) -> None:
        """Close all connections."""
        ends = (asyncio.to_thread(lane.stop, GIVES_UP) for lane in self.lanes.values())
        await asyncio.gather(*ends, *(pool.close() for pool in self.pools.values()))

    async def call(
        self,
        route: Route,
        role: str,
        arguments: Mapping[str, Any],
        context: Mapping[str, str],
        prepares: bool = True,
    ) -> Answer:
        """Call a route's function once, under an HTTP role, in one transaction and one round trip.

        arguments: values by argument name. context: settings of the transaction, which tell the function of the request.
        prepares: False plans anew whatever the connection remembers.
        Raises psycopg.Error, PoolTimeout, TooManyRequests; Problem 503 when it is not known whether it happened.
        """
        pool = await self.pool(f"{LOGIN}_{role}")
        try:
            async with pool.connection() as connection:
                # Its results come after the commit is acknowledged: a row read before could still be undone.
                _, _, called, status, _ = await connection.run(
                    (
                        (b"begin" if route.is_volatile else b"begin read only", ()),
                        (_set_statement(tuple(context)), tuple(context.values())),
                        call_statement(route, arguments),
                        (b"select current_setting('response.status', true)", ()),
                        (b"commit", ()),
                    ),
                    prepares,
                )
                self._settle(connection)
                answer = connection.answer(called)
        except psycopg.Error as error:
            if is_lost(error):
                self.distrust()
            raise
        return Answer(answer.columns, answer.rows, (status.get_value(0, 0) or b"").decode() or None)

    async def query(self, statement: str, timeout: float = 2.0) -> Answer:
        """Run a statement of the gateway's own under its own login, within so many seconds."""
        pool = await self.pool(LOGIN)
        async with asyncio.timeout(timeout), pool.connection(timeout=timeout) as connection:
            cursor = await connection.execute(statement.encode())
            return _answer(cursor, await cursor.fetchall())

    async def _configure(self, connection: Wire) -> None:
        def notice(diagnostic: psycopg.errors.Diagnostic) -> None:
            if tells_of_doubt(diagnostic):
                self.in_doubt.add(connection)

        connection.add_notice_handler(notice)
        if first := settings_of_session(self.settings.statement_timeout):
            await connection.execute(first)

    async def _check(self, connection: Wire) -> None:
        now = time.monotonic()
        if now - self.last_used.get(connection, 0) > TRUSTED_FOR:
            await AsyncConnectionPool.check_connection(connection)
        self.last_used[connection] = now

    def distrust(self) -> None:
        """After a lost connection look at every other before it is used: they may have gone with it."""
        self.last_used.clear()
        for lane in self.lanes.values():
            lane.distrust()

    def _settle(self, connection: Wire) -> None:
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


class _JsonbLoader(Loader):
    """Leaves jsonb as the JSON that it is: read and written again, 1.10 would lose its nought, and 1e153 is an integer
    that orjson does not write."""

    format = pq.Format.BINARY

    def load(self, data: abc.Buffer) -> JsonText:
        return JsonText(bytes(data)[1:])  # after the version of the format


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


def may_repeat(route: Route, arguments: Mapping[str, Any]) -> bool:
    """Whether a call may be made again when nobody knows what became of it: it carries a request id."""
    return route.request_id_argument is not None and arguments.get(route.request_id_argument) is not None


def call_statement(route: Route, arguments: Mapping[str, Any]) -> Statement:
    """The call of a function with named arguments; those that were not sent keep their defaults."""
    sent = [field for field in route.arguments if field.name in arguments]
    given = ", ".join(f"{field.name} => ${number}::{_type(field)}" for number, field in enumerate(sent, 1))
    return f"select * from {route.function}({given})".encode(), [arguments[field.name] for field in sent]


def batch_statement(route: Route) -> str:
    """The call of a batch twin: arrays in the order of the single function's arguments."""
    arrays = ", ".join(f"${number}::{field.type}[]" for number, field in enumerate(route.arguments, 1))
    return f"select * from {route.batch_function}({arrays})"


def batch_arguments(route: Route, calls: Sequence[Mapping[str, Any]]) -> list[str | list[Any]]:
    """The arguments of many calls as the arrays of a batch twin; what was not sent has its default."""
    return [array_of([call.get(field.name, field.constant) for call in calls]) for field in route.arguments]


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


@cache
def _set_statement(names: tuple[str, ...]) -> bytes:
    """Sets the settings of those names until the end of the transaction."""
    settings = (f"set_config('{name}', ${number}, true)" for number, name in enumerate(names, 1))
    return f"select {', '.join(settings)}".encode()


def _type(field: Field) -> str:
    return f"{field.type}[]" if field.is_array else field.type


def _answer(cursor: psycopg.AsyncCursor[Any], rows: list[tuple[Any, ...]]) -> Answer:
    return Answer(tuple(column.name for column in cursor.description or ()), rows)
