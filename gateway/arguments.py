"""The arguments of a call: what a request sends, in its path, query or body and headers, as typed values."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from aiohttp import web
from multidict import CIMultiDictProxy

from .catalog import Field, Route
from .codec import arguments_decoder, string_decoder
from .problems import Problem, invalid
from .tokens import Caller

BODY_TIMEOUT = 30
"""Seconds in which a body must arrive."""


async def read_sent(request: web.BaseRequest, count_bytes: Callable[[int], None]) -> tuple[dict[str, Any], bool]:
    """What the client sent, by JSON name, and whether the values are strings of a URL.

    count_bytes: told the size of a body before it is decoded; may refuse it.
    """
    if request.method in ("GET", "DELETE"):
        query = request.query
        sent: dict[str, Any] = dict(query)
        if len(sent) < len(query):
            name = next(name for name in query if len(query.getall(name)) > 1)
            raise invalid(name, "is given more than once")
        return sent, True
    if request.query:
        raise invalid(next(iter(request.query)), "belongs into the body")
    if not request.can_read_body:
        return {}, False
    if request.content_type != "application/json":
        raise Problem(415, "the body must be application/json")
    try:
        async with asyncio.timeout(BODY_TIMEOUT):
            raw = await request.read()
        count_bytes(len(raw))
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise Problem(400, "the body is not JSON") from None
    except TimeoutError:
        raise Problem(408, f"the body must arrive within {BODY_TIMEOUT} seconds") from None
    except (ConnectionError, web.RequestPayloadError) as error:
        # The stream keeps the exception, and its traceback would keep this frame and the body with it.
        error.with_traceback(None)
        raise Problem(400, "the body did not arrive whole") from None
    if not isinstance(body, dict):
        raise invalid("body", "must be a JSON object")
    return body, False


class Arguments:
    """What a route takes, and from where; worked out once a route."""

    def __init__(self, route: Route) -> None:
        by_name = {field.name: field for field in route.arguments}
        self.names = frozenset(field.json_name for field in route.arguments)
        self.in_path = {name: by_name[f"p_{name}"] for name in route.pattern.groupindex}
        self.in_headers = [(header, by_name[name]) for header, name in route.headers.items()]
        elsewhere = {field.name for field in self.in_path.values()} | set(route.headers.values())
        self.decode_rest = arguments_decoder([field for field in route.arguments if field.name not in elsewhere])
        self.decode_string = {name: string_decoder(by_name[name]) for name in elsewhere}
        self.caller = by_name[route.caller_argument] if route.caller_argument else None
        self.fills_caller = route.caller_argument not in elsewhere

    def decode(
        self,
        sent: dict[str, Any],
        is_text: bool,
        in_path: Mapping[str, str],
        headers: CIMultiDictProxy[str],
        caller: Caller | None,
    ) -> dict[str, Any]:
        """Typed arguments by SQL name, with the caller in its place.

        sent, is_text: of read_sent(). caller: None where no tokens are checked.
        Raises Problem 422 naming what is at fault, 403 for somebody else in the caller's place.
        """
        for header, field in self.in_headers:
            if field.json_name in sent:
                raise invalid(field.json_name, f"belongs into the header {header}")
        for name in in_path:
            if name in sent:
                raise invalid(name, "belongs into the path")
        # An admin names whom it concerns; everybody else is the one.
        mine = self.caller if caller and caller.role != "admin" else None
        if mine and caller and self.fills_caller:
            sent = {mine.json_name: caller.subject, **sent}
        arguments = self.decode_rest(sent, is_text)
        for name, value in in_path.items():
            field = self.in_path[name]
            arguments[field.name] = self.decode_string[field.name](value, name)
        for header, field in self.in_headers:
            if header in headers:
                arguments[field.name] = self._decode_header(field, header, headers.getall(header))
        if mine and caller and str(arguments[mine.name]) != caller.subject:
            raise Problem(403, f"{mine.json_name} must be the token's subject", field=mine.json_name)
        return arguments

    def _decode_header(self, field: Field, header: str, values: list[str]) -> Any:
        """The value of a request header; a UUID may be quoted, as the IETF's draft of Idempotency-Key has it."""
        if len(values) > 1:
            raise invalid(header, "is given more than once")
        value = values[0]
        if field.type == "uuid" and len(value) > 2 and value[0] == value[-1] == '"':
            value = value[1:-1]
        return self.decode_string[field.name](value, header)
