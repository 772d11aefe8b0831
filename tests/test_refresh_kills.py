"""Answers to refreshes that are lost, between commit and answer and anywhere else: nobody is logged out by it.

REFRESH_KILLS=200 for the long form, FAULT_SEED to repeat a run.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from tests.faults.installation import Installation, installed, until
from tests.faults.proxy import Point, Proxy

CLIENTS = 8
PASSWORD = "correct horse"
KILLS = int(os.environ.get("REFRESH_KILLS", "12"))
PATIENCE = 9.0
"""Seconds in which a client must have an answer: after 10 its token is one that was used."""


@dataclass
class Client:
    """Who refreshes again and again, and shows the same token again when no answer comes."""

    email: str
    token: str = ""
    refreshed: int = 0
    lost: int = 0
    late: int = 0
    unanswered_logins: int = 0
    fault: str = ""

    async def login(self, http: aiohttp.ClientSession) -> None:
        """Begin a session."""
        async with http.post("/auth/login", json={"email": self.email, "password": PASSWORD}) as answer:
            assert answer.status == 200, await answer.text()
            self.token = (await answer.json())["refresh_token"]

    async def refresh(self, url: str) -> None:
        """Exchange the token, with as many tries as it takes."""
        async with asyncio.timeout(PATIENCE):
            while True:
                # A connection of its own, as after a pause: a pooled one may be dead already.
                async with aiohttp.ClientSession(url, timeout=aiohttp.ClientTimeout(total=3)) as http:
                    try:
                        async with http.post("/auth/refresh", json={"refresh_token": self.token}) as answer:
                            body = await answer.json()
                            if answer.status == 200:
                                self.token = body["refresh_token"]
                                self.refreshed += 1
                                return
                            if answer.status != 503:
                                self.fault = f"{answer.status} {body}"
                                return
                    except (aiohttp.ClientError, TimeoutError, ValueError):
                        pass
                self.lost += 1
                await asyncio.sleep(0.05)

    async def login_again(self, url: str) -> None:
        """Begin a session, with as many tries as it takes."""
        while True:
            with contextlib.suppress(aiohttp.ClientError, TimeoutError, ValueError, AssertionError):
                async with aiohttp.ClientSession(url, timeout=aiohttp.ClientTimeout(total=3)) as http:
                    return await self.login(http)
            self.unanswered_logins += 1
            await asyncio.sleep(0.1)

    async def run(self, url: str, stopping: asyncio.Event) -> None:
        while not stopping.is_set() and not self.fault:
            try:
                await self.refresh(url)
            except TimeoutError:
                # A server that is away for longer than the leeway logs everybody out, as it may.
                self.late += 1
                await self.login_again(url)


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that the server's user can reach."""
    made = Path(tempfile.mkdtemp(prefix="aqm-refresh-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture
async def installation(home: Path) -> AsyncIterator[Installation]:
    async with installed(home, say=print, gateway_settings={"AQM_AUTH": "jwt"}) as made:
        made.http_proxy.is_question = lambda data: data.startswith(b"POST /auth/refresh")
        yield made


async def hit(installation: Installation, kind: str, chance: random.Random) -> None:
    """Inflict a fault and wait until it was felt."""

    async def cut(proxy: Proxy, point: Point) -> None:
        goal = proxy.done[point] + 1
        proxy.ordered.append(point)
        await until(lambda: proxy.done[point] >= goal, f"a connection was cut {point}")

    match kind:
        case "answer":
            await cut(installation.http_proxy, Point.AFTER_COMMIT)
        case "half an answer":
            await cut(installation.http_proxy, Point.MID_ANSWER)
        case "the database's answer":
            await cut(installation.database_proxy, Point.AFTER_COMMIT)
        case "gateway":
            os.kill(chance.choice(installation.gateways).process.pid, signal.SIGKILL)
        case "backend":
            if pids := await installation.backends():
                os.kill(pids[0], signal.SIGKILL)
        case "postmaster":
            os.kill(installation.postmaster(), signal.SIGKILL)


async def test_nobody_is_logged_out_by_an_answer_that_was_lost(installation: Installation) -> None:
    seed = int(os.environ.get("FAULT_SEED") or random.SystemRandom().randrange(10**6))
    print(f"FAULT_SEED={seed}")
    chance = random.Random(seed)
    clients = [Client(f"person-{number}@example.org") for number in range(CLIENTS)]
    async with aiohttp.ClientSession(installation.url) as http:
        for client in clients:
            person = {"email": client.email, "password": PASSWORD}
            assert (await http.post("/users", json=person)).status == 200
            await client.login(http)
    stopping = asyncio.Event()
    running = [asyncio.create_task(client.run(installation.url, stopping)) for client in clients]
    kinds = ["answer", "the database's answer", "half an answer", "gateway", "backend", "postmaster"]
    try:
        for number in range(KILLS):
            before = sum(client.refreshed for client in clients)
            await hit(installation, kinds[number % len(kinds)], chance)
            await until(
                lambda goal=before + CLIENTS: (  # type: ignore[misc]
                    sum(client.refreshed for client in clients) >= goal or any(client.fault for client in clients)
                ),
                "refreshes go on",
            )
    finally:
        stopping.set()
        await asyncio.gather(*running)
    assert [client.fault for client in clients if client.fault] == [], f"FAULT_SEED={seed}"
    assert sum(client.lost for client in clients) >= KILLS // 2, "the faults were felt"
    late = sum(client.late for client in clients)
    assert late <= CLIENTS * KILLS // 6, "most outages are shorter than the leeway, or nothing was tested"
    print(
        f"{sum(client.refreshed for client in clients)} refreshes, {sum(client.lost for client in clients)} lost, {late} late"
    )
    # Each late one has a session more, and perhaps one of each login whose answer was lost.
    ((sessions,),) = await installation.query("select count(*) from auth.sessions where is_active")
    assert 0 <= sessions - CLIENTS - late <= sum(client.unanswered_logins for client in clients)
    assert await installation.query("select count(*) from auth.audit_logs where action = 'session.token_reused'") == [
        (0,)
    ]
