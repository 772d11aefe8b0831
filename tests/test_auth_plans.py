"""The hot paths of auth are index probes, also by plans from the time when there was nobody yet."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from conftest import KEYS, Database

MANY = 20_000
PEOPLE = """
insert into auth.users (email_hash, index_version, encryption_version, password_hash)
select sha256(n::text::bytea), 1, 1, '' from generate_series(1, %(many)s) as n
"""
SESSIONS = """
insert into auth.sessions (
    user_id, role, subject, family_hash, refresh_token_hash, access_token_exp, expires_at, browser_fingerprint
)
select u.id, 'user', u.id, sha256('family ' || u.id::text::bytea), sha256(u.id::text::bytea), now(), now() + '1 day', 'x'
from auth.users as u
"""
ROLES = "insert into auth.user_roles (user_id, product_domain, role) select u.id, 'aqm', 'member' from auth.users as u"
ATTEMPTS = """
insert into auth.login_attempts (email_hash, address, is_success)
select sha256(n::text::bytea), '203.0.113.1'::inet + n, false from generate_series(1, %(many)s) as n
"""
CALLS = {
    "login": "select refresh_token from auth.login('bob@example.org', 'correct horse')",
    "refused login": "select refresh_token from auth.login('bob@example.org', 'wrong horse')",
    "refresh": "select refresh_token from auth.refresh(%(token)s)",
    "roles": "select role from auth.list_roles(%(bob)s, 'aqm')",
    "sessions": "select id from auth.list_sessions(%(bob)s)",
}


def rows_read(connection: psycopg.Connection[Any], call: str, values: dict[str, Any]) -> int:
    """How many rows of auth's tables a call reads, by whatever way."""
    with connection.transaction():
        connection.execute(call.encode(), values)
        row = connection.execute(
            "select sum(seq_tup_read + idx_tup_fetch) from pg_stat_xact_user_tables where schemaname = 'auth'"
        ).fetchone()
    assert row
    return int(row[0])


@pytest.mark.parametrize("call", CALLS)
def test_a_hot_path_reads_what_it_needs_among_many(call: str, database: Database) -> None:
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        for table in ("users", "sessions", "user_roles", "login_attempts"):
            connection.execute(f"alter table auth.{table} set (autovacuum_enabled = off)")
            connection.execute(f"analyze auth.{table}")
        connection.execute(KEYS)
        row = connection.execute("select id from auth.create_user('bob@example.org', 'correct horse')").fetchone()
        assert row
        values = {"bob": row[0], "many": MANY, "token": ""}
        for _ in range(6):  # plans are made, and kept
            token = connection.execute(CALLS["login"].encode()).fetchone()
            assert token
            values["token"] = token[0]
            rows_read(connection, CALLS[call], values)
        with psycopg.connect(database.dsn, autocommit=True) as others:
            for statement in (PEOPLE, SESSIONS, ROLES, ATTEMPTS):
                others.execute(statement.encode(), values)
        token = connection.execute(CALLS["login"].encode()).fetchone()
        assert token
        values["token"] = token[0]
        assert rows_read(connection, CALLS[call], values) < 60
