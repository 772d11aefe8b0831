"""Faults that need an installation of their own: a small disk that fills up, a clock that jumps."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import psycopg

from db.cluster import Cluster, ClusterError, as_server_user, find_binaries

from .clients import Client, new_id
from .coins import Coin
from .errors import HarnessError
from .installation import DURABLE, SETTINGS, Installation, until
from .load import Load

MEGABYTE = 2**20
SMALL_WAL = {"min_wal_size": "32MB", "max_wal_size": "64MB"}


@dataclass
class Told:
    """What a scene saw. blames: what should not have been, beside what the checker finds."""

    notes: list[str] = field(default_factory=list)
    blames: list[str] = field(default_factory=list)


class SceneKind(Protocol):
    """A scene: why it can't be tried here, its cluster, and what happens."""

    def missing(self) -> str | None: ...

    def prepared(self, folder: Path) -> contextlib.AbstractContextManager[Cluster]: ...

    async def play(self, installation: Installation, load: Load, visitor: Client) -> Told: ...


class FullDisk:
    """The disk of the data, or that of the WAL alone, is small and is filled to the last byte, three times."""

    def __init__(self, is_wal: bool) -> None:
        self.is_wal = is_wal

    def missing(self) -> str | None:
        """Only root mounts, and not in every container."""
        if os.geteuid() != 0:
            return "only root can mount a small disk"
        tried = subprocess.run(
            ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True, check=False
        )
        return None if tried.returncode == 0 else f"mount is refused here: {tried.stderr.decode().strip()}"

    @contextlib.contextmanager
    def prepared(self, folder: Path) -> Iterator[Cluster]:
        """A cluster with its data, or its WAL, on a tmpfs of its own."""
        self.disk = folder / "disk"
        self.disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=192m,mode=0755", "none", self.disk], check=True)
        try:
            data_home = folder if self.is_wal else self.disk
            wal_home = self.disk if self.is_wal else folder
            cluster = Cluster(data_home / "postgres", SETTINGS | SMALL_WAL | DURABLE)
            cluster.start()
            cluster.stop()
            shutil.copytree(cluster.data / "pg_wal", wal_home / "wal")
            shutil.rmtree(cluster.data / "pg_wal")
            (cluster.data / "pg_wal").symlink_to(wal_home / "wal")
            owner = cluster.data.stat()
            for path in [wal_home / "wal", *(wal_home / "wal").rglob("*")]:
                os.chown(path, owner.st_uid, owner.st_gid)
            (wal_home / "wal").chmod(0o700)
            yield cluster
        finally:
            subprocess.run(["umount", "--lazy", self.disk], check=True)

    async def play(self, installation: Installation, load: Load, visitor: Client) -> Told:
        """Fill, wait until it is felt, make room, go on."""
        told = Told()
        for _ in range(3):
            await load.until(load.world.claims + 300)
            refusals, restarts = load.world.reasons.total(), installation.restarts
            ballast = self.disk / "ballast"
            size = _fill(ballast)
            try:
                await self._until_felt(installation, load)
                await asyncio.sleep(3)
            finally:
                ballast.unlink()
            await load.until(load.world.claims + 300)
            told.notes.append(
                f"Disk full (a tmpfs of 192 MB, {size // MEGABYTE} MB of ballast): {load.world.reasons.total() - refusals} "
                f"attempts without an answer, {installation.restarts - restarts} attempts to start PostgreSQL again."
            )
        return told

    async def _until_felt(self, installation: Installation, load: Load) -> None:
        before = load.world.reasons.total()
        for _ in range(300):
            if load.world.reasons.total() > before + 20:
                return
            if self.is_wal and await asyncio.to_thread(installation.cluster.is_running):
                # Segments that were there before are used up sooner.
                with contextlib.suppress(Exception):
                    async with asyncio.timeout(1):
                        await installation.query("select pg_switch_wal()")
            await asyncio.sleep(0.1)
        raise HarnessError("nobody felt the full disk")


