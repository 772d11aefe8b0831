"""Fixtures of all tests: a throw-away cluster, databases made from a migrated template, a gateway over real HTTP.

There is no mock of the database anywhere, and a test without a database fails; it is never skipped.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from db.cluster import Cluster
from db.migrate import Migrator
from tests.canaries import check_log

ROOT = Path(__file__).parent
TEMPLATE = "aqm_template"
# The suite tests the checkout's defaults, whatever the shell that runs it has set.
for name in [name for name in os.environ if name.startswith("AQM_")]:
    del os.environ[name]
# A shell that starts us in the background has us ignore Ctrl-C, and the programs under test would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A throw-away cluster for the whole run: no fsync, pgTAP and plpgsql_check at hand."""
    home = Path(tempfile.mkdtemp(prefix="aqm-test-"))
    home.chmod(0o755)
    made = Cluster(
        home / "postgres", throw_away=True, settings={"shared_buffers": "128MB", "log_min_duration_statement": "-1"}
    )
    try:
        made.start()
        yield made
    finally:
        made.stop("immediate")
        log = made.log.read_bytes()
        shutil.rmtree(home)
    check_log(log)


@pytest.fixture(scope="session")
def template(cluster: Cluster) -> str:
    """A migrated database that others are copied from, with the extensions that only tests need."""
    with psycopg.connect(cluster.dsn("postgres"), autocommit=True) as connection:
        connection.execute(f"create database {TEMPLATE}")
    dsn = cluster.dsn(TEMPLATE)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("create extension pgtap schema public; create extension plpgsql_check schema public")
    Migrator(dsn, say=lambda _line: None).apply()
    return TEMPLATE


KEYS = f"set aqm.encryption_keys = '1:{'ab' * 32}'; set aqm.index_keys = '1:{'cd' * 32}'"
"""Gives a session data keys, as ./aqm psql does."""


