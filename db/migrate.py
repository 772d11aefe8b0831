"""The one installer of the database: production, development and tests alike.

    python -m db.migrate                 apply what is pending, then every file of db/functions
    python -m db.migrate status          what is applied, what is missing
    python -m db.migrate history         the migrations this database has had
    python -m db.migrate roles           only make the roles that the server lacks: before a dump is restored
    python -m db.migrate to N            only up to migration N
    python -m db.migrate rollback        one migration back
    python -m db.migrate rollback to N   back until N is the newest; -1: nothing is left
        --yes                            even if tables with rows are dropped

The database is AQM_DSN. AQM_GATEWAY_PASSWORD, when set, becomes the password of the gateway's logins.
Running it twice, or twice at once, is harmless.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from .tell import tell

HERE = Path(__file__).resolve().parent
LOCK = 4_021_977
"""Key of the advisory lock; taken in database postgres, since roles belong to the whole server."""

GATEWAY_LOGINS = (
    "aqm_gateway", "aqm_gateway_anon", "aqm_gateway_device", "aqm_gateway_user", "aqm_gateway_wallet",
    "aqm_gateway_worker", "aqm_gateway_admin",
)  # fmt: skip
Say = Callable[[str], None]


class MigrationError(Exception):
    """The database was not changed; the message says why and what to do."""


@dataclass(frozen=True)
class Migration:
    """One file of db/migrations. version: its number. description: its words."""

    version: int
    description: str
    path: Path

    @property
    def text(self) -> str:
        return self.path.read_text()

    @property
    def checksum(self) -> str:
        """SHA-256 of the file, hexadecimal."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()

    @property
    def rollback(self) -> Path:
        return self.path.parent / "rollback" / f"{self.version:03}_rollback.sql"


