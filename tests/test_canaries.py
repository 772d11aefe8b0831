"""The search through all logs finds what it is there for."""

from __future__ import annotations

import base64
import itertools
import os
import uuid

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from conftest import KEYS
from gateway.keys import thumbprint
from tests.canaries import find_secrets


@pytest.mark.parametrize(
    ("kind", "secret"),
    [
        ("email address", "bob@example.org"),
        ("password", "correct horse"),
        ("password hash", "$2a$10$"),
        ("data key", KEYS),
        ("private key", "-----BEGIN PRIVATE KEY-----"),
        ("access token", base64.urlsafe_b64encode(b'{"alg":"EdDSA"}').decode()),
        ("token or blob", base64.urlsafe_b64encode(os.urandom(32)).decode().strip("=")),
        ("token or blob", base64.b64encode(os.urandom(1184)).decode()),
        ("bytea", f"\\x{os.urandom(32).hex()}"),
    ],
    ids=itertools.count(),
)
def test_a_secret_in_a_log_is_found_and_not_repeated(kind: str, secret: str) -> None:
    found = find_secrets(f'{{"event":"call","what":"{secret}"}}\nanother line'.encode())
    assert any(line.startswith(f"{kind}: ") for line in found)
    assert not any(secret in line for line in found)


def test_what_is_public_is_no_secret() -> None:
    kid = thumbprint(Ed25519PrivateKey.generate().public_key())
    lines = f"""{{"event":"signing key made known","kid":"{kid}"}}
        audit head: month 2026-11, rows 7, hash {os.urandom(32).hex()}
        could not bind /tmp/aqm-test-Ab1/postgres/run/with/a/path/that/goes/on/and/on/.s.PGSQL.5432
        permission denied for function claim_email_events {uuid.uuid4()}"""
    assert find_secrets(lines.encode()) == []
