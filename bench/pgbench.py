"""The load generator pgbench: functions called without a gateway, over prepared statements."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import NamedTuple

from db.cluster import find_binaries

from .errors import BenchError
from .results import Result, latencies

SCRIPT = "script.sql"


class Call(NamedTuple):
    """A call as pgbench logged it. ended: seconds of the epoch. ms: how long it took."""

    client: int
    ended: float
    ms: float


class PgBench:
    """pgbench on one thread.

    dsn: the database. script: pgbench's own language. folder: an own one, for its files. claims: in each call.
    calls_each: calls of each client, instead of a length in seconds.
    """

    max_unread = 0

    def __init__(
        self, dsn: str, script: str, folder: Path, clients: int, claims: int = 1, calls_each: int | None = None
    ) -> None:
        folder.mkdir()
        (folder / SCRIPT).write_text(script)
        self.folder = folder
        self.claims = claims
        self.dsn = dsn
        self.calls_each = calls_each
        self.options = [
            "--no-vacuum", "--protocol=prepared", f"--client={clients}", "--jobs=1",
            f"--file={folder / SCRIPT}", "--log", f"--log-prefix={folder / 'calls'}",
        ]  # fmt: skip

    def command(self, seconds: int) -> list[str]:
        """The words that start it."""
        length = f"--transactions={self.calls_each}" if self.calls_each else f"--time={seconds}"
        return [str(find_binaries() / "pgbench"), *self.options, length, self.dsn]

    def run(self, seconds: int) -> Result:
        """Load for so many seconds; the last calls are waited for. Raises BenchError when pgbench can't."""
        rate, calls = self.call(seconds)
        times = [call.ms for call in calls]
        return Result(coins=len(times) * self.claims, seconds=len(times) / rate, **latencies(times))

    def call(self, seconds: int) -> tuple[float, list[Call]]:
        """Load, and return calls a second and each call, those of one client in their order. Raises BenchError when pgbench can't."""
        ran = subprocess.run(
            self.command(seconds), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        rate = re.search(r"^tps = ([0-9.]+)", ran.stdout, re.MULTILINE)
        calls = []
        for path in self.folder.glob("calls.*"):
            for line in path.read_text().splitlines():
                # client, number of the call, microseconds, script, epoch, microseconds of it
                words = line.split()
                calls.append(Call(int(words[0]), int(words[4]) + int(words[5]) / 1e6, int(words[2]) / 1000))
            path.unlink()
        if ran.returncode != 0 or not rate:
            raise BenchError(f"pgbench failed:\n{ran.stderr}")
        if not calls:
            raise BenchError("pgbench had no answer in all that time: the machine is too busy, or --seconds too short")
        return float(rate[1]), calls
