"""The runbook's drills, played: its commands as they stand there, gateways restarted where it says so."""

from __future__ import annotations

import json
import re
import textwrap
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest

from conftest import ROOT, Database, RunningGateway, make_coins, started_gateway, to_json
from db.cluster import Cluster
from db.migrate import Migrator
from tests.command import Command, make_command
from tests.throw_away import throw_away_cluster, throw_away_folder

BOB = {"email": "bob@example.org", "password": "correct horse"}
PHONE = {**BOB, "role": "device", "device_name": "phone"}


def drill(heading: str) -> Iterator[str]:
    """The commands of a section of the runbook, one fence after the other."""
    text = (ROOT / "docs" / "runbook.md").read_text()
    level = heading.split()[0]
    section = text.split(f"\n{heading}\n")[1]
    section = re.split(rf"^#{{2,{len(level)}}} ", section, flags=re.MULTILINE)[0]
    fences: list[str] = re.findall(r"^( *)```sh\n((?:.*\n)*?)\1```$", section, re.MULTILINE)  # type: ignore[assignment]
    assert fences
    return iter([textwrap.dedent(fence[1]) for fence in fences])


@dataclass
class Operator:
    """Who follows the runbook, with a data folder, a safe and a place for dumps."""

    command: Command
    folder: Path
    stack: ExitStack

    def do(self, script: str) -> str:
        """Run commands as they stand in the runbook; returns what they print."""
        script = script.replace("/srv/", f"{self.folder}/").replace(".aqm", str(self.folder / "data"))
        ran = self.command.shell(f"set -e\n{script}")
        assert ran.returncode == 0, ran
        assert "ERROR" not in ran.stderr, ran
        return ran.stdout

    def start(self, dsn: str) -> RunningGateway:
        """A gateway with the keys of the data folder."""
        (self.folder / "data").mkdir(exist_ok=True)
        return self.stack.enter_context(started_gateway(dsn, self.folder / "data", AQM_AUTH="jwt"))


@pytest.fixture
def operator(tmp_path: Path, database: Database) -> Iterator[Operator]:
    with ExitStack() as stack:
        yield Operator(make_command(tmp_path, AQM_DSN=database.dsn), tmp_path, stack)


async def ask(
    gateway: RunningGateway, method: str, path: str, body: Any = None, token: str | None = None
) -> tuple[int, Any]:
    """Status and JSON of an answer."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with aiohttp.request(method, gateway.url + path, json=body, headers=headers) as answer:
        return answer.status, await answer.json(content_type=None)


async def test_a_stolen_signing_key(operator: Operator, database: Database) -> None:
    commands = drill("### A new signing key")
    gateways = [operator.start(database.dsn) for _ in range(2)]
    await ask(gateways[0], "POST", "/users", BOB)
    _, tokens = await ask(gateways[0], "POST", "/auth/login", BOB)
    person = f"/users/{tokens['subject']}"
    stolen = database.value("select kid from auth.signing_keys")

    operator.do(next(commands))
    for number, gateway in enumerate(gateways):
        gateway.stop()
        gateways[number] = operator.start(database.dsn)
        assert (await ask(gateways[number], "POST", "/auth/login", BOB))[0] == 200
        assert (await ask(gateways[number], "GET", person, token=tokens["access_token"]))[0] == 200
    status = operator.do("./aqm status")
    fresh = database.value("select kid from auth.signing_keys where kid <> %s", [stolen])
    assert f"{fresh}, in use\n" in status
    operator.do(next(commands).replace("<old kid>", stolen))
    assert next(commands, None) is None

    for gateway in gateways:
        status_now = 200
        while status_now == 200:
            status_now, _ = await ask(gateway, "GET", person, token=tokens["access_token"])
        assert status_now == 401
        # Nobody types a password again, and whoever has to, may.
        assert (await ask(gateway, "POST", "/auth/login", BOB))[0] == 200
    renewed, child = await ask(gateways[1], "POST", "/auth/refresh", {"refresh_token": tokens["refresh_token"]})
    assert renewed == 200
    assert (await ask(gateways[0], "GET", person, token=child["access_token"]))[0] == 200


async def test_retired_before_there_is_a_new_one_says_what_to_do(operator: Operator, database: Database) -> None:
    """The wrong order, as the drill warns: all that is there must say so."""
    gateway = operator.start(database.dsn)
    await ask(gateway, "POST", "/users", BOB)
    database.execute("select auth.retire_signing_key(kid, '0') from auth.signing_keys")
    while (await ask(gateway, "POST", "/auth/login", BOB))[0] == 200:
        pass
    _, health = await ask(gateway, "GET", "/v1/health")
    assert health == {"status": "ok", "db_connected": True, "faults": ["signing key"]}
    (line,) = [line for line in gateway.log_lines() if line["event"] == "signing key is not among those in use"]
    assert "put a new key in place and restart" in line["remedy"]
    assert "RETIRED since" in operator.command.shell("./aqm status").stdout


async def test_new_data_keys(operator: Operator, database: Database) -> None:
    commands = drill("### A new data key")
    gateway = operator.start(database.dsn)
    for number in range(3):
        assert (await ask(gateway, "POST", "/users", BOB | {"email": f"bob{number}@example.org"}))[0] == 200
    old = (operator.folder / "data" / "data_keys").read_text()

    operator.do(next(commands))  # a line of each kind
    assert re.fullmatch(
        re.escape(old) + "encryption 2 [0-9a-f]{64}\nindex 2 [0-9a-f]{64}\n",
        (operator.folder / "data" / "data_keys").read_text(),
    )
    gateway.stop()
    gateway = operator.start(database.dsn)
    operator.do(next(commands))  # written with
    assert operator.do(next(commands)) == "3\n"  # written anew
    usage = operator.do(next(commands))
    assert re.findall(r"^ (\w+) +\| +(\d) \| (\w) +\| +(\d)", usage, re.MULTILINE) == [
        ("encryption", "1", "f", "0"), ("encryption", "2", "t", "3"), ("index", "1", "f", "0"), ("index", "2", "t", "3"),
    ]  # fmt: skip
    operator.do(next(commands))  # forgotten
    operator.do(next(commands))  # out of the files
    assert next(commands, None) is None
    assert len((operator.folder / "data" / "data_keys").read_text().splitlines()) == 2
    gateway.stop()
    gateway = operator.start(database.dsn)
    for number in range(3):
        assert (await ask(gateway, "POST", "/auth/login", BOB | {"email": f"bob{number}@example.org"}))[0] == 200
    assert "those of the database" in operator.do("./aqm status")


@pytest.fixture
def lost_and_new() -> Iterator[tuple[Path, Cluster, Cluster]]:
    """A migrated server, and one as initdb leaves it."""
    with (
        throw_away_folder() as folder,
        throw_away_cluster(folder / "lost") as lost,
        throw_away_cluster(folder / "new") as new,
    ):
        Migrator(lost.dsn(), say=lambda _line: None).apply()
        yield folder, lost, new


def holds(dsn: str) -> dict[str, Any]:
    """What must be the same in both: rows of tables that nothing else changes, jobs, roles."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        return {
            what: connection.execute(statement.encode()).fetchall()
            for what, statement in {
                "migrations": "select version, checksum, applied_at from ops.schema_version order by version",
                "people": "select * from auth.users order by id",
                "functions": "select oid::regprocedure::text, proowner::regrole::text, array(select unnest(proacl)::text"
                " order by 1) from pg_proc"
                " where pronamespace = any(array['auth', 'coins', 'ops', 'gateway']::regnamespace[]) order by 1",
                "owners": "select oid::regclass::text, relowner::regrole::text, array(select unnest(relacl)::text order by 1)"
                " from pg_class"
                " where relnamespace = any(array['auth', 'coins', 'ops', 'gateway']::regnamespace[]) order by 1",
                "roles": "select rolname, rolcanlogin, rolinherit, rolconfig from pg_roles where rolname like 'aqm%' order by 1",
                "members": "select member::regrole::text, roleid::regrole::text from pg_auth_members order by 1, 2",
            }.items()
        }


