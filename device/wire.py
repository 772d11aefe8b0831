"""HTTP as the courier needs it: JSON, repeated where that is safe, of limited size, with typed errors."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from ssl import CERT_REQUIRED, SSLContext
from typing import Any, Self

import aiohttp
import orjson
from yarl import URL

from .errors import (
    BadAnswer,
    Conflict,
    CourierClosed,
    CourierError,
    EpochChanged,
    Forbidden,
    Gone,
    InvalidArgumentError,
    InvalidRequest,
    ServerUnavailable,
    TooManyRequests,
    Unauthorized,
)
from .retries import Retries

LARGEST_ANSWER = 2**20
"""Bytes, unless a request expects more: a hundred of the largest coins are half a million."""

PASSING = {0, 429, 502, 503, 504}
"""Statuses that another try may not have; 0 is no answer."""

KINDS: Mapping[int, type[CourierError]] = {
    400: InvalidRequest,
    401: Unauthorized,
    403: Forbidden,
    409: Conflict,
    410: Gone,
    413: InvalidRequest,
    415: InvalidRequest,
    422: InvalidRequest,
    429: TooManyRequests,
}
LOST = (aiohttp.ClientError, OSError)
"""What aiohttp raises when a connection fails."""

SHORT_WORD = re.compile(r"[A-Za-z0-9_.\[\]-]{1,40}")
"""What an error quotes of an answer: too short for a token or a blob, and free of control characters."""

SQLSTATE = re.compile(r"[0-9A-Z]{5}")


@dataclass(frozen=True)
class Request:
    """What is sent. body: becomes JSON. is_repeatable: whether twice does no more than once. largest: bytes of the answer."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Any = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    is_repeatable: bool = True
    largest: int = LARGEST_ANSWER


class Wire:
    """A server's address and the connections to it; an async context manager.

    url: https, or http to this machine itself. retries: when to try again. ssl: whom to trust, as
    ssl.create_default_context(cafile=…) for a CA of one's own; None: whom the system trusts.
    Raises ValueError for another URL, InvalidArgumentError for an ssl that checks no certificate or no name.
    """

    def __init__(self, url: str | URL, retries: Retries | None = None, ssl: SSLContext | None = None) -> None:
        self.url = URL(url)
        self._ssl = ssl
        self.http: aiohttp.ClientSession | None = None
        if ssl and not (ssl.check_hostname and ssl.verify_mode is CERT_REQUIRED):
            raise InvalidArgumentError("ssl: must check the server's certificate and name")
        self.retries = retries or Retries()
        self._date = ""
        # Else tokens and passwords would travel in the clear. The value is not quoted, it may hold a password.
        if not self.url.host or self.url.user or self.url.password or not _is_safe(self.url):
            raise ValueError("url must be https, or http to this machine, without user and password")

    async def __aenter__(self) -> Self:
        # Our own deadlines: aiohttp's time-outs quote the URL. No cookies, no other coding: both are the server's to abuse.
        self.http = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
            cookie_jar=aiohttp.DummyCookieJar(),
            connector=aiohttp.TCPConnector(limit=0, ssl=self._ssl or True),
            headers={"Accept-Encoding": "identity"},
            auto_decompress=False,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.http:
            await self.http.close()

    async def ask(self, request: Request, token: str | None = None, retries: Retries | None = None) -> Any:
        """The JSON of a success; None for one without a body.

        token: goes into the Authorization header. retries: instead of the wire's own.
        Raises CourierError: the class tells what is wrong.
        """
        retries = retries or self.retries
        until = time.monotonic() + retries.deadline
        failures = 0
        while True:
            outcome = await self._try(request, token, min(retries.attempt, until - time.monotonic()))
            if not isinstance(outcome, CourierError):
                return outcome
            wait = retries.wait(failures, outcome.retry_after)
            # A pause beyond the deadline is not begun: the caller learns at once how long it would be.
            if not (request.is_repeatable and is_passing(outcome)) or time.monotonic() + wait >= until:
                raise outcome
            await retries.sleep(wait)
            failures += 1

    async def open(self, request: Request, token: str | None = None) -> aiohttp.ClientResponse:
        """The beginning of an answer that has no end, to be closed by the caller. One try.

        Raises CourierError for anything but a success.
        """
        fault: CourierError
        try:
            async with asyncio.timeout(self.retries.attempt):
                answer = await self._send(request, token)
                if answer.status == 200:
                    return answer
                with closing(answer):
                    fault = _refusal(answer, await _read(answer, request.largest))
        except LOST as error:
            fault = lost(error)
        raise fault

    async def _try(self, request: Request, token: str | None, seconds: float) -> Any:
        """The JSON of a success, or the error, which is returned so that no exception of aiohttp becomes its context."""
        try:
            async with asyncio.timeout(seconds):
                with closing(await self._send(request, token)) as answer:
                    body = await _read(answer, request.largest)
        except LOST as error:
            return lost(error)
        except (BadAnswer, CourierClosed) as error:
            return error
        if answer.status not in (200, 204):
            return _refusal(answer, body)
        if not body:
            return None
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            pass
        return BadAnswer("the answer is not JSON", answer.status, request_id=_request_id(answer))

    async def _send(self, request: Request, token: str | None) -> aiohttp.ClientResponse:
        headers = dict(request.headers)
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        if self.http is None or self.http.closed:
            raise CourierClosed("the client is not open: use it within `async with`")
        answer = await self.http.request(
            request.method,
            self.url.joinpath(request.path.lstrip("/")),
            params=request.query,
            data=None if request.body is None else orjson.dumps(request.body),
            headers=headers,
            # It would take the token along.
            allow_redirects=False,
        )
        self._date = answer.headers.get("Date", "")
        return answer

    def server_time(self) -> float | None:
        """What the newest answer has as its Date, in seconds since 1970; None for none."""
        try:
            date = parsedate_to_datetime(self._date)
        except (ValueError, OverflowError):
            return None
        return date.timestamp() if date.tzinfo else None


