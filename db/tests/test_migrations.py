"""The installer: up, down and up again, and all that it must refuse.

Roles belong to the whole server, and these tests drop them: they have a server of their own.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import re
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from conftest import ROOT
from db.cluster import Cluster, find_binaries
from db.migrate import GATEWAY_LOGINS, MigrationError, Migrator

NEWEST = len(list((ROOT / "db" / "migrations").glob("*.sql"))) - 1
FUNCTIONS = len(list((ROOT / "db" / "functions").glob("*/*.sql")))
JOBS = {
    "apply_timeouts": None,
    "check_profiles": None,
    "cron_history": "postgres",
    "discard_devices": None,
    "hard_delete_fetched": None,
    "purge_claim_requests": None,
    "purge_login_attempts": None,
    "purge_messages": None,
    "purge_nonces": None,
    "purge_one_time_tokens": None,
    "purge_products": None,
    "purge_quota_use": None,
    "purge_sessions": None,
    "purge_stale": None,
    "roll_audit_months": None,
    "roll_email_months": None,
    "roll_spent_months": None,
    "seal_audit": None,
}
"""The scheduled jobs and where they run; None: in the database whose jobs they are."""


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    """A throw-away server that logs every statement."""
    home = Path(tempfile.mkdtemp(prefix="aqm-test-"))
    home.chmod(0o755)
    made = Cluster(home / "postgres", throw_away=True, settings={"shared_buffers": "64MB", "log_statement": "all"})
    try:
        made.start()
        yield made
    finally:
        made.stop("immediate")
        shutil.rmtree(home)


@dataclass
class Target:
    """A database to migrate, with the db/ folder to migrate it from and what the migrator has said."""

    name: str
    dsn: str
    folder: Path
    said: list[str] = field(default_factory=list)

    @property
    def migrator(self) -> Migrator:
        return Migrator(self.dsn, self.folder, self.said.append)

    def rows(self, statement: str, parameters: Any = None, database: str | None = None) -> list[tuple[Any, ...]]:
        """The rows of one statement, here or in another database of the server."""
        with psycopg.connect(self.dsn, dbname=database or self.name, autocommit=True) as connection:
            return connection.execute(statement.encode(), parameters).fetchall()

    def execute(self, statement: str) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            connection.execute(statement.encode())

    def jobs(self) -> set[str]:
        """Names of the jobs that pg_cron has."""
        return {name for (name,) in self.rows("select jobname from cron.job", database="postgres")}

    def schema(self) -> str:
        """All that pg_dump would restore, but for the data."""
        dump = subprocess.run(
            [find_binaries() / "pg_dump", "--schema-only", self.dsn], capture_output=True, text=True, check=True
        ).stdout
        # Newer ones put a random word around the dump.
        return re.sub(r"^\\(un)?restrict .*\n", "", dump, flags=re.MULTILINE)

    def edit(self, path: str, pattern: str, replacement: str) -> None:
        """Change a file of the folder."""
        text = (self.folder / path).read_text()
        changed, count = re.subn(pattern, replacement, text)
        assert count == 1
        (self.folder / path).write_text(changed)

    def add_migration(self, text: str) -> str:
        """Write one more migration, whose rollback does nothing; returns its name."""
        name = f"{NEWEST + 1:03}_change_something.sql"
        (self.folder / "migrations" / name).write_text(text)
        (self.folder / "migrations" / "rollback" / f"{NEWEST + 1:03}_rollback.sql").write_text("select;\n")
        return name


@pytest.fixture
def new_target(server: Cluster, tmp_path: Path) -> Iterator[Callable[..., Target]]:
    """Makes empty databases, each with its own copy of db/."""
    made: list[str] = []

    def make(owner: str = "postgres") -> Target:
        name = f"t_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
            connection.execute(f"create database {name} owner {owner}")
        made.append(name)
        folder = tmp_path / name / "db"
        shutil.copytree(ROOT / "db", folder, ignore=shutil.ignore_patterns("tests", "*.py", "__pycache__"))
        return Target(name, server.dsn(name, owner), folder)

    yield make
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
        for name in made:
            connection.execute(f"drop database {name} with (force)")
            if connection.execute("select to_regclass('cron.job')").fetchone() != (None,):
                connection.execute("delete from cron.job where starts_with(jobname, %s)", [f"{name}."])


@pytest.fixture
def target(new_target: Callable[..., Target]) -> Target:
    """An empty database."""
    return new_target()


@pytest.fixture
def migrated(target: Target) -> Target:
    """A database with all migrations and functions."""
    target.migrator.apply()
    target.said.clear()
    return target


@pytest.fixture
def no_roles(server: Cluster) -> None:
    """Takes from the server every role that earlier tests have made: asked for before any database."""
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
        for (role,) in connection.execute("select rolname from pg_roles where rolname like 'aqm%'").fetchall():
            connection.execute(f"drop owned by {role}")
            connection.execute(f"drop role {role}")


def migrate(target: Target, *arguments: str) -> subprocess.Popen[str]:
    """Start the migrator as ./aqm migrate does."""
    return subprocess.Popen(
        [sys.executable, "-m", "db.migrate", *arguments], cwd=ROOT, env=os.environ | {"AQM_DSN": target.dsn},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def assert_refused(target: Target, reason: str) -> None:
    """The next migrate fails for a reason and leaves the database as it was."""
    before = target.schema()
    with pytest.raises(MigrationError, match=reason):
        target.migrator.apply()
    assert target.schema() == before


# -- up and down


def test_an_empty_database_gets_everything(target: Target) -> None:
    target.migrator.apply()
    names = sorted(path.name for path in (target.folder / "migrations").glob("*.sql"))
    assert target.said == [
        *(f"applied {name}" for name in names),
        f"database is at migration {NEWEST} with {FUNCTIONS} functions",
    ]
    assert target.rows("select version, checksum from ops.schema_version order by version") == [
        (version, hashlib.sha256((target.folder / "migrations" / name).read_bytes()).hexdigest())
        for version, name in enumerate(names)
    ]


def test_a_second_time_changes_nothing(migrated: Target) -> None:
    before = migrated.schema(), migrated.rows("select * from ops.schema_version"), migrated.jobs()
    migrated.migrator.apply()
    assert migrated.said == [f"database is at migration {NEWEST} with {FUNCTIONS} functions"]
    assert (migrated.schema(), migrated.rows("select * from ops.schema_version"), migrated.jobs()) == before


def test_functions_are_applied_beside_a_claim_that_is_under_way(migrated: Target) -> None:
    """A lock on the inventory would wait for whoever left a claim open in psql, and every other claim behind it."""
    with psycopg.connect(migrated.dsn) as claimer:
        claimer.execute("lock table coins.coin_inventory in row exclusive mode")
        migrated.migrator.apply()


@pytest.mark.usefixtures("no_roles")
def test_two_at_once_are_as_good_as_one(new_target: Callable[..., Target]) -> None:
    # Two in one database, and one in another: roles are the whole server's.
    one, other = new_target(), new_target()
    running = [migrate(one), migrate(one), migrate(other)]
    for process in running:
        said, complained = process.communicate(timeout=60)
        assert process.returncode == 0, complained
        assert said.endswith(f"database is at migration {NEWEST} with {FUNCTIONS} functions\n")
    assert len(one.rows("select from ops.schema_version")) == NEWEST + 1
    assert one.schema() == other.schema()


@pytest.mark.usefixtures("no_roles")
def test_each_migration_leaves_no_trace_when_it_is_rolled_back(new_target: Callable[..., Target]) -> None:
    target = new_target()
    # It may have been somebody else's before, so no rollback takes it away.
    target.execute("create extension pg_stat_statements")
    going_up = [target.schema()]
    for version in range(NEWEST):
        target.migrator.apply(version)
        going_up.append(target.schema())
    target.migrator.apply()
    complete = target.schema()

    for version in range(NEWEST - 1, -2, -1):
        target.migrator.roll_back()
        assert target.schema() == going_up[version + 1], f"after the rollback to {version}"
        applied = target.rows("select max(version) from ops.schema_version") if version >= 0 else [(-1,)]
        assert applied == [(version,)]
    assert target.jobs() == set()
    # pg_cron, in another database, still knows the role of the jobs.
    assert set(target.rows("select rolname from pg_roles where rolname like 'aqm%'")) <= {("aqm_jobs",)}

    target.migrator.apply()
    assert target.schema() == complete


def test_every_rollback_is_the_way_back_from_the_newest(migrated: Target) -> None:
    complete = migrated.schema()
    for version in range(NEWEST):
        migrated.migrator.roll_back(version)
        migrated.migrator.apply()
        assert migrated.schema() == complete, f"down to {version} and up again"


def test_the_roles_of_another_database_survive_a_rollback(new_target: Callable[..., Target]) -> None:
    gone, kept = new_target(), new_target()
    gone.migrator.apply()
    kept.migrator.apply()
    roles = kept.rows("select rolname from pg_roles where rolname like 'aqm%' order by 1")
    rights = kept.schema()
    gone.migrator.roll_back(-1)
    assert kept.rows("select rolname from pg_roles where rolname like 'aqm%' order by 1") == roles
    assert kept.schema() == rights


def test_there_is_nothing_before_the_first_migration(target: Target) -> None:
    with pytest.raises(MigrationError, match="nothing is applied"):
        target.migrator.roll_back()


def test_a_rollback_needs_something_to_undo(migrated: Target) -> None:
    with pytest.raises(MigrationError, match=f"the database is at {NEWEST}: there is nothing to roll back to {NEWEST}"):
        migrated.migrator.roll_back(NEWEST)


# -- what is refused


def test_an_applied_file_that_changed_is_refused_by_name(migrated: Target) -> None:
    migrated.edit("migrations/001_create_coin_inventory.sql", r"\Z", "-- changed\n")
    migrated.edit("functions/ops/bloat.sql", "Shows the dead rows", "Shows dead rows")
    assert_refused(migrated, "001_create_coin_inventory.sql has changed since it was applied")


def test_a_landed_migration_has_not_changed() -> None:
    """Databases that have it would refuse it. Only a migration that has not landed may get a new line in SHA256SUMS:
    (cd db/migrations && sha256sum *.sql > SHA256SUMS)."""
    folder = ROOT / "db" / "migrations"
    landed = dict(reversed(line.split("  ", 1)) for line in (folder / "SHA256SUMS").read_text().splitlines())
    assert {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.sql")} == landed


def test_a_database_newer_than_the_checkout_is_refused(migrated: Target) -> None:
    for path in (migrated.folder / "migrations").rglob(f"{NEWEST:03}_*.sql"):
        path.unlink()
    assert_refused(migrated, rf"the database is at migration {NEWEST}, newer than this checkout \({NEWEST - 1}\)")


def test_a_migration_that_fails_undoes_itself_and_names_the_line(migrated: Target) -> None:
    name = migrated.add_migration("create table ops.first (a integer);\n\nselect nothing;\n")
    assert_refused(migrated, rf'db/migrations/{name}:3: column "nothing" does not exist \(42703\)')


def test_a_migration_that_fails_without_a_place_is_named(migrated: Target) -> None:
    name = migrated.add_migration("create table ops.first (a integer);\nselect 1 / 0;\n")
    assert_refused(migrated, rf"db/migrations/{name}: division by zero \(22012\)")


def test_a_function_that_fails_undoes_all_others(migrated: Target) -> None:
    migrated.edit("functions/coins/count_coins.sql", "Counts a user''s", "Counts any user''s")
    migrated.edit("functions/ops/table_sizes.sql", r"\Z", "select nothing;\n")
    assert_refused(migrated, r"db/functions/ops/table_sizes.sql:\d+: column")


def test_a_second_signature_is_reported(migrated: Target) -> None:
    migrated.edit(
        "functions/coins/top_inventories.sql", "(?<=p_limit integer default 10,\n)", "    p_more text default null,\n"
    )
    migrated.edit(
        "functions/coins/top_inventories.sql",
        r"(?<=comment on function coins.top_inventories)\(integer\)",
        "(integer, text)",
    )
    assert_refused(migrated, "top_inventories.sql leaves 2 functions coins.top_inventories")


def test_a_file_that_defines_another_function_is_reported(migrated: Target) -> None:
    folder = migrated.folder / "functions" / "coins"
    (folder / "count_coins.sql").rename(folder / "count_all_coins.sql")
    assert_refused(migrated, "count_all_coins.sql leaves 0 functions coins.count_all_coins")


def test_a_route_that_nobody_may_call_is_reported(migrated: Target) -> None:
    migrated.edit("functions/coins/count_coins.sql", "grant execute [^;]*;\n", "")
    assert_refused(migrated, "GET /v1/coins/count: no HTTP role may execute coins.count_coins")


@pytest.mark.parametrize(
    ("removed", "added", "reason"),
    [
        (None, "migrations/create_more.sql", "a migration is named NNN_verb_object.sql"),
        (None, f"migrations/{NEWEST + 2:03}_create_more.sql", f"number {NEWEST + 1:03} is expected here"),
        (None, f"migrations/{NEWEST:03}_create_more.sql", f"number {NEWEST + 1:03} is expected here"),
        (f"migrations/rollback/{NEWEST:03}_rollback.sql", None, "_rollback.sql is missing"),
    ],
)
def test_a_folder_that_is_not_in_order_is_refused(
    target: Target, removed: str | None, added: str | None, reason: str
) -> None:
    if removed:
        (target.folder / removed).unlink()
    if added:
        (target.folder / added).write_text("select;\n")
    assert_refused(target, reason)


@pytest.mark.parametrize("version", [-1, NEWEST + 1])
def test_a_migration_that_does_not_exist_is_refused(target: Target, version: int) -> None:
    with pytest.raises(MigrationError, match=f"there is no migration {version}; the newest is {NEWEST}"):
        target.migrator.apply(version)


def test_a_server_that_does_not_answer_is_said_so(target: Target) -> None:
    with pytest.raises(MigrationError, match="can't connect"):
        Migrator(make_conninfo(target.dsn, dbname="nowhere"), say=target.said.append).apply()


# -- functions are what their files say


def may_execute(target: Target, role: str, function: str) -> bool:
    return bool(target.rows("select has_function_privilege(%s, %s::regproc, 'execute')", [role, function])[0][0])


def test_a_grant_that_left_its_file_is_taken_back(migrated: Target) -> None:
    assert may_execute(migrated, "aqm_monitor", "coins.top_inventories")
    migrated.edit("functions/coins/top_inventories.sql", "grant execute [^;]*;\n", "")
    migrated.execute("grant execute on function coins.top_inventories to aqm_anon, public")
    migrated.migrator.apply()
    assert not may_execute(migrated, "aqm_monitor", "coins.top_inventories")
    assert not may_execute(migrated, "aqm_anon", "coins.top_inventories")


def test_a_function_without_a_file_is_dropped(migrated: Target) -> None:
    (migrated.folder / "functions" / "coins" / "top_inventories.sql").unlink()
    migrated.migrator.apply()
    assert (
        migrated.said[0]
        == "dropping coins.top_inventories(p_limit integer, OUT user_id uuid, OUT available bigint): no file defines it"
    )
    assert migrated.rows("select to_regproc('coins.top_inventories')") == [(None,)]


def test_a_route_that_left_its_file_is_gone(migrated: Target) -> None:
    migrated.edit("functions/coins/count_coins.sql", r"select gateway\.expose\([^;]*;\n", "")
    migrated.migrator.apply()
    assert migrated.rows("select path from gateway.list_routes() where function_name = 'coins.count_coins'") == []


def test_a_table_that_no_migration_knows_is_named(migrated: Target) -> None:
    migrated.execute("create table ops.stray (a integer)")
    migrated.migrator.apply()
    assert migrated.said[0] == "warning: ops.stray is in the database and in no migration"


# -- what it prints


def test_to_a_number_stops_there(target: Target) -> None:
    target.migrator.apply(1)
    assert target.said == [
        "applied 000_create_roles_and_schemas.sql",
        "applied 001_create_coin_inventory.sql",
        f"at 1: functions are applied at the newest migration only ({NEWEST})",
    ]
    assert target.rows("select max(version) from ops.schema_version") == [(1,)]


def test_history_tells_what_was_applied_and_when(migrated: Target) -> None:
    migrated.migrator.history()
    assert len(migrated.said) == NEWEST + 1
    assert re.fullmatch(
        r"001  \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC  [0-9a-f]{12}  Create coin inventory", migrated.said[1]
    )


def test_status_of_a_complete_database(migrated: Target) -> None:
    migrated.migrator.status()
    said = "\n".join(migrated.said)
    assert f"database {migrated.name}" in said
    assert f"migrations    at {NEWEST}, 0 pending\n" in said
    assert f"functions     {FUNCTIONS} of {FUNCTIONS}\n" in said
    assert "pg_cron       runs the jobs\n" in said
    assert "statistics    pg_stat_statements is loaded\n" in said
    assert "job           purge_stale: waiting for the first run" in said


def test_status_of_a_database_that_lacks_something(target: Target) -> None:
    target.migrator.apply(0)
    target.said.clear()
    target.migrator.status()
    said = "\n".join(target.said)
    assert f"migrations    at 0, {NEWEST} pending 001_create_coin_inventory.sql" in said
    assert f"functions     0 of {FUNCTIONS} auth." in said


def test_status_of_an_empty_database_changes_nothing(target: Target) -> None:
    before = target.schema()
    target.migrator.status()
    assert f"migrations    none applied, {NEWEST + 1} pending" in "\n".join(target.said)
    assert target.schema() == before


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["to", "0"], 0, "applied 000_create_roles_and_schemas.sql"),
        (["status"], 0, "migrations    none applied"),
        (["history"], 0, ""),
        (["rollback"], 1, "aqm migrate: nothing is applied"),
        (["rollback", "to", "-1"], 1, "aqm migrate: nothing is applied"),
        (["to", "999"], 1, "aqm migrate: there is no migration 999"),
        (["roles"], 0, "the roles are there"),
        (["--help"], 0, "python -m db.migrate rollback to N"),
        (["sideways"], 2, "python -m db.migrate rollback to N"),
    ],
)
def test_the_command_line(target: Target, arguments: list[str], code: int, said: str) -> None:
    process = migrate(target, *arguments)
    assert said in "".join(process.communicate(timeout=60))
    assert process.returncode == code


# -- jobs and logins


def test_jobs_are_those_of_the_files(new_target: Callable[..., Target]) -> None:
    one, other = new_target(), new_target()
    for target in (one, other):
        target.migrator.apply()
    found = one.rows("select jobname, schedule, command, database, username, active from cron.job", database="postgres")
    scheduled = one.rows("select name, schedule, command from ops.scheduled_job")
    assert {name for name, *_ in scheduled} == set(JOBS)
    assert set(found) == {
        (f"{target.name}.{name}", schedule, command, JOBS[name] or target.name, "aqm_jobs", True)
        for target in (one, other)
        for name, schedule, command in scheduled
    }

    one.edit("functions/coins/purge_stale.sql", r"select ops\.schedule_job\([^;]*;\n", "")
    one.edit("functions/coins/hard_delete_fetched.sql", r"'7 \* \* \* \*'", "'8 * * * *'")
    one.migrator.apply()
    jobs = dict(one.rows("select jobname, schedule from cron.job", database="postgres"))
    assert jobs.keys() == {name for name, *_ in found} - {f"{one.name}.purge_stale"}
    assert jobs[f"{one.name}.hard_delete_fetched"] == "8 * * * *"
    assert jobs[f"{other.name}.hard_delete_fetched"] == "7 * * * *"

    one.migrator.roll_back()
    assert one.jobs() == {f"{other.name}.{name}" for name in JOBS}
    other.migrator.roll_back()


def scram_matches(verifier: str, password: str) -> bool:
    """Whether a SCRAM verifier (RFC 5803) was made from a password."""
    found = re.fullmatch(r"SCRAM-SHA-256\$(\d+):(.+)\$(.+):(.+)", verifier)
    assert found
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(found[2]), int(found[1]))
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    return stored == base64.b64decode(found[3])


def test_the_password_of_the_logins_is_set_and_never_logged(
    server: Cluster, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = f"secret {uuid.uuid4()}"
    monkeypatch.setenv("AQM_GATEWAY_PASSWORD", password)
    target.migrator.apply()
    verifiers = dict(target.rows("select rolname, rolpassword from pg_authid where rolpassword is not null"))
    assert verifiers.keys() == set(GATEWAY_LOGINS)
    assert all(scram_matches(verifier, password) for verifier in verifiers.values())
    log = server.log.read_text()
    assert "alter role" in log
    assert password not in log
    assert password not in "\n".join(target.said)

    # Without a password to set, the one that is there stays.
    monkeypatch.delenv("AQM_GATEWAY_PASSWORD")
    target.migrator.apply()
    assert dict(target.rows("select rolname, rolpassword from pg_authid where rolpassword is not null")) == verifiers


@pytest.mark.usefixtures("no_roles")
def test_a_migrator_needs_no_superuser(server: Cluster, new_target: Callable[..., Target]) -> None:
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
        connection.execute("drop role if exists installer")
        connection.execute("create role installer login createrole createdb")
    target = new_target("installer")
    for _ in range(2):
        target.said.clear()
        target.migrator.apply()
        assert target.said[-2].startswith("warning: pg_cron is not usable")
        assert target.said[-1] == f"database is at migration {NEWEST} with {FUNCTIONS} functions"
    # pg_stat_statements is out of reach, what statistics there are is not.
    assert target.rows("select pg_has_role('aqm_ops_owner', 'pg_monitor', 'usage')") == [(True,)]
    target.said.clear()
    target.migrator.status()
    assert f"migrations    at {NEWEST}, 0 pending" in target.said
    assert f"functions     {FUNCTIONS} of {FUNCTIONS}" in target.said
    assert any(line.startswith("pg_cron       is not usable") for line in target.said)
    for version in (0, -1):
        target.migrator.roll_back(version)
        target.migrator.apply()


# -- roles, which no dump of a database carries


def roles_of(target: Target) -> tuple[set[tuple[Any, ...]], set[tuple[Any, ...]], set[tuple[Any, ...]]]:
    """Our roles with their kind, who is a member of whom, and their settings."""
    roles = target.rows("select rolname, rolcanlogin, rolinherit from pg_roles where rolname like 'aqm%'")
    members = target.rows("""
        select member::regrole::text, roleid::regrole::text from pg_auth_members
        where member::regrole::text like 'aqm%' or roleid::regrole::text like 'aqm%'
    """)
    settings = target.rows("""
        select setrole::regrole::text, unnest(setconfig) from pg_db_role_setting
        where setdatabase = 0 and setrole::regrole::text like 'aqm%'
    """)
    return set(roles), set(members), set(settings)


@pytest.mark.usefixtures("no_roles")
def test_the_file_of_the_roles_makes_all_that_migrations_make(
    new_target: Callable[..., Target], server: Cluster
) -> None:
    one, other = new_target(), new_target()
    with psycopg.connect(one.dsn) as connection:
        for migration in one.migrator.migrations():
            connection.execute(migration.text.encode())
            connection.execute("reset role")
        connection.commit()
    made = roles_of(one)
    with psycopg.connect(server.dsn("postgres"), autocommit=True) as connection:
        connection.execute(f"drop database {one.name} with (force)")
        connection.execute(f"create database {one.name}")
        for (role,) in connection.execute("select rolname from pg_roles where rolname like 'aqm%'").fetchall():
            connection.execute(f"drop owned by {role}")
            connection.execute(f"drop role {role}")
    other.migrator.make_roles()
    assert other.said == ["the roles are there"]
    for expected, found in zip(made, roles_of(other), strict=True):
        assert expected <= found


@pytest.mark.usefixtures("no_roles")
def test_roles_are_made_whatever_the_version_table_says(new_target: Callable[..., Target], server: Cluster) -> None:
    migrated = new_target()
    migrated.migrator.apply()
    complete = roles_of(migrated)
    migrated.execute("alter role aqm_gateway_user set statement_timeout = '7s'")
    with psycopg.connect(migrated.dsn, autocommit=True) as connection:
        connection.execute("drop owned by aqm_worker; drop role aqm_worker, aqm_gateway_worker")
        connection.execute("revoke aqm_admin from aqm_gateway_admin; alter role aqm_jobs reset search_path")
    migrated.migrator.apply()
    roles, members, settings = roles_of(migrated)
    assert (roles, members) == complete[:2]
    chosen = {("aqm_gateway_user", "statement_timeout=7s")}
    assert settings == complete[2] - {("aqm_gateway_user", "statement_timeout=10s")} | chosen
    migrated.execute("alter role aqm_gateway_user set statement_timeout = '10s'")


def test_a_database_that_was_restored_without_the_roles_is_refused(migrated: Target) -> None:
    migrated.execute("alter schema coins owner to postgres")
    assert_refused(migrated, "schema coins belongs to postgres and not to aqm_coins_owner: was it restored")
