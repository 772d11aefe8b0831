"""The private cluster: started by the first who needs it, stopped by the last, whole after any kill."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from conftest import ROOT, wait_until
from db.cluster import LONGEST_SOCKET_PATH, SERVER_USER, Cluster, ClusterError, private_cluster
from db.orphans import find_orphans


@dataclass(frozen=True)
class Folder:
    """A data folder, used as the script ./aqm uses it."""

    path: Path
    stack: ExitStack

    @property
    def cluster(self) -> Cluster:
        """The cluster in the folder."""
        return Cluster(self.path / "postgres")

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start `python -m db.cluster`; what still runs at the end of the test is killed."""
        process = subprocess.Popen(
            [sys.executable, "-m", "db.cluster", *arguments],
            cwd=ROOT, env=os.environ | {"AQM_DATA_DIR": str(self.path)} | environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.stack.enter_context(process)
        self.stack.callback(process.kill)
        return process

    def hold(self, *options: str) -> subprocess.Popen[str]:
        """Start a command that lasts until leave(), and wait until it runs."""
        process = self.start("exec", *options, "--", "sh", "-c", "echo here; cat")
        assert process.stdout
        assert process.stdout.readline() == "here\n"
        return process

    def run(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """Run `python -m db.cluster` to its end; returns the exit code and what it printed."""
        process = self.start(*arguments, **environment)
        said = "".join(process.communicate(timeout=60))
        return process.returncode, said.strip()

    def query(self, statement: str) -> str:
        """The answer to a statement, by a command of its own."""
        code, said = self.run("exec", "--", "sh", "-c", 'psql "$AQM_DSN" -XAtqc "$0"', statement)
        assert code == 0, said
        return said

    def is_running(self) -> bool:
        return self.cluster.is_running()

    def server_pid(self) -> int:
        return int((self.path / "postgres" / "data" / "postmaster.pid").read_text().split()[0])


def leave(process: subprocess.Popen[str]) -> int:
    """End the command of hold(); returns the exit code."""
    process.communicate(timeout=60)
    return process.returncode


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A folder that the server's user can reach."""
    made = Path(tempfile.mkdtemp(prefix="aqm-test-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def folder(home: Path) -> Iterator[Folder]:
    """A data folder whose server does not run; the cluster in it is made once for all tests."""
    with ExitStack() as stack:
        folder = Folder(home / "data", stack)
        stack.callback(folder.cluster.stop, "immediate")
        yield folder


def test_two_who_come_first_at_once_share_one_server(home: Path) -> None:
    # As a kill -9 in the middle of initdb leaves it.
    (home / "new" / "postgres" / "data.new").mkdir(parents=True)
    (home / "new" / "postgres" / "data.new" / "PG_VERSION").write_text("15\n")
    with ExitStack() as stack:
        folder = Folder(home / "new", stack)
        both = [folder.start("exec", "--", "sh", "-c", 'psql "$AQM_DSN" -XAtqc "select 1"') for _ in range(2)]
        assert [(process.communicate(timeout=60), process.returncode) for process in both] == [(("1\n", ""), 0)] * 2
        assert not folder.is_running()


def test_the_last_one_out_stops_the_server(folder: Folder) -> None:
    first, second = folder.hold(), folder.hold()
    assert folder.query("select 1") == "1"
    assert leave(first) == 0
    assert folder.is_running()
    assert leave(second) == 0
    assert not folder.is_running()


def test_data_is_there_at_the_next_start(folder: Folder) -> None:
    folder.query("create table kept as select 42")
    assert not folder.is_running()
    assert folder.query("table kept") == "42"


def test_the_server_stays_while_the_child_of_a_killed_holder_lives(folder: Folder) -> None:
    holder = folder.hold()
    holder.kill()
    holder.wait()
    assert folder.query("select 1") == "1"
    assert folder.is_running()
    leave(holder)
    assert folder.query("select 1") == "1"


def test_a_new_start_recovers_from_kills_of_everything(folder: Folder) -> None:
    holder = folder.hold("--main")
    folder.query("create table survivor as select 43")
    holder.kill()
    os.kill(folder.server_pid(), signal.SIGKILL)
    leave(holder)
    wait_until(lambda: not folder.is_running(), what="the killed server is gone")
    assert leave(folder.hold("--main")) == 0
    assert folder.query("table survivor") == "43"


def test_a_server_that_dies_under_the_main_command_is_started_again(folder: Folder) -> None:
    main = folder.hold("--main")
    died = folder.server_pid()
    os.kill(died, signal.SIGKILL)
    wait_until(lambda: folder.is_running() and folder.server_pid() != died, what="the server is back")
    assert folder.query("select 1") == "1"
    assert leave(main) == 0


def test_backends_that_outlive_a_killed_postmaster_are_ended(folder: Folder) -> None:
    main = folder.hold("--main")
    died = folder.server_pid()
    with psycopg.connect(folder.cluster.dsn()) as stuck:
        # As one is that waits for a lightweight lock of somebody who is gone: it will never notice.
        backend = stuck.info.backend_pid
        os.kill(backend, signal.SIGSTOP)
        assert find_orphans(folder.cluster.data) == []
        os.kill(died, signal.SIGKILL)
        wait_until(lambda: folder.is_running() and folder.server_pid() != died, what="the server is back")
        with pytest.raises(psycopg.OperationalError):
            stuck.execute("select 1")
    assert folder.query("select 1") == "1"
    said = main.communicate(timeout=60)[1]
    assert f"ended what was left of a killed PostgreSQL: pid {backend}" in said


def test_a_folder_has_one_main_command(folder: Folder) -> None:
    main = folder.hold("--main")
    code, said = folder.run("exec", "--main", "--", "true")
    assert code == 1
    assert re.fullmatch(
        rf"aqm: already running with {folder.path} \(pid {main.pid} \d+\): stop it with ./aqm stop, "
        "or choose another AQM_DATA_DIR and AQM_PORT",
        said,
    )
    assert leave(main) == 0
    assert folder.run("exec", "--main", "--", "true") == (0, "")


def test_stop_ends_the_main_command_and_then_the_server(folder: Folder) -> None:
    main = folder.hold("--main")
    code, said = folder.run("stop")
    assert code == 0
    assert re.fullmatch(rf"stopping pid {main.pid} \d+\nstopped", said)
    assert leave(main) == 128 + signal.SIGTERM
    assert not folder.is_running()


def test_terms_that_come_again_and_again_change_no_exit_code(folder: Folder) -> None:
    main = folder.start("exec", "--", "sh", "-c", "trap '' TERM; echo here; cat; exit 7")
    assert main.stdin
    assert main.stdout
    assert main.stdout.readline() == "here\n"
    main.stdin.close()
    while main.poll() is None:
        main.send_signal(signal.SIGTERM)
        time.sleep(0.0002)
    assert main.returncode == 7


def test_stop_ends_a_server_that_a_kill_has_left_behind(folder: Folder) -> None:
    holder = folder.hold()
    holder.kill()
    leave(holder)
    assert folder.run("stop") == (0, "stopping PostgreSQL\nstopped")
    assert folder.run("stop") == (0, "stopped")


def test_the_terms_of_a_command_are_passed_on(folder: Folder) -> None:
    assert folder.run("exec", "--", "sh", "-c", "exit 7")[0] == 7
    assert folder.run("exec", "--", "sh", "-c", "kill -TERM $$")[0] == 128 + signal.SIGTERM
    holder = folder.hold()
    holder.send_signal(signal.SIGINT)
    holder.send_signal(signal.SIGTERM)
    # Before leave() ends its input, which would end it as well, in order.
    assert holder.wait(60) == 128 + signal.SIGTERM
    leave(holder)


def test_a_dsn_of_ones_own_needs_no_cluster(folder: Folder) -> None:
    assert folder.run("exec", "--", "sh", "-c", 'echo "$AQM_DSN"', AQM_DSN="postgresql://elsewhere/") == (
        0,
        "postgresql://elsewhere/",
    )
    assert folder.run("exec", "--main", "--", "sh", "-c", "exit 7", AQM_DSN="postgresql://elsewhere/")[0] == 7


def test_status_tells_where_everything_is(folder: Folder) -> None:
    code, said = folder.run("status")
    assert code == 3
    assert f"PostgreSQL    stopped, {folder.path}/postgres/data" in said
    holder = folder.hold()
    code, said = folder.run("status")
    assert code == 0
    assert f"PostgreSQL    running, {folder.path}/postgres/data" in said
    leave(holder)


def test_an_unknown_command_is_answered_with_the_usage(folder: Folder) -> None:
    code, said = folder.run("sideways")
    assert code == 2
    assert "python -m db.cluster stop" in said


def test_root_serves_as_another_user(folder: Folder) -> None:
    holder = folder.hold()
    server = pwd.getpwnam(SERVER_USER).pw_uid if os.geteuid() == 0 else os.geteuid()
    assert Path(f"/proc/{folder.server_pid()}").stat().st_uid == server
    for place in ("data", "run"):
        status = (folder.path / "postgres" / place).stat()
        assert (status.st_uid, status.st_mode & 0o777) == (server, 0o700)
    leave(holder)


def test_a_long_path_gets_a_socket_elsewhere(home: Path) -> None:
    cluster = Cluster(home / ("long" * 25), throw_away=True)
    assert len(f"{cluster.sockets}/.s.PGSQL.5432.lock") <= LONGEST_SOCKET_PATH < len(str(cluster.home / "run"))
    try:
        cluster.start()
        with psycopg.connect(cluster.dsn()) as connection:
            assert connection.execute("show unix_socket_directories").fetchone() == (str(cluster.sockets),)
    finally:
        cluster.stop("immediate")
    assert not cluster.sockets.exists()


def test_a_folder_out_of_the_servers_reach_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setenv("AQM_DATA_DIR", str(tmp_path / "data"))
    cluster = private_cluster()
    if os.geteuid() == 0:
        assert cluster.home.parent == Path("/var/lib/aqm")
        assert str(cluster.home) in capsys.readouterr().err
    else:
        assert cluster.home == tmp_path / "data" / "postgres"


def test_a_folder_that_was_closed_keeps_its_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its database is not begun again elsewhere, empty, because of a chmod."""
    (tmp_path / "data" / "postgres" / "data").mkdir(parents=True)
    (tmp_path / "data" / "postgres" / "data" / "PG_VERSION").write_text("15\n")
    tmp_path.chmod(0o700)
    monkeypatch.setenv("AQM_DATA_DIR", str(tmp_path / "data"))
    if os.geteuid() == 0:
        with pytest.raises(ClusterError, match=rf"can't reach .*, where the database is: chmod o\+x {tmp_path}/data"):
            private_cluster()
    else:
        assert private_cluster().home == tmp_path / "data" / "postgres"


def test_what_is_no_cluster_is_left_alone(home: Path) -> None:
    treasure = home / "other" / "data" / "treasure"
    treasure.parent.mkdir(parents=True)
    treasure.write_text("mine")
    with pytest.raises(ClusterError, match="holds something that is no finished PostgreSQL cluster; move it away"):
        Cluster(home / "other").start()
    assert treasure.read_text() == "mine"


def test_a_server_that_does_not_start_says_why(folder: Folder) -> None:
    folder.query("select 1")
    with pytest.raises(ClusterError, match=r"did not start; the end of .*\n(.*\n)*.*shared_buffers"):
        Cluster(folder.path / "postgres", settings={"shared_buffers": "nonsense"}).start()
    assert folder.query("select 1") == "1"
