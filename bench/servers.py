"""Server processes of the bench's own."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import BenchError

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 30.0
"""Seconds a server may take to start, and to stop."""


@dataclass(frozen=True)
class Server:
    """A server that answers. command: the words that started it, its settings first."""

    name: str
    url: str
    command: list[str]
    log: Path

    def log_tail(self, lines: int = 15) -> str:
        """The last lines of what it said."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


@contextlib.contextmanager
def serving(
    name: str, command: Sequence[str], folder: Path, probe: str, settings: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """Have a server up for the length of a with block.

    command: its words. folder: for its log. probe: a path that it answers with 200 once it can work. settings:
    environment variables. In both, {port} is its port. Raises BenchError with the end of its log when it doesn't start.
    """
    port = free_port()
    words = [word.replace("{port}", str(port)) for word in command]
    settings = {variable: value.replace("{port}", str(port)) for variable, value in (settings or {}).items()}
    spoken = ["env", *(f"{variable}={value}" for variable, value in settings.items()), *words]
    server = Server(name, f"http://127.0.0.1:{port}", spoken, folder / f"{name}.log")
    # Settings of the shell must not change what is measured.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AQM_")}
    with server.log.open("wb") as output:
        # Its own session: a Ctrl-C at the terminal is for us, and we then stop it in order.
        process = subprocess.Popen(
            words, cwd=ROOT, env={**inherited, **settings}, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + PATIENCE
        while not _answers(server.url + probe):
            if process.poll() is not None or time.monotonic() > deadline:
                raise BenchError(f"{name} did not start; the end of its log:\n{server.log_tail()}")
            time.sleep(0.05)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:  # noqa: S310 our own http://127.0.0.1
            return bool(answer.status == 200)
    except OSError:
        return False


def doing_nothing(folder: Path, category: str) -> contextlib.AbstractContextManager[Server]:
    """The route that does nothing, for the length of a with block."""
    return serving("nothing", [sys.executable, "-m", "bench.nothing", "{port}", category], folder, "/")
