"""The connection on which batches travel: what arrives, what is refused, and that it comes back after every loss."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import Any

import psycopg
import pytest

from conftest import Database, wait_until
from gateway.connections import SYNCHRONOUS_COMMIT_CANCELLED, Answer, is_lost
from gateway.database import array_of
from gateway.lane import Execute, Lane
from gateway.problems import Problem
from gateway.settings import read_settings

PID = "select pg_backend_pid() as pid"


class Passenger:
    """Sends one statement when its turn comes and keeps what became of it."""

    def __init__(self, lane: Lane, statement: str, *arguments: Any) -> None:
        self.lane, self.statement, self.arguments = lane, statement, arguments
        self.outcomes: SimpleQueue[Answer | Exception] = SimpleQueue()
        self.turns = 0

    def send(self, execute: Execute) -> None:
        self.turns += 1
        try:
            self.outcomes.put(execute(self.statement, self.arguments))
        except Exception as error:
            self.outcomes.put(error)

    def ask_again(self) -> None:
        self.lane.ask(self)

    def outcome(self) -> Answer:
        """What came back; raises what was raised."""
        outcome = self.outcomes.get(timeout=20)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


@pytest.fixture
def open_lane(database: Database) -> Iterator[Callable[..., Lane]]:
    lanes = []

    def opened(lost: Callable[[], object] = lambda: None, **settings: str) -> Lane:
        lanes.append(Lane(database.dsn, read_settings({"AQM_DSN": database.dsn, **settings}), psycopg.adapters, lost))
        return lanes[-1]

    yield opened
    for lane in lanes:
        lane.stop(5)
        assert not lane.thread.is_alive()


@contextmanager
def unreachable(database: Database) -> Iterator[None]:
    """A database that lets nobody in; those inside stay."""
    with psycopg.connect(database.dsn, dbname="postgres", autocommit=True) as connection:
        connection.execute(f"alter database {database.name} allow_connections false")
        try:
            yield
        finally:
            connection.execute(f"alter database {database.name} allow_connections true")


def ask(lane: Lane, statement: str, *arguments: Any) -> list[tuple[Any, ...]]:
    passenger = Passenger(lane, statement, *arguments)
    lane.ask(passenger)
    return passenger.outcome().rows


@pytest.mark.parametrize("prepare", ["on", "off"])
@pytest.mark.parametrize(
    ("type_", "values"),
    [
        ("text", ["GOLD", "", "null", "NULL", None, '"', "\\", '\\"', "a,b", "{}", " a ", "\n\t", "ä€𝄞", "%s"]),
        ("integer", [1, -(2**31), None]),
        ("bigint", [2**63 - 1, 0]),
        ("boolean", [True, None]),
        ("numeric", [1.5, None]),
        ("timestamptz", [datetime(2026, 1, 31, tzinfo=UTC)]),
        ("bytea", [b"\x00\xff", None]),
        ("text", [None]),
    ],
)
def test_an_array_arrives_as_it_was(
    open_lane: Callable[..., Lane], prepare: str, type_: str, values: list[Any]
) -> None:
    lane = open_lane(AQM_PREPARE=prepare)
    for _ in range(2):
        assert ask(lane, f"select $1::{type_}[] as arrived", array_of(values)) == [(values,)]


def test_columns_are_named_and_nothing_found_is_no_row(open_lane: Callable[..., Lane]) -> None:
    lane = open_lane()
    passenger = Passenger(lane, "select 1 as one, 'b' as two where $1::integer = 0", 1)
    lane.ask(passenger)
    assert passenger.outcome() == Answer(("one", "two"), [])


def test_a_refused_statement_costs_only_itself(open_lane: Callable[..., Lane]) -> None:
    lost: list[int] = []
    lane = open_lane(lambda: lost.append(1))
    ((pid,),) = ask(lane, PID)
    for wrong in ("select 1 / $1::integer", "select no_such_function($1::integer)"):
        with pytest.raises(psycopg.Error) as error:
            ask(lane, wrong, 0)
        assert error.value.sqlstate in ("22012", "42883")
    assert (ask(lane, PID), lost) == ([(pid,)], [])


def test_a_connection_that_is_lost_under_a_call_is_told_and_replaced(
    database: Database, open_lane: Callable[..., Lane]
) -> None:
    lost: list[int] = []
    lane = open_lane(lambda: lost.append(1))
    ((pid,),) = ask(lane, PID)
    passenger = Passenger(lane, "select pg_sleep(20)")
    lane.ask(passenger)
    wait_until(lambda: database.rows(f"select from pg_stat_activity where pid = {pid} and wait_event = 'PgSleep'"))
    database.execute(f"select pg_terminate_backend({pid})")
    with pytest.raises(psycopg.DatabaseError) as error:
        passenger.outcome()
    assert is_lost(error.value)
    assert ask(lane, PID) != [(pid,)]
    assert (lost, passenger.turns) == ([1], 1), "it was not sent again: nobody knows what happened"


def test_a_connection_that_was_lost_before_a_call_costs_nothing(
    database: Database, open_lane: Callable[..., Lane]
) -> None:
    lane = open_lane()
    ((pid,),) = ask(lane, PID)
    database.execute(f"select pg_terminate_backend({pid})")
    wait_until(lambda: not database.rows(f"select from pg_stat_activity where pid = {pid}"))
    lane.distrust()
    assert ask(lane, PID) != [(pid,)]


def test_it_is_renewed_when_told_and_when_its_time_is_over(open_lane: Callable[..., Lane]) -> None:
    lane = open_lane(AQM_POOL_LIFETIME="1")
    first = ask(lane, PID)
    assert ask(lane, PID) == first
    lane.renew()
    second = ask(lane, PID)
    assert second != first
    time.sleep(1.1)
    assert ask(lane, PID) != second


def test_nothing_is_taken_while_the_server_is_away(database: Database, open_lane: Callable[..., Lane]) -> None:
    with unreachable(database):
        lane = open_lane()
        passenger = Passenger(lane, PID)
        lane.ask(passenger)
        time.sleep(0.6)
        assert passenger.turns == 0
    assert passenger.outcome().rows


def test_a_commit_that_the_standby_may_lack_is_no_answer(database: Database, open_lane: Callable[..., Lane]) -> None:
    database.execute(f"""
        create function doubt() returns integer language plpgsql as
        $$ begin raise warning '{SYNCHRONOUS_COMMIT_CANCELLED} due to user request'; return 1; end $$
    """)
    lane = open_lane()
    with pytest.raises(Problem) as problem:
        ask(lane, "select doubt()")
    assert problem.value.status == 503
    assert ask(lane, "select 1") == [(1,)], "the next answer is not in doubt"


def test_a_time_out_of_the_settings_holds(open_lane: Callable[..., Lane]) -> None:
    lane = open_lane(AQM_STATEMENT_TIMEOUT="0.1")
    with pytest.raises(psycopg.errors.QueryCanceled):
        ask(lane, "select pg_sleep(20)")


def test_who_stops_it_waits_for_the_turn_that_is_under_way(open_lane: Callable[..., Lane]) -> None:
    lane = open_lane()
    passenger = Passenger(lane, "select pg_sleep(0.5)")
    lane.ask(passenger)
    wait_until(lambda: passenger.turns)
    lane.stop(20)
    assert passenger.outcomes.qsize() == 1
    assert not lane.thread.is_alive()
    assert threading.current_thread() is not lane.thread


def test_the_old_connection_serves_while_there_is_no_new_one(
    database: Database, open_lane: Callable[..., Lane]
) -> None:
    lane = open_lane()
    first = ask(lane, PID)
    with unreachable(database):
        lane.renew()
        assert [ask(lane, PID) for _ in range(3)] == [first] * 3


def test_a_full_disk_under_the_log_stops_no_lane(
    database: Database, open_lane: Callable[..., Lane], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("gateway.lane.log", full)
    with unreachable(database):
        lane = open_lane()
        passenger = Passenger(lane, PID)
        lane.ask(passenger)
        time.sleep(0.5)
    assert passenger.outcome().rows