async def test_a_dump_is_restored_on_a_fresh_server(
    lost_and_new: tuple[Path, Cluster, Cluster], new_operator: Callable[[Path, str], Operator]
) -> None:
    folder, lost, new = lost_and_new
    for name in ("backup", "safe"):
        (folder / name).mkdir()
    before = new_operator(folder, lost.dsn())
    gateway = before.start(lost.dsn())
    await ask(gateway, "POST", "/users", BOB)
    _, phone = await ask(gateway, "POST", "/auth/login", PHONE)
    coins = {"coins": [to_json(coin) for coin in make_coins(3)]}
    assert (await ask(gateway, "POST", "/v1/coins/upload", coins, phone["access_token"]))[1] == {"inserted": 3}
    (back_up,) = drill("## Back up")
    before.do(back_up)
    gateway.stop()
    kept = holds(lost.dsn())

    after = new_operator(folder, new.dsn())
    for key in ("data_keys", "token_key.pem"):
        (folder / "data" / key).unlink()
    (restore,) = drill("## Restore")
    after.do(restore)
    assert "those of the database" in after.do("./aqm status")
    found = holds(new.dsn())
    for what, rows in kept.items():
        assert found[what] == rows, what

    with psycopg.connect(new.dsn("postgres")) as connection:
        jobs = {name for (name,) in connection.execute("select jobname from cron.job").fetchall()}
    # As the runbook says: the database's name comes first.
    assert {"aqm.seal_audit", "aqm.purge_stale"} <= jobs

    assert after.do("./aqm psql -XAtc 'select dropped from fence_coins()'") == "3\n"
    assert after.do("./aqm psql -XAtc 'select * from verify_audit()'") == ""
    gateway = after.start(new.dsn())
    status, again = await ask(gateway, "POST", "/auth/login", PHONE)
    assert (status, again["subject"]) == (200, phone["subject"])
    # The session lives on as well: the keys are those that it was signed with.
    assert (await ask(gateway, "GET", "/v1/coins/count", token=phone["access_token"]))[1]["bronze"] == 0
    coins = {"coins": [to_json(coin) for coin in make_coins(1, prefix="fresh")]}
    assert (await ask(gateway, "POST", "/v1/coins/upload", coins, again["access_token"]))[1] == {"inserted": 1}
    alice = {"email": "alice@example.org", "password": "battery staple"}
    assert (await ask(gateway, "POST", "/users", alice))[0] == 200
    _, alices = await ask(gateway, "POST", "/auth/login", {**alice, "role": "device", "device_name": "phone"})
    claim = f"/v1/coins/fetch?target_user_id={phone['subject']}&coin_category=BRONZE"
    status, answer = await ask(gateway, "GET", claim, token=alices["access_token"])
    assert (status, answer) == (200, json.loads(json.dumps(coins)))


@pytest.fixture
def new_operator(tmp_path: Path) -> Iterator[Callable[[Path, str], Operator]]:
    """Makes operators with a data folder in a folder of the test's, each on a server."""
    with ExitStack() as stack:

        def make(folder: Path, dsn: str) -> Operator:
            command = make_command(tmp_path / uuid.uuid4().hex, AQM_DSN=dsn)
            command.environment["AQM_DATA_DIR"] = str(folder / "data")
            return Operator(command, folder, stack)

        yield make
