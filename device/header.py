"""The header of an SQLite store, in a file beside the database: what SQLCipher needs before the database opens."""

from __future__ import annotations

import fcntl
import glob
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import BackendUnavailableError, DamagedStoreError
from .sealing import Cost, Sealer, Secret, make_header, rewrap, unlock

FRESH = re.compile(r"\.[0-9a-f]{8}\.new")
"""What _write() puts behind a path; other files beside it may be the user's copies, those of eight digits as well."""


def unlock_file(database: Path, secret: Secret, cost: Cost) -> Sealer:
    """The keys of a database file; its header, DATABASE.header, is made with the cost when both are new.

    Raises what unlock() does, DamagedStoreError when one of the two files is gone, BackendUnavailableError when they can't
    be read or made. Blocks for as long as the cost says.
    """
    path = header_of(database)
    try:
        database.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # In this order: the database is made before the header, and has content only after it. Another process may make
        # both meanwhile.
        has_content = database.exists() and database.stat().st_size > 0
        if not path.exists():
            if has_content:
                raise DamagedStoreError(f"{path} is missing: restore it from a backup, nothing else opens the database")
            header = make_header(secret, cost)
            # SQLite gives its other files the rights of this one. One that is there is not opened: see SQLiteStore.
            with suppress(FileExistsError):
                os.close(os.open(database, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            create_file(path, header)
        sealer = unlock(path.read_bytes(), secret)
        if not database.exists():
            raise DamagedStoreError(f"{database} is missing: restore it from a backup, or remove {path} to begin anew")
        return sealer
    except OSError as error:
        raise BackendUnavailableError(f"can't read or make {path} ({error.strerror})") from None


def change_header(database: Path, secret: Secret, new_secret: Secret, cost: Cost) -> None:
    """Replace the header by another of the same master key, in one step. Raises what rewrap() does, and
    BackendUnavailableError when another program changes it at the same time, or there is none.

    A kill leaves one of the two, and perhaps a file beside them, which the next change removes.
    """
    path = header_of(database)
    try:
        with _alone(path) as header:
            fresh = _write(path, rewrap(header, secret, new_secret, cost))
            os.replace(fresh, path)
            _sync(path.parent)
            for left in path.parent.glob(f"{glob.escape(path.name)}.*"):
                if FRESH.fullmatch(left.name.removeprefix(path.name)):
                    left.unlink(missing_ok=True)
    except BlockingIOError:
        raise BackendUnavailableError("another program is changing the secret: try again") from None
    except FileNotFoundError:
        raise BackendUnavailableError(f"{path} is missing: there is no store to change") from None
    except OSError as error:
        raise BackendUnavailableError(f"can't replace {path} ({error.strerror})") from None


@contextmanager
def _alone(path: Path) -> Iterator[bytes]:
    """A header, and the lock to replace it: else two at once would both tell their caller that their secret opens the store.

    Raises BlockingIOError when another has the lock, or had it and the header is another one now.
    """
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.path.samestat(os.fstat(file.fileno()), path.stat()):
            raise BlockingIOError
        yield file.read()


def header_of(database: Path) -> Path:
    """Where a database's header is."""
    return database.with_name(f"{database.name}.header")


def create_file(path: Path, content: bytes) -> None:
    """Make a file of its owner's alone, whole and on the disk, unless there is one: another process may be faster."""
    fresh = _write(path, content)
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass
    except OSError:
        # FAT has no links. A crash in the middle would leave half a file there, of a store that has no records yet.
        _create_without_link(path, content)
    finally:
        # Another program that changes the secret already may have taken it for what a kill has left.
        fresh.unlink(missing_ok=True)
    _sync(path.parent)


def _create_without_link(path: Path, content: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    _fill(descriptor, content)


def _write(path: Path, content: bytes) -> Path:
    """A new file beside a path, on the disk."""
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    _fill(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), content)
    return fresh


def _fill(descriptor: int, content: bytes) -> None:
    with open(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
