"""The load generator for what wrk can't do, a process of its own: python -m bench.drive --help."""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import uvloop

from .coins import make_upload
from .errors import BenchError
from .raw import PATIENCE, Connection, Lost, allow_open_files, close, connect, get, post
from .results import Result, latencies
from .stock import owner_of

OPERATIONS = {"claim": 0.80, "count": 0.15, "upload": 0.05}
"""What a client of a mixed load does, and how often."""


@dataclass
class Notes:
    """What was seen. times: milliseconds of each answer, by operation."""

    times: dict[str, list[float]] = field(default_factory=dict)
    faults: Counter[str] = field(default_factory=Counter)
    keys: list[str] = field(default_factory=list)
    coins: int = 0

    async def ask(self, connection: Connection, request: bytes, since: float, operation: str, asked: str = "") -> None:
        """Ask, wait and look into the answer. since: the moment that the time of the answer counts from. asked: path."""
        try:
            status, body = await asyncio.wait_for(connection.ask(request), PATIENCE)
        except Lost:
            self.faults["connection closed by the server"] += 1
            # A server that is gone refuses at once: no need to ask it a million times.
            await asyncio.sleep(0.1)
            return
        except TimeoutError:
            self.faults[f"no answer in {PATIENCE:.0f} s"] += 1
            return
        self.times.setdefault(operation, []).append((time.perf_counter() - since) * 1000)
        if status != 200:
            self.faults[f"status {status}"] += 1
        elif operation == "claim":
            self._look_at(body, asked)
        elif operation == "upload":
            self.coins += int(orjson.loads(body)["inserted"])

    def _look_at(self, body: bytes, asked: str) -> None:
        coins = orjson.loads(body)["coins"]
        if len(coins) != 1:
            self.faults["empty answer" if not coins else "more coins than asked for"] += 1
        for coin in coins:
            self.keys.append(coin["key_id"])
            if asked and str(owner_of(coin["key_id"])) != parse_qs(urlsplit(asked).query)["target_user_id"][0]:
                self.faults["coin of another recipient"] += 1


@dataclass(frozen=True)
class Task:
    """What the command line asks for."""

    mode: str
    url: str
    paths: Path | None
    connections: int
    seconds: float
    rate: float
    batch: int
    category: str
    seed: int
    any_coin: bool

    def walk(self) -> list[str]:
        """The paths of the claims."""
        if not self.paths:
            raise BenchError(f"{self.mode} needs --paths")
        return self.paths.read_text().splitlines()


async def arrive(task: Task, connections: Sequence[Connection], notes: Notes) -> dict[str, float]:
    """Claims that arrive at random, whether or not earlier ones are answered: times count from the arrival."""
    walk, chance = task.walk(), random.Random(task.seed)  # noqa: S311 a load, no secret
    idle, waiting = deque(connections), deque[tuple[str, float]]()
    pending: set[asyncio.Task[None]] = set()
    late: list[float] = []

    async def serve(connection: Connection, path: str, due: float) -> None:
        late.append((time.perf_counter() - due) * 1000)
        await notes.ask(connection, get(task.url, path), due, "claim", "" if task.any_coin else path)
        if not connection.is_open:
            (connection,) = await connect(task.url, 1)
        if waiting:
            send(connection, *waiting.popleft())
        else:
            idle.append(connection)

    def send(connection: Connection, path: str, due: float) -> None:
        work = asyncio.create_task(serve(connection, path, due))
        pending.add(work)
        work.add_done_callback(pending.discard)

    due = start = time.perf_counter()
    number = 0
    while (due := due + chance.expovariate(task.rate)) < start + task.seconds:
        if (pause := due - time.perf_counter()) > 0:
            await asyncio.sleep(pause)
        path = walk[number % len(walk)]
        number += 1
        # The one that has rested longest, so that all connections are in use.
        if idle:
            send(idle.popleft(), path, due)
        else:
            waiting.append((path, due))
    while pending:
        await asyncio.gather(*pending)
    return {"arrivals/s": number / task.seconds, "generator late by, p99 ms": latencies(late)["p99"]}


async def burst(task: Task, connections: Sequence[Connection], notes: Notes) -> dict[str, float]:
    """A claim on every connection at once; times count from the moment before the first."""
    walk = task.walk()
    requests = [walk[number % len(walk)] for number in range(len(connections))]
    encoded = [get(task.url, path) for path in requests]
    start = time.perf_counter()
    await asyncio.gather(
        *(
            notes.ask(connection, request, start, "claim", "" if task.any_coin else path)
            for connection, request, path in zip(connections, encoded, requests, strict=True)
        )
    )
    return {"seconds to the last answer": time.perf_counter() - start}


async def upload(task: Task, connections: Sequence[Connection], notes: Notes) -> dict[str, float]:
    """Uploads in batches, each by a user of its own: no inventory comes near its cap."""
    return await closed_loop(task, connections, notes, lambda _chance: "upload")


async def mixed(task: Task, connections: Sequence[Connection], notes: Notes) -> dict[str, float]:
    """Claims, counts and uploads together."""
    names, weights = list(OPERATIONS), list(OPERATIONS.values())
    return await closed_loop(
        task, connections, notes, lambda chance: chance.choices(names, weights)[0], walk=task.walk()
    )


