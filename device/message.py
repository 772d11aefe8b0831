"""A message to one recipient, encrypted with a coin: what travels from device to device, past AQM's server.

The coin's secret (ML-KEM-768 or X25519) gives the key by HKDF-SHA-256 (RFC 5869), over the public key and what was
encapsulated, as X25519 alone binds neither; AES-256-GCM encrypts. A key encrypts one message ever, so the nonce is zero.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from .errors import BadMessageError, InvalidArgumentError
from .keys import ALGORITHMS, Coin, PrivateKey, decapsulate, encapsulate, is_key_id

VERSION = 1
CATEGORIES = tuple(ALGORITHMS)
ENCAPSULATED_BYTES = {"GOLD": 1088, "SILVER": 1088, "BRONZE": 32}
TAG_BYTES = 16
NONCE = bytes(12)
LARGEST_TEXT = 2**20
"""Bytes. What is larger is for the app to send another way, with a key in the message."""


@dataclass(frozen=True)
class Message:
    """key_id, category: which private key opens it. encapsulated: 1,088 bytes (GOLD, SILVER) or 32 (BRONZE). ciphertext:
    16 bytes longer than the text. Raises BadMessageError for a name or a category that can't be."""

    key_id: str
    category: str
    encapsulated: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if self.category not in CATEGORIES or not is_key_id(self.key_id):
            raise BadMessageError("the message names no key")

    def to_bytes(self) -> bytes:
        """Version, category and length of the key id (a byte each), key id, encapsulated, ciphertext."""
        return self.header() + self.encapsulated + self.ciphertext

    def header(self) -> bytes:
        """What comes before the encapsulated secret."""
        key_id = self.key_id.encode()
        return bytes([VERSION, CATEGORIES.index(self.category), len(key_id)]) + key_id

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what to_bytes() wrote. Raises BadMessageError for anything else."""
        if len(data) < 3 or data[0] != VERSION or data[1] >= len(CATEGORIES):
            raise BadMessageError("this is no message of a version that is known here")
        category, start = CATEGORIES[data[1]], 3 + data[2]
        end = start + ENCAPSULATED_BYTES[category]
        if not TAG_BYTES <= len(data) - end <= TAG_BYTES + LARGEST_TEXT:
            raise BadMessageError("the message is cut off, or too large")
        try:
            key_id = data[3:start].decode()
        except UnicodeDecodeError:
            raise BadMessageError("the message's key_id is no text") from None
        return cls(key_id, category, data[start:end], data[end:])


def check_text(text: bytes) -> None:
    """Raises InvalidArgumentError for what no message holds: more than LARGEST_TEXT, or no bytes."""
    if not isinstance(text, bytes):
        raise InvalidArgumentError("text: must be bytes")
    if len(text) > LARGEST_TEXT:
        raise InvalidArgumentError(f"text: at most {LARGEST_TEXT} bytes")


def encrypt(coin: Coin, text: bytes) -> Message:
    """A message that only the coin's owner can read. Verify the coin first, and use it for this one message.

    Raises InvalidArgumentError for a text of more than 1 MiB, ForgedCoinError for a coin whose public key is none.
    """
    check_text(text)
    header = Message(coin.key_id, coin.category, b"", b"").header()
    secret, encapsulated = encapsulate(coin)
    ciphertext = AESGCM(_key(secret, coin.public_key, encapsulated)).encrypt(NONCE, text, header)
    return Message(coin.key_id, coin.category, encapsulated, ciphertext)


def decrypt(private_key: PrivateKey, message: Message) -> bytes:
    """The text of a message. Raises BadMessageError when it was made for another key, or changed on its way."""
    public_key = private_key.public_key().public_bytes_raw()
    try:
        secret = decapsulate(private_key, message.encapsulated)
        key = _key(secret, public_key, message.encapsulated)
        return AESGCM(key).decrypt(NONCE, message.ciphertext, message.header())
    except (InvalidTag, ValueError):
        raise BadMessageError("the message was made for another key, or changed on its way") from None


def _key(secret: bytes, public_key: bytes, encapsulated: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=b"aqm message 1" + public_key + encapsulated).derive(secret)
