"""kill -9 of the gateway and of PostgreSQL under load, judged from the clients' own records.

Nothing that was answered is lost, no coin is given twice, and everything comes back with the same commands.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import psycopg
import pytest

from conftest import ROOT, free_port, is_healthy, make_coin, to_json, wait_until

CLIENTS = 8


@dataclass
class Records:
    """What the clients saw: coins whose upload was answered, coins that were answered to a sender."""

    recipients: list[uuid.UUID] = field(default_factory=lambda: [uuid.uuid4() for _ in range(4)])
    uploaded: set[tuple[str, str]] = field(default_factory=set)
    claimed: list[tuple[str, str]] = field(default_factory=list)
    answers: int = 0
    failures: int = 0


@dataclass
class Installation:
    """A whole AQM as `./aqm run` makes it, durable, in a folder of its own."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "AQM_DATA_DIR": str(self.folder), "AQM_PORT": str(self.port), "AQM_RATE_LIMIT": "off", "AQM_LOG_REQUESTS": "off",
        }  # fmt: skip

    def run(self) -> None:
        with (self.folder / "output").open("ab") as output:
            self.process = subprocess.Popen([ROOT / "aqm", "run"], env=self.environment, stdout=output, stderr=output)
        try:
            wait_until(lambda: is_healthy(self.url), seconds=60, what="./aqm run answers")
        except AssertionError as error:
            raise AssertionError((self.folder / "output").read_text()[-5000:]) from error

    def psql(self, statement: str) -> list[list[str]]:
        ran = subprocess.run(
            [ROOT / "aqm", "psql", "-XAt", "-c", statement],
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return [line.split("|") for line in ran.stdout.splitlines()]

    def pid_of(self, what: str) -> int:
        """The process of the gateway, or of the postmaster."""
        if what == "postmaster":
            return int((self.folder / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                is_gateway = (process / "cmdline").read_bytes().endswith(b"\0-m\0gateway\0")
                if is_gateway and f"AQM_PORT={self.port}\0".encode() in (process / "environ").read_bytes():
                    return int(process.name)
        raise AssertionError("no gateway runs")

    def stop(self) -> int:
        subprocess.run([ROOT / "aqm", "stop"], env=self.environment, check=True, capture_output=True)
        assert self.process
        return self.process.wait(timeout=60)


@pytest.fixture
def installation() -> Iterator[Installation]:
    folder = Path(tempfile.mkdtemp(prefix="aqm-crash-"))
    folder.chmod(0o755)
    made = Installation(folder)
    try:
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder)


async def client(number: int, seed: int, url: str, records: Records, stopping: asyncio.Event) -> None:
    """Uploads and claims, and writes down what was answered; a failure is tried again by going on."""
    chance = random.Random(seed * 1000 + number)
    serial = 0
    async with aiohttp.ClientSession(url, timeout=aiohttp.ClientTimeout(total=20)) as http:
        while not stopping.is_set():
            recipient = str(chance.choice(records.recipients))
            try:
                if chance.random() < 0.4:
                    coins = [make_coin(f"{number}-{serial + place}") for place in range(5)]
                    serial += 5
                    async with http.post(
                        "/v1/coins/upload", json={"user_id": recipient, "coins": [to_json(c) for c in coins]}
                    ) as answer:
                        if answer.status == 200:
                            assert json.loads(await answer.text()) == {"inserted": 5}
                            records.uploaded |= {(recipient, coin[0]) for coin in coins}
                else:
                    question = {
                        "target_user_id": recipient, "requester_id": str(uuid.UUID(int=number + 1)),
                        "coin_category": "BRONZE", "count": str(chance.randint(1, 3)),
                    }  # fmt: skip
                    async with http.get("/v1/coins/fetch", params=question) as answer:
                        if answer.status == 200:
                            records.claimed += [(recipient, coin["key_id"]) for coin in (await answer.json())["coins"]]
                assert answer.status in (200, 503), await answer.text()
                records.answers += answer.status == 200
                records.failures += answer.status == 503
            except (aiohttp.ClientError, TimeoutError):
                records.failures += 1
                await asyncio.sleep(0.05)


@asynccontextmanager
async def load(seed: int, url: str, records: Records) -> AsyncIterator[None]:
    stopping = asyncio.Event()
    clients = [asyncio.create_task(client(number, seed, url, records, stopping)) for number in range(CLIENTS)]
    try:
        yield
    finally:
        stopping.set()
        await asyncio.gather(*clients)


async def until_answers(records: Records, more: int) -> None:
    """Wait until so many more requests were answered well."""
    goal = records.answers + more
    deadline = time.monotonic() + 60
    while records.answers < goal:
        assert time.monotonic() < deadline, "the service did not come back"
        await asyncio.sleep(0.02)


async def test_nothing_answered_is_lost_or_given_twice_through_kill_9(installation: Installation) -> None:
    seed = int(os.environ.get("FAULT_SEED") or random.SystemRandom().randrange(10**6))
    print(f"FAULT_SEED={seed}")
    chance = random.Random(seed)
    records = Records()
    installation.run()
    assert installation.psql("select setting from pg_settings where name in ('fsync', 'synchronous_commit')") == [
        ["on"],
        ["on"],
    ]
    async with load(seed, installation.url, records):
        for _ in range(3):
            await until_answers(records, chance.randint(50, 150))
            os.kill(installation.pid_of("postmaster"), signal.SIGKILL)
            # ./aqm run notices and starts it again; the gateway reconnects.
            await until_answers(records, 50)
        for _ in range(2):
            await until_answers(records, chance.randint(50, 150))
            os.kill(installation.pid_of("gateway"), signal.SIGKILL)
            assert installation.process
            assert await asyncio.to_thread(installation.process.wait, 60) != 0
            await asyncio.to_thread(installation.run)
            await until_answers(records, 50)
        # Everything at once, as when the power fails.
        os.kill(installation.pid_of("postmaster"), signal.SIGKILL)
        os.kill(installation.pid_of("gateway"), signal.SIGKILL)
        assert installation.process
        installation.process.kill()
        installation.process.wait()
        await asyncio.to_thread(installation.run)
        await until_answers(records, 50)
    assert records.failures > 0, "the faults were felt"
    assert len(records.claimed) > 100

    twice = {coin for coin in records.claimed if records.claimed.count(coin) > 1}
    assert not twice, f"given twice (FAULT_SEED={seed})"
    stored = {
        (user, key): fetched
        for user, key, fetched in installation.psql(
            "select user_id, key_id, fetched_by is not null from coins.coin_inventory"
        )
    }
    assert records.uploaded <= stored.keys(), f"an upload that was answered is gone (FAULT_SEED={seed})"
    unmarked = [coin for coin in records.claimed if stored.get(coin) != "t"]
    assert not unmarked, f"a claim that was answered is not in the database (FAULT_SEED={seed})"


async def test_stop_and_run_again_keeps_everything(installation: Installation) -> None:
    installation.run()
    user = str(uuid.uuid4())
    async with (
        aiohttp.ClientSession(installation.url) as http,
        http.post("/v1/coins/upload", json={"user_id": user, "coins": [to_json(make_coin("kept"))]}) as answer,
    ):
        assert answer.status == 200
    assert installation.stop() == 0
    assert not is_healthy(installation.url)
    assert not (installation.folder / "postgres" / "data" / "postmaster.pid").exists(), "the server is stopped as well"
    installation.run()
    assert installation.psql("select key_id from coins.coin_inventory") == [["kept"]]


async def test_a_second_run_on_one_folder_is_refused(installation: Installation) -> None:
    installation.run()
    again = subprocess.run(
        [ROOT / "aqm", "run"], env=installation.environment, capture_output=True, text=True, check=False
    )
    assert again.returncode != 0
    assert "already running" in again.stderr
    assert is_healthy(installation.url)


async def test_ctrl_c_stops_cleanly(installation: Installation) -> None:
    installation.run()
    assert installation.process
    # As a terminal does: to the whole group. Here the gateway and its supervisor.
    os.kill(installation.pid_of("gateway"), signal.SIGINT)
    installation.process.send_signal(signal.SIGINT)
    assert await asyncio.to_thread(installation.process.wait, 60) == 0
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(f"host={installation.folder}/postgres/run user=postgres dbname=aqm")
    assert "Traceback" not in (installation.folder / "output").read_text()
    installation.run()
