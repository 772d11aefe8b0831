"""One drill: back a running server up, go on, lose it, restore the backup, fence it, and go on with that.

What was issued between the backup and the loss is known to nobody but the senders and their records.
"""

from __future__ import annotations

import asyncio
import math
import random
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from conftest import UPLOAD, Coin, make_coins, upload_arguments
from db.cluster import Cluster, as_server_user, find_binaries
from db.migrate import Migrator
from tests.records import Records
from tests.throw_away import throw_away_cluster, throw_away_folder

Connection = psycopg.AsyncConnection[Any]

CLAIM = "select * from coins.claim_coins(%s, %s, 'BRONZE', %s, %s)"
UPLOAD_WITH_EPOCH = UPLOAD.rstrip().removesuffix(")") + ", %s)"
FENCE = "select ops.fence_coins()"
RECIPIENTS = 6
SENDERS = 4
STOCK = 60
CLAIMS_AFTER_BACKUP = 60


@dataclass
class Device:
    """A recipient's device: its coins, and the epoch that it was last told."""

    user_id: uuid.UUID
    epoch: int
    minted: list[Coin] = field(default_factory=list, repr=False)

    def mint(self, count: int) -> list[Coin]:
        coins = make_coins(count, prefix=f"key-{len(self.minted)}")
        self.minted += coins
        return coins


@dataclass
class Drill:
    """One drill's people and their records."""

    chance: random.Random
    devices: list[Device]
    records: Records = field(default_factory=Records)
    claims: int = 0
    last_claim: float = math.inf

    async def upload(self, connection: Connection, device: Device, coins: list[Coin], epoch: int | None) -> str:
        """Upload; returns the SQLSTATE of a refusal, or nothing."""
        try:
            await connection.execute(UPLOAD_WITH_EPOCH, [*upload_arguments(device.user_id, coins), epoch])
        except psycopg.Error as error:
            return error.sqlstate or "lost"
        return ""

    async def claim(self, connection: Connection, device: Device, count: int, request_id: uuid.UUID | None) -> int:
        """Claim, and write down what came; returns how many coins that were."""
        sender = uuid.uuid4()
        cursor = await connection.execute(CLAIM, [device.user_id, sender, count, request_id])
        coins = await cursor.fetchall()
        self.records.receive(device.user_id, sender, coins)
        self.claims += 1
        return len(coins)

    async def send(self, dsn: str) -> None:
        """A sender on a connection of its own: claims until the server is lost, and devices upload now and then."""
        async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
            while self.claims < self.last_claim:
                device = self.chance.choice(self.devices)
                request_id = self.chance.choice([None, uuid.uuid4()])
                await self.claim(connection, device, self.chance.randint(1, 2), request_id)
                if self.chance.random() < 0.2:
                    assert not await self.upload(connection, device, device.mint(6), device.epoch)
                await asyncio.sleep(0.005)


@contextmanager
def primary() -> Iterator[Cluster]:
    """A running server that lets base backups be taken."""
    with throw_away_folder() as folder, throw_away_cluster(folder / "primary") as cluster:
        with (cluster.data / "pg_hba.conf").open("a") as rules:
            rules.write("local replication all trust\n")
        with psycopg.connect(cluster.dsn(), autocommit=True) as connection:
            connection.execute("select pg_reload_conf()")
        Migrator(cluster.dsn(), say=lambda _line: None).apply()
        yield cluster


async def back_up(cluster: Cluster, target: Path) -> None:
    """A base backup of a running server, with the WAL that makes it whole."""
    program = find_binaries((cluster.data / "PG_VERSION").read_text().strip()) / "pg_basebackup"
    arguments = ["-D", str(target), "-d", cluster.dsn("postgres"), "-X", "stream", "-c", "fast", "--no-sync"]
    # In a thread: a Ctrl-C in the middle would leave asyncio's own subprocess complaining of a closed loop.
    ran = await asyncio.to_thread(
        subprocess.run, as_server_user([str(program), *arguments]), cwd="/", capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr


async def before_the_loss(drill: Drill, cluster: Cluster, backup: Path) -> None:
    """Devices upload and senders claim, and the backup is taken while they do; then they go on for a while."""
    async with await psycopg.AsyncConnection.connect(cluster.dsn(), autocommit=True) as connection:
        for device in drill.devices:
            assert not await drill.upload(connection, device, device.mint(STOCK), device.epoch)
            await drill.claim(connection, device, 5, None)
        await connection.execute("select coins.hard_delete_fetched(0)")
    async with asyncio.TaskGroup() as group:
        for _ in range(SENDERS):
            group.create_task(drill.send(cluster.dsn()))
        await back_up(cluster, backup)
        drill.last_claim = drill.claims + CLAIMS_AFTER_BACKUP


async def after_the_restore(drill: Drill, dsn: str, is_fenced: bool) -> None:
    """All that may happen then: late retries of uploads, devices that mint afresh, and senders who empty everything."""
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        if is_fenced:
            await connection.execute(FENCE)
        for device in drill.devices:
            # What it had uploaded when the server was lost, once more: with the epoch that it knew, and, as old
            # devices do, without one. An upload without an epoch of coins that the backup never saw can't be told
            # from a new one: it is what the epoch is for.
            refusal = await drill.upload(connection, device, device.minted, device.epoch)
            assert refusal == ("PT409" if is_fenced else "")
            assert not await drill.upload(connection, device, device.minted[:STOCK], None)
            for _ in range(3):
                await drill.claim(connection, device, 20, drill.chance.choice([None, uuid.uuid4()]))
        for device in drill.devices:
            cursor = await connection.execute("select epoch from coins.coin_status(%s)", [device.user_id])
            (device.epoch,) = await cursor.fetchone() or (0,)
            assert not await drill.upload(connection, device, device.mint(30), device.epoch)
        await connection.execute("select coins.hard_delete_fetched(0)")
        for device in drill.devices:
            assert not await drill.upload(connection, device, device.minted[:STOCK], device.epoch)
            while await drill.claim(connection, device, 100, None):
                pass


async def run_drill(cluster: Cluster, seed: str, is_fenced: bool = True) -> Records:
    """One drill on a server that is running; the server goes on afterwards as if nothing had been."""
    chance = random.Random(seed)
    devices = [Device(uuid.UUID(int=chance.getrandbits(128), version=4), epoch=1) for _ in range(RECIPIENTS)]
    drill = Drill(chance, devices)
    home = cluster.home / f"restored-{uuid.uuid4().hex[:8]}"
    await before_the_loss(drill, cluster, home / "data")
    restored = Cluster(home, throw_away=True, settings={"shared_buffers": "32MB"})
    try:
        await asyncio.to_thread(restored.start)
        await after_the_restore(drill, restored.dsn(), is_fenced)
    finally:
        await asyncio.to_thread(restored.stop, "immediate")
    return drill.records
