"""The load generator wrk: little work of its own, so that it takes little from the servers beside it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from .errors import BenchError
from .results import Result

SCRIPT = Path(__file__).with_name("wrk.lua")


def find_wrk() -> str | None:
    """The path of wrk, or None where it is not installed."""
    return shutil.which("wrk")


def wrk_version() -> str:
    """Name and version, as wrk has them."""
    # It has no option that only prints its version: -v prints the usage as well and is an error.
    answer = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False)
    return (answer.stdout + answer.stderr).partition("Copyright")[0].strip()


class Wrk:
    """wrk on one thread. url: of the server. paths: file of paths to walk over."""

    def __init__(self, url: str, paths: Path, clients: int) -> None:
        self.max_unread = clients
        self.options = ["--threads=1", f"--connections={clients}", "--timeout=10s", f"--script={SCRIPT}"]
        self.arguments = [url, "--", str(paths)]

    def command(self, seconds: int) -> list[str]:
        """The words that start it."""
        return ["wrk", *self.options, f"--duration={seconds}s", *self.arguments]

    def run(self, seconds: int) -> Result:
        """Load for so many seconds. Raises BenchError when wrk can't."""
        ran = subprocess.run(
            self.command(seconds), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        said = dict(line.split("\t") for line in ran.stdout.splitlines() if line.count("\t") == 1)
        if ran.returncode != 0 or "microseconds" not in said:
            raise BenchError(f"wrk failed:\n{ran.stdout}{ran.stderr}")
        faults = {name.removeprefix("fault "): int(count) for name, count in said.items() if name.startswith("fault ")}
        return Result(
            coins=int(said["requests"]) - int(said["fault status other than 200"]),
            seconds=int(said["microseconds"]) / 1e6,
            p50=float(said["p50"]) / 1000,
            p95=float(said["p95"]) / 1000,
            p99=float(said["p99"]) / 1000,
            faults={name: count for name, count in faults.items() if count},
        )