class Migrator:
    """Brings one database to what the files say.

    dsn: a connection of someone who may create roles and schemas. folder: the db/ folder. say: where progress goes.
    """

    def __init__(self, dsn: str, folder: Path = HERE, say: Say = tell) -> None:
        self.dsn = dsn
        self.folder = folder
        self.say = say

    def migrations(self) -> list[Migration]:
        """The migration files in order; raises MigrationError for a bad name, a gap or a missing rollback."""
        found = []
        for path in sorted((self.folder / "migrations").glob("*.sql")):
            match = re.fullmatch(r"(\d{3})_([a-z]+_[a-z0-9_]+)\.sql", path.name)
            if not match:
                raise MigrationError(f"{path}: a migration is named NNN_verb_object.sql")
            found.append(Migration(int(match[1]), match[2].replace("_", " ").capitalize(), path))
        for expected, migration in enumerate(found):
            if migration.version != expected:
                raise MigrationError(f"{migration.path}: number {expected:03} is expected here")
            if not migration.rollback.exists():
                raise MigrationError(f"{migration.path}: {migration.rollback} is missing")
        return found

    def functions(self) -> dict[str, Path]:
        """The function files by the function's full name, in the order in which they are applied."""
        first = ["gateway", "ops"]
        paths = sorted(
            (self.folder / "functions").glob("*/*.sql"),
            key=lambda path: (first.index(path.parent.name) if path.parent.name in first else len(first), path),
        )
        return {f"{path.parent.name}.{path.stem}": path for path in paths}

    def schemas(self) -> list[str]:
        """The schemas that are ours: the folders of db/functions."""
        return sorted({name.split(".")[0] for name in self.functions()})

    def apply(self, target: int | None = None) -> None:
        """Apply pending migrations up to a number (None: all), then the functions, the jobs and the database settings.

        Raises MigrationError when an applied file has changed or SQL fails; nothing is changed then but what
        earlier migrations of this run have committed.
        """
        migrations = self.migrations()
        newest = len(migrations) - 1
        target = newest if target is None else target
        if not 0 <= target <= newest:
            raise MigrationError(f"there is no migration {target}; the newest is {newest}")
        with self._locked(), self._connect() as connection:
            applied = self._applied(connection)
            self._refuse_changed(migrations, applied)
            if target == newest:
                self._make_roles(connection)
                self._refuse_strange_owners(connection)
            for migration in migrations:
                if migration.version <= target and migration.version not in applied:
                    with connection.transaction():
                        self._run_file(connection, migration.path)
                        connection.execute("reset role")
                        connection.execute(
                            "insert into ops.schema_version (version, description, checksum) values (%s, %s, %s)",
                            [migration.version, migration.description, migration.checksum],
                        )
                    self.say(f"applied {migration.path.name}")
            if max([target, *applied]) < newest:
                self.say(f"at {target}: functions are applied at the newest migration only ({newest})")
                return
            with connection.transaction():
                self._apply_functions(connection)
                # Sent with the commit: a gateway must not go on with yesterday's catalog whatever fails below.
                connection.execute("select pg_notify('gateway', 'reload')")
            self._set_password(connection)
            self._schedule_jobs(connection)
        self.say(f"database is at migration {newest} with {len(self.functions())} functions")

    def make_roles(self) -> None:
        """Make the roles that the server lacks, and nothing else: a dump that is restored without them loses its owners
        and rights."""
        with self._locked(), self._connect() as connection:
            self._make_roles(connection)
        self.say("the roles are there")

    def roll_back(self, target: int | None = None, lose_rows: bool = True) -> None:
        """Undo migrations until target is the newest (None: one step; -1: all). Functions go first, since types that
        they use could not; the next apply() brings them back.

        Raises MigrationError, and changes nothing, where tables with rows would go and lose_rows is false.
        """
        with self._locked(), self._connect() as connection:
            applied = self._applied(connection)
            if not applied:
                raise MigrationError("nothing is applied")
            self._refuse_changed(self.migrations(), applied)
            target = max(applied) - 1 if target is None else target
            undo = [m for m in reversed(self.migrations()) if m.version > target and m.version in applied]
            if not undo:
                raise MigrationError(f"the database is at {max(applied)}: there is nothing to roll back to {target}")
            with connection.transaction():
                filled = self._filled_tables(connection)
                for routine in self._routines(connection):
                    self._drop_routine(connection, routine)
                for migration in undo:
                    self._run_file(connection, migration.rollback)
                    connection.execute("reset role")
                    if migration.version > 0:
                        connection.execute("delete from ops.schema_version where version = %s", [migration.version])
                lost = sorted(filled - self._filled_tables(connection))
                if lost and not lose_rows:
                    raise MigrationError(f"this would drop {', '.join(lost)}, with rows: add --yes if that is meant")
                connection.execute("select pg_notify('gateway', 'reload')")
            for migration in undo:
                self.say(f"rolled back {migration.path.name}")
            self._schedule_jobs(connection)
        self.say(f"database is at migration {target}, without functions: run ./aqm migrate to bring them back")

    def _filled_tables(self, connection: psycopg.Connection[Any]) -> set[str]:
        """Our tables that have rows which no file would bring back."""
        tables = connection.execute(
            "select format('%%I.%%I', schemaname, tablename) from pg_tables where schemaname = any(%s)"
            " and schemaname <> 'gateway' and tablename <> 'schema_version'",
            [self.schemas()],
        ).fetchall()
        return {
            name
            for (name,) in tables
            if connection.execute(sql.SQL("select from {} limit 1").format(sql.SQL(name))).rowcount
        }

    def history(self) -> None:
        """Print the migrations that were applied, oldest first."""
        with self._connect() as connection:
            for version, (when, description, checksum) in sorted(self._applied(connection).items()):
                self.say(f"{version:03}  {when:%Y-%m-%d %H:%M:%S %Z}  {checksum[:12]}  {description}")

    def status(self) -> None:
        """Print what is applied, what is pending, and what this server lacks."""
        with self._connect() as connection:
            applied = self._applied(connection)
            migrations = self.migrations()
            self._refuse_changed(migrations, applied)
            pending = [m.path.name for m in migrations if m.version not in applied]
            self.say(
                f"server        PostgreSQL {connection.info.server_version // 10000}, database {connection.info.dbname}"
            )
            at = f"at {max(applied)}" if applied else "none applied"
            self.say(f"migrations    {at}, {len(pending)} pending {' '.join(pending)}".rstrip())
            missing = sorted(set(self.functions()) - {routine.name for routine in self._routines(connection)})
            self.say(
                f"functions     {len(self.functions()) - len(missing)} of {len(self.functions())} {' '.join(missing)}".rstrip()
            )
            self.say(f"pg_cron       {self._cron_fault() or 'runs the jobs'}")
            loaded = connection.execute(
                "select to_regclass('public.pg_stat_statements') is not null"
                " and current_setting('pg_stat_statements.max', true) is not null"
            ).fetchone()
            self.say(
                f"statistics    {'pg_stat_statements is loaded' if loaded and loaded[0] else 'pg_stat_statements is not loaded: slow_queries() shows nothing'}"
            )
            if not missing and not pending:
                for job in connection.execute("select job, status from ops.cron_health()"):
                    self.say(f"job           {job[0]}: {job[1]}")

    # -- connections and locks

    def _connect(self, database: str | None = None) -> psycopg.Connection[Any]:
        dsn = make_conninfo(self.dsn, dbname=database) if database else self.dsn
        try:
            connection = psycopg.connect(dsn, autocommit=True, application_name="aqm migrate", connect_timeout=10)
        except psycopg.OperationalError as error:
            raise MigrationError(f"can't connect: {error}") from None
        # Waiting for a lock makes everyone else wait behind us: better to fail and try again.
        connection.execute("set lock_timeout = '3s'")
        connection.execute("set client_min_messages = warning")
        return connection

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with self._connect("postgres") as connection:
            # One that has just ended may hold it for a moment more: not worth a word.
            connection.execute("set lock_timeout = '1s'")
            try:
                connection.execute("select pg_advisory_lock(%s)", [LOCK])
            except psycopg.errors.LockNotAvailable:
                self.say("waiting for another migrate on this server")
                connection.execute("set lock_timeout = 0")
                connection.execute("select pg_advisory_lock(%s)", [LOCK])
            yield

    # -- migrations

    def _applied(self, connection: psycopg.Connection[Any]) -> dict[int, tuple[Any, str, str]]:
        if connection.execute("select to_regclass('ops.schema_version')").fetchone() == (None,):
            return {}
        rows = connection.execute(
            "select version, applied_at, description, checksum from ops.schema_version"
        ).fetchall()
        return {version: (when, description, checksum) for version, when, description, checksum in rows}

    def _refuse_changed(self, migrations: Sequence[Migration], applied: dict[int, tuple[Any, str, str]]) -> None:
        if applied and max(applied) >= len(migrations):
            raise MigrationError(
                f"the database is at migration {max(applied)}, newer than this checkout ({len(migrations) - 1})"
            )
        for migration in migrations:
            if migration.version in applied and applied[migration.version][2] != migration.checksum:
                raise MigrationError(
                    f"{migration.path.name} has changed since it was applied: restore it and write a new migration"
                )

    def _make_roles(self, connection: psycopg.Connection[Any]) -> None:
        with connection.transaction():
            self._run_file(connection, self.folder / "roles.sql")

    def _refuse_strange_owners(self, connection: psycopg.Connection[Any]) -> None:
        """What was restored while the roles were missing belongs to whoever restored it, and nobody has rights in it."""
        strange = connection.execute(
            "select nspname, nspowner::regrole::text from pg_namespace"
            " where nspname = any(%s) and nspowner::regrole::text <> format('aqm_%%s_owner', nspname) order by 1",
            [self.schemas()],
        ).fetchall()
        for schema, owner in strange:
            raise MigrationError(
                f"schema {schema} belongs to {owner} and not to aqm_{schema}_owner: was it restored on a server without the "
                "roles? They are there now: restore the dump once more, into an empty database"
            )

    def _run_file(self, connection: psycopg.Connection[Any], path: Path, role: str | None = None) -> None:
        text = path.read_text()
        try:
            if role:
                connection.execute(sql.SQL("set local role {}").format(sql.Identifier(role)))
            connection.execute(text.encode())
        except psycopg.Error as error:
            position = error.diag.statement_position
            line = f":{text.encode()[: int(position)].decode(errors='ignore').count(chr(10)) + 1}" if position else ""
            name = path.relative_to(self.folder.parent)
            hint = "; somebody holds a lock (pg_blocking_pids), try again" if error.sqlstate == "55P03" else ""
            raise MigrationError(
                f"{name}{line}: {error.diag.message_primary or error} ({error.sqlstate}){hint}"
            ) from None

    # -- functions

    @dataclass(frozen=True)
    class _Routine:
        name: str
        signature: str

    def _routines(self, connection: psycopg.Connection[Any]) -> list[_Routine]:
        """The functions and procedures in our schemas that no extension brought."""
        rows = connection.execute(
            """
            select n.nspname || '.' || p.proname,
                   format('%%I.%%I(%%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))
            from pg_proc as p
            inner join pg_namespace as n on n.oid = p.pronamespace
            where n.nspname = any(%s)
                and not exists (
                    select from pg_depend as d
                    where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
            """,
            [self.schemas()],
        )
        return [self._Routine(*row) for row in rows]

    def _drop_routine(self, connection: psycopg.Connection[Any], routine: _Routine) -> None:
        """Drop a function and the triggers that its file made; never by CASCADE, which takes a column with it."""
        triggers = connection.execute(
            "select quote_ident(tgname), tgrelid::regclass::text from pg_trigger"
            " where tgfoid = %s::regproc and not tgisinternal",
            [routine.name],
        ).fetchall()
        for name, table in triggers:
            connection.execute(sql.SQL("drop trigger {} on {}").format(sql.SQL(name), sql.SQL(table)))
        connection.execute(sql.SQL("drop routine {}").format(sql.SQL(routine.signature)))

    def _apply_functions(self, connection: psycopg.Connection[Any]) -> None:
        """Make functions, grants, routes and jobs what the files say, in the transaction of the caller."""
        files = self.functions()
        for routine in self._routines(connection):
            if routine.name not in files:
                self.say(f"dropping {routine.signature}: no file defines it")
                self._drop_routine(connection, routine)
        self._revoke_grants(connection)
        connection.execute("delete from gateway.route")
        connection.execute("delete from gateway.metric")
        connection.execute("update ops.scheduled_job set has_file = false")

        for name, path in files.items():
            self._run_file(connection, path, role=f"aqm_{name.split('.')[0]}_owner")
            connection.execute("reset role")
        connection.execute("delete from ops.scheduled_job where not has_file")
        self._run_file(connection, self.folder / "database.sql")

        names = [routine.name for routine in self._routines(connection)]
        for name in files:
            if names.count(name) != 1:
                raise MigrationError(
                    f"{files[name]} leaves {names.count(name)} functions {name}: a file defines the function of its "
                    "name, and a changed signature needs a migration that drops the old one"
                )
        for route, fault in connection.execute("select route, fault from gateway.find_broken_routes()"):
            raise MigrationError(f"{route}: {fault}")
        self._report_strangers(connection)

    def _revoke_grants(self, connection: psycopg.Connection[Any]) -> None:
        """CREATE OR REPLACE keeps grants: without this a grant that was taken out of a file would live on."""
        rows = connection.execute(
            """
            select distinct format('%%I.%%I(%%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
                   case when a.grantee = 0 then 'public' else quote_ident(r.rolname) end
            from pg_proc as p
            inner join pg_namespace as n on n.oid = p.pronamespace
            cross join lateral aclexplode(p.proacl) as a
            left join pg_roles as r on r.oid = a.grantee
            where n.nspname = any(%s) and a.grantee <> p.proowner
            """,
            [self.schemas()],
        ).fetchall()
        for signature, grantee in rows:
            connection.execute(sql.SQL("revoke all on routine {} from {}").format(sql.SQL(signature), sql.SQL(grantee)))

    def _report_strangers(self, connection: psycopg.Connection[Any]) -> None:
        """Name tables, sequences and types that the database has and no migration mentions."""
        text = "\n".join(migration.text for migration in self.migrations())
        rows = connection.execute(
            """
            select n.nspname, c.relname from pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace
            where n.nspname = any(%s) and c.relkind in ('r', 'p', 'v', 'm', 'c', 'f') and not c.relispartition
            """,
            [self.schemas()],
        )
        for schema, name in rows:
            if f"{schema}.{name}" not in text:
                self.say(f"warning: {schema}.{name} is in the database and in no migration")

    # -- what is not in the database: logins and jobs

    def _set_password(self, connection: psycopg.Connection[Any]) -> None:
        password = os.environ.get("AQM_GATEWAY_PASSWORD")
        if not password:
            return
        for login in GATEWAY_LOGINS:
            # Hashed here: the statement, which a server may log, never holds the password.
            secret = connection.pgconn.encrypt_password(password.encode(), login.encode(), b"scram-sha-256").decode()
            connection.execute(sql.SQL("alter role {} password {}").format(sql.Identifier(login), sql.Literal(secret)))

    def _cron_fault(self) -> str | None:
        """Why pg_cron can't run our jobs, or None; makes the extension where that is all that lacks."""
        try:
            with self._connect("postgres") as cron:
                cron.execute("create extension if not exists pg_cron")
                cron.execute("grant usage on schema cron to aqm_jobs")
        except psycopg.Error as error:
            return f"is not usable, schedule `call ops.run_until_done(…)` yourself ({error.diag.message_primary})"
        return None

    def _schedule_jobs(self, connection: psycopg.Connection[Any]) -> None:
        """Give pg_cron exactly the jobs that the files of this database schedule."""
        database = connection.info.dbname
        has_jobs = connection.execute("select to_regclass('ops.scheduled_job')").fetchone() != (None,)
        jobs = (
            connection.execute("select name, schedule, command, database_name from ops.scheduled_job").fetchall()
            if has_jobs and self._routines(connection)
            else []
        )
        if not connection.execute("select from pg_roles where rolname = 'aqm_jobs'").rowcount:
            return
        fault = self._cron_fault()
        if fault:
            self.say(f"warning: pg_cron {fault}")
            return
        names = [f"{database}.{name}" for name, *_ in jobs]
        with self._connect("postgres") as cron, cron.transaction():
            cron.execute(
                "delete from cron.job where username = 'aqm_jobs' and starts_with(jobname, %s) and not jobname = any(%s)",
                [f"{database}.", names],
            )
            for name, (_, schedule, command, runs_in) in zip(names, jobs, strict=True):
                cron.execute(
                    "select cron.schedule_in_database(%s, %s, %s, %s, 'aqm_jobs')", [name, schedule, command, runs_in]
                )
            cron.execute("update cron.job set active = true where jobname = any(%s) and not active", [names])


def main(arguments: Sequence[str]) -> int:
    """The command line; returns the exit code."""
    if {"-h", "--help", "help"} & set(arguments):
        print(__doc__)
        return 0
    dsn = os.environ.get("AQM_DSN")
    if not dsn:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        conninfo_to_dict(dsn)
    except psycopg.ProgrammingError:
        # The parser's message quotes the string, which may hold a password.
        raise MigrationError("AQM_DSN is no PostgreSQL connection string") from None
    migrator = Migrator(dsn)
    match list(arguments):
        case []:
            migrator.apply()
        case ["to", number] if number.isdecimal():
            migrator.apply(int(number))
        case ["status"]:
            migrator.status()
        case ["history"]:
            migrator.history()
        case ["roles"]:
            migrator.make_roles()
        case ["rollback", *rest] if match := re.fullmatch(r"(?:to (-1|\d+))? ?(--yes)?", " ".join(rest)):
            migrator.roll_back(int(match[1]) if match[1] else None, lose_rows=bool(match[2]))
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except MigrationError as error:
        sys.exit(f"aqm migrate: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
    except psycopg.Error as error:
        sys.exit(f"aqm migrate: {error.diag.message_primary or error} ({error.sqlstate})")
