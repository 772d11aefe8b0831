"""What the figures depend on: the machine, the server and its settings, the versions."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import subprocess
import time
from pathlib import Path

import psycopg
from psycopg import sql

from db.cluster import Cluster

from .servers import ROOT

SETTINGS = ("fsync", "synchronous_commit", "full_page_writes", "wal_compression", "shared_buffers", "max_wal_size")
PACKAGES = ("aiohttp", "psycopg", "uvloop", "fastapi", "uvicorn", "asyncpg", "h11", "httptools")


def machine_facts(cluster: Cluster) -> list[tuple[str, str]]:
    """Names and values; the cluster must be up."""
    with psycopg.connect(cluster.dsn("postgres"), autocommit=True) as connection:
        settings = []
        for name in ("server_version", *SETTINGS):
            row = connection.execute(sql.SQL("show {}").format(sql.Identifier(name))).fetchone()
            settings.append(("PostgreSQL" if name == "server_version" else name, str(row[0]) if row else "?"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return [
        ("commit", _commit()),
        ("cores", f"{len(os.sched_getaffinity(0))}, {_processor()}"),
        ("memory", f"{memory:.1f} GiB"),
        ("system", f"{platform.system()} {platform.release()}, Python {platform.python_version()}"),
        ("load average after the run", ", ".join(f"{load:.1f}" for load in os.getloadavg())),
        *settings,
        ("file system of the data", _file_system(cluster.home)),
        ("fdatasync of 8 kB", f"{_sync_time(cluster.home.parent):.2f} ms"),
        ("packages", ", ".join(_versions())),
    ]


def _commit() -> str:
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return described.stdout.strip() or "unknown"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _file_system(path: Path) -> str:
    """Its type; on tmpfs nothing is durable, whatever fsync says."""
    mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    holding = [mount for mount in mounts if path.resolve().is_relative_to(mount[1])]
    # In a chroot the mount that holds it may not be listed.
    return max(holding, key=lambda mount: len(mount[1]), default=("", "", "unknown"))[2]


def _sync_time(folder: Path, times: int = 100) -> float:
    """Milliseconds that a small durable write takes: what every commit waits for."""
    path = folder / "sync"
    with path.open("wb", buffering=0) as file:
        started = time.perf_counter()
        for _ in range(times):
            file.seek(0)
            file.write(bytes(8192))
            os.fdatasync(file.fileno())
        elapsed = time.perf_counter() - started
    path.unlink()
    return elapsed / times * 1000


def _versions() -> list[str]:
    return [
        f"{name} {importlib.metadata.version(name)}" if importlib.util.find_spec(name) else f"no {name}"
        for name in PACKAGES
    ]