async def closed_loop(
    task: Task,
    connections: Sequence[Connection],
    notes: Notes,
    choose: Callable[[random.Random], str],
    walk: Sequence[str] = (),
) -> dict[str, float]:
    """Clients who each ask again as soon as they are answered."""
    chance = random.Random(task.seed)  # noqa: S311 a load, no secret
    number = 0
    deadline = time.perf_counter() + task.seconds

    async def client(connection: Connection) -> None:
        nonlocal number
        while time.perf_counter() < deadline:
            number += 1
            operation, path = choose(chance), walk[number % len(walk)] if walk else ""
            if operation == "upload":
                request = post(task.url, "/v1/coins/upload", make_upload(task.category, task.batch))
            elif operation == "count":
                user = parse_qs(urlsplit(path).query)["target_user_id"][0]
                request = get(task.url, f"/v1/coins/count?user_id={user}")
            else:
                request = get(task.url, path)
            await notes.ask(connection, request, time.perf_counter(), operation, path)
            if not connection.is_open:
                (connection,) = await connect(task.url, 1)

    await asyncio.gather(*(client(connection) for connection in connections))
    return {}


MODES: dict[str, Callable[[Task, Sequence[Connection], Notes], Awaitable[dict[str, float]]]] = {
    "arrivals": arrive,
    "burst": burst,
    "uploads": upload,
    "mixed": mixed,
}


async def drive(task: Task) -> dict[str, Any]:
    """Connect, load, close; returns what Drive makes a Result of."""
    connections = await connect(task.url, task.connections)
    notes = Notes()
    # A pause of ours would look like one of the server's.
    gc.freeze()
    gc.disable()
    start = time.perf_counter()
    more = await MODES[task.mode](task, connections, notes)
    seconds = time.perf_counter() - start
    await close(connections)
    return {
        "seconds": seconds,
        "times": notes.times,
        "faults": notes.faults,
        "keys": notes.keys,
        "uploaded": notes.coins,
        "more": more,
    }


class Drive:
    """This generator as a process. options: of its command line, without --seconds. counts: whose answers and times
    are the result's; others' go beside."""

    max_unread = 0

    def __init__(self, mode: str, url: str, *, counts: str = "claim", **options: object) -> None:
        self.counts = counts
        self.words = [sys.executable, "-m", "bench.drive", mode, url]
        for name, value in options.items():
            self.words += [f"--{name.replace('_', '-')}"] + ([] if value is True else [str(value)])

    def command(self, seconds: int) -> list[str]:
        """The words that start it."""
        return [*self.words, f"--seconds={seconds}"]

    def run(self, seconds: int) -> Result:
        """Load for so many seconds; every answer is waited for. Raises BenchError when it can't."""
        # Into a file: of what came through a pipe, all after 128 kB was missing now and then with 10,000 connections open.
        with tempfile.TemporaryFile("w+") as out:
            ran = subprocess.run(
                self.command(seconds), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.PIPE, text=True, check=False,
                cwd=Path(__file__).parent.parent,
            )  # fmt: skip
            if ran.returncode != 0:
                raise BenchError(ran.stderr.strip().removeprefix("bench.drive: "))
            out.seek(0)
            seen = json.load(out)
        more = dict(seen["more"])
        for operation, times in seen["times"].items():
            if operation != self.counts:
                more[f"{operation}s/s"] = len(times) / seen["seconds"]
                more[f"p99 ms of {operation}s"] = latencies(times)["p99"]
        return Result(
            coins=seen["uploaded"] if self.counts == "upload" else len(seen["keys"]),
            seconds=seen["seconds"],
            faults={name: count for name, count in seen["faults"].items() if count},
            keys=seen["keys"],
            more=more,
            **latencies(seen["times"].get(self.counts, [])),
        )


def main(arguments: Sequence[str]) -> int:
    """The command line; prints JSON and returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.drive",
        description="Load a server and print what was seen, as JSON.",
        epilog="\n".join(f"  {name:9} {run.__doc__}" for name, run in MODES.items()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("mode", choices=MODES)
    parser.add_argument("url", help="of the server, without a path")
    parser.add_argument("--paths", type=Path, help="file of paths to claim from, one a line")
    parser.add_argument("--connections", type=int, default=64, help="kept open (default: 64)")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rate", type=float, default=1000, help="arrivals a second (default: 1000)")
    parser.add_argument("--batch", type=int, default=100, help="coins an upload (default: 100)")
    parser.add_argument("--category", default="GOLD", help="of uploaded coins (default: GOLD)")
    parser.add_argument("--seed", type=int, default=1, help="of what is left to chance (default: 1)")
    parser.add_argument("--any-coin", action="store_true", help="don't look whose coin came")
    task = Task(**vars(parser.parse_args(arguments)))
    try:
        allow_open_files(task.connections)
        sys.stdout.write(json.dumps(uvloop.run(drive(task))))
    except KeyboardInterrupt:
        return 130
    except (BenchError, OSError) as error:
        print(f"bench.drive: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
