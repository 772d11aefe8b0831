"""What every scenario stands on: a durable cluster, a database for each side, both servers."""

from __future__ import annotations

import contextlib
import re
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql

from db.cluster import Cluster
from db.migrate import Migrator

from .coins import SIZES
from .generator import BuiltIn
from .pgbench import PgBench
from .raw import allow_open_files
from .results import Load
from .servers import ROOT, Server, serving
from .stock import Stock
from .walk import identity, paths
from .wrk import Wrk, find_wrk, wrk_version

SEGMENTS = 128
"""Twice what is kept to be looked at."""

PROBE = f"/v1/coins/count?user_id={identity('recipient', 0)}"
"""Both sides answer it once they have their database."""


@dataclass(frozen=True)
class Options:
    """What the user chose; python -m bench --help lists them."""

    scenarios: list[str]
    rounds: int
    pairs: int
    seconds: int
    clients: list[int]
    recipients: int
    only_category: str | None
    connections: int
    rate: int
    burst: int
    claims: int
    drain: int
    digests: int
    people: int
    tries: int
    products: int
    keys: int
    against: str
    seed: int
    generator: str
    yardstick: Path
    data_dir: Path | None
    report: Path | None

    @property
    def category(self) -> str:
        """The one that is measured where one is enough."""
        return self.only_category or "GOLD"

    @property
    def categories(self) -> list[str]:
        """Those that are measured where each counts."""
        return [self.only_category] if self.only_category else list(SIZES)


@dataclass(frozen=True)
class Side:
    """One of the two that are compared: its server and its coins."""

    server: Server
    stock: Stock

    @property
    def name(self) -> str:
        return self.server.name


@dataclass
class Bench:
    """A bench that is set up.

    home: the folder that goes when all is over. yardstick: None where its file is missing. commands: of the servers,
    and then of the scenario that runs.
    """

    options: Options
    home: Path
    cluster: Cluster
    ours: Side
    yardstick: Side | None
    started: float
    commands: list[list[str]] = field(default_factory=list)

    @property
    def sides(self) -> list[Side]:
        """Ours, and the yardstick where there is one."""
        return [self.ours, *([self.yardstick] if self.yardstick else [])]

    def say(self, what: str) -> None:
        """Show what runs now."""
        say(self.started, what)

    @property
    def paths(self) -> Path:
        """File of the paths that HTTP loads walk over."""
        return self.home / "paths.txt"

    def http_load(
        self, server: Server, clients: int, generator: str | None = None, looks_at_coins: bool = True
    ) -> Load:
        """The chosen load generator, or a named one, against a server."""
        options = self.options
        if (generator or chosen_generator(options)) == "wrk":
            return Wrk(server.url, self.paths, clients)
        return BuiltIn(server.url, paths(options.recipients, options.category), clients, looks_at_coins)

    def pgbench(self, name: str, stock: Stock, script: str, clients: int, **options: int) -> PgBench:
        """pgbench with a script about the recipients and the category of a stock. name: nobody else's."""
        words = {"first": stock.first, "last": stock.last, "recipients": stock.recipients, "category": stock.category}
        folder = self.home / re.sub(r"[^a-zA-Z0-9]+", "-", name).strip("-")
        return PgBench(stock.dsn, script.format(**words), folder, clients, **options)


def say(started: float, what: str) -> None:
    """A line of progress, on standard error as the report goes to standard output."""
    print(f"[{time.monotonic() - started:4.0f} s] {what}", file=sys.stderr, flush=True)


def chosen_generator(options: Options) -> str:
    """wrk or built-in."""
    if options.generator == "auto":
        return "wrk" if find_wrk() else "built-in"
    return options.generator


def generator_version(options: Options) -> str:
    """The load generator with its version."""
    if chosen_generator(options) == "wrk":
        return wrk_version()
    return "built-in (aiohttp client; shares its one thread with the checks, so figures are lower than wrk's)"


