"""The private PostgreSQL cluster that ./aqm uses when AQM_DSN is not set.

    python -m db.cluster exec [--main] -- COMMAND …   run COMMAND with AQM_DSN set, the server up
    python -m db.cluster exec --existing -- COMMAND … the same, but make no cluster where there is none
    python -m db.cluster stop                         stop the main command, then the server
    python -m db.cluster status                       say what is there
    python -m db.cluster dsn                          print the connection string, if the server runs

Everybody who uses the server holds a shared lock on one file; whoever leaves last stops the server.
The kernel drops the lock of a killed process, so nothing is left to clean up after a kill -9.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO
from urllib.parse import quote

import psycopg

from .orphans import end_orphans
from .tell import tell

SERVER_USER = "postgres"
"""Who runs the server when we are root: initdb refuses root."""

DATABASE = "aqm"
ROOT = Path(__file__).resolve().parent.parent
SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
SOCKET_NAME = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH = 107
"""Bytes that the kernel allows for the path of a UNIX socket (sun_path of unix(7), less the NUL)."""

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_preload_libraries": "pg_cron,pg_stat_statements",
    "cron.database_name": "postgres",
    "cron.use_background_workers": "on",
    "max_worker_processes": "24",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "wal_level": "replica",
    "max_wal_size": "4GB",
    # A new segment makes all commits wait for 16 MB of zeros: old ones are kept and written again.
    "min_wal_size": "1GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "autovacuum_naptime": "15s",
    "track_io_timing": "on",
    # PostgreSQL's own log must not show keys, tokens or who asks for whom (shared specs: operations).
    # Statements like ALTER ROLE … PASSWORD keep their literals in pg_stat_statements.
    "pg_stat_statements.track_utility": "off",
    "log_line_prefix": "%m [%p] %q%u@%d %a ",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_min_error_statement": "panic",
    "log_min_duration_statement": "500ms",
    "log_checkpoints": "off",
}
TRIES, TRIES_BEFORE_KILLING = 40, 6
"""How often a start is tried, half a second and more apart, while a killed server's processes are in the way."""

THROW_AWAY = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""For tests only: a cluster that nobody needs after a crash."""


class ClusterError(Exception):
    """The private cluster can't be made, started or stopped; the message says why and what to do."""


def tuned_settings() -> dict[str, str]:
    """Memory settings for this machine: a quarter for the server, at most 4 GB, as its manual advises."""
    megabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    return {
        "shared_buffers": f"{max(64, min(megabytes // 4, 4096))}MB",
        "effective_cache_size": f"{max(128, megabytes // 2)}MB",
    }


