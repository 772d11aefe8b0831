"""Several statements in one round trip: what comes back, what a failure leaves, what stays prepared."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from conftest import Database
from gateway.wire import MOST_PREPARED, Statement, Wire

BEGIN, COMMIT = (b"begin", ()), (b"commit", ())
PREPARED = "select count(*) from pg_prepared_statements where name like 'call%'"
SLEEP: Statement = (b"select pg_sleep(20)", ())


async def connect(database: Database, prepare_threshold: int | None = 2) -> Wire:
    return await Wire.connect(database.dsn, autocommit=True, prepare_threshold=prepare_threshold)


@pytest_asyncio.fixture
async def wire(database: Database) -> AsyncIterator[Wire]:
    connection = await connect(database)
    yield connection
    await connection.close()


async def value(wire: Wire, text: str, *values: Any) -> Any:
    (result,) = await wire.run([(text.encode(), values)])
    return wire.answer(result).rows[0][0]


async def count_prepared(wire: Wire) -> int:
    return int(await value(wire, PREPARED))


async def test_each_statement_has_its_result(wire: Wire) -> None:
    results = await wire.run(
        [BEGIN, (b"select $1::text as a, $2::bytea as b", ["ä", b"\x00"]), (b"select where false", ()), COMMIT]
    )
    answer = wire.answer(results[1])
    assert (answer.columns, answer.rows) == (("a", "b"), [("ä", b"\x00")])
    assert wire.answer(results[2]).rows == []


async def test_what_comes_before_a_failure_is_undone_and_what_comes_after_does_not_run(wire: Wire) -> None:
    await wire.run([(b"create temporary table t (n integer primary key deferrable initially deferred)", ())])
    insert = b"insert into t values ($1::integer)"
    with pytest.raises(psycopg.errors.DivisionByZero):
        await wire.run([BEGIN, (insert, [1]), (b"select 1 / $1::integer", [0]), (insert, [2]), COMMIT])
    assert wire.info.transaction_status == psycopg.pq.TransactionStatus.INERROR
    await wire.rollback()
    # What fails only in the commit is a failure too.
    with pytest.raises(psycopg.errors.UniqueViolation):
        await wire.run([BEGIN, (insert, [3]), (insert, [3]), COMMIT])
    assert await value(wire, "select count(*) from t") == 0


async def test_a_statement_that_can_not_be_prepared_leaves_nothing_begun(wire: Wire) -> None:
    with pytest.raises(psycopg.errors.UndefinedFunction):
        await wire.run([BEGIN, (b"select no_such_function()", ()), COMMIT])
    assert wire.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
    # What could be is there, and is not prepared once more.
    assert await count_prepared(wire) == len([BEGIN]) + 1
    with pytest.raises(psycopg.errors.UndefinedFunction):
        await wire.run([BEGIN, (b"select no_such_function()", ()), COMMIT])
    assert await count_prepared(wire) == len([BEGIN]) + 1


async def test_the_statements_used_last_stay_prepared(wire: Wire) -> None:
    for number in range(MOST_PREPARED + 20):
        assert await value(wire, f"select {number} + $1::integer", 1) == number + 1
        assert await value(wire, "select 7") == 7
    assert await count_prepared(wire) == MOST_PREPARED
    names = dict(wire.names)
    assert await value(wire, "select 7") == 7
    assert wire.names == names
    # One that went is prepared anew.
    assert await value(wire, "select 0 + $1::integer", 1) == 1


@pytest.mark.parametrize("prepare_threshold", [2, None])
async def test_nothing_is_prepared_where_nothing_may_be(database: Database, prepare_threshold: int | None) -> None:
    async with await connect(database, prepare_threshold) as wire:
        for _ in range(3):
            (result,) = await wire.run([(b"select $1::text", ["a"])], prepares=prepare_threshold is None)
            assert wire.answer(result).rows == [("a",)]
        cursor = await wire.execute(PREPARED.encode())
        assert await cursor.fetchone() == (0,)


async def test_more_than_any_buffer_takes_travels_both_ways(wire: Wire) -> None:
    large = b"x" * (32 * 2**20)
    results = await wire.run([(b"select $1::bytea", [large]), (b"select $1::bytea", [large])])
    assert [len(wire.answer(result).rows[0][0]) for result in results] == [len(large), len(large)]


async def test_who_went_away_is_named(database: Database, wire: Wire) -> None:
    async with await connect(database) as other:
        call = asyncio.create_task(wire.run([BEGIN, SLEEP, COMMIT]))
        while not await value(other, "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"):
            await asyncio.sleep(0.01)
        await other.run([(b"select pg_terminate_backend($1::integer)", [wire.info.backend_pid])])
        with pytest.raises(psycopg.errors.AdminShutdown):
            await call
    assert wire.broken


async def test_a_cancelled_call_leaves_a_connection_that_serves(wire: Wire) -> None:
    call = asyncio.create_task(wire.run([SLEEP]))
    await asyncio.sleep(0.2)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(call, 5)
    assert await value(wire, "select 1") == 1
