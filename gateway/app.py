"""The way of a request: route, token, rate, arguments, one function call, answer."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
import time
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple
from weakref import WeakSet

import psycopg
from aiohttp import HttpVersion11, web
from psycopg_pool import PoolTimeout, TooManyRequests

from . import pages
from .addresses import client_address, network_of
from .answer import JsonAnswer
from .arguments import read_sent
from .batching import Batcher
from .budget import Budget
from .cache import Cache
from .catalog import Route
from .codec import encode_row, to_json
from .connections import Answer, is_lost
from .data_keys import DataKeys
from .database import Server, batch_arguments, batch_statement, may_repeat
from .limits import CallerLimit
from .logs import RequestLog, fault, log
from .metrics import Metrics
from .openapi import make_openapi
from .problems import OUTCOME_UNKNOWN, Problem, from_database, refused
from .routes import Endpoint, Routes
from .settings import Settings
from .streams import Rows, Streams
from .tokens import ANONYMOUS, Caller, unauthorized
from .trust import Trust

DATABASE_ERRORS = (psycopg.Error, PoolTimeout, TooManyRequests)
CHANGED_UNDER_US = {"0A000", "42883"}
"""A prepared call whose result type changed, a function whose arguments did: a deploy happened."""

GRACE = 2.0
"""Seconds beyond all time-outs after which a caller is told that the outcome is not known."""

ALONE = {"application_name": "aqm alone"}
"""Told of a call that was to travel in a batch; nobody's request in particular."""

REQUEST_ID_PREFIX = secrets.token_hex(4)
"""Of this process; a number follows."""

NO_NAMES: frozenset[str] = frozenset()
_request_numbers = itertools.count(1)
REQUEST_ID_FORM = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


class Call(NamedTuple):
    """A request that may be served: who: whom its limits count for; context: what its function may know of it."""

    endpoint: Endpoint
    role: str
    arguments: Mapping[str, Any]
    context: Mapping[str, str]
    caller: Caller
    who: str
    request_id: str


