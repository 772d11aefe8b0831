"""One-time key pairs of the three coin categories, by the cryptography package: mint, verify, agree on a secret."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from .errors import BadCardError, ForgedCoinError, InvalidArgumentError

ALGORITHMS = {
    "GOLD": ("ML-KEM-768", "ML-DSA-44"),
    "SILVER": ("ML-KEM-768", "Ed25519"),
    "BRONZE": ("X25519", "Ed25519"),
}
"""Names of key agreement and signature by category."""

LONGEST_KEY_ID = 36
"""Characters of a coin's name, as the server has it."""

ONE_TIME = b"aqm coin 1"
LAST_RESORT = b"aqm last resort 1"
"""What a coin's signature begins with: a server must not give a coin that many get, and whose key is not burned, for one
that serves once."""

IDENTITY_VERSION = b"\x01"
SEED_BYTES = 32
"""Of ML-DSA-44 (FIPS 204), and of Ed25519."""

PrivateKey = MLKEM768PrivateKey | X25519PrivateKey
VerifyKeys = Mapping[str, MLDSA44PublicKey | Ed25519PublicKey]
"""By category, what a sender checks signatures with; known to him before, as from a contact card."""


@dataclass(frozen=True)
class Coin:
    """The public half of a one-time key pair with its owner's signature."""

    key_id: str
    category: str
    public_key: bytes = field(repr=False)
    signature: bytes = field(repr=False)


class Identity:
    """The long-term signing keys of one owner."""

    def __init__(self) -> None:
        self._take(Ed25519PrivateKey.generate(), MLDSA44PrivateKey.generate())

    def _take(self, ed25519: Ed25519PrivateKey, mldsa44: MLDSA44PrivateKey) -> None:
        self._signers: Mapping[str, MLDSA44PrivateKey | Ed25519PrivateKey] = {
            "GOLD": mldsa44, "SILVER": ed25519, "BRONZE": ed25519,
        }  # fmt: skip

    @property
    def verify_keys(self) -> VerifyKeys:
        """The public halves."""
        return {category: signer.public_key() for category, signer in self._signers.items()}

    def to_bytes(self) -> bytes:
        """The private halves, 65 bytes, NOT sealed: whoever has them can mint in this owner's name.

        Keep them in the system's key store, or encrypted under a key from there. A vault is no place for them: it forgets
        what it is given after 30 days.
        """
        return IDENTITY_VERSION + b"".join(self._signers[name].private_bytes_raw() for name in ("SILVER", "GOLD"))

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """The identity of which to_bytes() gave these bytes. Raises BadCardError for others."""
        if data[:1] != IDENTITY_VERSION or len(data) != 1 + 2 * SEED_BYTES:
            raise BadCardError("this is no identity of a version that is known here")
        seeds = data[1:]
        made = cls.__new__(cls)
        made._take(
            Ed25519PrivateKey.from_private_bytes(seeds[:SEED_BYTES]),
            MLDSA44PrivateKey.from_seed_bytes(seeds[SEED_BYTES:]),
        )
        return made

    def mint(
        self, owner: UUID, category: str, at: float | None = None, *, is_last_resort: bool = False
    ) -> tuple[Coin, PrivateKey]:
        """A new coin and the private key that belongs to it.

        owner: the key store that it is for. at: seconds since 1970, which its name tells; None: now. is_last_resort: it is to be
        given to many, which its signature says.
        Raises InvalidArgumentError for what is no category.
        """
        if category not in ALGORITHMS:
            raise InvalidArgumentError(f"category: must be one of {', '.join(ALGORITHMS)}")
        private_key: PrivateKey = X25519PrivateKey.generate() if category == "BRONZE" else MLKEM768PrivateKey.generate()
        key_id = str(_uuid7(time.time() if at is None else at))
        return self.sign(owner, category, key_id, private_key, is_last_resort=is_last_resort), private_key

    def sign(
        self, owner: UUID, category: str, key_id: str, private_key: PrivateKey, *, is_last_resort: bool = False
    ) -> Coin:
        """The coin of a private key that is there already; for the arguments see mint()."""
        public_key = private_key.public_key().public_bytes_raw()
        signed = _signed(owner, category, key_id, public_key, is_last_resort)
        return Coin(key_id, category, public_key, self._signers[category].sign(signed))


