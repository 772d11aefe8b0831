"""A dump without the data keys: whoever has it and a long list of guesses finds no address and no name in it.

GUESSES=1000000 for the long form.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import subprocess
from collections.abc import Iterator

from conftest import KEYS, Database
from db.cluster import find_binaries

GUESSES = int(os.environ.get("GUESSES", "50000"))
PEOPLE = 40
PASSWORD = "correct horse"
DIGESTS = ("md5", "sha1", "sha256", "sha512")


def forms(guess: str, keys: list[bytes]) -> Iterator[bytes]:
    """What a careless schema would have stored of a value, as bytes: itself, its digests, and those keyed with what the
    dump itself has."""
    for text in (guess, guess.lower(), f"{guess}\n"):
        yield text.encode()
        for digest in DIGESTS:
            yield hashlib.new(digest, text.encode()).digest()
    for key in keys:
        yield hmac.digest(key, guess.encode(), "sha256")


def tokens(dump: bytes) -> set[bytes]:
    """Every value of the dump: columns as they stand, and hexadecimal and base64 decoded."""
    found = set()
    for line in dump.splitlines():
        for value in line.split(b"\t"):
            found.add(value)
            if value.startswith(b"\\\\x"):
                try:
                    found.add(bytes.fromhex(value[3:].decode()))
                except ValueError:
                    continue
    return found


def test_a_dump_tells_nobody_who_guesses(database: Database) -> None:
    emails = [f"person{number}@example.org" for number in range(PEOPLE)]
    with database.connect() as connection:
        connection.execute(KEYS)
        hashed = connection.execute("select auth.hash_password(%s)", [PASSWORD]).fetchone()
        assert hashed
        for number, email in enumerate(emails):
            connection.execute(
                """
                insert into auth.users (
                    email_hash, email_encrypted, name_encrypted, password_hash, aadhaar_hash, aadhaar_version,
                    encryption_version, index_version
                )
                select
                    auth.blind_index(%(email)s, v), auth.encrypt_text(%(email)s, v), auth.encrypt_text(%(name)s, v),
                    %(hash)s, auth.blind_index('aadhaar:' || %(aadhaar)s, v), v, v, v
                from auth.current_key('index') as v, auth.current_key('encryption') as w
                """,
                {"email": email, "name": f"Person {number}", "hash": hashed[0], "aadhaar": f"{number:012}"},
            )
        connection.execute("select auth.login(%s, %s)", [emails[0], PASSWORD])
        connection.execute("select auth.request_password_reset(%s)", [emails[1]])
        proofs = [bytes(row[0]) for row in connection.execute("select proof from auth.data_keys").fetchall()]
        ids = [row[0].bytes for row in connection.execute("select id from auth.users limit 1").fetchall()]
    dump = subprocess.run(
        [find_binaries() / "pg_dump", "--schema=auth", database.dsn], capture_output=True, check=True
    ).stdout
    assert dump.count(b"$2a$10$") == PEOPLE, "the people are in it"
    for secret in (b"ab" * 32, b"cd" * 32, base64.b64encode(b"\xab" * 32), PASSWORD.encode()):
        assert secret not in dump
    assert b"example.org" not in dump
    assert b"Person" not in dump

    stored = tokens(dump)
    keys = [*proofs, *ids, b"", b"aqm", b"aqm data key"]
    found = []
    for number in range(GUESSES):
        for guess in (f"person{number}@example.org", f"Person {number}", f"{number:012}", f"aadhaar:{number:012}"):
            found += [guess for form in forms(guess, keys if number < 10_000 else []) if form in stored]
    # The number of a row or a version may be a guess of nobody's; a person's value is not there in any form.
    assert found == []


def test_a_careless_schema_would_have_been_found(database: Database) -> None:
    """The check can fail."""
    database.execute("create table auth.careless as select sha256('person7@example.org'::bytea) as email_hash")
    dump = subprocess.run(
        [find_binaries() / "pg_dump", "--schema=auth", database.dsn], capture_output=True, check=True
    ).stdout
    assert not tokens(dump).isdisjoint(forms("person7@example.org", []))