def is_passing(error: CourierError) -> bool:
    """Whether another try may fare better."""
    return error.status in PASSING and not isinstance(error, BadAnswer | CourierClosed)


def lost(error: BaseException) -> CourierError:
    """The error for a connection that failed.

    error: one of LOST. aiohttp's own texts quote the URL or the server, some of its exceptions the headers with the token: only
    those of the operating system become the cause.
    """
    if isinstance(error, aiohttp.ClientResponseError):
        return BadAnswer("the answer is not HTTP")
    fault = ServerUnavailable("the server did not answer")
    is_plain = isinstance(error, OSError) and not isinstance(error, aiohttp.ServerConnectionError)
    fault.__cause__ = error if is_plain else ConnectionError(type(error).__name__)
    return fault


async def _read(answer: aiohttp.ClientResponse, largest: int) -> bytes:
    """The whole body; raises BadAnswer for one that is too large."""
    parts: list[bytes] = []
    size = 0
    while part := await answer.content.readany():
        size += len(part)
        if size > largest:
            raise BadAnswer("the answer is too large", answer.status, request_id=_request_id(answer))
        parts.append(part)
    return b"".join(parts)


def _refusal(answer: aiohttp.ClientResponse, body: bytes) -> CourierError:
    """The error for an answer that is no success."""
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        told = None  # a proxy's page
    problem: dict[str, Any] = told if isinstance(told, dict) else {}
    status, code = answer.status, _word(problem.get("code"), SQLSTATE)
    what = "the server refused"
    kind = KINDS.get(status, CourierError)
    if status >= 500:
        kind, what = ServerUnavailable, "the server could not answer"
    elif status < 400:
        kind, what = BadAnswer, "the server answered with an unexpected status"
    elif status == 409 and problem.get("constraint") == "epoch":
        kind, what = EpochChanged, "the epoch has changed: discard what was not issued and mint anew"
    fault = kind(what, status, code, _word(problem.get("field")), _request_id(answer))
    wait = answer.headers.get("Retry-After", "")
    if status in (429, 503) and re.fullmatch(r"[0-9]{1,9}", wait):
        fault.retry_after = int(wait)
    return fault


def _request_id(answer: aiohttp.ClientResponse) -> str:
    return _word(answer.headers.get("X-Request-Id"))


def _word(value: Any, form: re.Pattern[str] = SHORT_WORD) -> str:
    return value if isinstance(value, str) and form.fullmatch(value) else ""


def _is_safe(url: URL) -> bool:
    if url.scheme != "http":
        return url.scheme == "https"
    try:
        return url.host == "localhost" or ip_address(url.host or "").is_loopback
    except ValueError:
        return False
