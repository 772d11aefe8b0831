"""What the gateway knows of the database: the endpoints, read from the catalog by gateway.list_routes() and
gateway.list_fields()."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row
from psycopg.types import TypeInfo
from psycopg.types.composite import CompositeInfo


@dataclass(frozen=True)
class Field:
    """An argument, a column of a result, or a field of a composite type.

    name: in SQL. type: of the value, or of its elements where is_array. composite: the fields of a composite type.
    domain: that it is declared as, with its schema. labels: what a value of an enum may be, none of any other type.
    """

    name: str
    type: str
    is_array: bool
    is_required: bool
    default: str | None
    comment: str | None
    composite: Composite | None
    domain: str | None = None
    labels: tuple[str, ...] = ()

    @cached_property
    def json_name(self) -> str:
        """The name in JSON: without p_; the bytes of x_blob travel as base64 in x_b64."""
        name = self.name.removeprefix("p_")
        return f"{name.removesuffix('_blob')}_b64" if self.type == "bytea" else name

    @cached_property
    def constant(self) -> int | bool | None:
        """The default as a value, where it is one that the gateway can repeat: an integer, a boolean, or null."""
        default = self.default or ""
        return int(default) if default.removeprefix("-").isdecimal() else {"true": True, "false": False}.get(default)


@dataclass
class Composite:
    """A composite type. info: what psycopg needs to send it."""

    name: str
    info: CompositeInfo
    fields: list[Field] = field(default_factory=list)


@dataclass(frozen=True)
class Route:
    """An endpoint: a method and a path, the function behind it, and how a call of it is made and answered.

    headers: arguments by the request header that carries them. channel: of a stream's notifications, None for a call.
    needs_keys: the call gets the data keys. is_costly: it takes a core for long.
    cache_seconds: for how long an answer is kept, None where it is not.
    """

    method: str
    path: str
    function: str
    rows_as: str | None
    caller_argument: str | None
    batch_function: str | None
    may_use_replica: bool
    is_volatile: bool
    roles: tuple[str, ...]
    comment: str
    arguments: tuple[Field, ...]
    results: tuple[Field, ...]
    headers: Mapping[str, str]
    channel: str | None
    needs_keys: bool = False
    is_costly: bool = False
    cache_seconds: int | None = None

    @property
    def name(self) -> str:
        """The endpoint in logs and metrics."""
        return f"{self.method} {self.path}"

    @cached_property
    def request_id_argument(self) -> str | None:
        """The argument that makes a call one that may be repeated: what comes from the header Idempotency-Key."""
        return next((name for header, name in self.headers.items() if header.lower() == "idempotency-key"), None)

    @property
    def pattern(self) -> re.Pattern[str]:
        """Matches the paths of the endpoint; its groups are the arguments in the path."""
        return re.compile(re.sub(r"\\{([a-z_]+)\\}", r"(?P<\1>[^/]+)", re.escape(self.path)))


@dataclass(frozen=True)
class Metric:
    """A function whose rows are a Prometheus gauge."""

    name: str
    function: str
    help: str


@dataclass(frozen=True)
class Catalog:
    """All endpoints and metrics of one moment, and the types in them that the driver does not know."""

    routes: tuple[Route, ...] = ()
    metrics: tuple[Metric, ...] = ()
    composites: tuple[Composite, ...] = ()
    enums: tuple[TypeInfo, ...] = ()


async def read_catalog(connection: psycopg.AsyncConnection[Any]) -> Catalog:
    """Read the catalog, as of one moment, over a connection of the gateway's own login."""
    async with connection.transaction():
        await connection.execute("set transaction isolation level repeatable read, read only")
        return await _read(connection)


async def _read(connection: psycopg.AsyncConnection[Any]) -> Catalog:
    cursor: psycopg.AsyncCursor[Any] = connection.cursor(row_factory=namedtuple_row)
    routes = await (await cursor.execute("select * from gateway.list_routes()")).fetchall()
    fields = await (await cursor.execute("select * from gateway.list_fields()")).fetchall()
    metrics = await (await cursor.execute("select * from gateway.list_metrics()")).fetchall()

    composites: dict[str, Composite] = {}
    for name in dict.fromkeys(row.shape for row in fields if row.direction == "field"):
        info = await CompositeInfo.fetch(connection, name)
        if info:
            composites[name] = Composite(name, info)
    enums = [
        await TypeInfo.fetch(connection, name) for name in dict.fromkeys(row.type_name for row in fields if row.labels)
    ]
    by_shape: dict[tuple[str, str], list[Field]] = defaultdict(list)
    rows_type: dict[str, str] = {}
    for row in fields:
        if row.direction == "rows":
            rows_type[row.shape] = row.type_name
            continue
        composite = composites.get(row.type_name) if row.is_composite else None
        by_shape[row.shape, row.direction].append(
            Field(
                row.field,
                row.type_name,
                row.is_array,
                row.is_required,
                row.default_value,
                row.comment,
                composite,
                row.domain_name,
                tuple(row.labels or ()),
            )
        )
    for name, composite in composites.items():
        composite.fields.extend(by_shape[name, "field"])

    return Catalog(
        routes=tuple(
            Route(
                row.method, row.path, row.function_name, row.rows_as, row.caller_argument, row.batch_function,
                row.may_use_replica, row.is_volatile, tuple(row.roles), row.comment or "",
                arguments=tuple(by_shape[row.function_name, "in"]),
                results=tuple(
                    by_shape[row.function_name, "out"] or by_shape.get((rows_type.get(row.function_name, ""), "field"), [])
                ),
                headers=row.headers,
                channel=row.channel,
                needs_keys=row.needs_keys,
                is_costly=row.is_costly,
                cache_seconds=row.cache_seconds,
            )
            for row in routes
        ),
        metrics=tuple(Metric(row.name, row.function_name, row.comment or "") for row in metrics),
        composites=tuple(composites.values()),
        enums=tuple(info for info in enums if info),
    )  # fmt: skip