@dataclass(frozen=True)
class Database:
    """A migrated database of a test's own."""

    name: str
    dsn: str

    def connect(self, user: str | None = None, **options: Any) -> psycopg.Connection[Any]:
        """An autocommit connection, as the superuser or another role."""
        dsn = make_conninfo(self.dsn, user=user) if user else self.dsn
        return psycopg.connect(dsn, autocommit=True, **options)

    async def connect_async(self, user: str | None = None) -> psycopg.AsyncConnection[Any]:
        dsn = make_conninfo(self.dsn, user=user) if user else self.dsn
        return await psycopg.AsyncConnection.connect(dsn, autocommit=True)

    def rows(self, statement: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        """The rows of one statement."""
        with self.connect() as connection:
            return connection.execute(statement.encode(), parameters).fetchall()

    def value(self, statement: str, parameters: Any = None) -> Any:
        """The first column of the first row of one statement."""
        return self.rows(statement, parameters)[0][0]

    def execute(self, statement: str, parameters: Any = None) -> None:
        with self.connect() as connection:
            connection.execute(statement.encode(), parameters)


@contextmanager
def migrated_copy(cluster: Cluster, source: str) -> Iterator[Database]:
    """A copy of a database, dropped at the end together with its jobs."""
    name = f"aqm_test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(cluster.dsn("postgres"), autocommit=True) as connection:
        connection.execute(f"create database {name} template {source}")
    database = Database(name, cluster.dsn(name))
    if source == TEMPLATE:
        database.execute((ROOT / "db" / "database.sql").read_text())
    try:
        yield database
    finally:
        with psycopg.connect(cluster.dsn("postgres"), autocommit=True) as connection:
            connection.execute(f"drop database if exists {name} with (force)")
            if connection.execute("select to_regclass('cron.job')").fetchone() != (None,):
                connection.execute("delete from cron.job where starts_with(jobname, %s)", [f"{name}."])


@pytest.fixture
def new_database(cluster: Cluster, template: str) -> Iterator[Callable[..., Database]]:
    """Makes databases that are dropped after the test: copies of the migrated template, or empty ones."""
    with ExitStack() as stack:
        yield lambda source=template: stack.enter_context(migrated_copy(cluster, source))


@pytest.fixture
def database(new_database: Callable[..., Database]) -> Database:
    """A migrated, empty database of the test's own."""
    return new_database()


@dataclass
class RunningGateway:
    """A gateway process of a test's own, and a client for it."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    settings: dict[str, str] = field(repr=False)

    def log_lines(self) -> list[dict[str, Any]]:
        """The gateway's log so far."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; returns the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=30)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_healthy(url: str) -> bool:
    """Whether the gateway answers and has its database."""
    try:
        with urllib.request.urlopen(f"{url}/v1/health", timeout=3) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def wait_until(condition: Callable[[], Any], seconds: float = 20, what: str = "condition") -> None:
    """Poll until something is so; fails when it takes longer."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.02)


@contextmanager
def started_gateway(
    dsn: str, folder: Path, wait: bool = True, log: Path | None = None, **settings: str
) -> Iterator[RunningGateway]:
    """A gateway process as ./aqm run starts it, on a port of its own; killed at the end."""
    port = settings.get("AQM_PORT") or str(free_port())
    environment = {"AQM_DSN": dsn, "AQM_PORT": port, "AQM_DATA_DIR": str(folder), "AQM_RATE_LIMIT": "off"}
    # Nobody is to wait for a share of the machine.
    environment |= {"AQM_COSTLY_CORES": "8", **settings}
    log = log or folder / f"gateway-{port}-{uuid.uuid4().hex[:6]}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway"], cwd=ROOT, env=os.environ | environment,
            stdout=subprocess.DEVNULL, stderr=output,
        )  # fmt: skip
    try:
        gateway = RunningGateway(f"http://127.0.0.1:{port}", process, log, environment)
        if wait:
            wait_until(
                lambda: '"event":"ready"' in log.read_text() or process.poll() is not None, what="gateway is ready"
            )
            assert process.poll() is None, log.read_text()
        yield gateway
    finally:
        process.kill()
        process.wait()
    # A device file has no text to read.
    if log.is_file():
        check_log(log.read_bytes())


@pytest.fixture
def run_gateway(tmp_path: Path) -> Iterator[Callable[..., RunningGateway]]:
    """Starts gateway processes that end with the test: run_gateway(dsn, AQM_AUTH="jwt", …)."""
    with ExitStack() as stack:
        yield lambda dsn, **settings: stack.enter_context(started_gateway(dsn, tmp_path, **settings))


@pytest.fixture
def gateway(database: Database, run_gateway: Callable[..., RunningGateway]) -> RunningGateway:
    """A gateway without tokens on a database of the test's own."""
    return run_gateway(database.dsn)


@pytest.fixture
async def http(gateway: RunningGateway) -> AsyncIterator[aiohttp.ClientSession]:
    """An HTTP client of the gateway; paths are relative to it."""
    async with aiohttp.ClientSession(gateway.url, connector=aiohttp.TCPConnector(limit=0)) as session:
        yield session


@contextmanager
def stopwatch(limit: float) -> Iterator[None]:
    """Fails when the block takes longer than so many seconds: for hangs, never for speed."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < limit


SIZES = {"GOLD": (1184, 2420), "SILVER": (1184, 64), "BRONZE": (32, 64)}
"""Bytes of public key and signature by category, as the specification has them."""

Coin = tuple[str, str, bytes, bytes]
"""key_id, category, public key, signature."""


def make_coin(key_id: str, category: str = "BRONZE") -> Coin:
    """A coin of random bytes in the right sizes; the server never looks inside."""
    public_key, signature = SIZES[category]
    return key_id, category, os.urandom(public_key), os.urandom(signature)


def make_coins(count: int, category: str = "BRONZE", prefix: str = "key") -> list[Coin]:
    return [make_coin(f"{prefix}-{number:03}", category) for number in range(count)]


UPLOAD = """
select coins.upload_coins(%s, array(
    select row(k, c, p, s)::coins.coin_upload
    from unnest(%s::text[], %s::text[], %s::bytea[], %s::bytea[]) with ordinality as u (k, c, p, s, n) order by n))
"""
CLAIM = "select key_id, coin_category, public_key_blob, signature_blob from coins.claim_coins(%s, %s, %s, %s)"


def upload_arguments(user_id: uuid.UUID, coins: list[Coin]) -> list[Any]:
    """The parameters of UPLOAD."""
    return [user_id, *([coin[part] for coin in coins] for part in range(4))]


def upload(database: Database, user_id: uuid.UUID, coins: list[Coin]) -> int:
    """Upload coins by the function, as a DBA in psql would; returns how many were stored."""
    return int(database.value(UPLOAD, upload_arguments(user_id, coins)))


def claim(database: Database, target: uuid.UUID, requester: uuid.UUID, category: str, count: int = 1) -> list[Coin]:
    """Claim coins by the function; returns them in order."""
    return database.rows(CLAIM, [target, requester, category, count])


def count(database: Database, user_id: uuid.UUID) -> tuple[int, int, int]:
    """gold, silver, bronze."""
    return database.rows("select gold, silver, bronze from coins.count_coins(%s)", [user_id])[0]


def to_json(coin: Coin) -> dict[str, str]:
    """A coin as JSON has it."""
    key_id, category, public_key, signature = coin
    return {
        "key_id": key_id,
        "coin_category": category,
        "public_key_b64": base64.b64encode(public_key).decode(),
        "signature_b64": base64.b64encode(signature).decode(),
    }


@pytest.fixture
def bob() -> uuid.UUID:
    """A recipient."""
    return uuid.uuid4()


@pytest.fixture
def alice() -> uuid.UUID:
    """A sender."""
    return uuid.uuid4()


FUNCTION = """
create or replace function coins.{name}(
{arguments}
)
{returns}
language plpgsql
{volatility}
security definer
set search_path = pg_catalog, pg_temp
as $$
begin
    {body}
end
$$;

comment on function coins.{name} is
'{comment}';

revoke all on function coins.{name} from public;
grant execute on function coins.{name} to {roles};

select gateway.expose('{route}', 'coins.{name}'{options});
"""


class Project:
    """A copy of db/ that a test adds function files to, installed into a database by migrate alone."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder = shutil.copytree(ROOT / "db", folder / "db")
        self.database = database

    def add(self, name: str, **parts: str) -> Path:
        """A function's file in coins; parts as FUNCTION names them."""
        parts = {"arguments": "", "volatility": "stable", "comment": "Says something.\nErrors: none.",
                 "roles": "aqm_anon, aqm_device", "options": "", **parts}  # fmt: skip
        path = self.folder / "functions" / "coins" / f"{name}.sql"
        path.write_text(FUNCTION.format(name=name, **parts))
        return path

    def migrate(self) -> list[str]:
        """Install all; returns what was said."""
        lines: list[str] = []
        Migrator(self.database.dsn, self.folder, lines.append).apply()
        return lines


@pytest.fixture
def project(tmp_path: Path, database: Database) -> Project:
    """An installation with endpoints of the test's own."""
    return Project(tmp_path, database)