def verify(owner: UUID, coin: Coin, verify_keys: VerifyKeys, *, is_last_resort: bool = False) -> None:
    """Check that the owner has signed this coin: its name, its category, its public key, that it is his, and what it is for.

    is_last_resort: what is expected; a coin of last resort is none that serves once, and the other way round.
    Raises ForgedCoinError when he has not, or when verify_keys has nothing for the category.
    """
    if not is_key_id(coin.key_id):
        raise ForgedCoinError("key_id: this coin's name is none")
    if coin.category not in ALGORITHMS or coin.category not in verify_keys:
        raise ForgedCoinError(f"key_id {coin.key_id}: there is no key that verifies coins of this category")
    signed = _signed(owner, coin.category, coin.key_id, coin.public_key, is_last_resort)
    try:
        verify_keys[coin.category].verify(coin.signature, signed)
    except (InvalidSignature, ValueError):
        raise ForgedCoinError(f"key_id {coin.key_id}: this coin does not carry its owner's signature") from None


def encapsulate(coin: Coin) -> tuple[bytes, bytes]:
    """A fresh secret for the coin's owner, and the message from which only he can find it. Verify the coin first.

    Raises ForgedCoinError for a public key that is none: an owner can sign anything.
    """
    try:
        if coin.category == "BRONZE":
            ephemeral = X25519PrivateKey.generate()
            secret = ephemeral.exchange(X25519PublicKey.from_public_bytes(coin.public_key))
            return secret, ephemeral.public_key().public_bytes_raw()
        return MLKEM768PublicKey.from_public_bytes(coin.public_key).encapsulate()
    except ValueError:
        raise ForgedCoinError(f"key_id {coin.key_id}: what the owner has signed is no public key") from None


def decapsulate(private_key: PrivateKey, message: bytes) -> bytes:
    """The secret of a message that encapsulate() made. Raises ValueError for bytes that are none."""
    if isinstance(private_key, X25519PrivateKey):
        return private_key.exchange(X25519PublicKey.from_public_bytes(message))
    return private_key.decapsulate(message)


def private_bytes(private_key: PrivateKey) -> bytes:
    """What a vault keeps of a private key: the 64-byte seed of ML-KEM-768 (FIPS 203), the 32 bytes of X25519."""
    return private_key.private_bytes_raw()


def read_private_key(category: str, data: bytes) -> PrivateKey:
    """The private key of which private_bytes() gave these bytes; raises ValueError for others."""
    if category == "BRONZE":
        return X25519PrivateKey.from_private_bytes(data)
    return MLKEM768PrivateKey.from_seed_bytes(data)


def is_key_id(key_id: str) -> bool:
    """Whether this can be a coin's name: 1 to 36 printable characters."""
    return 1 <= len(key_id) <= LONGEST_KEY_ID and key_id.isprintable()


def minted_at(key_id: str) -> float | None:
    """When a coin was minted, in seconds since 1970, as its name tells; None for a name that is no UUID of version 7."""
    try:
        parsed = UUID(key_id)
    except ValueError:
        return None
    return (parsed.int >> 80) / 1000 if parsed.version == 7 and str(parsed) == key_id else None


def _uuid7(at: float) -> UUID:
    """RFC 9562: 48 bits of milliseconds, version, 12 random bits, variant, 62 random bits."""
    number = round(at * 1000) << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62)
    return UUID(int=number)


def _signed(owner: UUID, category: str, key_id: str, public_key: bytes, is_last_resort: bool) -> bytes:
    """What a coin's signature is over. The lengths keep two different coins from giving the same bytes."""
    named = b"".join(bytes([len(text)]) + text for text in (category.encode(), key_id.encode()))
    return (LAST_RESORT if is_last_resort else ONE_TIME) + owner.bytes + named + public_key
