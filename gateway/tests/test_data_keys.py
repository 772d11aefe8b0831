"""A lost or wrong file of data keys: seen at once, said loudly, and never papered over with a new one."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psycopg
import pytest

from conftest import KEYS, Database, RunningGateway, wait_until
from gateway.data_keys import find_faults, prove
from gateway.keys import make_private_key

Run = Callable[..., RunningGateway]
BOB = {"email": "bob@example.org", "password": "correct horse"}
USER = "b0b00000-0000-4000-8000-000000000000"
EVENT = "data keys are not those of the database"


def ask(gateway: RunningGateway, path: str, body: Any = None) -> tuple[int, Any]:
    """Status and JSON of an answer."""
    connection = HTTPConnection(gateway.url.removeprefix("http://"))
    try:
        method, data = ("GET", None) if body is None else ("POST", json.dumps(body))
        connection.request(method, path, data, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def told(gateway: RunningGateway, event: str = EVENT) -> list[dict[str, Any]]:
    """Its log's lines of one event."""
    return [line for line in gateway.log_lines() if line["event"] == event]


def test_a_lost_file_is_not_made_anew_beside_data(database: Database, run_gateway: Run, tmp_path: Path) -> None:
    first = run_gateway(database.dsn)
    assert told(first, "data keys made: keep a copy apart from the database")
    assert ask(first, "/users", BOB)[0] == 200
    assert ask(first, "/v1/health") == (200, {"status": "ok", "db_connected": True})
    first.stop()
    file = tmp_path / "data_keys"
    assert file.stat().st_mode & 0o777 == 0o600
    kept = file.read_text()
    file.unlink()

    second = run_gateway(database.dsn)
    assert not file.exists()
    assert [line["faults"] for line in told(second)] == [[f"{file} is missing"]]
    assert "nobody can log in" in told(second)[0]["remedy"]
    # Coins are served, so it stays in the load balancer.
    assert ask(second, "/v1/health") == (200, {"status": "ok", "db_connected": True, "faults": ["data keys"]})
    assert ask(second, f"/v1/coins/count?user_id={USER}")[0] == 200
    assert ask(second, "/auth/login", BOB)[0] == 503
    assert [line["reason"] for line in told(second, "call failed")] == ["the index keys are missing"]
    second.stop()

    file.write_text(kept)
    third = run_gateway(database.dsn)
    assert told(third) == []
    assert ask(third, "/auth/login", BOB)[0] == 200


def test_keys_of_another_database_are_told_at_the_start_and_at_each_reload(
    database: Database, run_gateway: Run, tmp_path: Path
) -> None:
    (tmp_path / "others").write_text(f"encryption 1 {'ab' * 32}\nindex 1 {'cd' * 32}\n")
    early = run_gateway(database.dsn, AQM_DATA_KEYS_FILE=str(tmp_path / "others"))
    assert told(early) == []
    assert ask(run_gateway(database.dsn), "/users", BOB)[0] == 200
    late = run_gateway(database.dsn, AQM_DATA_KEYS_FILE=str(tmp_path / "others"))
    faults = [f"the {kind} key 1 is not the one that the data was written with" for kind in ("encryption", "index")]
    assert [line["faults"] for line in told(late)] == [faults]
    database.execute("select pg_notify('gateway', 'reload')")
    wait_until(lambda: told(early), what="the gateway tells")
    assert [line["faults"] for line in told(early)] == [faults]
    assert ask(early, "/auth/login", BOB)[0] == 503
    assert [line["reason"] for line in told(early, "call failed")] == [faults[1]]
    assert "ab" * 8 not in early.log.read_text()


def test_a_file_that_can_not_be_made_costs_logins_and_no_coins(
    database: Database, run_gateway: Run, tmp_path: Path
) -> None:
    make_private_key(tmp_path / "token")
    gateway = run_gateway(database.dsn, AQM_DATA_DIR="/proc/nowhere", AQM_TOKEN_KEY_FILE=str(tmp_path / "token"))
    (line,) = told(gateway)
    assert line["faults"][0].startswith("/proc/nowhere/data_keys is missing and can't be made (")
    assert ask(gateway, f"/v1/coins/count?user_id={USER}")[0] == 200
    assert ask(gateway, "/users", BOB)[0] == 503


def test_what_is_missing_is_named(database: Database) -> None:
    with database.connect() as connection:
        connection.execute(KEYS.encode())
        connection.execute("select auth.current_key('index'), auth.current_key('encryption')")
        known: list[tuple[str, int, bytes]] = connection.execute(
            "select kind, version, proof from auth.list_data_keys()"
        ).fetchall()
    right = {"aqm.encryption_keys": f"1:{'ab' * 32}", "aqm.index_keys": f"2:{'00' * 32},1:{'cd' * 32}"}
    assert find_faults(right, known) == []
    assert find_faults(right | {"aqm.index_keys": f"2:{'cd' * 32}"}, known) == ["the index key 1 is missing"]
    assert prove(b"\xcd" * 32) in [bytes(proof) for _, _, proof in known]


def test_an_older_database_is_served(database: Database, run_gateway: Run) -> None:
    """Yesterday's functions are back, and the gateways are still today's."""
    database.execute("drop function auth.list_data_keys()")
    assert ask(run_gateway(database.dsn), f"/v1/coins/count?user_id={USER}")[0] == 200


def test_a_proof_is_the_databases(database: Database) -> None:
    key = hashlib.sha256(b"any").digest()
    assert database.value("select auth.prove_key(%s)", [key]) == prove(key)


def test_only_gateways_and_dbas_ask(database: Database) -> None:
    with database.connect("aqm_gateway_user") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("select auth.list_data_keys()")
