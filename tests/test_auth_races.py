"""What two connections at once must not be able to do: use a token twice, send an email twice, undo a rotation of keys."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from conftest import Database, make_coins, upload

KEYS = """
select set_config('aqm.encryption_keys', '1:' || repeat('e1', 32) || ',2:' || repeat('e2', 32), false),
    set_config('aqm.index_keys', '1:' || repeat('11', 32) || ',2:' || repeat('22', 32), false)
"""


def connect(database: Database) -> psycopg.Connection[Any]:
    """A connection that has the data keys."""
    connection = database.connect()
    connection.execute(KEYS)
    return connection


def value(connection: psycopg.Connection[Any], statement: str, parameters: Any = None) -> Any:
    row = connection.execute(statement.encode(), parameters).fetchone()
    assert row
    return row[0]


def at_once(database: Database, count: int, work: Callable[[psycopg.Connection[Any]], Any]) -> list[Any]:
    """What so many connections get that do the same at once."""
    results: list[Any] = []
    barrier = threading.Barrier(count)

    def run() -> None:
        with connect(database) as connection:
            barrier.wait(timeout=30)
            results.append(work(connection))

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(results) == count
    return results


def test_a_token_shown_by_many_at_once_is_good_once(database: Database) -> None:
    with connect(database) as connection:
        connection.execute("select auth.create_user('alice@example.org', 'correct horse')")
        connection.execute("select auth.request_password_reset('alice@example.org')")
        token = value(connection, "select secret from auth.claim_email_events()")
    reset = "select auth.reset_password(%s, 'battery staple')"
    assert sorted(at_once(database, 6, lambda one: value(one, reset, [token]))) == [False] * 5 + [True]


def test_no_two_workers_send_one_email(database: Database) -> None:
    with connect(database) as connection:
        connection.execute("select auth.create_user('alice@example.org', 'correct horse')")
        connection.execute(
            "select auth.queue_email(u.id, 'welcome', p_secret => 'x') from auth.users as u, generate_series(1, 60)"
        )
    claim = b"select id from auth.claim_email_events(7)"
    claimed = at_once(database, 6, lambda one: [row[0] for row in one.execute(claim)])
    assert [len(ids) for ids in claimed] == [7] * 6
    assert len({number for ids in claimed for number in ids}) == 42


def test_keys_are_rotated_under_those_who_write(database: Database) -> None:
    with connect(database) as connection:
        connection.execute(
            "select auth.create_user(format('person%s@example.org', n), 'correct horse') from generate_series(1, 8) as n"
        )
        connection.execute("select auth.use_data_key('encryption', 2), auth.use_data_key('index', 2)")
        with connect(database) as writer, writer.transaction():
            writer.execute(
                "select auth.change_email(u.id, 'new@example.org') from auth.find_user("
                " (select u.id from auth.users as u order by u.id limit 1)) as u"
            )
            # The row that somebody has locked is left for the next call.
            assert [value(connection, "select auth.rotate_keys(5)") for _ in range(3)] == [5, 2, 0]
        assert [value(connection, "select auth.rotate_keys(5)") for _ in range(2)] == [1, 0]
        connection.execute("select auth.forget_data_key('encryption', 1), auth.forget_data_key('index', 1)")
        assert value(connection, "select count(*) from auth.login('new@example.org', 'correct horse')") == 1
        assert value(connection, "select count(*) from auth.list_users() where email ~ '^(new|person[0-9])@'") == 8


def test_a_key_is_not_forgotten_under_who_writes_with_it(database: Database) -> None:
    with connect(database) as connection, connect(database) as writer:
        with writer.transaction():
            writer.execute("select auth.create_user('alice@example.org', 'correct horse')")
        with writer.transaction():
            writer.execute("select auth.update_user(u.id, p_name => 'Alice') from auth.users as u")
            connection.execute("select auth.use_data_key('encryption', 2)")
            connection.execute("set lock_timeout = '200 ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                connection.execute("select auth.forget_data_key('encryption', 1)")
        with pytest.raises(psycopg.Error, match="there are rows that this data key wrote"):
            connection.execute("select auth.forget_data_key('encryption', 1)")
        assert value(connection, "select email from auth.list_users()") == "alice@example.org"


def test_claims_do_not_wait_for_the_coins_of_who_has_left(database: Database) -> None:
    sender = uuid.uuid4()
    claim = "select key_id from coins.claim_coins(%s, %s, 'BRONZE')"
    with connect(database) as job, connect(database) as claimer:
        devices = [
            value(
                job,
                "select auth.admit_device(%s, 'phone')",
                [value(job, "insert into auth.users default values returning id")],
            )
            for _ in range(2)
        ]
        for device in devices:
            upload(database, device, make_coins(3))
        value(
            job, "select auth.delete_user(ud.user_id) from auth.user_devices as ud where ud.subject = %s", [devices[0]]
        )
        job.execute("update auth.user_devices set closed_at = closed_at - interval '1 minute'")
        claimer.execute("set statement_timeout = '1 s'")
        with job.transaction():
            assert value(job, "select auth.discard_devices()") == 1
            assert claimer.execute(claim, [devices[0], sender]).fetchall() == []
            assert len(claimer.execute(claim, [devices[1], sender]).fetchall()) == 1
        assert value(job, "select count(*) from coins.coin_inventory where user_id = %s", [devices[0]]) == 0