@contextlib.contextmanager
def set_up(options: Options) -> Iterator[Bench]:
    """Start everything; in the end stop it and remove what it left."""
    started = time.monotonic()
    with contextlib.ExitStack() as stack:
        try:
            home = Path(tempfile.mkdtemp(prefix="aqm-bench-", dir=options.data_dir))
            stack.callback(shutil.rmtree, home, ignore_errors=True)
            # The server's user must get through to its own folder.
            home.chmod(0o755)
            allow_open_files(_connections(options))
            say(started, f"making a cluster with fsync in {home}")
            cluster = _start_cluster(stack, home, is_trial=options.seconds <= 1)
            say(started, "starting AQM")
            ours = _start_ours(stack, options, home, make_database(cluster, "bench_aqm", ROOT / "db"))
            yardstick = None
            if options.yardstick.exists():
                say(started, "starting the yardstick")
                yardstick = _start_yardstick(stack, options, home, make_database(cluster, "bench_yardstick"))
            else:
                say(started, f"NO YARDSTICK: there is no {options.yardstick}, so nothing will be compared")
            bench = Bench(options, home, cluster, ours, yardstick, started)
            bench.paths.write_text("\n".join(paths(options.recipients, options.category)))
            bench.commands += [side.server.command for side in bench.sides]
            yield bench
        finally:
            # A second Ctrl-C must not leave a server or gigabytes behind.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            say(started, "stopping the servers, removing their data")


def default_yardstick() -> Path:
    """Where the yardstick lies beside a checkout."""
    return ROOT.parent / "shared" / "peers" / "seed_reference.py"


def _start_cluster(stack: contextlib.ExitStack, home: Path, is_trial: bool) -> Cluster:
    """A cluster with fsync. is_trial: rounds are too short to tell anything, so nothing is made ready for them."""
    # What a round wrote must still be there when it is looked at, whatever checkpoint came meanwhile.
    cluster = Cluster(home / "postgres", {"wal_keep_size": "1GB", "min_wal_size": "4GB"})
    stack.callback(shutil.rmtree, cluster.sockets, ignore_errors=True)
    stack.callback(cluster.stop, "immediate")
    cluster.start()
    if not is_trial:
        _write_segments(cluster)
    return cluster


def _write_segments(cluster: Cluster) -> None:
    """Let the server have written WAL before, as one in use has: it takes old segments again, where a new one makes
    everybody wait for 16 MB of zeros, some 50 ms."""
    with psycopg.connect(cluster.dsn("postgres"), autocommit=True) as connection:
        for _ in range(SEGMENTS):
            connection.execute("select pg_logical_emit_message(true, 'aqm bench', 'a segment')")
            connection.execute("select pg_switch_wal()")
        connection.execute("checkpoint")


def _connections(options: Options) -> int:
    """How many connections are open at once at most, where they are many."""
    many = {"open-loop": options.connections, "burst": options.burst}
    return max(
        (connections for name, connections in many.items() if name in options.scenarios or not options.scenarios),
        default=0,
    )


def make_database(cluster: Cluster, name: str, folder: Path | None = None) -> str:
    """A new database. folder: the db/ folder of what is migrated into it; None: it stays empty. Returns its DSN."""
    with psycopg.connect(cluster.dsn("postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
    with psycopg.connect(cluster.dsn(name), autocommit=True) as connection:
        connection.execute("create extension pg_walinspect")
    if folder:
        Migrator(cluster.dsn(name), folder, say=lambda _line: None).apply()
        # A purge must not come between two looks into the books.
        with psycopg.connect(cluster.dsn("postgres"), autocommit=True) as connection:
            connection.execute("update cron.job set active = false")
    return cluster.dsn(name)


def _start_ours(stack: contextlib.ExitStack, options: Options, home: Path, dsn: str) -> Side:
    settings = {"AQM_DSN": dsn, "AQM_PORT": "{port}", "AQM_AUTH": "none", "AQM_DATA_DIR": str(home)}
    server = stack.enter_context(serving("AQM", [sys.executable, "-m", "gateway"], home, PROBE, settings))
    return Side(server, Stock(dsn, ("coins", "coin_inventory"), options.recipients, options.category))


def _start_yardstick(stack: contextlib.ExitStack, options: Options, home: Path, dsn: str) -> Side:
    file = options.yardstick.absolute()
    command = [
        sys.executable, "-m", "uvicorn", f"{file.stem}:app", "--app-dir", str(file.parent),
        "--port", "{port}", "--no-access-log", "--log-level", "warning",
    ]  # fmt: skip
    # No bytecode: nothing is to be left beside a file that is not ours.
    settings = {"DSN": dsn, "PYTHONDONTWRITEBYTECODE": "1"}
    server = stack.enter_context(serving("yardstick", command, home, PROBE, settings))
    return Side(server, Stock(dsn, ("seedref", "coin_inventory"), options.recipients, options.category))
