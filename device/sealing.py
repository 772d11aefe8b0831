"""Encryption under the device's master key, before any backend sees a private key.

The master key is random. A store's header holds it, encrypted under the passphrase: a wrong passphrase is noticed there,
and another passphrase or a higher cost needs a new header only. Losing the header loses every key of the store.
"""

from __future__ import annotations

import os
import unicodedata
from dataclasses import asdict, dataclass

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .errors import DamagedStoreError, InvalidArgumentError, NewerStoreError, WrongPassphraseError

Secret = str | bytes
"""What opens a store: a passphrase, or 32 random bytes from the system's key store."""

KEY_BYTES = 32
SALT_BYTES = 16
NONCE_BYTES = 12
HEADER_VERSION = 1
RECORD_VERSION = b"\x01"


@dataclass(frozen=True)
class Cost:
    """What a guess at the passphrase costs with Argon2id; the default is the second choice of RFC 9106."""

    memory_kib: int = 64 * 1024
    iterations: int = 3
    lanes: int = 4


HIGHEST_COST = Cost(1024 * 1024, 20, 16)
"""A changed header must not make a device compute for ever."""


class Sealer:
    """Seals and opens records with keys derived from a master key. master: 32 bytes."""

    def __init__(self, master: bytes) -> None:
        # ChaCha20 is fast and of constant time on processors without AES instructions, too: the IoT boxes.
        self._cipher = ChaCha20Poly1305(_derive(master, b"aqm sealing"))
        self.sqlcipher_key = _derive(master, b"aqm sqlcipher")
        self.identity = _derive(master, b"aqm identity").hex()

    def seal(self, key_id: str, category: str, plaintext: bytes, is_last_resort: bool = False) -> bytes:
        """Encrypt a private key; the result opens under the same name, category and purpose only."""
        nonce = os.urandom(NONCE_BYTES)
        return RECORD_VERSION + nonce + self._cipher.encrypt(nonce, plaintext, _bound(key_id, category, is_last_resort))

    def open(self, key_id: str, category: str, sealed: bytes, is_last_resort: bool = False) -> bytes:
        """The private key that was sealed. Raises DamagedStoreError when it is not what seal() made of that key."""
        version, nonce, encrypted = sealed[:1], sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
        try:
            if version == RECORD_VERSION:
                return self._cipher.decrypt(nonce, encrypted, _bound(key_id, category, is_last_resort))
        except (InvalidTag, ValueError):
            pass
        raise DamagedStoreError(f"the record of key_id {key_id!r} was changed: burn it, its message can't be read")


def make_header(secret: Secret, cost: Cost) -> bytes:
    """The header of a new store: a new master key that the secret opens. Takes as long as the cost says.

    Raises InvalidArgumentError for a secret or a cost that is of no use.
    """
    return _wrap(os.urandom(KEY_BYTES), secret, cost)


def rewrap(header: bytes, secret: Secret, new_secret: Secret, cost: Cost) -> bytes:
    """Another header of the same master key, which opens with the new secret. Raises what unlock() and make_header() do."""
    return _wrap(_unwrap(header, secret), new_secret, cost)


def unlock(header: bytes, secret: Secret) -> Sealer:
    """Open a store's header. Takes as long as the cost in it says.

    Raises WrongPassphraseError, DamagedStoreError for what is no header, NewerStoreError.
    """
    return Sealer(_unwrap(header, secret))


def _wrap(master: bytes, secret: Secret, cost: Cost) -> bytes:
    if isinstance(secret, str) and not _is_possible(cost):
        raise InvalidArgumentError(
            f"cost: must have 1 to {HIGHEST_COST.iterations} iterations, 1 to {HIGHEST_COST.lanes} lanes, and from 8 KiB for "
            f"each lane to {HIGHEST_COST.memory_kib} KiB"
        )
    salt = os.urandom(SALT_BYTES)
    fields: dict[str, object] = {"version": HEADER_VERSION, "salt": salt.hex()}
    if isinstance(secret, str):
        fields |= asdict(cost)
    else:
        cost = Cost(0, 0, 0)
    nonce = os.urandom(NONCE_BYTES)
    wrapped = ChaCha20Poly1305(_wrapping_key(secret, salt, cost)).encrypt(nonce, master, None)
    return orjson.dumps(fields | {"wrapped": (nonce + wrapped).hex()})


def _unwrap(header: bytes, secret: Secret) -> bytes:
    try:
        # Not json: how deep that follows brackets is up to a limit that any package may raise, to where the stack ends.
        fields = orjson.loads(header)
        if fields["version"] > HEADER_VERSION:
            raise NewerStoreError(f"the store's header is of version {fields['version']}: update this program")
        salt, wrapped = bytes.fromhex(fields["salt"]), bytes.fromhex(fields["wrapped"])
        cost = Cost(*(int(fields.get(name, 0)) for name in ("memory_kib", "iterations", "lanes")))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        raise DamagedStoreError("the store's header was changed: restore it from a backup") from None
    if isinstance(secret, str) != (cost.iterations > 0):
        raise WrongPassphraseError(
            "the store opens with " + ("32 bytes" if isinstance(secret, str) else "a passphrase")
        )
    key = _wrapping_key(secret, salt, cost)
    try:
        return ChaCha20Poly1305(key).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], None)
    except (InvalidTag, ValueError):
        raise WrongPassphraseError(
            "the passphrase or key does not open this store, or its header was changed"
        ) from None


def _wrapping_key(secret: Secret, salt: bytes, cost: Cost) -> bytes:
    if isinstance(secret, bytes):
        if len(secret) != KEY_BYTES:
            raise InvalidArgumentError(f"secret: a key has {KEY_BYTES} bytes; give a passphrase as str")
        return _derive(secret, b"aqm wrapping" + salt)
    if not secret:
        raise InvalidArgumentError("secret: the passphrase is empty")
    try:
        # Keyboards differ in how they compose the same letters.
        passphrase = unicodedata.normalize("NFKC", secret).encode()
    except UnicodeEncodeError:
        raise InvalidArgumentError("secret: the passphrase is no text that UTF-8 could hold") from None
    if not _is_possible(cost):
        raise DamagedStoreError("the store's header asks for too costly a derivation: restore it from a backup")
    try:
        return Argon2id(
            salt=salt, length=KEY_BYTES, iterations=cost.iterations, lanes=cost.lanes, memory_cost=cost.memory_kib
        ).derive(passphrase)
    except ValueError:
        raise DamagedStoreError(
            "the store's header asks for an impossible derivation: restore it from a backup"
        ) from None


def _is_possible(cost: Cost) -> bool:
    return (
        0 < cost.lanes <= HIGHEST_COST.lanes
        and 0 < cost.iterations <= HIGHEST_COST.iterations
        and 8 * cost.lanes <= cost.memory_kib <= HIGHEST_COST.memory_kib
    )


def _derive(key: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose).derive(key)


def _bound(key_id: str, category: str, is_last_resort: bool) -> bytes:
    # No category has a colon or a slash: what differs never gives the same bytes.
    purpose = "/last resort" if is_last_resort else ""
    return RECORD_VERSION + f"{category}{purpose}:{key_id}".encode()
