"""Clients: senders that claim, devices that upload, and one who does both in turn; each writes down what it saw."""

from __future__ import annotations

import asyncio
import base64
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Protocol
from uuid import UUID

import aiohttp
import orjson
import psycopg

from .coins import Coin, fingerprint
from .records import Received, Recorder

PATIENCE = 4.0
"""Seconds a client waits for an answer before it asks again."""

STOCK = {"BRONZE": (500, 700), "GOLD": (40, 80), "SILVER": (40, 80)}
"""Below how many unclaimed coins of a category a device uploads, and up to how many."""

DEFINITE = {200, 409, 410, 413, 422, 429}
"""Statuses that say whether it happened; after any other a client asks again."""

UPLOAD = """
select coins.upload_coins(%s, array(
    select row(k, c, p, s)::coins.coin_upload
    from unnest(%s::text[], %s::text[], %s::bytea[], %s::bytea[]) with ordinality as u (k, c, p, s, n) order by n))
"""


class Unknown(Exception):
    """Nobody can tell whether it happened; the message is the reason, in a word."""


@dataclass
class Wish:
    """A claim that a client wants answered. unresolved: attempts of which nobody knows what became."""

    request_id: str
    user: str
    category: str
    count: int
    unresolved: int = 0
    is_refused: bool = False


