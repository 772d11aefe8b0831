"""Which endpoints there are: the newest catalog, read again whenever the database says that it has changed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql

from .arguments import Arguments
from .batching import Batcher
from .cache import Cache
from .catalog import Catalog, Route, read_catalog
from .codec import Encoder, row_encoders
from .data_keys import DataKeys
from .database import Server
from .logs import fault, log
from .problems import Problem
from .settings import LOGIN, Settings, login_dsn
from .streams import Streams
from .trust import Trust

LOOK_AGAIN = 30.0
"""Seconds after which keys are read again although nothing was notified: their time may be over, the line half-open."""


class Endpoint:
    """A route and what is worked out for it once: its arguments, its encoders and its batchers, one for each role.

    sign: makes a token of claims.
    """

    def __init__(self, route: Route, sign: Encoder) -> None:
        self.route = route
        self.pattern = route.pattern
        self.arguments = Arguments(route)
        self.columns = tuple(field.name for field in route.results)
        self.encoders: list[tuple[str, Encoder]] = row_encoders(route.results, sign)
        self.batchers: dict[str, Batcher] = {}


class Routes:
    """The endpoints of the newest catalog.

    servers: where their functions are called, the primary first. streams, trust, cache: are told what is notified.
    data_keys: are held against the database's.
    """

    def __init__(
        self,
        settings: Settings,
        servers: Sequence[Server],
        streams: Streams,
        trust: Trust,
        cache: Cache,
        data_keys: DataKeys,
    ) -> None:
        self.settings = settings
        self.servers = servers
        self.streams = streams
        self.trust = trust
        self.cache = cache
        self.data_keys = data_keys
        self.catalog = Catalog()
        self.ready = asyncio.Event()
        self.is_broken = False
        self.is_told = False
        self.loaded_at = float("-inf")
        self.trusted_at = float("-inf")
        self.loading = asyncio.Lock()
        self.fixed: dict[tuple[str, str], Endpoint] = {}
        self.patterns: list[Endpoint] = []

    def find(self, method: str, path: str) -> tuple[Endpoint, Mapping[str, str]]:
        """The endpoint of a request and the arguments in its path. Raises Problem 405, 404, or 503 before the first
        catalog."""
        endpoint = self.fixed.get((method, path))
        if endpoint:
            return endpoint, {}
        allowed = {known for known, known_path in self.fixed if known_path == path}
        # A path by its name comes before one by its form (OpenAPI 3.1, Paths Object).
        for endpoint in () if allowed else self.patterns:
            match = endpoint.pattern.fullmatch(path)
            if match and endpoint.route.method == method:
                return endpoint, match.groupdict()
            if match:
                allowed.add(endpoint.route.method)
        if allowed:
            raise Problem(405, headers={"Allow": ", ".join(sorted(allowed))})
        if not self.ready.is_set():
            raise Problem(503, "the database is not there yet")
        raise Problem(404, "there is no such route; /docs lists them")

    def newest(self, endpoint: Endpoint) -> Endpoint | None:
        """The endpoint of that name in the newest catalog; None when it is gone."""
        known = (*self.fixed.values(), *self.patterns)
        return next((other for other in known if other.route.name == endpoint.route.name), None)

    async def follow(self) -> None:
        """Read the catalog at every connect and at NOTIFY gateway, 'reload'; connect again when the line is cut."""
        last_told: dict[str, Any] = {}
        while True:
            try:
                dsn = login_dsn(self.settings.listen_dsn, LOGIN, self.settings.password)
                async with await psycopg.AsyncConnection.connect(
                    dsn, autocommit=True, connect_timeout=5, application_name="aqm gateway listener"
                ) as connection:
                    await connection.execute("listen gateway")
                    await self._load_and_listen(connection)
                    last_told = {}
                    self.cache.open()
                    self.is_told = True
                    while True:
                        # Returns now and then, so that a half-open connection is noticed. A list, because
                        # the connection is locked while the generator is open.
                        heard = [notice async for notice in connection.notifies(timeout=LOOK_AGAIN, stop_after=1)]
                        for notice in heard:
                            if notice.channel == "gateway":
                                self.cache.hear(notice.payload)
                                await self.trust.hear(notice.payload, connection)
                            else:
                                self.streams.hear(notice.channel, notice.payload)
                        if any(notice.channel == "gateway" and notice.payload == "reload" for notice in heard):
                            await self._load_and_listen(connection)
                        if not heard or time.monotonic() - self.trusted_at > LOOK_AGAIN:
                            async with asyncio.timeout(10):
                                await self._read_trust(connection)
                                await self.data_keys.check(connection)
            except Exception as error:
                # Whatever it is: the next connection may read a catalog that is mended.
                # Told once, not twice a second. libpq's reason names server and database, never a password; the text
                # of any other error may hold anything and stays out.
                is_away = isinstance(error, psycopg.OperationalError | OSError)
                told = {"sqlstate": getattr(error, "sqlstate", None), **fault(error)}
                told |= {"reason": str(error).split("\n")[0]} if is_away else {}
                if told != last_told:
                    log().warning("database away" if is_away else "catalog not read", **told)
                last_told = told
            self.is_told = False
            self.cache.close()
            await asyncio.sleep(0.5)

    async def _load_and_listen(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Read the catalog and listen to the channels of its streams, which missed what was said until now."""
        await self._load(connection)
        channels = {"gateway"} | {route.channel for route in self.catalog.routes if route.channel}
        listens = sql.SQL("; ").join(sql.SQL("listen {}").format(sql.Identifier(name)) for name in sorted(channels))
        await connection.execute(sql.SQL("unlisten *; {}").format(listens))
        await self._read_trust(connection)
        await self.data_keys.check(connection)
        # Not before: until then a token that was revoked would pass.
        self.ready.set()
        self.streams.reread()

    async def look_again(self) -> None:
        """Read keys and revocations by another way while the line that would tell of them is cut; at most once a second.

        Raises what a call raises where that can't be had either: a token that may be revoked must not pass.
        """
        async with self.loading:
            if time.monotonic() - self.trusted_at > 1:
                pool = await self.servers[0].pool(LOGIN)
                async with pool.connection() as connection:
                    await self._read_trust(connection)

    async def _read_trust(self, connection: psycopg.AsyncConnection[Any]) -> None:
        await self.trust.read(connection)
        self.trusted_at = time.monotonic()

    async def _load(self, connection: psycopg.AsyncConnection[Any]) -> None:
        try:
            catalog = await read_catalog(connection)
        except psycopg.Error as error:
            self.is_broken = not isinstance(error, psycopg.OperationalError)
            raise
        self.is_broken = False
        endpoints = [Endpoint(route, self.trust.signer.sign) for route in catalog.routes]
        for server in self.servers:
            await server.use(catalog)
        self.fixed = {(e.route.method, e.route.path): e for e in endpoints if "{" not in e.route.path}
        self.patterns = [e for e in endpoints if "{" in e.route.path]
        self.catalog = catalog
        self.loaded_at = time.monotonic()
        log().info("catalog read", routes=len(endpoints))

    async def refresh(self) -> None:
        """Read the catalog now instead of waiting for its notification; at most once a second."""
        async with self.loading:
            if time.monotonic() - self.loaded_at > 1:
                pool = await self.servers[0].pool(LOGIN)
                async with pool.connection() as connection:
                    await self._load(connection)
