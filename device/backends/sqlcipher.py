"""A store in an SQLite file that SQLCipher encrypts as a whole: it hides who one's contacts are, too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import sqlcipher3

from ..errors import DamagedStoreError
from .sqlite import SQLiteStore

PLAIN = b"SQLite format 3\0"
"""How a file begins that is not encrypted."""


class SQLCipherStore(SQLiteStore):
    """Records in one encrypted file. key: 32 bytes; they are used as they are, since a passphrase's derivation is slow
    and was done for the header."""

    name = "sqlcipher"
    driver = sqlcipher3

    def __init__(self, path: Path, key: bytes) -> None:
        super().__init__(path)
        self._key = key

    def _connect(self) -> Any:
        connection = super()._connect()
        connection.execute("pragma cipher_log_level = none")
        connection.execute(f"pragma key = \"x'{self._key.hex()}'\"")
        return connection

    def _open(self) -> bool:
        try:
            return super()._open()
        except self.driver.DatabaseError:
            if self._is_plain():
                raise DamagedStoreError(
                    f"{self.path} is not encrypted: open it as sqlite, or choose another file"
                ) from None
            raise

    def _is_plain(self) -> bool:
        with self.path.open("rb") as file:
            return file.read(len(PLAIN)) == PLAIN
