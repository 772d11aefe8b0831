"""Ethereum addresses and the signatures of wallets: decoding that PostgreSQL can't do, as it has no Keccak."""

from __future__ import annotations

import re
from functools import lru_cache

from eth_hash.auto import keccak
from eth_keys.datatypes import Signature
from eth_keys.exceptions import BadSignature
from eth_utils.address import to_checksum_address
from eth_utils.exceptions import ValidationError

ADDRESS_FORM = re.compile(r"0x[0-9a-fA-F]{40}")
SIGNATURE_FORM = re.compile(r"0x[0-9a-fA-F]{130}")
WALLET_WORDS = "must be an Ethereum address: 0x, 40 hex digits, their case the checksum (EIP-55)"
LONGEST_MESSAGE = 4096
"""Characters of a text that is signed."""


class NotSignedError(ValueError):
    """There is no signer; the message says why, and quotes nothing."""


@lru_cache(10_000)
def checksum_address(text: str) -> str | None:
    """An address in its one form (EIP-55); None for what is none, or has mixed case that is not its checksum."""
    if not ADDRESS_FORM.fullmatch(text):
        return None
    address = str(to_checksum_address(text))
    return address if text in (address, text.lower()) else None


def recover_signer(message: str, signature: str) -> str:
    """The address of the key that signed a text (EIP-191, version 0x45: personal_sign), with its checksum.

    signature: 0x and r, s, v in 130 hex digits; v: 27 or 28, or 0 or 1 as some wallets have it. Raises NotSignedError.
    """
    if len(message) > LONGEST_MESSAGE:
        raise NotSignedError(f"is of a text with more than {LONGEST_MESSAGE} characters")
    if not SIGNATURE_FORM.fullmatch(signature):
        raise NotSignedError("must be 0x and 130 hex digits")
    raw = bytes.fromhex(signature[2:])
    text = message.encode()
    digest = keccak(b"\x19Ethereum Signed Message:\n%d%b" % (len(text), text))
    try:
        signed = Signature(raw[:64] + bytes([raw[64] - 27 if raw[64] >= 27 else raw[64]]))
        return str(signed.recover_public_key_from_msg_hash(digest).to_checksum_address())
    except (BadSignature, ValidationError):
        raise NotSignedError("is no signature") from None
