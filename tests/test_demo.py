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
        "30 GOLD    ML-KEM-768 1184 bytes, signed by ML-DSA-44 2420 bytes",
        "20 SILVER  ML-KEM-768 1184 bytes, signed by Ed25519     64 bytes",
        "20 BRONZE  X25519       32 bytes, signed by Ed25519     64 bytes",
        "ok  inserted 70",
        "ok  the same upload again: inserted 0, so a retry is safe",
        "ok  GET /v1/coins/count: 30 GOLD, 20 SILVER, 20 BRONZE",
        "ok  50 coins, 50 different key ids: none was given twice",
        "ok  GET /v1/coins/count: 10 GOLD, 5 SILVER, 5 BRONZE",
        "ok  50 signatures are Bob's, 50 secrets match, no two are alike",
        "ok  BRONZE  refused: her key under Bob's signature",
        "ok  as over HTTP: 10 GOLD, 5 SILVER, 5 BRONZE",
        "ok  nothing is left",
        "Every step held.",
    ):
        assert line in output
    assert "\033" not in output
    assert database.rows(
        "select coin_category, count(*), count(fetched_by) from coins.coin_inventory group by coin_category order by 1"
    ) == [("BRONZE", 21, 21), ("GOLD", 30, 30), ("SILVER", 20, 20)]
    assert database.value("select count(distinct fetched_by) from coins.coin_inventory") == 51
    gateways = "select count(*) from pg_stat_activity where datname = %s and application_name like 'aqm gateway%%'"
    assert database.value(gateways, [database.name]) == 0


def test_the_demo_uses_a_running_gateway_and_brings_the_tokens_it_wants(
    database: Database, run_gateway: Callable[..., RunningGateway], tmp_path: Path
) -> None:
    gateway = run_gateway(database.dsn, AQM_AUTH="jwt")
    code, output, errors = run_demo(database, tmp_path, "--no-cron", AQM_PORT=gateway.settings["AQM_PORT"])
    assert (code, errors) == (0, "")
    assert f"{gateway.url}, which was running" in output
    assert gateway.process.poll() is None
    asked = [line for line in gateway.log_lines() if line.get("route") == "GET /v1/coins/fetch"]
    assert [line["status"] for line in asked] == [200] * 50


@pytest.mark.parametrize(
    ("event", "body", "noticed"),
    [
        pytest.param(
            "insert", "new.public_key_blob := overlay(new.public_key_blob placing '\\x00ff' from 5);",
            "does not carry Bob's signature", id="changes a public key",
        ),
        pytest.param(
            "update", "new.fetched_by := null; new.fetched_at := null;",
            # Senders who come in one batch get different coins all the same; the counts tell.
            "none was given twice|GET /v1/coins/count: 10 GOLD, 5 SILVER, 5 BRONZE", id="gives a coin again",
        ),
        pytest.param(
            "insert", "new.key_id := 'not-' || left(new.key_id, 30);",
            "not among those that Bob keeps a private key of", id="gives a coin another name",
        ),
        pytest.param(
            "insert", "if new.coin_category = 'SILVER' then return null; end if;",
            "inserted 70; seen: 50", id="loses coins",
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
