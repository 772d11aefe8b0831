"""What every scenario stands on: a durable cluster, a database for each side, both servers."""

from __future__ import annotations

import contextlib
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from db.cluster import Cluster
from db.migrate import Migrator

from .generator import BuiltIn
from .results import Load
from .servers import ROOT, Server, serving
from .stock import Stock
from .walk import identity, paths
from .wrk import Wrk, find_wrk, wrk_version

PROBE = f"/v1/coins/count?user_id={identity('recipient', 0)}"
"""Both sides answer it once they have their database."""


@dataclass(frozen=True)
class Options:
    """What the user chose; python -m bench --help lists them."""

    scenarios: list[str]
    rounds: int
    seconds: int
    clients: int
    recipients: int
    category: str
    generator: str
    yardstick: Path
    data_dir: Path | None
    report: Path | None


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
    """A bench that is set up. home: the folder that goes when all is over. yardstick: None where its file is missing."""

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

    def http_load(self, server: Server, generator: str | None = None, looks_at_coins: bool = True) -> Load:
        """The chosen load generator, or a named one, against a server."""
        options = self.options
        if (generator or chosen_generator(options)) == "wrk":
            return Wrk(server.url, self.home / "paths.txt", self.home / f"{server.name}.keys", options.clients)
        return BuiltIn(server.url, paths(options.recipients, options.category), options.clients, looks_at_coins)


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
            (home / "paths.txt").write_text("\n".join(paths(options.recipients, options.category)))
            say(started, f"making a cluster with fsync in {home}")
            cluster = _start_cluster(stack, home)
            say(started, "starting AQM")
            ours = _start_ours(stack, options, home, cluster.dsn("bench_aqm"))
            yardstick = None
            if options.yardstick.exists():
                say(started, "starting the yardstick")
                yardstick = _start_yardstick(stack, options, home, cluster.dsn("bench_yardstick"))
            else:
                say(started, f"NO YARDSTICK: there is no {options.yardstick}, so nothing will be compared")
            bench = Bench(options, home, cluster, ours, yardstick, started)
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


def _start_cluster(stack: contextlib.ExitStack, home: Path) -> Cluster:
    cluster = Cluster(home / "postgres")
    stack.callback(shutil.rmtree, cluster.sockets, ignore_errors=True)
    stack.callback(cluster.stop, "immediate")
    cluster.start()
    with psycopg.connect(cluster.dsn("postgres"), autocommit=True) as connection:
        connection.execute("create database bench_aqm")
        connection.execute("create database bench_yardstick")
    return cluster


def _start_ours(stack: contextlib.ExitStack, options: Options, home: Path, dsn: str) -> Side:
    Migrator(dsn, say=lambda _line: None).apply()
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
