"""Backends that outlive a killed postmaster.

Most notice within a moment and end. One that waits for a lightweight lock sleeps in the kernel and does not, if who
would have woken it is gone; it holds the dead server's shared memory, and PostgreSQL then refuses to start:
https://www.postgresql.org/docs/current/server-shutdown.html advises to end such processes by hand.
"""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path


def find_orphans(data: Path) -> list[int]:
    """The pids of the processes that work in a data folder whose postmaster is dead; none while it lives.

    Reads /proc (proc(5)); processes that we may not look at, being another user's, are not among them.
    """
    workers = {int(folder.name) for folder in Path("/proc").glob("[0-9]*") if _works_in(folder, data)}
    return [] if _postmaster(data) in workers else sorted(workers)


def end_orphans(data: Path) -> list[int]:
    """Kill what find_orphans() finds; returns the pids. Nothing is lost: what was not committed is undone anyway."""
    orphans = find_orphans(data)
    for pid in orphans:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return orphans


def _works_in(process: Path, data: Path) -> bool:
    """Whether it is a server process of the data folder: the postmaster and its children have that as their cwd."""
    try:
        return (process / "cwd").samefile(data) and (process / "comm").read_text().startswith("postgres")
    except OSError:
        return False  # gone, a zombie or another user's


def _postmaster(data: Path) -> int | None:
    """The pid that the folder's lock file names; a server without postmaster (postgres --single) has it negative."""
    try:
        return abs(int((data / "postmaster.pid").read_text().split()[0]))
    except (OSError, IndexError, ValueError):
        return None
