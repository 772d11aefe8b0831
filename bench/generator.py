"""The built-in load generator: slower than wrk, but it waits for every answer and knows what it asked for."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import cycle

import aiohttp
import orjson
import uvloop
from yarl import URL

from .results import Result, percentile
from .stock import owner_of


class BuiltIn:
    """Clients in this process.

    url: of the server. paths: to walk over. looks_at_coins: whether a coin must be of the recipient and the category
    that were asked for.
    """

    max_unread = 0

    def __init__(self, url: str, paths: Sequence[str], clients: int, looks_at_coins: bool = True) -> None:
        self.looks_at_coins = looks_at_coins
        self.urls = [URL(url + path, encoded=True) for path in paths]
        self.clients = clients
        self.url = url

    def command(self, seconds: int) -> list[str]:
        """It is no command of its own: what it does, in words."""
        return ["built-in", "generator:", f"{self.clients} clients for {seconds} s against {self.url}"]

    def run(self, seconds: int) -> Result:
        """Load for so many seconds, then wait for what is on its way."""
        return uvloop.run(self._run(seconds))

    async def _run(self, seconds: int) -> Result:
        walk = cycle(self.urls)
        times: list[float] = []
        keys: list[str] = []
        faults: Counter[str] = Counter()
        started = time.perf_counter()
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=10)
        ) as session:
            clients = [self._client(session, walk, started + seconds, times, keys, faults) for _ in range(self.clients)]
            await asyncio.gather(*clients)
        elapsed = time.perf_counter() - started
        times.sort()
        p50, p95, p99 = (percentile(times, percent) * 1000 for percent in (50, 95, 99))
        return Result(coins=len(keys), seconds=elapsed, p50=p50, p95=p95, p99=p99, faults=faults, keys=keys)

    async def _client(
        self,
        session: aiohttp.ClientSession,
        walk: Iterator[URL],
        deadline: float,
        times: list[float],
        keys: list[str],
        faults: Counter[str],
    ) -> None:
        while (began := time.perf_counter()) < deadline:
            url = next(walk)
            try:
                async with session.get(url) as answer:
                    body = await answer.read()
            except (aiohttp.ClientError, TimeoutError) as error:
                faults[f"socket {type(error).__name__}"] += 1
                # A server that is gone refuses at once: no need to ask it a million times.
                await asyncio.sleep(0.1)
                continue
            times.append(time.perf_counter() - began)
            if answer.status != 200:
                faults[f"status {answer.status}"] += 1
                continue
            coins = orjson.loads(body)["coins"]
            if not coins:
                faults["empty answer"] += 1
            if len(coins) > 1:
                faults["more coins than asked for"] += 1
            for coin in coins:
                keys.append(coin["key_id"])
                if self.looks_at_coins and str(owner_of(coin["key_id"])) != url.query["target_user_id"]:
                    faults["coin of another recipient"] += 1
                if self.looks_at_coins and coin["coin_category"] != url.query["coin_category"]:
                    faults["coin of another category"] += 1
