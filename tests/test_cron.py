"""Scheduled jobs: pg_cron really runs one; ops.run_until_done() by itself goes in slices and heeds its guard."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

from conftest import Database, wait_until
from db.cluster import Cluster
from db.migrate import Migrator

ADD_COINS = """
insert into coins.coin_inventory (
    user_id, key_id, coin_category, public_key_blob, signature_blob, uploaded_at, fetched_by, fetched_at
)
select gen_random_uuid(), 'key', 'BRONZE', '\\x00', '\\x00', now() - %(age)s::interval, %(fetched_by)s,
       case when %(fetched_by)s::uuid is not null then now() - %(age)s::interval end
from generate_series(1, %(number)s)
"""
RECORD_SLICES = """
create table public.slice (number bigint generated always as identity, transaction_id xid8, deleted bigint);
create function public.record_slice() returns trigger language plpgsql security definer as $$
begin
    insert into public.slice (transaction_id, deleted) select pg_current_xact_id(), count(*) from gone;
    return null;
end $$;
create trigger record_slice after delete on coins.coin_inventory referencing old table as gone
for each statement execute function public.record_slice();
"""


def add_coins(database: Database, number: int, age: str, fetched_by: uuid.UUID | None = None) -> None:
    """Coins of an age, each of a user of its own."""
    database.execute(ADD_COINS, {"number": number, "age": age, "fetched_by": fetched_by})


def coins_left(database: Database) -> int:
    return int(database.value("select count(*) from coins.coin_inventory"))


def health(database: Database, job: str) -> tuple[Any, ...]:
    """Whether it has succeeded, what it did, its status and its alarm."""
    return database.rows(
        "select last_success_at is not null, last_count, status, alarm from ops.cron_health() where job = %s", [job]
    )[0]


@pytest.fixture
def jobs(database: Database) -> Iterator[psycopg.Connection[Any]]:
    """A connection as pg_cron has it: aqm_jobs, autocommit."""
    with closing(database.connect(user="aqm_jobs")) as connection:
        yield connection


def test_pg_cron_runs_a_scheduled_job(cluster: Cluster, database: Database, alice: uuid.UUID) -> None:
    """The one test that waits for a full minute: pg_cron knows no less."""
    add_coins(database, 3, "2 hours", fetched_by=alice)
    add_coins(database, 2, "2 hours")
    Migrator(database.dsn, say=lambda _line: None).apply()
    with psycopg.connect(cluster.dsn("postgres"), autocommit=True) as cron:
        [[job_id, user, schedule]] = cron.execute(
            "select jobid, username, schedule from cron.job where jobname = %s",
            [f"{database.name}.hard_delete_fetched"],
        ).fetchall()
        assert (user, schedule) == ("aqm_jobs", "7 * * * *")
        assert health(database, "hard_delete_fetched") == (False, None, "waiting for the first run", None)

        cron.execute("select cron.alter_job(%s, schedule => '* * * * *')", [job_id])
        runs = """
            select database, username, status, return_message from cron.job_run_details
            where jobid = %s and end_time is not null
        """
        wait_until(lambda: cron.execute(runs, [job_id]).rowcount, seconds=90, what="pg_cron has run the job")
        assert cron.execute(runs, [job_id]).fetchone() == (database.name, "aqm_jobs", "succeeded", "CALL")
    assert health(database, "hard_delete_fetched") == (True, 3, "ok", None)
    assert coins_left(database) == 2


def test_a_job_goes_in_slices_with_a_commit_between(
    database: Database, jobs: psycopg.Connection[Any], alice: uuid.UUID
) -> None:
    add_coins(database, 12_000, "2 hours", fetched_by=alice)
    add_coins(database, 10, "10 minutes", fetched_by=alice)
    database.execute(RECORD_SLICES)
    jobs.execute("call ops.run_until_done('hard_delete_fetched')")
    slices = database.rows("select transaction_id::text, deleted from public.slice order by number")
    assert [deleted for _, deleted in slices if deleted] == [5000, 5000, 2000]
    assert len({transaction for transaction, _ in slices}) == len(slices)
    assert health(database, "hard_delete_fetched") == (True, 12_000, "ok", None)
    assert coins_left(database) == 10


def test_what_a_broken_job_had_done_is_kept(
    database: Database, jobs: psycopg.Connection[Any], alice: uuid.UUID
) -> None:
    add_coins(database, 6000, "2 hours", fetched_by=alice)
    add_coins(database, 1, "90 minutes", fetched_by=alice)
    database.execute(
        """
        create function public.refuse() returns trigger language plpgsql as $$
        begin
            raise exception 'this coin stays' using errcode = 'PT499';
        end $$;
        create trigger refuse before delete on coins.coin_inventory for each row
        when (old.fetched_at > now() - interval '100 minutes') execute function public.refuse();
        """
    )
    with pytest.raises(psycopg.Error, match="this coin stays"):
        jobs.execute("call ops.run_until_done('hard_delete_fetched')")
    assert coins_left(database) == 1001
    assert health(database, "hard_delete_fetched")[0] is False


def test_the_guard_stops_a_purge_of_most_coins_and_leaves_an_alarm(
    database: Database, jobs: psycopg.Connection[Any]
) -> None:
    add_coins(database, 10_001, "31 days")
    add_coins(database, 10_000, "1 day")
    with pytest.raises(psycopg.Error, match="has the clock jumped") as stopped:
        jobs.execute("call ops.run_until_done('purge_stale')")
    assert stopped.value.sqlstate == "PT409"
    assert coins_left(database) == 20_001
    succeeded, _, status, alarm = health(database, "purge_stale")
    assert (succeeded, status) == (False, "alarm")
    assert alarm.startswith("10001 of 20001 unclaimed coins look older than 30 days")
    assert ("purge_stale", 1) in database.rows("select scheduled_job, value from ops.job_alarms()")

    # One more young coin makes the old ones no more than half.
    add_coins(database, 1, "1 day")
    jobs.execute("call ops.run_until_done('purge_stale')")
    assert coins_left(database) == 10_001
    assert health(database, "purge_stale") == (True, 10_001, "ok", None)
    assert ("purge_stale", 0) in database.rows("select scheduled_job, value from ops.job_alarms()")


def test_the_guard_lets_pass_what_is_at_most_ten_thousand(database: Database, jobs: psycopg.Connection[Any]) -> None:
    add_coins(database, 10_000, "31 days")
    jobs.execute("call ops.run_until_done('purge_stale')")
    assert coins_left(database) == 0


def test_a_person_may_purge_what_the_guard_stops(database: Database, jobs: psycopg.Connection[Any]) -> None:
    add_coins(database, 10_001, "31 days")
    with pytest.raises(psycopg.Error, match="has the clock jumped"):
        jobs.execute("call ops.run_until_done('purge_stale')")
    assert database.value("select coins.purge_stale(30)") == 10_001
    jobs.execute("call ops.run_until_done('purge_stale')")
    assert health(database, "purge_stale") == (True, 0, "ok", None)


def test_an_unknown_job_is_refused(jobs: psycopg.Connection[Any]) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="no job"):
        jobs.execute("call ops.run_until_done('nothing_of_the_kind')")


def test_a_job_does_not_run_inside_a_transaction(
    database: Database, jobs: psycopg.Connection[Any], alice: uuid.UUID
) -> None:
    add_coins(database, 1, "2 hours", fetched_by=alice)
    with pytest.raises(psycopg.errors.InvalidTransactionTermination), jobs.transaction():
        jobs.execute("call ops.run_until_done('hard_delete_fetched')")
    assert coins_left(database) == 1


@pytest.mark.parametrize("role", ["aqm_device", "aqm_admin", "aqm_gateway", "aqm_monitor"])
def test_only_the_jobs_role_runs_jobs(database: Database, role: str) -> None:
    with closing(database.connect()) as connection:
        connection.execute(f"set role {role}".encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("call ops.run_until_done('hard_delete_fetched')")
