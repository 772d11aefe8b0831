"""The gateway's key files: the Ed25519 key that signs tokens, and the keys that encrypt what is told of people.

python -m gateway.keys     print the PGOPTIONS that give a session of psql the data keys
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import secrets
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import orjson
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from .settings import SettingError, data_keys_file

DATA_KEY_LINE = re.compile(r"(encryption|index) ([1-9][0-9]{0,4}) ([0-9a-f]{64})")


def read_key(path: Path) -> Ed25519PrivateKey | Ed25519PublicKey:
    """The Ed25519 key in a PEM file; raises SettingError when there is none."""
    try:
        pem = path.read_bytes()
    except OSError as error:
        raise SettingError(f"AQM_TOKEN_KEY_FILE: can't read {path} ({error.strerror})") from None
    try:
        key = (
            serialization.load_pem_private_key(pem, None)
            if b"PRIVATE" in pem
            else serialization.load_pem_public_key(pem)
        )
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PrivateKey | Ed25519PublicKey):
        raise SettingError(f"AQM_TOKEN_KEY_FILE: {path} holds no Ed25519 key in PEM form")
    return key


def read_private_key(path: Path) -> Ed25519PrivateKey:
    """The private key of a file; raises SettingError when there is none."""
    key = read_key(path)
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingError(f"{path} holds no private key: tokens are made where the private key is")
    return key


def make_private_key(path: Path) -> None:
    """Make a new private key in a file that only its owner may read; an existing file stays as it is."""
    pem = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write_once(path, pem)


def public_half(key: Ed25519PrivateKey | Ed25519PublicKey) -> Ed25519PublicKey:
    """The public key of either."""
    return key.public_key() if isinstance(key, Ed25519PrivateKey) else key


def raw_bytes(key: Ed25519PublicKey) -> bytes:
    """The 32 bytes of a public key (RFC 8032)."""
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)


def thumbprint(key: Ed25519PublicKey) -> str:
    """The name of a public key: the SHA-256 of its members in order, base64url (RFC 7638 and 8037)."""
    members = {"crv": "Ed25519", "kty": "OKP", "x": base64url(raw_bytes(key))}
    return base64url(hashlib.sha256(orjson.dumps(members)).digest())


def base64url(data: bytes) -> str:
    """Base64 with the alphabet for URLs, without padding (RFC 4648)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def make_data_keys(path: Path) -> None:
    """Make new data keys in a file that only its owner may read; an existing file stays as it is."""
    lines = "".join(f"{kind} 1 {secrets.token_hex(32)}\n" for kind in ("encryption", "index"))
    _write_once(path, lines.encode())


def read_data_keys(path: Path) -> dict[str, str]:
    """The data keys of a file, as the settings that functions of the database read: aqm.encryption_keys, aqm.index_keys.

    A line is a kind (encryption or index), a version and 64 hexadecimal digits. Raises SettingError, which quotes none.
    """
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no text"
        raise SettingError(f"AQM_DATA_KEYS_FILE: can't read {path} ({reason})") from None
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        match = DATA_KEY_LINE.fullmatch(line.strip())
        if not match or match[2] in found[match[1]]:
            raise SettingError(
                f"AQM_DATA_KEYS_FILE: {path}, line {number}, must be a kind (encryption or index), a version that is "
                "new, and 64 hexadecimal digits"
            )
        found[match[1]][match[2]] = match[3]
    for kind in ("encryption", "index"):
        if kind not in found:
            raise SettingError(f"AQM_DATA_KEYS_FILE: {path} holds no {kind} key")
    return {
        f"aqm.{kind}_keys": ",".join(f"{version}:{key}" for version, key in versions.items())
        for kind, versions in found.items()
    }


def _write_once(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; one that is there stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink()


def psql_options(environment: Mapping[str, str] = os.environ) -> str:
    """PGOPTIONS with the data keys of the environment's file; without one as they were."""
    given = environment.get("PGOPTIONS", "")
    path = data_keys_file(environment)
    if not path.exists():
        return given
    return " ".join([given, *(f"-c {name}={value}" for name, value in read_data_keys(path).items())]).strip()


if __name__ == "__main__":
    try:
        print(psql_options())
    except SettingError as error:
        sys.exit(f"aqm: {error}")
