"""A throw-away PostgreSQL for the tests' programs, which run without pytest's fixtures."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from db.cluster import DATABASE, Cluster
from db.migrate import Migrator


@contextmanager
def throw_away_folder() -> Iterator[Path]:
    """A folder that the server's user can reach, removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="aqm-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def throw_away_cluster(home: Path, **settings: str) -> Iterator[Cluster]:
    """A server without fsync, stopped at the end."""
    made = Cluster(home, throw_away=True, settings={"shared_buffers": "128MB", **settings})
    try:
        made.start()
        yield made
    finally:
        made.stop("immediate")


@contextmanager
def throw_away_dsn() -> Iterator[str]:
    """A migrated, empty database on a server of its own."""
    with throw_away_folder() as folder, throw_away_cluster(folder / "postgres") as cluster:
        Migrator(cluster.dsn(), say=lambda _line: None).apply()
        with psycopg.connect(cluster.dsn(DATABASE)):
            yield cluster.dsn(DATABASE)