class ClockCluster(Cluster):
    """A cluster whose clock is what a file says: its processes run under libfaketime."""

    library = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))), None)

    def __init__(self, home: Path, clock: Path) -> None:
        super().__init__(home, SETTINGS | DURABLE)
        self.clock = clock
        self.set(0)

    def set(self, seconds: int) -> None:
        """Have the clock go so many seconds ahead."""
        beside = self.clock.with_suffix(".new")
        beside.write_text(f"+{seconds}\n")
        beside.rename(self.clock)

    def start(self) -> None:
        """Start the server with the library before its own; make the cluster first where there is none."""
        if not (self.data / "PG_VERSION").exists():
            super().start()
            self.stop()
        # Only once it runs as its own user: the library makes shared memory for whom it first sees.
        preload = [
            "env",
            f"LD_PRELOAD={self.library}",
            f"FAKETIME_TIMESTAMP_FILE={self.clock}",
            "FAKETIME_CACHE_DURATION=1",
            "FAKETIME_DONT_FAKE_MONOTONIC=1",
        ]
        pg_ctl = [str(find_binaries() / "pg_ctl"), "start", "-w", "-s", "-D", str(self.data), "-l", str(self.log)]
        started = subprocess.run(
            as_server_user([*preload, *pg_ctl]), cwd="/", check=False, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        if started.returncode != 0:
            raise ClusterError(f"PostgreSQL did not start under libfaketime; the end of its log:\n{self.log_tail()}")


class Clock:
    """The server's clock jumps ahead while clients upload and claim."""

    def __init__(self, hours: int) -> None:
        self.hours = hours

    def missing(self) -> str | None:
        """A session can't change now(): the whole server needs another clock."""
        return None if ClockCluster.library else "Debian's package libfaketime is not installed"

    @contextlib.contextmanager
    def prepared(self, folder: Path) -> Iterator[Cluster]:
        """A cluster with a clock of its own."""
        yield ClockCluster(folder / "postgres", folder / "clock")

    async def play(self, installation: Installation, load: Load, visitor: Client) -> Told:
        """Jump, then let the jobs run and a person purge, while claims go on."""
        told = Told()
        cluster = installation.cluster
        assert isinstance(cluster, ClockCluster)
        for _ in range(11):
            user = new_id(visitor.chance)
            await visitor.store([Coin(user, "BRONZE", serial) for serial in range(1000)])
        await load.until(500)
        before = await self._clock(installation)
        cluster.set(self.hours * 3600 + 60)

        async def is_ahead() -> bool:
            return await self._clock(installation) >= before + self.hours * 3600

        await until(is_ahead, "the clock is ahead")
        told.notes.append(f"The server's clock (libfaketime) went {self.hours} hours ahead while claims went on.")
        await load.until(load.world.claims + 500)
        alarm = "none"
        try:
            await installation.query("call ops.run_until_done('purge_stale')")
        except psycopg.Error as error:
            alarm = str(error.diag.message_primary)
        ((purged,),) = await installation.query("select count(*) from witness.deleted_coin where fetched_by is null")
        told.notes.append(f"The scheduled purge removed {purged} coins; its alarm: {alarm}.")
        if purged or (self.hours > 24 * 30 and "has the clock jumped" not in alarm):
            told.blames.append(f"the scheduled purge removed {purged} coins after the jump, alarm {alarm}")
        if self.hours > 24 * 30:
            ((by_hand,),) = await installation.query("select coins.purge_stale(30)")
            told.notes.append(f"A person's purge_stale(30) removed {by_hand}, as it was told.")
        ((deleted,),) = await installation.query("select coins.hard_delete_fetched(1)")
        told.notes.append(f"hard_delete_fetched(1) removed {deleted} coins, claimed before the jump.")
        await load.until(load.world.claims + 500)
        return told

    @staticmethod
    async def _clock(installation: Installation) -> float:
        ((seconds,),) = await installation.query("select extract(epoch from now())")
        return float(seconds)


def _fill(path: Path) -> int:
    """Write until there is no room; returns the bytes."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        for size in (MEGABYTE, 4096):
            with contextlib.suppress(OSError):
                while file.write(b"\0" * size):
                    pass
    return path.stat().st_size


SCENES: dict[str, SceneKind] = {
    "data-disk": FullDisk(is_wal=False),
    "wal-disk": FullDisk(is_wal=True),
    "clock-hour": Clock(hours=1),
    "clock-month": Clock(hours=24 * 30 + 1),
}
"""By name."""