class Gateway:
    """The HTTP server's only handler and what it needs; knows no table and no rule of the business."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.primary = Server(settings.gateway_dsn, settings)
        self.replica = Server(settings.replica_dsn, settings) if settings.replica_dsn else None
        self.servers = [server for server in (self.primary, self.replica) if server]
        self.data_keys = DataKeys(settings.data_keys_file, settings.may_make_data_keys)
        self.caller_limit = CallerLimit(settings.rate_limit)
        self.budget = Budget(settings.costly_cores, settings.pool_wait)
        self.request_log = RequestLog()
        self.metrics = Metrics()
        self.metrics.watch_pools({"primary": self.primary} | ({"replica": self.replica} if self.replica else {}))
        self.outcome_within = settings.pool_wait + settings.statement_timeout + GRACE
        self.listener: asyncio.Task[None] | None = None
        self.calls: set[asyncio.Task[Any]] = set()
        self.under_way = 0
        self.batchers: WeakSet[Batcher] = WeakSet()
        self.streams = Streams(settings.max_streams)
        self.trust = Trust(settings, self.streams.end_session)
        self.verifier = self.trust.verifier
        self.cache = Cache()
        self.routes = Routes(settings, self.servers, self.streams, self.trust, self.cache, self.data_keys)
        self.metrics.streams.set_function(lambda: len(self.streams.open))
        self.built_in = {
            "/v1/health": self._health,
            "/metrics": self._metrics,
            "/openapi.json": self._openapi,
            "/": self._to_docs,
            "/docs/": self._to_docs,
            **pages.PAGES,
        }

    # -- life

    async def start(self) -> None:
        """Begin to read the catalog and to listen for its changes."""
        self.listener = asyncio.create_task(self.routes.follow())

    def end_streams(self) -> None:
        """End what has no end of its own, before the others are waited for."""
        self.streams.stop()

    async def stop(self) -> None:
        """Answer what was sent, then close the connections."""
        if self.listener:
            self.listener.cancel()
            await asyncio.gather(self.listener, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.settings.drain):
                await asyncio.gather(*(batcher.drain() for batcher in list(self.batchers)))
                await asyncio.gather(*self.calls, return_exceptions=True)
        for server in self.servers:
            await server.close()
        self.request_log.flush()

    # -- the way of a request

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer any request; aiohttp's only handler."""
        self.under_way += 1
        try:
            return await self._handle(request)
        finally:
            self.under_way -= 1

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        started = time.perf_counter()
        request_id = _request_id(request)
        name, known = "unknown", NO_NAMES
        try:
            if "Expect" in request.headers:
                await _let_go_on(request)
            method, path = request.method, request.path
            if path in self.built_in and (method, path) not in self.routes.fixed:
                if method not in ("GET", "HEAD"):
                    raise Problem(405, headers={"Allow": "GET, HEAD"})
                name = path
                response: web.StreamResponse = await self.built_in[path](request)
            else:
                endpoint, in_path = self.routes.find(method, path)
                name, known = endpoint.route.name, endpoint.arguments.names
                response = await self._call_endpoint(endpoint, request, in_path, request_id)
        except Problem as problem:
            problem.name_field(known)
            response = problem.response()
        except DATABASE_ERRORS as error:
            refusal = from_database(error)
            refusal.name_field(known)
            response = refusal.response()
            if response.status >= 500:
                log().error(
                    "call failed",
                    request_id=request_id,
                    route=name,
                    status=response.status,
                    sqlstate=getattr(error, "sqlstate", None),
                    error=type(error).__name__,
                    # Ours, as the caller has it too: which key is missing.
                    **({"reason": error.diag.message_primary} if getattr(error, "sqlstate", None) == "PT503" else {}),
                )
        except web.HTTPRequestEntityTooLarge:
            response = Problem(413, f"the body may have at most {self.settings.max_body} bytes").response()
        except Exception as error:
            # A fault of ours: its text may hold anything, so only its kind and its place are told.
            response = Problem(500).response()
            log().error("fault", request_id=request_id, route=name, **fault(error))
        if not response.prepared and not isinstance(response, JsonAnswer):
            response.headers["X-Request-Id"] = request_id
            response.headers["Server"] = "aqm"
        seconds = time.perf_counter() - started
        # How long somebody has watched is no latency.
        self.metrics.count(name, response.status, None if response.prepared else seconds)
        if self.settings.log_requests:
            self.request_log.write(
                request_id=request_id,
                method=request.method,
                route=name,
                status=response.status,
                ms=round(seconds * 1000, 2),
                bytes=response.content_length,
            )
        return response

    async def _call_endpoint(
        self, endpoint: Endpoint, request: web.BaseRequest, in_path: Mapping[str, str], request_id: str
    ) -> web.StreamResponse:
        route = endpoint.route
        address = client_address(request, self.settings.trusted_proxies)
        caller = await self._verify(request, address)
        role = self._role(route, caller)
        who = caller.subject or network_of(address) or "nobody"
        if self.verifier:
            self.caller_limit.hit(who)
        sent, is_text = await read_sent(request, lambda size: self._count_body(who, size))
        if not is_text:
            # A body may take its time, and the token may be revoked meanwhile.
            await self._verify(request, address)
        arguments = endpoint.arguments.decode(
            sent, is_text, in_path, request.headers, caller if self.verifier else None
        )
        if not self.verifier:
            who = str(arguments.get(route.caller_argument or "") or who)
            self.caller_limit.hit(who)

        context = ALONE if route.batch_function else self._context(route, caller, address, request_id)
        if route.channel or route.cache_seconds:
            call = Call(endpoint, role, arguments, context, caller, who, request_id)
            return await (self._stream(call, request) if route.channel else self._answer_kept(call, request))
        # Batched calls share one connection, whoever makes them; the others hold one each.
        with contextlib.nullcontext() if route.batch_function else self.caller_limit.at_once(who):
            async with self.budget.turn() if route.is_costly else contextlib.nullcontext():
                if route.is_costly:
                    await self._verify(request, address)
                endpoint, answer = await self._answer(endpoint, role, arguments, context)
        return self._respond(endpoint, answer, request_id)

    async def _verify(self, request: web.BaseRequest, address: str | None) -> Caller:
        """The caller of a request; a token that is refused counts for its address."""
        if self.verifier is None:
            return ANONYMOUS
        authorization = request.headers.get("Authorization")
        if authorization is None:
            return ANONYMOUS
        if not self.routes.is_told and self.routes.ready.is_set():
            await self.routes.look_again()
        try:
            return self.verifier.verify(authorization)
        except Problem:
            self.caller_limit.hit(network_of(address) or "nobody")
            raise

    async def _answer_kept(self, call: Call, request: web.BaseRequest) -> web.StreamResponse:
        """An answer from the cache, or one that goes into it."""
        endpoint, route, caller = call.endpoint, call.endpoint.route, call.caller
        # Who asks is part of the question: a function may look at the token.
        question = repr((call.role, caller.role, caller.subject, sorted(call.arguments.items())))
        kept = self.cache.find(route.function, question)
        (self.metrics.cache_hits if kept else self.metrics.cache_misses).labels(route.name).inc()
        if kept is None:
            state = self.cache.state(route.function)
            with self.caller_limit.at_once(call.who):
                endpoint, answer = await self._answer(endpoint, call.role, call.arguments, call.context)
            status, body = self._body(endpoint, answer)
            kept = self.cache.keep(route.function, question, state, status, body, route.cache_seconds or 0)
        # The gateway is told of changes, a browser is not, and another may use it: it asks again each time, with the tag.
        caching = {"Cache-Control": "private, no-cache", "Vary": "Authorization", "ETag": kept.tag}
        if kept.tag in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=caching)
        lines = "".join(f"{name}: {value}\r\n" for name, value in caching.items())
        return JsonAnswer(kept.status, kept.body, call.request_id, lines.encode())

    def _context(self, route: Route, caller: Caller, address: str | None, request_id: str) -> dict[str, str]:
        """What a function may know of the request, as settings of its transaction."""
        return {
            "application_name": f"aqm {request_id}",
            "request.claims": caller.claims,
            "request.address": address or "",
            **(self.data_keys.settings if route.needs_keys else {}),
        }

    async def _stream(self, call: Call, request: web.BaseRequest) -> web.StreamResponse:
        """Serve a stream to its end; its function is always that of the newest catalog."""
        (whom,) = call.arguments.values()
        key = call.endpoint.route.channel or "", str(whom)
        caller = call.caller

        async def read() -> Rows:
            newest = self.routes.newest(call.endpoint)
            if newest is None:
                raise Problem(404, "there is no such stream any more")
            return _encode(*await self._answer(newest, call.role, call.arguments, call.context))

        seconds = None if caller.until is None else caller.until - time.time()
        headers = {"X-Request-Id": call.request_id, "Server": "aqm"}
        return await self.streams.serve(
            request, call.who, key, read, seconds, headers, caller.session, caller.issued_at
        )

    def _count_body(self, who: str, size: int) -> None:
        if self.verifier:
            self.caller_limit.hit(who, size)

    def _role(self, route: Route, caller: Caller) -> str:
        """The HTTP role under which the call runs. Without tokens: the least that may call."""
        if self.verifier is None:
            return route.roles[0]
        if "anon" in route.roles:
            return "anon"
        if caller.role in route.roles:
            return caller.role
        if caller is ANONYMOUS:
            raise unauthorized()
        raise Problem(403, f"role {caller.role} may not call this")

    async def _answer(
        self, endpoint: Endpoint, role: str, arguments: Mapping[str, Any], context: Mapping[str, str]
    ) -> tuple[Endpoint, Answer]:
        """Call the function; after a deploy once more with a fresh catalog and plan, since the first call did nothing.

        Nobody waits longer than all time-outs together allow, even for a server that has fallen silent.
        """
        try:
            return endpoint, await self._call(endpoint, role, arguments, context)
        except psycopg.Error as error:
            if error.sqlstate not in CHANGED_UNDER_US:
                raise
        await self.routes.refresh()
        endpoint = self.routes.newest(endpoint) or endpoint
        return endpoint, await self.primary.call(endpoint.route, role, arguments, context, prepares=False)

    async def _call(
        self, endpoint: Endpoint, role: str, arguments: Mapping[str, Any], context: Mapping[str, str]
    ) -> Answer:
        route = endpoint.route
        if route.batch_function:
            return await self._batcher(endpoint, role).call(arguments)
        server = self.replica if self.replica and route.may_use_replica else self.primary
        # Shielded: whoever hangs up, a call that was sent is never cancelled half-way.
        task = asyncio.create_task(self._call_alone(server, route, role, arguments, context))
        self.calls.add(task)
        task.add_done_callback(self.calls.discard)
        try:
            async with asyncio.timeout(self.outcome_within):
                return await asyncio.shield(task)
        except TimeoutError:
            raise Problem(503, OUTCOME_UNKNOWN) from None
        finally:
            del task  # an exception in it refers to this frame: no cycle for the collector

    async def _call_alone(
        self, server: Server, route: Route, role: str, arguments: Mapping[str, Any], context: Mapping[str, str]
    ) -> Answer:
        try:
            return await server.call(route, role, arguments, context)
        except psycopg.Error as error:
            if not (is_lost(error) and may_repeat(route, arguments)):
                raise
        # Whether it happened or not: with the same request id it happens once.
        return await server.call(route, role, arguments, context)

    def _batcher(self, endpoint: Endpoint, role: str) -> Batcher:
        batcher = endpoint.batchers.get(role)
        if batcher is None:
            route, settings = endpoint.route, self.settings
            sizes = self.metrics.batch_sizes.labels(route.name)
            batcher = endpoint.batchers[role] = Batcher(
                lane=self.primary.lane(role),
                statement=batch_statement(route),
                pack=partial(batch_arguments, route),
                call_one=lambda arguments: self.primary.call(route, role, arguments, ALONE),
                may_repeat=lambda arguments: may_repeat(route, arguments),
                max_batch=settings.max_batch,
                max_waiting=settings.max_waiting,
                patience=settings.pool_wait,
                limit=self.outcome_within,
                observe=sizes.observe,
            )
            self.batchers.add(batcher)
        return batcher

    def _respond(self, endpoint: Endpoint, answer: Answer, request_id: str) -> web.StreamResponse:
        status, body = self._body(endpoint, answer)
        return JsonAnswer(status, body, request_id) if body else web.Response(status=status)

    def _body(self, endpoint: Endpoint, answer: Answer) -> tuple[int, bytes]:
        """Status and JSON of an answer, no JSON of nothing; raises Problem where it is a refusal."""
        route = endpoint.route
        if problem := refused(answer.status or ""):
            raise problem
        status = int(answer.status) if answer.status in ("200", "201", "202") else 200
        rows = _encode(endpoint, answer)
        body: Any
        if route.rows_as:
            body = {route.rows_as: rows}
            self.metrics.count_rows(route.name, len(rows))
        elif not route.results:
            return 204, b""
        elif not rows:
            raise Problem(404, "there is no such thing", code="PT404")
        else:
            body = rows[0]
        return status, to_json(body)

    # -- built-in pages

    async def _health(self, _request: web.BaseRequest) -> web.Response:
        try:
            await self.primary.query("select 1")
            connected = True
        except (*DATABASE_ERRORS, TimeoutError, Problem):
            connected = False
        # Connected is only half of it: without its catalog, or while functions are away, nothing can be served.
        serves = connected and self.routes.ready.is_set() and not self.routes.is_broken
        status = "ok" if serves else "catalog not read" if connected else "database away"
        body: dict[str, Any] = {"status": status, "db_connected": connected}
        # Coins are served all the same, so this takes no gateway out of service; its log says more.
        if faults := self._key_faults():
            body["faults"] = faults
        return web.Response(
            status=200 if serves else 503, body=to_json(body), content_type="application/json",
            headers={"Cache-Control": "no-store"},
        )  # fmt: skip

    def _key_faults(self) -> list[str]:
        """Which keys keep people from logging in."""
        is_retired = self.verifier is not None and self.trust.signer.is_retired
        return ["data keys"] * bool(self.data_keys.faults) + ["signing key"] * is_retired

    async def _metrics(self, _request: web.BaseRequest) -> web.Response:
        body = await self.metrics.render(self.primary, self.routes.catalog)
        return web.Response(body=body, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    async def _to_docs(self, _request: web.BaseRequest) -> web.Response:
        return web.Response(status=302, headers={"Location": "/docs"})

    async def _openapi(self, _request: web.BaseRequest) -> web.Response:
        document = make_openapi(self.routes.catalog, needs_token=self.verifier is not None)
        return web.Response(body=to_json(document), content_type="application/json")


def make_server(gateway: Gateway) -> web.Server:
    """aiohttp's server without its application, whose router finds one handler for all: 4 % of what a claim costs.

    Handlers are not cancelled when a client hangs up, and since we route ourselves HEAD never runs a GET's function.
    """
    make_request = partial(web.BaseRequest, loop=asyncio.get_running_loop(), client_max_size=gateway.settings.max_body)
    return web.Server(
        gateway.handle, request_factory=make_request, handler_cancellation=False, access_log=None, keepalive_timeout=75
    )


async def _let_go_on(request: web.BaseRequest) -> None:
    """Tell a client that asks whether to send its body to go on, as aiohttp's router would: before anything is refused,
    since a body that comes after the refusal would be taken for the next request (RFC 9110, 10.1.1)."""
    if request.version >= HttpVersion11 and request.headers["Expect"].lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # it is no answer yet


def _encode(endpoint: Endpoint, answer: Answer) -> list[dict[str, Any]]:
    """The rows of an answer by JSON names."""
    if answer.columns == endpoint.columns:
        return [
            {name: encode(value) for (name, encode), value in zip(endpoint.encoders, row, strict=True)}
            for row in answer.rows
        ]
    # The function has changed and its catalog is on the way; what was done must be answered all the same.
    return [encode_row(dict(zip(answer.columns, row, strict=True))) for row in answer.rows]


def _request_id(request: web.BaseRequest) -> str:
    """The client's X-Request-Id where it is harmless in a log, else a new one."""
    sent = request.headers.get("X-Request-Id", "")
    if 0 < len(sent) <= 40 and REQUEST_ID_FORM.issuperset(sent):
        return sent
    return f"{REQUEST_ID_PREFIX}{next(_request_numbers):08x}"
