"""The faults, one function each; a plan says how many of which."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg

from db.cluster import is_alive

from .clients import Client, claim_path, new_id
from .coins import Coin
from .installation import POOL, Installation, until
from .proxy import Point, Proxy


@dataclass
class Scene:
    """What a fault works on. visitor: a client of the faults' own. longest_stop: seconds of a SIGSTOP at most."""

    installation: Installation
    chance: random.Random
    visitor: Client
    longest_stop: float
    felt: Counter[str] = field(default_factory=Counter)
    """What the faults themselves have to tell, by name: coins purged, points of hanging up."""


Fault = Callable[[Scene], Awaitable[None]]


async def kill_backend(scene: Scene) -> None:
    """kill -9 of a session's process; the postmaster then restarts all of the server."""
    while True:
        with contextlib.suppress(ProcessLookupError):
            os.kill(await _a_backend(scene), signal.SIGKILL)
            return


async def terminate_backend(scene: Scene) -> None:
    """pg_terminate_backend() of a session, one at work when there is one."""
    while True:
        ended = await scene.installation.query("select pg_terminate_backend(%s, 5000)", [await _a_backend(scene)])
        if ended == [(True,)]:
            return


async def kill_postmaster(scene: Scene) -> None:
    """kill -9 of the postmaster; it is started again."""
    os.kill(await _living_postmaster(scene), signal.SIGKILL)


async def kill_gateway(scene: Scene) -> None:
    """kill -9 of a gateway; it is started again."""
    gateway = scene.chance.choice(scene.installation.gateways)
    await until(lambda: gateway.process.poll() is None, "the gateway lives")
    gateway.process.kill()


async def kill_everything(scene: Scene) -> None:
    """kill -9 of the postmaster and all gateways at once."""
    os.kill(await _living_postmaster(scene), signal.SIGKILL)
    for gateway in scene.installation.gateways:
        gateway.process.kill()


async def stop_gateway(scene: Scene) -> None:
    """SIGSTOP of a gateway for a while."""
    await _stop_for_a_while(scene, scene.chance.choice(scene.installation.gateways).process.pid)


async def stop_backend(scene: Scene) -> None:
    """SIGSTOP of a session's process for a while, one at work when there is one."""
    await _stop_for_a_while(scene, await _a_backend(scene))


async def stop_postmaster(scene: Scene) -> None:
    """SIGSTOP of the postmaster for a while: no new session meanwhile."""
    await _stop_for_a_while(scene, await _living_postmaster(scene))


async def exhaust_pool(scene: Scene) -> None:
    """50 times as many calls at once as the gateway has connections, while a lock holds all of them up."""
    client, installation = scene.visitor, scene.installation

    async def upload() -> None:
        await client.store([Coin(new_id(scene.chance), "BRONZE", 0)])

    async def claim() -> None:
        await client.settle(client.wish())

    async def lock() -> psycopg.AsyncConnection[Any]:
        connection = await installation.connect()
        await connection.execute("begin; lock table coins.coin_inventory in share mode")
        return connection

    async with await installation.patiently(lock):
        calls = [asyncio.create_task(upload() if place % 2 else claim()) for place in range(50 * POOL)]
        await asyncio.sleep(scene.chance.uniform(1, 3))
    await asyncio.gather(*calls)


async def hang_up(scene: Scene) -> None:
    """A client that goes away at 20 points: after each tenth of its question, and of the answer."""
    client, installation = scene.visitor, scene.installation
    for point in range(20):
        wish = client.wish()
        client.recorder.asks_for(wish.request_id, wish.user, wish.category, wish.count, client.requester)
        wish.unresolved += 1
        head = f"GET {claim_path(wish, client.requester)} HTTP/1.1\r\nHost: faults\r\nContent-Length: 0\r\n"
        if client.world.asks_with_id:
            head += f"Idempotency-Key: {wish.request_id}\r\n"
        question = f"{head}\r\n".encode()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(5):
                reader, writer = await asyncio.open_connection("127.0.0.1", int(installation.url.rpartition(":")[2]))
                writer.write(question if point >= 10 else question[: len(question) * point // 10])
                await writer.drain()
                if point > 10:
                    # An answer with one coin has about 600 bytes.
                    await reader.read((point - 10) * 60)
                writer.close()
        client.recorder.failed(wish.request_id, f"hung up at point {point}")
        scene.felt["points of hanging up"] += 1
        await client.settle(wish)


async def purge(scene: Scene) -> None:
    """purge_stale() while claims go on over the same coins: some of them are made to look old first."""
    installation, user = scene.installation, scene.chance.choice(scene.visitor.world.recipients)
    await installation.query(
        "update coins.coin_inventory set uploaded_at = uploaded_at - interval '40 days'"
        " where ctid = any(array(select ctid from coins.coin_inventory"
        " where user_id = %s and fetched_by is null order by record_id limit 50 for update skip locked))",
        [UUID(user)],
    )
    rows = await installation.query("select coins.purge_stale(30, 100)")
    scene.felt["coins purged"] += int(rows[0][0])


async def hard_delete(scene: Scene) -> None:
    """hard_delete_fetched() of the older half of all claims, while claims go on."""
    installation = scene.installation
    rows = await installation.query(
        "select coins.hard_delete_fetched(0, greatest(1, count(*)::integer / 2))"
        " from coins.coin_inventory where fetched_by is not null"
    )
    scene.felt["coins hard-deleted"] += int(rows[0][0])


def cut(point: Point, side: Callable[[Installation], Proxy]) -> Fault:
    """A cut of the connection of the next question on one side of the gateway."""

    async def cut_it(scene: Scene) -> None:
        proxy = side(scene.installation)
        proxy.ordered.append(point)
        goal = proxy.done[point] + 1
        await until(lambda: proxy.done[point] >= goal, f"a connection was cut {point}")

    return cut_it


FAULTS: dict[str, Fault] = {
    "terminate-backend": terminate_backend,
    "kill-backend": kill_backend,
    "kill-postmaster": kill_postmaster,
    "kill-gateway": kill_gateway,
    "kill-everything": kill_everything,
    "stop-gateway": stop_gateway,
    "stop-backend": stop_backend,
    "stop-postmaster": stop_postmaster,
    "pool": exhaust_pool,
    "hang-up": hang_up,
    "purge": purge,
    "hard-delete": hard_delete,
    **{f"cut-{point}": cut(point, lambda installation: installation.http_proxy) for point in Point},
    **{f"database-cut-{point}": cut(point, lambda installation: installation.database_proxy) for point in Point},
}
"""By name; cut-… is between client and gateway, database-cut-… between gateway and PostgreSQL."""


async def _a_backend(scene: Scene) -> int:
    """A session's process, one at work when there is one."""
    while not (backends := await scene.installation.backends()):
        await asyncio.sleep(0.02)
    return backends[0]


async def _living_postmaster(scene: Scene) -> int:
    """The postmaster, once it runs: a killed one's number stays in its file, and its sessions answer for a moment."""
    installation = scene.installation
    await until(lambda: is_alive(installation.postmaster()), "the postmaster lives")
    return installation.postmaster()


async def _stop_for_a_while(scene: Scene, pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(scene.chance.uniform(0.3, 1) * scene.longest_stop)
        finally:
            os.kill(pid, signal.SIGCONT)
