"""The redis-server that tests and the demo start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import redis

from device.errors import BackendUnavailableError
from device.redis_server import RedisServer


def test_it_runs_with_the_projects_configuration(redis_server: RedisServer) -> None:
    with redis.Redis.from_url(redis_server.url) as client:
        expected = {
            "port": "0", "appendonly": "yes", "appendfsync": "everysec", "save": "", "maxmemory-policy": "noeviction",
            "slowlog-log-slower-than": "-1", "unixsocketperm": "700",
        }  # fmt: skip
        for name, value in expected.items():
            assert client.config_get(name)[name] == value


def test_data_outlive_stop_and_kill(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    for end in (server.stop, server.kill):
        server.start()
        with redis.Redis.from_url(server.url) as client:
            client.incr("starts")
        end()
    with server, redis.Redis.from_url(server.url) as client:
        assert client.get("starts") == b"2"


def test_a_long_path_gets_a_socket_elsewhere(tmp_path: Path) -> None:
    with RedisServer(tmp_path / ("x" * 120)) as server:
        sockets = Path(server.url.removeprefix("unix://")).parent
        with redis.Redis.from_url(server.url) as client:
            assert client.ping()
    assert not sockets.exists()


def test_it_says_which_package_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackendUnavailableError, match="Debian's package redis-server"):
        RedisServer(tmp_path).start()


def test_it_says_why_it_did_not_start(tmp_path: Path) -> None:
    with pytest.raises(BackendUnavailableError, match="appendfsync"):
        RedisServer(tmp_path, appendfsync="sometimes").start()


def test_it_ends_with_a_process_that_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from device.redis_server import RedisServer\n"
        "RedisServer(Path(sys.argv[1])).start(); print('up', flush=True); time.sleep(60)"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=root, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
        with redis.Redis(unix_socket_path=str(tmp_path / "redis.sock")) as client:
            pid = int(client.info("server")["process_id"])
        process.kill()
    deadline = time.monotonic() + 10
    try:
        while Path(f"/proc/{pid}/stat").exists() and " Z " not in Path(f"/proc/{pid}/stat").read_text():
            assert time.monotonic() < deadline
            time.sleep(0.02)
    except AssertionError:
        os.kill(pid, signal.SIGKILL)
        raise
