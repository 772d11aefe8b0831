"""What a recipient gives to those who may write to it, by another way than the server."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Self
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

from .errors import BadCardError
from .keys import ALGORITHMS, VerifyKeys

MAGIC = b"aqm card 1"
SUM_BYTES = 8


@dataclass(frozen=True)
class Card:
    """A contact: public, but whoever can change it on its way can put himself in the contact's place.

    user_id: its key store, as the card itself says: by Bob's user_id Mallory's card can take the place of Bob's, see add_to().
    verify_keys: what checks its coins; a category that is missing can't be written with.
    """

    user_id: UUID
    verify_keys: VerifyKeys = field(repr=False)

    def to_bytes(self) -> bytes:
        """Version, key store, and for each category the length of its key (two bytes) and the key; 8 bytes of SHA-256 at last,
        which notice a bent bit and no attacker."""
        parts = [MAGIC, self.user_id.bytes]
        for category in ALGORITHMS:
            key = self.verify_keys[category].public_bytes_raw() if category in self.verify_keys else b""
            parts += [len(key).to_bytes(2, "big"), key]
        content = b"".join(parts)
        return content + sha256(content).digest()[:SUM_BYTES]

    def add_to(self, known: MutableMapping[UUID, VerifyKeys]) -> None:
        """Let this contact be written to. known: verify_keys by contact, as Sender takes them.

        Raises BadCardError when the contact is known by other keys: a person must say that it has renewed its identity, and the app
        forgets the old ones then, or the card is somebody else's.
        """
        before = known.get(self.user_id)
        if before is not None and Card(self.user_id, before).to_bytes() != self.to_bytes():
            raise BadCardError("the card has other keys than those that are known of its contact")
        known[self.user_id] = self.verify_keys

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what to_bytes() wrote. Raises BadCardError for anything else."""
        content, checksum = data[:-SUM_BYTES], data[-SUM_BYTES:]
        if not content.startswith(MAGIC) or sha256(content).digest()[:SUM_BYTES] != checksum:
            raise BadCardError("this is no card of a version that is known here")
        place = len(MAGIC) + 16
        keys: dict[str, MLDSA44PublicKey | Ed25519PublicKey] = {}
        try:
            user_id = UUID(bytes=content[len(MAGIC) : place])
            for category in ALGORITHMS:
                size = int.from_bytes(content[place : place + 2], "big")
                key = content[place + 2 : place + 2 + size]
                place += 2 + size
                if size:
                    read = MLDSA44PublicKey if category == "GOLD" else Ed25519PublicKey
                    keys[category] = read.from_public_bytes(key)
        except ValueError:
            raise BadCardError("the card holds a key that is none") from None
        card = cls(user_id, keys)
        if card.to_bytes() != data:
            raise BadCardError("the card is too long or too short")
        return card
