"""The demo's second half: the same calls in psql, and a job that pg_cron really runs."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID, uuid4

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from .devices import Outcome
from .report import StepError, holds, in_words, say, step

JOB = "hard_delete_fetched"
PATIENCE = 75
"""Seconds: pg_cron knows minutes only, and needs a moment to see a new job."""

Cron = psycopg.Connection[tuple[object, ...]]
"""A connection to the database that pg_cron lives in."""


def in_psql(dsn: str, outcome: Outcome) -> None:
    """The calls of a DBA."""
    bob, left = outcome.bob.courier.user_id, outcome.left
    step("What a DBA sees in psql: names of coins, who claimed how many and when, and no private key")
    psql(
        dsn,
        "select coin_category, count(*) filter (where fetched_by is null) as unclaimed, count(fetched_by) as claimed, "
        f"count(distinct fetched_by) as senders from coin_inventory where user_id = '{bob}' group by 1 order by 1",
    )
    count = f"select * from count_coins('{bob}')"
    counts = psql(dsn, count)
    other = f"{counts}; if the gateway serves another database than AQM_DSN, choose another AQM_PORT"
    holds(counts == [[str(number) for number in left.values()]], f"as over HTTP: {in_words(left)}", other)

    step("The same calls in psql")
    coin, _ = outcome.bob.identity.mint(bob, "BRONZE")
    parts = f"'{coin.key_id}', 'BRONZE', '\\x{coin.public_key.hex()}', '\\x{coin.signature.hex()}'"
    inserted = psql(dsn, f"select upload_coins('{bob}', array[row({parts})]::coin_upload[])")
    holds(inserted == [["1"]], "one more BRONZE coin was stored", inserted)

    sender = uuid4()
    claimed = psql(
        dsn,
        "select key_id, coin_category, length(public_key_blob), length(signature_blob) "
        f"from claim_coins('{bob}', '{sender}', 'GOLD', 3)",
    )
    holds([row[1:] for row in claimed] == [["GOLD", "1184", "2420"]] * 3, "three GOLD coins", claimed)
    holds(not outcome.used.intersection(row[0] for row in claimed), "Alice was given none of them", claimed)

    rest = psql(
        dsn,
        "select name, (select count(*) from "
        f"claim_coins('{bob}', '{sender}', name, 100)) from coin_category order by name",
    )
    expected = {"BRONZE": left["BRONZE"] + 1, "GOLD": left["GOLD"] - 3, "SILVER": left["SILVER"]}
    all_given = rest == [[name, str(number)] for name, number in expected.items()]
    holds(all_given, "a hundred of each asked for, what is left given", rest)
    counts = psql(dsn, count)
    holds(counts == [["0", "0", "0"]], "nothing is left", counts)


def erase(dsn: str, accounts: Sequence[UUID]) -> None:
    """Leave nobody behind."""
    step("The demo's people are erased")
    for account in accounts:
        psql(dsn, f"select erase_user('{account}')", options=["-q", "-t"])
    with psycopg.connect(dsn, autocommit=True) as connection:
        known = connection.execute(
            "select from auth.users where id = any(%s) and email_hash is not null", [list(accounts)]
        ).rowcount
    holds(known == 0, "nothing tells any more who they were", known)


def by_cron(dsn: str, bob: UUID) -> None:
    """A maintenance job that pg_cron runs by itself: it deletes the coins that were claimed."""
    step(f"pg_cron runs the hourly job {JOB}, for once at the next full minute")
    say("  Claimed coins are kept for an hour; so as not to wait for it, the claims are dated back:")
    psql(dsn, f"update coin_inventory set fetched_at = fetched_at - interval '2 hours' where user_id = '{bob}'")
    with psycopg.connect(dsn, autocommit=True) as connection, connect_to_cron(dsn) as cron:
        database = connection.info.dbname
        [[began]] = connection.execute("select clock_timestamp()").fetchall()
        with scheduled(cron, f"{database}.demo", database) as job_id:
            status, user, message = wait_for_run(cron, job_id)
        psql(dsn, r"\c postgres", f"select * from cron.job_run_details where jobid = {job_id}", options=["-q", "-x"])
        holds((status, user) == ("succeeded", "aqm_jobs"), "pg_cron ran it as aqm_jobs, and it succeeded", message)
        kept = connection.execute("select from coins.coin_inventory where user_id = %s", [bob]).rowcount
        holds(kept == 0, "the claimed coins are deleted", f"{kept} are still there")
        psql(dsn, f"select * from cron_health() where job = '{JOB}'", options=["-x"])
        [[health, succeeded_at]] = connection.execute(
            "select status, last_success_at from ops.cron_health() where job = %s", [JOB]
        ).fetchall()
        holds(health == "ok" and succeeded_at > began, "cron_health() knows of this run", f"{health}, {succeeded_at}")
        left = cron.execute("select from cron.job where jobid = %s", [job_id]).rowcount
        holds(left == 0, "the demo's schedule is gone again")


def psql(dsn: str, *statements: str, options: Sequence[str] = ()) -> list[list[str]]:
    """Print a psql command and what it prints; returns the cells of an aligned table's rows."""
    shown = " ".join([*options, *(f'-c "{statement}"' for statement in statements)])
    say(f'  $ psql "$AQM_DSN" {shown}')
    command = ["psql", "--no-psqlrc", dsn, *options, *(word for statement in statements for word in ("-c", statement))]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if ran.returncode != 0:
        raise StepError(f"psql: {ran.stderr.strip()}")
    say(textwrap.indent(ran.stdout.rstrip(), "      "))
    rows = [line for line in ran.stdout.splitlines()[2:] if line and not line.startswith("(")]
    return [[cell.strip() for cell in line.split("|")] for line in rows]


