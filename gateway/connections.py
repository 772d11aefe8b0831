"""What all connections have in common: how they are made, what came back, what their errors leave open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg_pool import PoolTimeout, TooManyRequests

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
"""Seconds in which a connection that was just used is used again without a check."""

SYNCHRONOUS_COMMIT_CANCELLED = "canceling wait for synchronous replication"
"""Start of the one message text that is read: it has no SQLSTATE of its own (PostgreSQL's syncrep.c)."""

LOGINS_TIMEOUT = 10.0
"""Seconds a statement may take by the login's own setting."""


@dataclass(frozen=True)
class Answer:
    """What a function returned. columns: names. rows: tuples. status: what it set response.status to, or None."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    status: str | None = None


def settings_of_session(statement_timeout: float) -> bytes | None:
    """The statement that a new connection needs first; none where the login's own time-out (in seconds) serves, since
    a SET would not survive PgBouncer."""
    if statement_timeout == LOGINS_TIMEOUT:
        return None
    return f"set statement_timeout = {int(statement_timeout * 1000)}".encode()


def tells_of_doubt(diagnostic: psycopg.errors.Diagnostic) -> bool:
    """Whether a notice says that a commit is done here, but perhaps not on the standby: a failover would undo it."""
    return (diagnostic.message_primary or "").startswith(SYNCHRONOUS_COMMIT_CANCELLED)


def is_lost(error: psycopg.Error) -> bool:
    """Whether an error leaves open what happened: the connection went away under the call."""
    if isinstance(error, PoolTimeout | TooManyRequests) or error.sqlstate == "57014":
        return False  # never sent; a time-out, and so rolled back
    return not error.sqlstate or error.sqlstate.startswith(("08", "57"))
