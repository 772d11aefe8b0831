"""A month's partition is made once, whoever comes first in it."""

from __future__ import annotations

import threading

import pytest

from conftest import Database, wait_until


@pytest.mark.parametrize("call", ["auth.add_month('audit_logs', '2031-05-17')", "coins.add_spent_month('2031-05-17')"])
def test_who_comes_second_finds_it_made(database: Database, call: str) -> None:
    made: list[bool] = []

    def second() -> None:
        made.append(database.value(f"select {call}"))

    with database.connect() as first:
        first.execute("begin")
        assert first.execute(f"select {call}".encode()).fetchone() == (True,)
        thread = threading.Thread(target=second)
        thread.start()
        wait_until(
            lambda: database.value("select count(*) from pg_stat_activity where wait_event = 'advisory'") == 1,
            what="the second waits",
        )
        first.execute("commit")
        thread.join()
    assert made == [False]
