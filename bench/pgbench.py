"""The load generator pgbench: functions called without a gateway, over prepared statements."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from db.cluster import find_binaries

from .errors import BenchError
from .results import Result, percentile


class PgBench:
    """pgbench on one thread.

    dsn: the database. script: pgbench's own language. folder: an own one, for its files. claims: in each call.
    """

    max_unread = 0

    def __init__(self, dsn: str, script: str, folder: Path, clients: int, claims: int) -> None:
        folder.mkdir()
        (folder / "script.sql").write_text(script)
        self.folder = folder
        self.claims = claims
        self.dsn = dsn
        self.options = [
            "--no-vacuum", "--protocol=prepared", f"--client={clients}", "--jobs=1",
            f"--file={folder / 'script.sql'}", "--log", f"--log-prefix={folder / 'calls'}",
        ]  # fmt: skip

    def command(self, seconds: int) -> list[str]:
        """The words that start it."""
        return [str(find_binaries() / "pgbench"), *self.options, f"--time={seconds}", self.dsn]

    def run(self, seconds: int) -> Result:
        """Load for so many seconds; the last calls are waited for. Raises BenchError when pgbench can't."""
        ran = subprocess.run(
            self.command(seconds), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        rate = re.search(r"^tps = ([0-9.]+)", ran.stdout, re.MULTILINE)
        if ran.returncode != 0 or not rate:
            raise BenchError(f"pgbench failed:\n{ran.stderr}")
        times = []
        for path in self.folder.glob("calls.*"):
            # client, number of the call, microseconds, …
            times += [int(line.split()[2]) / 1000 for line in path.read_text().splitlines()]
            path.unlink()
        times.sort()
        p50, p95, p99 = (percentile(times, percent) for percent in (50, 95, 99))
        return Result(coins=len(times) * self.claims, seconds=len(times) / float(rate[1]), p50=p50, p95=p95, p99=p99)
