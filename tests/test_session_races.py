"""Logins beside what ends them: whoever is deleted or no admin any more has no session, in whatever order it happened."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest

from conftest import KEYS, Database, wait_until

LOGIN = "select session_id from auth.login('bob@example.org', 'correct horse', 'admin')"
ENDINGS = {
    "deleted": "select auth.delete_user(%(bob)s)",
    "no admin any more": "select auth.revoke_role(%(bob)s, 'aqm', 'admin')",
    "out by a new password": "select auth.change_password(%(bob)s, 'correct horse', 'battery staple')",
}


def session(database: Database) -> psycopg.Connection[Any]:
    connection = psycopg.connect(database.dsn, autocommit=True)
    connection.execute(KEYS)
    return connection


def aside(database: Database, statement: str, values: dict[str, Any]) -> tuple[threading.Thread, list[Any]]:
    """Run a statement in a session of its own, which is to wait for another."""
    rows: list[Any] = []

    def run() -> None:
        with session(database) as connection:
            rows.extend(connection.execute(statement.encode(), values).fetchall())

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(
        lambda: database.value(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        ),
        what="it waits",
    )
    return thread, rows


@pytest.fixture
def bob(database: Database) -> Any:
    with session(database) as connection:
        row = connection.execute("select id from auth.create_user('bob@example.org', 'correct horse')").fetchone()
        assert row
        connection.execute("select auth.grant_role(%s, 'aqm', 'admin')", row)
    return row[0]


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("first", ["login", "ending"])
def test_nobody_keeps_a_session_who_was_ended_meanwhile(database: Database, bob: Any, ending: str, first: str) -> None:
    statements: list[str] = [LOGIN, ENDINGS[ending]]
    one, other = statements if first == "login" else reversed(statements)
    with session(database) as connection:
        connection.execute("begin")
        assert connection.execute(one.encode(), {"bob": bob}).fetchall()
        thread, rows = aside(database, other, {"bob": bob})
        connection.execute("commit")
        thread.join()
    assert bool(rows) == (first == "login")
    assert database.value("select count(*) from auth.sessions where is_active and role = 'admin'") == 0


def test_a_refresh_beside_a_new_role_knows_it_or_is_void(database: Database, bob: Any) -> None:
    refresh = "select access_token from auth.refresh(%(token)s)"
    grant = "select auth.grant_role(%(bob)s, 'escrow', 'arbitrator')"

    def check(first: str, second: str) -> None:
        with session(database) as connection:
            token = connection.execute(
                "select refresh_token from auth.login('bob@example.org', 'correct horse')"
            ).fetchone()
            assert token
            values = {"bob": bob, "token": token[0]}
            connection.execute("begin")
            ours = connection.execute(first.encode(), values).fetchall()
            thread, theirs = aside(database, second, values)
            connection.execute("commit")
            thread.join()
        claims = (ours if first == refresh else theirs)[0][0]
        until = database.value(
            "select coalesce(max(extract(epoch from issued_until)), 0) from gateway.revocation where session_id = %s",
            [claims["sid"]],
        )
        assert "escrow" in claims["roles"] or claims["iat"] <= float(until)

    check(refresh, grant)
    with session(database) as connection:
        connection.execute("select auth.revoke_role(%s, 'escrow', 'arbitrator')", [bob])
    check(grant, refresh)