def connect_to_cron(dsn: str) -> Cron:
    """A connection to pg_cron's database; raises StepError where there is no pg_cron."""
    cron = psycopg.connect(make_conninfo(dsn, dbname="postgres"), autocommit=True)
    if not cron.execute("select from pg_extension where extname = 'pg_cron'").rowcount:
        cron.close()
        raise StepError("the server's database postgres has no pg_cron; --no-cron leaves this step out")
    return cron


@contextmanager
def scheduled(cron: Cron, name: str, database: str) -> Iterator[object]:
    """Have pg_cron run the job each minute for the length of a with block; yields pg_cron's number for it."""
    schedule = sql.SQL("select cron.schedule_in_database({}, '* * * * *', {}, {}, 'aqm_jobs')").format(
        sql.Literal(name), sql.Literal(f"call ops.run_until_done('{JOB}')"), sql.Literal(database)
    )
    say("  " + schedule.as_string(cron))
    try:
        [[job_id]] = cron.execute(schedule).fetchall()
        yield job_id
    finally:
        # By name: an interrupt may come before the number is known.
        cron.execute("select cron.unschedule(jobid) from cron.job where jobname = %s and username = 'aqm_jobs'", [name])


def wait_for_run(cron: Cron, job_id: object) -> Sequence[object]:
    """Wait until pg_cron has run a job; returns status, user and message of its row."""
    deadline = time.monotonic() + PATIENCE
    on_terminal = sys.stdout.isatty()
    if not on_terminal:
        say(f"  waiting for it, {PATIENCE} seconds at most")
    while (left := deadline - time.monotonic()) > 0:
        run = cron.execute(
            "select status, username, return_message from cron.job_run_details "
            "where jobid = %s and end_time is not null order by runid limit 1",
            [job_id],
        ).fetchone()
        if on_terminal:
            say("\r\033[K" if run else f"\r  waiting for it, {left:.0f} seconds at most \033[K", end="")
        if run:
            return run
        time.sleep(0.5)
    raise StepError(f"pg_cron has not run the job within {PATIENCE} seconds: is its launcher running?")
