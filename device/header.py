"""The header of an SQLite store, in a file beside the database: what SQLCipher needs before the database opens."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from .errors import BackendUnavailableError, DamagedStoreError
from .sealing import Cost, Sealer, Secret, make_header, unlock


def unlock_file(database: Path, secret: Secret, cost: Cost) -> Sealer:
    """The keys of a database file; its header, DATABASE.header, is made with the cost when both are new.

    Raises what unlock() does, DamagedStoreError for a database whose header is gone, BackendUnavailableError when the
    files can't be read or made. Blocks for as long as the cost says.
    """
    path = database.with_name(f"{database.name}.header")
    try:
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            if database.exists() and database.stat().st_size:
                raise DamagedStoreError(f"{path} is missing: restore it from a backup, nothing else opens the database")
            create_file(path, make_header(secret, cost))
        return unlock(path.read_bytes(), secret)
    except OSError as error:
        raise BackendUnavailableError(f"can't read or make {path} ({error.strerror})") from None


def create_file(path: Path, content: bytes) -> None:
    """Make a file of its owner's alone, whole and on the disk, unless there is one: another process may be faster."""
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        fresh.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
