"""Costly calls have a share of the machine, whoever makes them."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from itertools import pairwise

import aiohttp
import pytest

from conftest import Database, RunningGateway
from gateway.budget import Budget
from gateway.problems import Problem


async def test_a_place_rests_until_its_share_is_paid_off() -> None:
    budget = Budget(0.25, patience=10)
    began = []
    for _ in range(3):
        async with budget.turn():
            began.append(time.monotonic())
            await asyncio.sleep(0.05)
    assert all(later - earlier > 0.19 for earlier, later in pairwise(began))


async def test_as_many_run_at_once_as_there_are_cores() -> None:
    budget = Budget(3, patience=10)
    running = most = 0

    async def call() -> None:
        nonlocal running, most
        async with budget.turn():
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.02)
            running -= 1

    await asyncio.gather(*(call() for _ in range(20)))
    assert most == 3


async def test_who_waits_too_long_is_told_to_come_again() -> None:
    budget = Budget(1, patience=0.05)
    async with budget.turn():
        with pytest.raises(Problem) as refused:
            async with budget.turn():
                pass
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (503, "1")
    async with budget.turn():
        pass


async def test_a_call_that_fails_gives_its_place_back() -> None:
    budget = Budget(1, patience=1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            async with budget.turn():
                _ = 1 / 0


async def test_logins_wait_for_each_other_and_nothing_else_waits_for_them(
    database: Database, run_gateway: Callable[..., RunningGateway], bob: uuid.UUID
) -> None:
    """Ten thousand times too little for a password: the first login runs, the second is refused, a count is answered."""
    gateway = run_gateway(database.dsn, AQM_COSTLY_CORES="0.01", AQM_POOL_WAIT="0.5")
    async with aiohttp.ClientSession(gateway.url) as http:
        nobody = {"email": "nobody@example.org", "password": "wrong horse"}
        assert (await http.post("/auth/login", json=nobody)).status == 401
        assert (await http.post("/auth/login", json=nobody)).status == 503
        assert (await http.get("/v1/coins/count", params={"user_id": str(bob)})).status == 200
