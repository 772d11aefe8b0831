"""Data keys are rotated while people log in at two gateways that are restarted one by one: no login fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import aiohttp
import pytest

from conftest import Database, RunningGateway, free_port, started_gateway

PEOPLE = 6
PASSWORD = "correct horse"
KEYS = {1: "a1" * 32, 2: "b2" * 32}


def key_file(path: Path, versions: list[int]) -> None:
    """A file with these versions of both keys."""
    path.write_text(
        "".join(f"{kind} {number} {KEYS[number]}\n" for number in versions for kind in ("encryption", "index"))
    )


class Gateways:
    """Two gateways on ports that stay."""

    def __init__(self, dsn: str, folder: Path) -> None:
        self.dsn = dsn
        self.folder = folder
        self.ports = [free_port(), free_port()]
        self.running: list[RunningGateway | None] = [None, None]
        self.stack = ExitStack()

    def start(self, number: int) -> None:
        self.running[number] = self.stack.enter_context(
            started_gateway(
                self.dsn, self.folder, AQM_PORT=str(self.ports[number]), AQM_DATA_KEYS_FILE=str(self.folder / "keys"),
                AQM_AUTH="jwt", AQM_POOL_WAIT="20",
            )
        )  # fmt: skip

    async def restart(self) -> None:
        """One after the other, as an operator does."""
        for number, gateway in enumerate(self.running):
            assert gateway
            assert await asyncio.to_thread(gateway.stop) == 0
            await asyncio.to_thread(self.start, number)


@contextmanager
def two_gateways(dsn: str, folder: Path) -> Iterator[Gateways]:
    made = Gateways(dsn, folder)
    with made.stack:
        for number in range(2):
            made.start(number)
        yield made


class Person:
    """Who logs in again and again, at whichever gateway lets connect."""

    def __init__(self, email: str, ports: list[int]) -> None:
        self.email = email
        self.ports = ports
        self.logins = 0
        self.faults: list[str] = []

    async def run(self, stopping: asyncio.Event) -> None:
        body = {"email": self.email, "password": PASSWORD}
        turn = 0
        while not stopping.is_set():
            turn += 1
            # A connection for each try: whoever stops accepts none, and answers those that it has.
            async with aiohttp.ClientSession() as http:
                try:
                    url = f"http://127.0.0.1:{self.ports[turn % 2]}/auth/login"
                    async with http.post(url, json=body) as answer:
                        said = await answer.json()
                        if answer.status == 200:
                            self.logins += 1
                        else:
                            self.faults.append(f"{answer.status} {said}")
                except aiohttp.ClientConnectionError:
                    # Refused, or accepted by the system and by nobody else: a client goes to the other gateway.
                    await asyncio.sleep(0.01)


async def until_all_logged_in(people: list[Person]) -> None:
    goals = [person.logins + 2 for person in people]
    deadline = time.monotonic() + 60
    while any(person.logins < goal and not person.faults for person, goal in zip(people, goals, strict=True)):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.05)


def by_hand(database: Database, versions: list[int], statement: str) -> Callable[[], object]:
    """What a DBA's session with these keys gets."""

    def run() -> object:
        with database.connect() as connection:
            for kind in ("encryption", "index"):
                keys = ",".join(f"{number}:{KEYS[number]}" for number in versions)
                connection.execute("select set_config(%s, %s, false)", [f"aqm.{kind}_keys", keys])
            row = connection.execute(statement.encode()).fetchone()
            return row[0] if row else None

    return run


async def test_no_login_fails_while_keys_are_rotated(database: Database, tmp_path: Path) -> None:
    key_file(tmp_path / "keys", [1])
    with two_gateways(database.dsn, tmp_path) as gateways:
        people = [Person(f"person{number}@example.org", gateways.ports) for number in range(PEOPLE)]
        async with aiohttp.ClientSession(f"http://127.0.0.1:{gateways.ports[0]}") as http:
            for person in people:
                async with http.post("/users", json={"email": person.email, "password": PASSWORD}) as answer:
                    assert answer.status == 200
        stopping = asyncio.Event()
        running = [asyncio.create_task(person.run(stopping)) for person in people]
        try:
            await until_all_logged_in(people)
            key_file(tmp_path / "keys", [1, 2])
            await gateways.restart()
            for kind in ("index", "encryption"):
                use = f"select auth.use_data_key('{kind}', 2)"
                await asyncio.to_thread(by_hand(database, [1, 2], use))
                await until_all_logged_in(people)
                rotate = by_hand(database, [1, 2], "select auth.rotate_keys(2)")
                left, deadline = -1, time.monotonic() + 60
                while left != 0 or database.value(f"select count(*) from auth.users where {kind}_version = 1"):
                    left = int(str(await asyncio.to_thread(rotate)))
                    assert time.monotonic() < deadline
                forget = f"select auth.forget_data_key('{kind}', 1)"
                await asyncio.to_thread(by_hand(database, [1, 2], forget))
                await until_all_logged_in(people)
            key_file(tmp_path / "keys", [2])
            await gateways.restart()
            await until_all_logged_in(people)
        finally:
            stopping.set()
            await asyncio.gather(*running)
    assert [person.faults for person in people] == [[]] * PEOPLE
    assert sum(person.logins for person in people) >= 10 * PEOPLE
    assert by_hand(database, [2], "select count(email) from auth.list_users()")() == PEOPLE
    with pytest.raises(Exception, match="the encryption key 2 is missing"):
        by_hand(database, [1], "select count(email) from auth.list_users()")()
