"""./aqm demo: it holds against a sound server, and notices one that cheats."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from conftest import ROOT, Database, RunningGateway, free_port, wait_until
from db.cluster import Cluster

CHEAT = """
create function public.cheat() returns trigger language plpgsql as $$ begin {body} return new; end $$;
create trigger cheat before {event} on coins.coin_inventory for each row execute function public.cheat();
"""


def start_demo(database: Database, folder: Path, *arguments: str, **settings: str) -> subprocess.Popen[str]:
    """The demo as ./aqm demo runs it, far from a gateway that may run at this machine's usual port."""
    environment = {"AQM_DSN": database.dsn, "AQM_DATA_DIR": str(folder), "AQM_PORT": str(free_port()), **settings}
    return subprocess.Popen(
        [sys.executable, "-m", "device.demo", *arguments],
        cwd=ROOT, env=os.environ | environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def finish(demo: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a demo that has come to its end."""
    try:
        output, errors = demo.communicate(timeout=120)
    finally:
        demo.kill()
    return demo.returncode, output, errors


def run_demo(database: Database, folder: Path, *arguments: str, **settings: str) -> tuple[int, str, str]:
    return finish(start_demo(database, folder, *arguments, **settings))


def test_the_demo_shows_the_whole_way_of_a_coin(database: Database, tmp_path: Path) -> None:
    code, output, errors = run_demo(database, tmp_path, "--no-cron")
    assert (code, errors) == (0, "")
    for line in (
        "started for this demo",
        "Both have signed up and logged in",
        "12 GOLD    ML-KEM-768 1184 bytes, signed by ML-DSA-44 2420 bytes",
        "10 SILVER  ML-KEM-768 1184 bytes, signed by Ed25519     64 bytes",
        "12 BRONZE  X25519       32 bytes, signed by Ed25519     64 bytes",
        "ok  the server has stored 34 coins",
        "ok  the answer was lost, and she asked again with the same Idempotency-Key",
        "ok  cached: 5 GOLD, 4 SILVER, 1 BRONZE, each with Bob's signature",
        "ok  BRONZE  refused: her key under Bob's signature",
        "ok  20 messages, 20 different coins: none was given twice",
        "ok  20 texts are what Alice wrote",
        "GOLD    ",
        "hold against a quantum computer",
        "ok  none of the 20 messages can be read again: their keys stay burned",
        "ok  no private key that was used stands in any file (20 sought",
        "ok  nor the sealed bytes of one stands in any file (20 sought",
        "ok  a copy of Bob's store, opened with his passphrase, has none of the used keys",
        "ok  as over HTTP: 12 GOLD, 10 SILVER, 12 BRONZE",
        "ok  nothing is left",
        "ok  nothing tells any more who they were",
        "Every step held.",
    ):
        assert line in output
    assert "\033" not in output
    assert database.rows(
        "select coin_category, count(*), count(fetched_by) from coins.coin_inventory group by coin_category order by 1"
    ) == [("BRONZE", 20, 20), ("GOLD", 17, 17), ("SILVER", 18, 18)]
    assert database.value("select count(distinct fetched_by) from coins.coin_inventory") == 2
    gateways = "select count(*) from pg_stat_activity where datname = %s and application_name like 'aqm gateway%%'"
    assert database.value(gateways, [database.name]) == 0


def test_the_marketplace_has_a_story_that_holds_and_leaves_nothing(database: Database, tmp_path: Path) -> None:
    code, output, errors = run_demo(database, tmp_path, "marketplace")
    assert (code, errors) == (0, ""), output
    for line in (
        "409: an order that is created can't become completed",
        "Bob reads Alice's message; the server has ciphertext alone",
        "the order is expired",
        "resolved for the buyer",
        "resolved for the seller",
        "Bob's profile counted from scratch is the same",
        "Every step held.",
    ):
        assert line in output
    for table in (
        "user_profiles",
        "products",
        "orders",
        "messages",
        "reviews",
        "arbitrators",
        "chain_event",
        "event_sync_cursor",
    ):
        assert database.rows(f"select count(*) from escrow.{table}") == [(0,)], table


def test_the_demo_uses_a_running_gateway_and_brings_the_tokens_it_wants(
    database: Database, run_gateway: Callable[..., RunningGateway], tmp_path: Path
) -> None:
    gateway = run_gateway(database.dsn, AQM_AUTH="jwt")
    code, output, errors = run_demo(database, tmp_path, "--no-cron", AQM_PORT=gateway.settings["AQM_PORT"])
    assert (code, errors) == (0, "")
    assert f"{gateway.url}, which was running" in output
    assert gateway.process.poll() is None
    asked = [line["status"] for line in gateway.log_lines() if line.get("route") == "POST /v1/coins/claim"]
    assert set(asked) == {200}


def test_the_demo_does_without_tokens_where_the_server_does(
    database: Database, gateway: RunningGateway, tmp_path: Path
) -> None:
    code, output, errors = run_demo(database, tmp_path, "--no-cron", AQM_PORT=gateway.settings["AQM_PORT"])
    assert (code, errors) == (0, "")
    assert "The server checks no tokens" in output
    assert database.value("select count(*) from auth.users") == 0


@pytest.mark.parametrize(
    ("event", "body", "noticed"),
    [
        pytest.param(
            "insert", "new.public_key_blob := overlay(new.public_key_blob placing '\\x00ff' from 5);",
            "each with Bob's signature; seen: .*forged", id="changes a public key",
        ),
        pytest.param(
            "update", "new.fetched_by := null; new.fetched_at := null;",
            # Asked for the first answer again, such a server does not find the coins that it gave.
            "status 410", id="gives a coin again",
        ),
        pytest.param(
            "insert", "new.key_id := 'not-' || left(new.key_id, 30);",
            "each with Bob's signature; seen: .*forged", id="gives a coin another name",
        ),
        pytest.param(
            "insert", "if new.coin_category = 'SILVER' then return null; end if;",
            "has stored 34 coins; seen: 24", id="loses coins",
        ),
    ],
)  # fmt: skip
def test_the_demo_notices_a_server_that(
    database: Database, tmp_path: Path, event: str, body: str, noticed: str
) -> None:
    database.execute(CHEAT.format(event=event, body=body))
    code, output, errors = run_demo(database, tmp_path, "--no-cron")
    assert code == 1
    assert re.search(noticed, errors)
    assert "Every step held" not in output


def test_the_demo_without_a_database_says_what_to_do(database: Database, tmp_path: Path) -> None:
    code, _, errors = run_demo(database, tmp_path, AQM_DSN="")
    assert code == 2
    assert "AQM_DSN is not set" in errors


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_demo_leaves_no_job_behind(
    cluster: Cluster, database: Database, tmp_path: Path, number: int, expected: int
) -> None:
    demo = start_demo(database, tmp_path)
    try:
        with psycopg.connect(cluster.dsn("postgres"), autocommit=True) as cron:
            jobs = "select from cron.job where jobname = %s and username = 'aqm_jobs'"
            name = f"{database.name}.demo"
            wait_until(lambda: cron.execute(jobs, [name]).rowcount or demo.poll() is not None, what="the job is there")
            demo.send_signal(number)
            code, _, _ = finish(demo)
            assert code == expected
            assert cron.execute(jobs, [name]).rowcount == 0
    finally:
        demo.kill()
