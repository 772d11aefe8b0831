"""What ./aqm status says of the key files: python -m gateway.status. Returns 1 when nobody could log in with them."""

from __future__ import annotations

import os
import sys

import psycopg

from db.tell import tell

from .data_keys import KNOWN, find_faults
from .keys import public_half, read_data_keys, read_key, thumbprint
from .settings import SettingError, data_dir, data_keys_file, token_key_file
from .tokens import fault_of_key

HARM = "Nobody can log in (docs/runbook.md, Lost or wrong data keys)"


def data_keys(connection: psycopg.Connection[tuple[str, int, bytes]]) -> tuple[str, bool]:
    """What to say of the data keys' file, and whether all is well."""
    path = data_keys_file(os.environ)
    known = connection.execute(KNOWN).fetchall()
    if not path.exists():
        versions = ", ".join(f"{kind} {version}" for kind, version, _ in known)
        if known:
            return f"MISSING: {path}; the data was written with {versions}. {HARM}", False
        return f"{path}, made when the gateway starts", True
    faults = find_faults(read_data_keys(path), known)
    if faults:
        return f"WRONG: {path}: {', '.join(faults)}. {HARM}", False
    return f"{path}, {'those of the database' if known else 'not used yet'}", True


def token_key(connection: psycopg.Connection[tuple[str, int, bytes]]) -> tuple[str, bool]:
    """What to say of the token key's file, and whether all is well."""
    path = token_key_file(os.environ)
    if not path.exists():
        return f"{path}, made when the gateway starts", True
    kid = thumbprint(public_half(read_key(path)))
    fault = fault_of_key(connection, kid)
    # Unknown is no fault where tokens are not checked: then no gateway makes its key known.
    return f"{path}, {kid}{f': {fault}' if fault else ', in use'}", not (fault or "").startswith("RETIRED")


def main() -> int:
    """Print a line for each file."""
    is_well = True
    try:
        with psycopg.connect(os.environ["AQM_DSN"], autocommit=True, connect_timeout=10) as connection:
            for name, look in (("data keys", data_keys), ("token key", token_key)):
                try:
                    said, is_good = look(connection)
                except SettingError as error:
                    said, is_good = str(error), False
                is_well &= is_good
                tell(f"{name:14}{said}")
    except (psycopg.errors.UndefinedFunction, psycopg.errors.InvalidSchemaName, psycopg.errors.UndefinedTable):
        tell(f"keys          in {data_dir(os.environ)}; what they are good for is known when the database is migrated")
    except psycopg.Error as error:
        print(f"aqm status: {error}", file=sys.stderr)
        return 1
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
