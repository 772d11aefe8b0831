"""Errors as HTTP sees them: one class, one table from SQLSTATE to status, one JSON form (RFC 9457)."""

from __future__ import annotations

import re
from collections.abc import Collection
from http import HTTPStatus
from typing import Any

import orjson
import psycopg
from aiohttp import web
from psycopg_pool import PoolTimeout, TooManyRequests

STATUS_BY_SQLSTATE = {
    "42501": 403,
    "40001": 503,
    "40P01": 503,
    "55P03": 503,
    "57014": 504,
    "25006": 503,
    "23502": 422,
    "23514": 422,
    "23503": 409,
    "23505": 409,
    "23P01": 409,
}
STATUS_BY_CLASS = {"22": 422, "28": 401, "08": 503, "53": 503, "57": 503}
OUR_WORDS = {"22023", "28000"}
"""Besides PTxyz, the SQLSTATEs whose message was written by our functions: others may quote a value."""

RETRY_AFTER = re.compile(r"Retry-After: ([0-9]{1,9})")
"""The one DETAIL that goes out: what a function raises to say when to return."""

OUTCOME_UNKNOWN = "it is not known whether this happened; ask again"
"""What a caller is told whose call was sent and never answered."""

KNOWN_STATUSES = {int(status) for status in HTTPStatus if status >= 400}
TITLES = {422: "The request is not valid", 503: "Try again in a moment", 500: "Something went wrong here"}


class Problem(Exception):
    """An answer that is no success.

    status: HTTP status. detail: what to do about it, for a person. code: SQLSTATE. field: the JSON path at fault.
    """

    def __init__(
        self,
        status: int,
        detail: str | None = None,
        *,
        code: str | None = None,
        constraint: str | None = None,
        hint: str | None = None,
        field: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.members = {"code": code, "constraint": constraint, "hint": hint, "field": field}
        self.headers = headers or {}
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            self.headers.setdefault("Retry-After", "1")

    def name_field(self, known: Collection[str]) -> None:
        """Tell which field is at fault where the detail begins with its JSON path, as our functions write it: «limit must …».

        known: what the caller may have sent, by its first name.
        """
        path = (self.detail or "").partition(" ")[0]
        if self.members["field"] is None and re.split(r"[.\[]", path)[0] in known:
            self.members["field"] = path

    def response(self) -> web.Response:
        """The answer as application/problem+json."""
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": TITLES.get(self.status) or HTTPStatus(self.status).phrase,
            "status": self.status,
        }
        if self.detail:
            body["detail"] = self.detail
        body |= {name: value for name, value in self.members.items() if value}
        return web.Response(
            status=self.status, body=orjson.dumps(body), content_type="application/problem+json", headers=self.headers
        )


def invalid(field: str, reason: str) -> Problem:
    """422 for a field of the request; its value is never quoted."""
    return Problem(422, f"{field} {reason}", field=field)


def refused(status: str) -> Problem | None:
    """The problem of a function that set response.status itself, as a RAISE would undo what it wrote: «403 the password is wrong»;
    None where it is a success."""
    if not status or status.startswith("2"):
        return None
    number, _, detail = status.partition(" ")
    return Problem(known_status(number) or 500, detail or None)


def known_status(text: str) -> int | None:
    """A status of an error that HTTP knows; None for anything else."""
    is_known = text.isdecimal() and int(text) in KNOWN_STATUSES
    return int(text) if is_known else None


def status_of(sqlstate: str | None) -> int:
    """The HTTP status of an SQLSTATE; none (no connection, no free one) is 503."""
    if sqlstate is None:
        return 503
    if sqlstate.startswith("PT"):
        return known_status(sqlstate[2:]) or 500
    return STATUS_BY_SQLSTATE.get(sqlstate) or STATUS_BY_CLASS.get(sqlstate[:2]) or 500


def refusal(
    sqlstate: str,
    message: str | None,
    hint: str | None = None,
    constraint: str | None = None,
    detail: str | None = None,
) -> Problem:
    """The problem for an SQLSTATE; the message goes out only where it is ours.

    detail: PostgreSQL's quotes rows and never goes out; the detail of a PTxyz may say when to return.
    """
    status = status_of(sqlstate)
    # PostgreSQL's own 42501 tells of functions and tables; it never has a constraint.
    is_ours = status != 500 and (
        sqlstate.startswith("PT") or sqlstate in OUR_WORDS or (sqlstate == "42501" and bool(constraint))
    )
    wait = RETRY_AFTER.fullmatch(detail or "") if sqlstate.startswith("PT") else None
    return Problem(
        status,
        message if is_ours else None,
        code=sqlstate if status < 500 else None,
        hint=hint if is_ours else None,
        constraint=constraint if status < 500 else None,
        headers={"Retry-After": wait[1]} if wait else None,
    )


def from_database(error: psycopg.Error | PoolTimeout | TooManyRequests) -> Problem:
    """The problem for an exception of the driver."""
    if isinstance(error, psycopg.Error) and error.sqlstate:
        diagnosis = error.diag
        return refusal(
            error.sqlstate,
            diagnosis.message_primary,
            diagnosis.message_hint,
            diagnosis.constraint_name,
            diagnosis.message_detail,
        )
    if isinstance(error, psycopg.DataError | psycopg.ProgrammingError | psycopg.NotSupportedError):
        return Problem(500)
    return Problem(503)
