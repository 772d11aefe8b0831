"""The data keys of this gateway, held against those that the database's rows were written with."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import psycopg

from .keys import make_data_keys, read_data_keys
from .logs import log

KNOWN = "select kind, version, proof from auth.list_data_keys()"
REMEDY = (
    "put the file in place that the data was written with and restart; until then coins are served and nobody can log in "
    "(docs/runbook.md, Keys)"
)


class DataKeys:
    """What a call that needs the data keys is given, as settings of its transaction.

    path: the file. may_make: whether a new file may be made; only for a database that knows no key yet, since a new key
    beside rows of another's would look as if all were well. Raises SettingError for a file that can't be read.
    """

    def __init__(self, path: Path, may_make: bool) -> None:
        self.path = path
        self.is_missing = may_make and not path.exists()
        self.settings: dict[str, str] = {} if self.is_missing else read_data_keys(path)
        self.faults: list[str] = []

    async def check(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Hold the keys against the database's and say loudly what is wrong; make the first ones of a new database."""
        try:
            known = await (await connection.execute(KNOWN)).fetchall()
        except psycopg.errors.UndefinedFunction:
            return  # an older database; calls check the keys themselves
        fault = f"{self.path} is missing"
        if self.is_missing and not known:
            try:
                self._make()
            except OSError as error:
                fault += f" and can't be made ({error.strerror})"
        faults = [fault] if self.is_missing else find_faults(self.settings, known)
        if faults and faults != self.faults:
            log().error("data keys are not those of the database", faults=faults, remedy=REMEDY)
        self.faults = faults

    def _make(self) -> None:
        make_data_keys(self.path)
        self.settings = read_data_keys(self.path)
        self.is_missing = False
        log().warning("data keys made: keep a copy apart from the database", file=str(self.path))


def find_faults(given: Mapping[str, str], known: Iterable[tuple[str, int, bytes]]) -> list[str]:
    """What of the database's keys is not among those given, in words that quote no key.

    given: as read_data_keys() returns them. known: kind, version and proof of each key of the database.
    """
    keys = {
        (kind, int(version)): bytes.fromhex(key)
        for kind in ("encryption", "index")
        for version, _, key in (pair.partition(":") for pair in given[f"aqm.{kind}_keys"].split(","))
    }
    faults = []
    for kind, version, proof in known:
        key = keys.get((kind, version))
        if key is None:
            faults.append(f"the {kind} key {version} is missing")
        elif not hmac.compare_digest(prove(key), bytes(proof)):
            faults.append(f"the {kind} key {version} is not the one that the data was written with")
    return faults


def prove(key: bytes) -> bytes:
    """What the database keeps of a key, as auth.prove_key() works it out."""
    return hmac.digest(key, b"aqm data key", "sha256")
