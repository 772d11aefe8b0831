"""The one command: its help, what it makes and what it must not make, what it says of the keys."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from conftest import ROOT, Database, RunningGateway
from gateway.settings import VARIABLES
from tests.command import Command, make_command

COMMANDS = re.findall(r"^  \./aqm ([a-z]+)", (ROOT / "aqm").read_text(), re.MULTILINE)
BOB = "b0b00000-0000-4000-8000-000000000000"


@pytest.fixture
def command(tmp_path: Path, database: Database) -> Command:
    """./aqm on a database of the test's own."""
    return make_command(tmp_path, AQM_DSN=database.dsn)


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_answers_help_and_installs_nothing(name: str, tmp_path: Path) -> None:
    nowhere = Command({"AQM_VENV": str(tmp_path / "venv"), "AQM_DATA_DIR": str(tmp_path / "data")})
    for option in ("--help", "-h"):
        ran = nowhere.shell(f"./aqm {name} {option}") if (name, option) != ("psql", "-h") else None
        assert ran is None or (ran.returncode, ran.stderr) == (0, "")
        assert ran is None or "Usage:" in ran.stdout or "./aqm help" in ran.stdout or "./aqm run" in ran.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("migrate", "python -m db.migrate rollback to N"), ("token", "usage: aqm token"), ("demo", "usage: aqm demo"),
        ("bench", "usage: aqm bench"), ("faults", "usage: aqm faults"), ("test", "pytest"),
    ],
)  # fmt: skip
def test_a_commands_own_help_is_shown_where_it_is_installed(name: str, words: str, command: Command) -> None:
    assert words in command.shell(f"./aqm {name} --help").stdout


def test_an_unknown_command_has_no_help() -> None:
    assert Command({}).shell("./aqm sideways --help").returncode == 2


def test_a_mistyped_data_folder_is_not_made(tmp_path: Path) -> None:
    command = make_command(tmp_path)
    said = f"there is no database in {tmp_path}/data: is AQM_DATA_DIR the one that you mean?"
    for line, code in (("status", 3), ("psql -c 'select 1'", 1), ("exec true", 1), ("stop", 0)):
        ran = command.shell(f"./aqm {line}")
        assert (ran.returncode, line == "stop" or said in ran.stdout + ran.stderr) == (code, True), ran
        assert not (tmp_path / "data").exists(), line


def test_a_mistyped_setting_is_named(command: Command, run_gateway: Callable[..., RunningGateway]) -> None:
    ran = command.shell("./aqm help", AQM_DATADIR="/nowhere", AQM_PORT="8080")
    assert ran.stderr == "aqm: there is no setting AQM_DATADIR; ./aqm help lists them\n"
    gateway = run_gateway(command.environment["AQM_DSN"], AQM_DATADIR="/nowhere")
    named = [line["setting"] for line in gateway.log_lines() if line["event"] == "there is no such setting"]
    assert named == ["AQM_DATADIR"]


def test_the_gateway_knows_the_settings_that_help_lists() -> None:
    assert set(re.findall(r"^  (AQM_[A-Z_]+)", (ROOT / "aqm").read_text(), re.MULTILINE)) == VARIABLES


def test_whoever_reads_a_few_lines_of_status_sees_no_traceback(command: Command) -> None:
    for reader in (":", "head -1"):
        assert command.shell(f"./aqm status | {reader}").stderr == ""


def test_status_tells_of_lost_data_keys(
    command: Command, run_gateway: Callable[..., RunningGateway], database: Database, tmp_path: Path
) -> None:
    keys = tmp_path / "data" / "data_keys"
    ran = command.shell("./aqm status")
    assert f"data keys     {keys}, made when the gateway starts\n" in ran.stdout
    assert ran.returncode == 0, ran
    keys.parent.mkdir()
    keys.write_text(f"encryption 1 {'ab' * 32}\nindex 1 {'cd' * 32}\n")
    assert f"data keys     {keys}, not used yet\n" in command.shell("./aqm status").stdout
    made = command.shell("./aqm psql -qc \"select create_user('bob@example.org', 'correct horse')\"")
    assert made.returncode == 0, made
    assert f"data keys     {keys}, those of the database\n" in command.shell("./aqm status").stdout
    keys.write_text(f"encryption 1 {'ab' * 32}\nindex 1 {'00' * 32}\n")
    ran = command.shell("./aqm status")
    assert "WRONG: " in ran.stdout
    assert "the index key 1 is not the one that the data was written with" in ran.stdout
    keys.unlink()
    ran = command.shell("./aqm status")
    assert f"data keys     MISSING: {keys}; the data was written with encryption 1, index 1." in ran.stdout
    assert ran.returncode == 1


def test_status_and_token_say_when_nobody_accepts_the_key(command: Command, database: Database, tmp_path: Path) -> None:
    ask = f"./aqm token --user {BOB}"
    unknown = command.shell(ask)
    assert unknown.stdout.count(".") == 2
    assert "token_key.pem: not known to the database; a gateway with AQM_AUTH=jwt makes its own known" in unknown.stderr
    kid = re.search(r"token key .*token_key\.pem, ([\w-]{43}): not known", command.shell("./aqm status").stdout)
    assert kid
    database.execute("insert into auth.signing_keys (kid, public_key) values (%s, %s)", [kid[1], b"x" * 32])
    assert command.shell(ask).stderr == ""
    assert f"{kid[1]}, in use\n" in command.shell("./aqm status").stdout
    database.execute("select auth.retire_signing_key(%s)", [kid[1]])
    assert "being retired: its tokens are good until" in command.shell(ask).stderr
    assert command.shell("./aqm status").returncode == 0
    database.execute("select auth.retire_signing_key(%s, '0')", [kid[1]])
    retired = command.shell(ask)
    assert "RETIRED since " in retired.stderr
    assert retired.returncode == 0
    status = command.shell("./aqm status")
    assert "RETIRED since " in status.stdout
    assert status.returncode == 1
    away = command.shell(ask, AQM_DSN="host=/nowhere")
    assert "can't ask the database" in away.stderr
    assert away.stdout.count(".") == 2
