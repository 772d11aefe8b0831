"""A Redis of one's own on a private socket, with device/redis.conf: for tests and the demo."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from .errors import BackendUnavailableError

CONFIGURATION = Path(__file__).with_name("redis.conf")
LONGEST_SOCKET_PATH = 107
"""Bytes (sun_path of unix(7), less the NUL)."""


class RedisServer:
    """A redis-server whose data stay in a folder: `with RedisServer(folder) as server`.

    It ends with the thread that started it, even when that is killed. settings: over those of redis.conf.
    """

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.log = folder / "redis.log"
        self._settings = {name.replace("_", "-"): value for name, value in settings.items()}
        self._process: subprocess.Popen[bytes] | None = None
        self._sockets: Path | None = None

    @property
    def url(self) -> str:
        """Where RedisStore finds it."""
        return f"unix://{self._socket()}"

    def start(self, seconds: float = 10) -> None:
        """Start it and wait until it has read its data.

        Raises BackendUnavailableError when redis-server is not installed, or not ready within so many seconds.
        """
        if not shutil.which("redis-server"):
            raise BackendUnavailableError("redis-server is not installed: install Debian's package redis-server")
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        settings = {"dir": str(self.folder), "unixsocket": str(self._socket()), **self._settings}
        arguments = [word for name, value in settings.items() for word in (f"--{name}", value)]
        with self.log.open("ab") as log:
            # Its own session: a Ctrl-C at the terminal is for us, and we then stop it in order.
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", "redis-server", str(CONFIGURATION), *arguments],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        try:
            self._wait(seconds)
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """End it in order, if it runs."""
        if self._process:
            self._process.terminate()
            self._process.wait()
            self._process = None
        if self._sockets:
            shutil.rmtree(self._sockets)
            self._sockets = None

    def kill(self) -> None:
        """End it as kill -9 does."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _socket(self) -> Path:
        path = (self._sockets or self.folder).absolute() / "redis.sock"
        if len(str(path).encode()) > LONGEST_SOCKET_PATH:
            self._sockets = Path(tempfile.mkdtemp(prefix="aqm-redis-"))
            path = self._sockets / "redis.sock"
        return path

    def _wait(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        with redis.Redis(unix_socket_path=str(self._socket()), retry=Retry(NoBackoff(), 0)) as client:
            while True:
                try:
                    client.ping()
                    return
                except redis.RedisError:
                    process = self._process
                    if process is None or process.poll() is not None or time.monotonic() > deadline:
                        last = self.log.read_text(errors="replace").splitlines()[-5:]
                        raise BackendUnavailableError("redis-server did not start:\n" + "\n".join(last)) from None
                    time.sleep(0.02)
