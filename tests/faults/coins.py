"""Coins whose bytes follow from their names, so that anyone can tell later whether the right ones came back."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

SIZES = {"GOLD": (1184, 2420), "SILVER": (1184, 64), "BRONZE": (32, 64)}
"""Bytes of public key and signature by category, as the specification has them."""


@dataclass(frozen=True)
class Coin:
    """A coin of a recipient's. serial: its place in the order of the recipient's uploads."""

    user: str
    category: str
    serial: int

    @property
    def key(self) -> str:
        """Its key_id; the category is in it, and the order."""
        return f"{self.category}-{self.serial:08}"

    def blobs(self) -> tuple[bytes, bytes]:
        """Public key and signature; the server never looks inside."""
        return blobs(self.user, self.key)

    def json(self) -> dict[str, str]:
        """The coin as an upload has it."""
        public_key, signature = self.blobs()
        return {
            "key_id": self.key,
            "coin_category": self.category,
            "public_key_b64": base64.b64encode(public_key).decode(),
            "signature_b64": base64.b64encode(signature).decode(),
        }


def category_of(key: str) -> str:
    """The category that a key_id names."""
    return key.partition("-")[0]


def serial_of(key: str) -> int:
    """The place in the order of uploads that a key_id names."""
    return int(key.partition("-")[2])


def blobs(user: str, key: str) -> tuple[bytes, bytes]:
    """The bytes that belong to a key_id of a user's."""
    public_key, signature = SIZES[category_of(key)]
    stream = hashlib.shake_128(f"{user} {key}".encode()).digest(public_key + signature)
    return stream[:public_key], stream[public_key:]


def fingerprint(public_key: bytes, signature: bytes) -> str:
    """What a record keeps of a coin's bytes."""
    return hashlib.blake2b(public_key + b"|" + signature, digest_size=8).hexdigest()
