"""Uploads without a gateway, a process of its own: python -m bench.uploader --help."""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg
import uvloop

from .coins import make_coins, make_user
from .errors import BenchError
from .results import Result, latencies
from .scripts import seed_statement
from .walk import identity

CALL = "select coins.upload_coins($1, $2)"


async def load(
    dsn: str, seeds: Path | None, connections: int, batch: int, category: str, users: int | None, seconds: float
) -> dict[str, Any]:
    """Connections that upload one batch after the other; returns the seconds and the milliseconds of each upload.

    seeds: the file of the seeds' design, whose statement is used; None: our function. users: one of so many recipients
    at random uploads; None: somebody new.
    """
    times: list[float] = []
    chance = random.Random(1)  # noqa: S311 a load, no secret
    known = [identity("recipient", number) for number in range(1, (users or 0) + 1)]
    insert = seed_statement(seeds, "INSERT") if seeds else ""

    async def client(connection: asyncpg.Connection, deadline: float) -> None:
        call = await connection.prepare(CALL) if not seeds else None
        while (began := time.perf_counter()) < deadline:
            coins, user = make_coins(category, batch), chance.choice(known) if known else make_user()
            if call is None:
                await connection.executemany(insert, [(user, *coin) for coin in coins])
            elif (inserted := await call.fetchval(user, coins)) != batch:
                raise BenchError(f"upload_coins stored {inserted} of {batch} new coins")
            times.append((time.perf_counter() - began) * 1000)

    opened = [await asyncpg.connect(dsn) for _ in range(connections)]
    start = time.perf_counter()
    await asyncio.gather(*(client(connection, start + seconds) for connection in opened))
    elapsed = time.perf_counter() - start
    await asyncio.gather(*(connection.close() for connection in opened))
    return {"seconds": elapsed, "times": times}


class Uploader:
    """This generator as a process."""

    max_unread = 0

    def __init__(
        self, dsn: str, seeds: Path | None, connections: int, batch: int, category: str, users: int | None = None
    ) -> None:
        self.batch = batch
        self.words = [
            sys.executable, "-m", "bench.uploader", dsn, *([f"--seeds={seeds.absolute()}"] if seeds else []),
            f"--connections={connections}", f"--batch={batch}", f"--category={category}",
            *([f"--users={users}"] if users else []),
        ]  # fmt: skip

    def command(self, seconds: int) -> list[str]:
        """The words that start it."""
        return [*self.words, f"--seconds={seconds}"]

    def run(self, seconds: int) -> Result:
        """Load for so many seconds; every upload is waited for. Raises BenchError when it can't."""
        ran = subprocess.run(
            self.command(seconds), stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            cwd=Path(__file__).parent.parent,
        )  # fmt: skip
        if ran.returncode != 0:
            raise BenchError(f"uploads failed:\n{ran.stderr}")
        seen = json.loads(ran.stdout)
        return Result(coins=len(seen["times"]) * self.batch, seconds=seen["seconds"], **latencies(seen["times"]))


def main(arguments: Sequence[str]) -> int:
    """The command line; prints JSON and returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.uploader", description="Upload new coins and print what was seen, as JSON."
    )
    parser.add_argument("dsn")
    parser.add_argument("--seeds", type=Path, metavar="FILE", help="use the INSERT of this file, not our function")
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--batch", type=int, default=100, help="coins an upload (default: 100)")
    parser.add_argument("--category", default="GOLD")
    parser.add_argument("--users", type=int, help="who uploads (default: somebody new each time)")
    parser.add_argument("--seconds", type=float, default=10)
    try:
        seen = uvloop.run(load(**vars(parser.parse_args(arguments))))
    except KeyboardInterrupt:
        return 130
    except (BenchError, OSError, asyncpg.PostgresError) as error:
        print(f"bench.uploader: {error}", file=sys.stderr)
        return 1
    sys.stdout.write(json.dumps(seen))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