@dataclass
class World:
    """What all clients share. asks_with_id: False for clients that retry without a request id."""

    recipients: list[str]
    asks_with_id: bool = True
    claims: int = 0
    answers: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    hurried: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when even retries must end: then wishes stay open, and the checker says so."""


class Caller(Protocol):
    """A way to the service."""

    async def claim(self, wish: Wish, requester: str) -> tuple[int, list[Received]]: ...

    async def upload(self, user: str, coins: Sequence[Coin]) -> int: ...

    async def count(self, user: str) -> dict[str, int]: ...


class HttpCaller:
    """Over HTTP. aiohttp by itself sends a GET again, once, when a connection it had kept turns out to be dead, as most
    HTTP libraries do: such an attempt is not in the records, and without a request id it costs coins."""

    def __init__(self, session: aiohttp.ClientSession, asks_with_id: bool) -> None:
        self.session = session
        self.asks_with_id = asks_with_id

    async def claim(self, wish: Wish, requester: str) -> tuple[int, list[Received]]:
        """Status and coins. Raises Unknown."""
        headers = {"Idempotency-Key": wish.request_id} if self.asks_with_id else {}
        status, body = await self._ask("GET", claim_path(wish, requester), headers=headers)
        coins = orjson.loads(body)["coins"] if status == 200 else []
        return status, [_received(coin) for coin in coins]

    async def upload(self, user: str, coins: Sequence[Coin]) -> int:
        """Status. Raises Unknown."""
        body = orjson.dumps({"user_id": user, "coins": [coin.json() for coin in coins]})
        headers = {"Content-Type": "application/json"}
        return (await self._ask("POST", "/v1/coins/upload", headers=headers, data=body))[0]

    async def count(self, user: str) -> dict[str, int]:
        """Unclaimed coins by category. Raises Unknown."""
        status, body = await self._ask("GET", f"/v1/coins/count?user_id={user}")
        if status != 200:
            raise Unknown(f"status {status}")
        return {name.upper(): number for name, number in orjson.loads(body).items()}

    async def _ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, data: bytes | None = None
    ) -> tuple[int, bytes]:
        try:
            async with self.session.request(method, path, headers=headers, data=data) as answer:
                body = await answer.read()
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Unknown(type(error).__name__) from error
        if answer.status not in DEFINITE:
            raise Unknown(f"status {answer.status}")
        return answer.status, body


class SqlCaller:
    """The functions themselves, on a session of its own, as a program without the gateway would call them."""

    def __init__(self, dsn: str, asks_with_id: bool) -> None:
        self.dsn = dsn
        self.asks_with_id = asks_with_id
        self.connection: psycopg.AsyncConnection[tuple[Any, ...]] | None = None

    async def claim(self, wish: Wish, requester: str) -> tuple[int, list[Received]]:
        """Status as HTTP would have it, and coins. Raises Unknown."""
        values: list[object] = [UUID(wish.user), UUID(requester), wish.category, wish.count]
        if self.asks_with_id:
            values.append(UUID(wish.request_id))
        marks = ", ".join(["%s"] * len(values))
        rows, status = await self._call(
            f"select key_id, public_key_blob, signature_blob from coins.claim_coins({marks})", values
        )
        return status, [(str(key), fingerprint(bytes(public), bytes(signed))) for key, public, signed in rows]

    async def upload(self, user: str, coins: Sequence[Coin]) -> int:
        """Status as HTTP would have it. Raises Unknown."""
        blobs = [coin.blobs() for coin in coins]
        values = [UUID(user), [c.key for c in coins], [c.category for c in coins], *map(list, zip(*blobs, strict=True))]
        return (await self._call(UPLOAD, values))[1]

    async def count(self, user: str) -> dict[str, int]:
        """Unclaimed coins by category. Raises Unknown."""
        rows, _ = await self._call("select gold, silver, bronze from coins.count_coins(%s)", [UUID(user)])
        return dict(zip(("GOLD", "SILVER", "BRONZE"), map(int, rows[0]), strict=True))

    async def close(self) -> None:
        """End the session."""
        if self.connection:
            await self.connection.close()
            self.connection = None

    async def _call(self, statement: str, values: Sequence[object]) -> tuple[list[tuple[Any, ...]], int]:
        try:
            async with asyncio.timeout(PATIENCE):
                if self.connection is None or self.connection.closed:
                    self.connection = await psycopg.AsyncConnection.connect(self.dsn, autocommit=True)
                cursor = await self.connection.execute(statement.encode(), values, binary=True)
                return await cursor.fetchall(), 200
        except TimeoutError as error:
            # A session whose statement was given up is of no use any more.
            await self.close()
            raise Unknown("TimeoutError") from error
        except psycopg.Error as error:
            status = _status(error.sqlstate)
            if status not in DEFINITE:
                raise Unknown(f"SQLSTATE {error.sqlstate}") from error
            return [], status


class Client:
    """Somebody with one requester id and a file of records."""

    def __init__(self, world: World, caller: Caller, recorder: Recorder, requester: str, chance: random.Random) -> None:
        self.world = world
        self.caller = caller
        self.recorder = recorder
        self.requester = requester
        self.chance = chance
        self.open_wishes: list[Wish] = []

    def wish(self, user: str | None = None) -> Wish:
        """A new wish; one recipient is wanted more than the others."""
        users = self.world.recipients
        chosen = user or (users[0] if self.chance.random() < 0.3 else self.chance.choice(users))
        category = self.chance.choices(["BRONZE", "GOLD", "SILVER"], [18, 1, 1])[0]
        many = self.chance.random() < 0.2
        return Wish(new_id(self.chance), chosen, category, self.chance.randint(2, 5) if many else 1)

    async def settle(self, wish: Wish) -> list[Received]:
        """Ask until there is an answer that says whether it happened; returns the coins.

        A wish that is answered "none" while earlier attempts may still be on their way stays open: an empty answer is
        not remembered, so that the request id must be asked with again, or what such an attempt claims is lost.
        """
        while not self.world.hurried.is_set():
            self.recorder.asks_for(wish.request_id, wish.user, wish.category, wish.count, self.requester)
            try:
                status, coins = await self.caller.claim(wish, self.requester)
            except Unknown as reason:
                wish.unresolved += 1
                await self._failed(wish.request_id, str(reason), wish.unresolved)
                continue
            self.recorder.answered(wish.request_id, status, coins)
            self.world.answers += 1
            self.world.claims += bool(coins)
            if status != 200:
                wish.is_refused = True
                self.world.reasons[f"status {status}"] += 1
            elif not coins and wish.unresolved and self.world.asks_with_id and wish not in self.open_wishes:
                self.open_wishes.append(wish)
            return coins
        return []

    async def send(self) -> None:
        """A sender: claims again and again."""
        while not self.world.stopping.is_set():
            if not await self.settle(self.wish()):
                await asyncio.sleep(0.02)

    async def settle_open_wishes(self) -> None:
        """Ask once more with the ids that were answered "none"; nothing of theirs may be on its way any more.

        What fails meanwhile and is then answered "none" is open again: it wants another such time.
        """
        wishes, self.open_wishes = self.open_wishes, []
        for wish in wishes:
            wish.unresolved = 0
            await self.settle(wish)
            if self.world.hurried.is_set():
                # Time ran out on it: it counts as left, answered or not.
                self.open_wishes.append(wish)

    async def store(self, coins: Sequence[Coin]) -> None:
        """Upload until there is an answer."""
        upload_id = new_id(self.chance)
        for attempt in count(1):
            if self.world.hurried.is_set():
                return
            self.recorder.uploads(upload_id, coins[0].user, coins)
            try:
                status = await self.caller.upload(coins[0].user, coins)
            except Unknown as reason:
                await self._failed(upload_id, str(reason), attempt)
                continue
            self.recorder.answered(upload_id, status)
            self.world.answers += 1
            return

    async def _failed(self, request_id: str, reason: str, attempts: int) -> None:
        """Write it down and wait, the longer the more attempts there were."""
        self.recorder.failed(request_id, reason)
        self.world.reasons[reason] += 1
        await asyncio.sleep(self.chance.uniform(0.02, 0.1) * min(attempts, 10))


class Device:
    """A recipient's device: keeps the stock up. It numbers its coins in the order of its uploads."""

    def __init__(self, client: Client, user: str) -> None:
        self.client = client
        self.user = user
        self.serial = 0

    def mint(self, category: str, count: int) -> list[Coin]:
        """New coins."""
        self.serial += count
        return [Coin(self.user, category, self.serial - count + place) for place in range(count)]

    async def keep_stock(self) -> None:
        """Look again and again, and upload what is missing."""
        client = self.client
        while not client.world.stopping.is_set():
            try:
                counts = await client.caller.count(self.user)
            except Unknown as reason:
                client.world.reasons[str(reason)] += 1
                await asyncio.sleep(0.1)
                continue
            for category, (low, full) in STOCK.items():
                missing = full - counts[category]
                if counts[category] < low:
                    for size in [min(200, missing - begun) for begun in range(0, missing, 200)]:
                        await client.store(self.mint(category, size))
            await asyncio.sleep(client.chance.uniform(0.1, 0.3))

    async def claim_in_order(self) -> None:
        """Be the only one who claims from this recipient: what comes must come in the order of the uploads."""
        client = self.client
        stock = 0
        while not client.world.stopping.is_set():
            wish = client.wish(self.user)
            wish.category = "BRONZE"
            while not client.world.stopping.is_set() and not wish.is_refused:
                # Sometimes before it is needed, sometimes only when nothing is left.
                if stock <= 0 or (stock < 100 and client.chance.random() < 0.1):
                    coins = self.mint("BRONZE", client.chance.randint(5, 60))
                    await client.store(coins)
                    stock += len(coins)
                received = await client.settle(wish)
                stock = stock - len(received) if received else 0
                if received:
                    break


def claim_path(wish: Wish, requester: str) -> str:
    """Path and query of a claim."""
    return (
        f"/v1/coins/fetch?target_user_id={wish.user}&requester_id={requester}"
        f"&coin_category={wish.category}&count={wish.count}"
    )


def new_id(chance: random.Random) -> str:
    """A UUID that the seed gives."""
    return str(UUID(int=chance.getrandbits(128), version=4))


def _received(coin: dict[str, str]) -> Received:
    public_key, signature = (base64.b64decode(coin[name]) for name in ("public_key_b64", "signature_b64"))
    return coin["key_id"], fingerprint(public_key, signature)


def _status(sqlstate: str | None) -> int:
    if sqlstate and sqlstate.startswith("PT"):
        return int(sqlstate[2:])
    return 422 if sqlstate == "22023" else 503
