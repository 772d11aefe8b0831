"""One-time key pairs of the three coin categories, by the cryptography package: mint, verify, agree on a secret."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

ALGORITHMS = {
    "GOLD": ("ML-KEM-768", "ML-DSA-44"),
    "SILVER": ("ML-KEM-768", "Ed25519"),
    "BRONZE": ("X25519", "Ed25519"),
}
"""Names of key agreement and signature by category."""

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
        ed25519 = Ed25519PrivateKey.generate()
        self._signers: Mapping[str, MLDSA44PrivateKey | Ed25519PrivateKey] = {
            "GOLD": MLDSA44PrivateKey.generate(), "SILVER": ed25519, "BRONZE": ed25519,
        }  # fmt: skip

    @property
    def verify_keys(self) -> VerifyKeys:
        """The public halves."""
        return {category: signer.public_key() for category, signer in self._signers.items()}

    def mint(self, category: str) -> tuple[Coin, PrivateKey]:
        """A new coin and the private key that belongs to it."""
        private_key: PrivateKey = X25519PrivateKey.generate() if category == "BRONZE" else MLKEM768PrivateKey.generate()
        public_key = private_key.public_key().public_bytes_raw()
        signature = self._signers[category].sign(public_key)
        return Coin(str(uuid.uuid4()), category, public_key, signature), private_key


def verify(coin: Coin, verify_keys: VerifyKeys) -> None:
    """Check the owner's signature; raises cryptography's InvalidSignature when it is not his."""
    verify_keys[coin.category].verify(coin.signature, coin.public_key)


def encapsulate(coin: Coin) -> tuple[bytes, bytes]:
    """A fresh secret for the coin's owner, and the message from which only he can find it. Verify the coin first."""
    if coin.category == "BRONZE":
        ephemeral = X25519PrivateKey.generate()
        secret = ephemeral.exchange(X25519PublicKey.from_public_bytes(coin.public_key))
        return secret, ephemeral.public_key().public_bytes_raw()
    return MLKEM768PublicKey.from_public_bytes(coin.public_key).encapsulate()


def decapsulate(private_key: PrivateKey, message: bytes) -> bytes:
    """The secret of a message that encapsulate() made."""
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