def find_binaries(version: str | None = None) -> Path:
    """The folder of initdb and pg_ctl.

    version: the major version that a data folder needs; None takes the newest that has pg_cron.
    Raises ClusterError when there is none.
    """
    found = {path.parent.parent.name: path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")}
    for name in [version] if version else sorted(found, key=float, reverse=True):
        if name in found and (found[name].parent / "lib/pg_cron.so").exists():
            return found[name]
    raise ClusterError(
        f"PostgreSQL {version or '15 to 17'} with pg_cron is not installed under /usr/lib/postgresql; "
        "./aqm installs it on Debian, elsewhere set AQM_DSN to a server of your own"
    )


def as_server_user(command: list[str]) -> list[str]:
    """A command as the user who runs the server: when we are root it drops to SERVER_USER."""
    if os.geteuid() != 0:
        return command
    return ["setpriv", f"--reuid={SERVER_USER}", f"--regid={SERVER_USER}", "--init-groups", *command]


class Cluster:
    """One PostgreSQL server with its data, socket and log under one folder.

    home: the folder. settings: postgresql.conf settings over ours. throw_away: no fsync, for tests.
    """

    def __init__(self, home: Path, settings: Mapping[str, str] | None = None, throw_away: bool = False) -> None:
        self.home = home
        self.data = home / "data"
        self.log = home / "postgresql.log"
        self.sockets = home / "run"
        if len(str(self.sockets / SOCKET_NAME).encode()) > LONGEST_SOCKET_PATH:
            self.sockets = Path("/tmp") / f"aqm-{hashlib.sha256(str(home).encode()).hexdigest()[:16]}"
        self.throw_away = throw_away
        self.settings = {
            "unix_socket_directories": str(self.sockets),
            **SETTINGS,
            **tuned_settings(),
            **(THROW_AWAY if throw_away else {}),
            **(settings or {}),
        }

    def __repr__(self) -> str:
        return f"Cluster({self.home})"

    def dsn(self, database: str = DATABASE, user: str = SERVER_USER) -> str:
        """A connection URI over the socket; the socket's folder lets in its owner and root alone."""
        return f"postgresql://{user}@/{database}?host={quote(str(self.sockets), safe='')}"

    def is_running(self) -> bool:
        """Whether somebody listens on the socket. The pid file proves nothing: after a kill -9 it stays, and its number
        may be a zombie's or another program's."""
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.sockets / SOCKET_NAME))
            except (FileNotFoundError, ConnectionRefusedError):
                return False
            except BlockingIOError:
                return True  # so busy that the queue is full
        return True

    def start(self) -> None:
        """Make the cluster if there is none, start it and wait until it answers.

        Raises ClusterError with the end of the server's log when it doesn't.
        """
        if not (self.data / "PG_VERSION").exists():
            self._create()
        self._refuse_foreign()
        self._make_folder(self.sockets)
        (self.data / "aqm.conf").write_text("".join(f"{name} = '{value}'\n" for name, value in self.settings.items()))
        # A killed postmaster and its backends take a moment to be gone; until then it would be refused.
        for patience in range(TRIES):
            if patience == TRIES_BEFORE_KILLING and (ended := end_orphans(self.data)):
                print(f"ended what was left of a killed PostgreSQL: pid {' '.join(map(str, ended))}", file=sys.stderr)
            try:
                started = self._pg_ctl("start", "-w", "-t", "300", "-s", "-l", str(self.log), check=False)
            except BaseException:
                # Interrupted: what has begun to start must not be left behind.
                self._pg_ctl("stop", "-w", "-t", "120", "-s", "-m", "fast", check=False)
                raise
            if started.returncode == 0:
                break
            if patience == TRIES - 1 or not re.search(
                r"pre-existing shared memory|lock file \S+ already exists", self.log_tail()
            ):
                raise ClusterError(f"PostgreSQL did not start; the end of {self.log}:\n{self.log_tail()}")
            time.sleep(0.5)
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as connection:
            if not connection.execute("select from pg_database where datname = %s", [DATABASE]).rowcount:
                connection.execute(f"create database {DATABASE}")

    def stop(self, mode: str = "fast") -> None:
        """Stop the server, if it runs: mode fast ends sessions and writes a checkpoint, immediate crashes it."""
        if self.is_running():
            self._pg_ctl("stop", "-w", "-t", "120", "-s", "-m", mode, check=False)
            if self.sockets.parent != self.home:
                shutil.rmtree(self.sockets, ignore_errors=True)
            if self.is_running():
                raise ClusterError(f"PostgreSQL did not stop; the end of {self.log}:\n{self.log_tail()}")

    def log_tail(self, lines: int = 15) -> str:
        """The last lines of the server's log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:]) if self.log.exists() else ""

    def _refuse_foreign(self) -> None:
        """Raise ClusterError for a cluster of another user's, before anything of it is touched."""
        owner = (self.data / "PG_VERSION").stat().st_uid
        ours = pwd.getpwnam(SERVER_USER).pw_uid if os.geteuid() == 0 else os.geteuid()
        if owner != ours:
            name = pwd.getpwuid(owner).pw_name
            raise ClusterError(
                f"{self.data} belongs to {'root' if name == SERVER_USER else name}: run ./aqm as that user, always the same one"
            )

    def _create(self) -> None:
        if self.data.exists() and any(self.data.iterdir()):
            raise ClusterError(f"{self.data} holds something that is no finished PostgreSQL cluster; move it away")
        self._make_folder(self.home)
        fresh = self.home / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        # Renamed when it is whole, so that a kill -9 in the middle leaves nothing that looks like a cluster.
        self._run(
            "initdb", "-D", str(fresh), "-U", SERVER_USER, "--auth=trust", "--encoding=UTF8",
            "--locale=C.UTF-8", "--data-checksums", *(["--no-sync"] if self.throw_away else []),
        )  # fmt: skip
        with (fresh / "postgresql.conf").open("a") as configuration:
            configuration.write("\ninclude 'aqm.conf'\n")
        (fresh / "pg_hba.conf").write_text(
            "# The folder of the socket lets in its owner and root alone.\nlocal all all trust\n"
        )
        self.data.rmdir() if self.data.exists() else None
        fresh.rename(self.data)

    def _make_folder(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            server = pwd.getpwnam(SERVER_USER)
            os.chown(folder, server.pw_uid, server.pw_gid)
        folder.chmod(0o700)

    def _run(self, program: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        version_file = self.data / "PG_VERSION"
        binaries = find_binaries(version_file.read_text().strip() if version_file.exists() else None)
        command = as_server_user([str(binaries / program), *arguments])
        # Its own session: a Ctrl-C at the terminal is for us, and we then stop the server in order.
        # Files, not pipes: the server inherits them and would keep a pipe open for ever.
        ran = subprocess.run(
            command, cwd="/", check=False, text=True, start_new_session=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL if program == "pg_ctl" else subprocess.PIPE,
            stderr=subprocess.DEVNULL if program == "pg_ctl" else subprocess.STDOUT,
        )  # fmt: skip
        if check and ran.returncode != 0:
            raise ClusterError(f"{program} failed:\n{ran.stdout or self.log_tail()}")
        return ran

    def _pg_ctl(self, action: str, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return self._run("pg_ctl", action, "-D", str(self.data), *arguments, check=check)


def data_dir() -> Path:
    """The project's data folder: AQM_DATA_DIR, else .aqm beside this checkout's README."""
    return Path(os.environ.get("AQM_DATA_DIR") or ROOT / ".aqm").absolute()


def existing_cluster() -> Cluster:
    """The cluster of the data folder; raises ClusterError, and makes nothing, where there is none."""
    if data_dir().exists():
        cluster = private_cluster()
        if (cluster.data / "PG_VERSION").exists():
            return cluster
    raise ClusterError(
        f"there is no database in {data_dir()}: is AQM_DATA_DIR the one that you mean? ./aqm run makes one there"
    )


def private_cluster() -> Cluster:
    """The cluster of the data folder, at a place that the server's user can reach."""
    home = data_dir() / "postgres"
    if os.geteuid() == 0:
        reach = subprocess.run(
            as_server_user(["test", "-x", str(home.parent)]),
            check=False,
        )
        if reach.returncode != 0:
            if (home / "data" / "PG_VERSION").exists():
                # Elsewhere it would begin again, empty, beside a database that nobody sees.
                raise ClusterError(
                    f"user {SERVER_USER} can't reach {home}, where the database is: chmod o+x {home.parent}"
                )
            elsewhere = Path("/var/lib/aqm") / hashlib.sha256(str(home).encode()).hexdigest()[:16]
            print(f"user {SERVER_USER} can't reach {home}: the cluster is in {elsewhere}", file=sys.stderr)
            return Cluster(elsewhere)
    return Cluster(home)


@contextlib.contextmanager
def in_use(cluster: Cluster) -> Iterator[int]:
    """Have the server up for the length of a with block; yields the lock's descriptor.

    A child that inherits the descriptor keeps the server in use, even when we are killed.
    """
    with (data_dir() / "users.lock").open("w") as users:
        try:
            with _alone():
                fcntl.flock(users, fcntl.LOCK_SH)
                if not cluster.is_running():
                    cluster.start()
            yield users.fileno()
        finally:
            with _alone(), contextlib.suppress(BlockingIOError):
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                cluster.stop()


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """One at a time may start or stop the server of a data folder; others wait here."""
    with (data_dir() / "start.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def only_main_command() -> Iterator[TextIO]:
    """Hold the pid file of the main command, so that `stop` finds it; raises ClusterError when another does.

    The command inherits the file's lock, so that it is found even when this process was killed.
    """
    with (data_dir() / "run.pid").open("a+") as pid_file:
        try:
            fcntl.flock(pid_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid_file.seek(0)
            raise ClusterError(
                f"already running with {data_dir()} (pid {' '.join(pid_file.read().split())}): stop it with ./aqm stop, "
                "or choose another AQM_DATA_DIR and AQM_PORT"
            ) from None
        pid_file.truncate(0)
        pid_file.write(f"{os.getpid()}\n")
        pid_file.flush()
        yield pid_file
        pid_file.truncate(0)


class Child:
    """A command that our signals go to. Before it runs they end us, in order: with blocks are left as usual."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.is_beginning = False
        self.early: list[int] = []
        for number in SIGNALS:
            signal.signal(number, self._take)

    def begin(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        pid_file: TextIO | None = None,
        keep: Sequence[int] = (),
    ) -> None:
        """Start the command. pid_file: where its number is added. keep: more descriptors that it inherits."""
        self.is_beginning = True
        inherited = [*keep, *([pid_file.fileno()] if pid_file else [])]
        self.process = subprocess.Popen(command, env=environment, pass_fds=inherited)
        if pid_file:
            pid_file.write(f"{self.process.pid}\n")
            pid_file.flush()
        for number in self.early:
            self._take(number, None)

    def wait(self, seconds: float | None = None) -> int | None:
        """The exit code as a shell has it, or None when it is still running after so many seconds."""
        if self.process is None:
            return None
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        return 128 - code if code < 0 else code

    def _take(self, number: int, _frame: object) -> None:
        if self.process is None:
            if not self.is_beginning:
                sys.exit(128 + number)
            self.early.append(number)
        elif number != signal.SIGINT:
            # The terminal sends Ctrl-C to the child as well: it ends in order, and then so do we.
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)


def execute(command: Sequence[str], is_main: bool = False, must_exist: bool = False) -> int:
    """Run a command with a database in AQM_DSN, the one that is set or the private cluster's; returns its exit code.

    Under a main command a private server that dies is started again. must_exist: no private cluster is made.
    """
    is_private = not os.environ.get("AQM_DSN")
    if must_exist and is_private:
        existing_cluster()
    elif is_main or is_private:
        data_dir().mkdir(parents=True, exist_ok=True)
    child = Child()
    with only_main_command() if is_main else contextlib.nullcontext() as pid_file:
        if not is_private:
            child.begin(command, os.environ, pid_file)
            return child.wait() or 0
        cluster = private_cluster()
        # The PG variables are for psql and its kin: ./aqm psql -d postgres.
        environment = os.environ | {
            "AQM_DSN": cluster.dsn(),
            "PGHOST": str(cluster.sockets),
            "PGUSER": SERVER_USER,
            "PGDATABASE": DATABASE,
        }
        with in_use(cluster) as users:
            child.begin(command, environment, pid_file, keep=[users])
            while True:
                code = child.wait(1 if is_main else None)
                if code is not None:
                    return code
                with _alone():
                    if child.wait(0) is None and not cluster.is_running():
                        print("PostgreSQL is gone: starting it again", file=sys.stderr)
                        try:
                            cluster.start()
                        except (ClusterError, psycopg.Error) as error:
                            print(error, file=sys.stderr)


def main_pids() -> list[int]:
    """The processes of the main command of the data folder: its supervisor and itself, those that live."""
    pid_path = data_dir() / "run.pid"
    if not pid_path.exists():
        return []
    with pid_path.open("r") as pid_file:
        try:
            fcntl.flock(pid_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return [pid for pid in map(int, pid_file.read().split()) if is_alive(pid)]
    return []


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def stop() -> int:
    """Stop the main command of the data folder and then its server."""
    if not data_dir().exists():
        print(f"there is nothing in {data_dir()}", file=sys.stderr)
        return 0
    pids = main_pids()
    if pids:
        print(f"stopping pid {' '.join(map(str, pids))}", file=sys.stderr)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        # Not until the lock is free: a grandchild may hold that for longer.
        while any(map(is_alive, pids)):
            time.sleep(0.05)
    if not os.environ.get("AQM_DSN"):
        cluster = private_cluster()
        if cluster.is_running():
            print("stopping PostgreSQL", file=sys.stderr)
            cluster.stop()
    print("stopped", file=sys.stderr)
    return 0


def status() -> int:
    """Print where the private cluster is and whether it runs."""
    try:
        cluster = existing_cluster()
    except ClusterError as error:
        tell(str(error))
        return 3
    tell(f"data folder   {data_dir()}")
    tell(f"PostgreSQL    {'running' if cluster.is_running() else 'stopped'}, {cluster.data}")
    tell(f"its log       {cluster.log}")
    tell(f"./aqm run     {'pid ' + ' '.join(map(str, main_pids())) if main_pids() else 'stopped'}")
    tell(f"psql          psql '{cluster.dsn()}'")
    return 0 if cluster.is_running() else 3


def main(arguments: Sequence[str]) -> int:
    """The command line; returns the exit code."""
    match list(arguments):
        case ["exec", "--main", "--", *command] if command:
            return execute(command, is_main=True)
        case ["exec", "--existing", "--", *command] if command:
            return execute(command, must_exist=True)
        case ["exec", "--", *command] if command:
            return execute(command)
        case ["stop"]:
            return stop()
        case ["status"]:
            return status()
        case ["dsn"]:
            with contextlib.suppress(ClusterError):
                cluster = existing_cluster()
                if cluster.is_running():
                    tell(cluster.dsn())
            return 0
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    try:
        code = main(sys.argv[1:])
    except (ClusterError, OSError) as error:
        sys.exit(f"aqm: {error}")
    # Python gives the signals back to the system while it ends: one that comes then would change the exit code.
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    sys.exit(code)
