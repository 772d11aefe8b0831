"""Private keys as bytes, through a vault and back."""

from __future__ import annotations

import time
import uuid
from dataclasses import replace
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from device.backends.base import CATEGORIES
from device.card import Card
from device.errors import BadCardError, BadMessageError, ForgedCoinError, InvalidArgumentError
from device.factory import Database
from device.keys import (
    Coin,
    Identity,
    decapsulate,
    encapsulate,
    minted_at,
    private_bytes,
    read_private_key,
    verify,
)
from device.message import LARGEST_TEXT, Message, decrypt, encrypt


@pytest.mark.parametrize("category", CATEGORIES)
async def test_a_key_opens_its_message_after_it_was_in_a_vault(opened: Database, category: str) -> None:
    coin, private_key = Identity().mint(uuid.uuid4(), category)
    secret, message = encapsulate(coin)
    await opened.vault.store_key(coin.key_id, category, private_bytes(private_key))
    stored = await opened.vault.fetch_key(coin.key_id)
    assert stored
    assert decapsulate(read_private_key(stored.category, stored.private_key), message) == secret


@pytest.mark.parametrize("category", CATEGORIES)
def test_bytes_of_another_size_are_no_key(category: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_private_key(category, b"k" * 33)


# -- what a signature covers


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_signature_covers_owner_category_name_and_key(category: str) -> None:
    owner, identity = uuid.uuid4(), Identity()
    coin, other = identity.mint(owner, category)[0], identity.mint(owner, category)[0]
    verify(owner, coin, identity.verify_keys)
    neighbour = {"GOLD": "SILVER", "SILVER": "BRONZE", "BRONZE": "SILVER"}[category]
    for forged in (
        replace(coin, key_id=other.key_id),
        replace(coin, public_key=other.public_key),
        replace(coin, signature=other.signature),
        replace(coin, signature=b""),
        replace(coin, category=neighbour),
        replace(coin, category="IRON"),
        *(replace(coin, key_id=key_id) for key_id in ("", "a\n", "k" * 37, "k" * 300)),
    ):
        with pytest.raises(ForgedCoinError):
            verify(owner, forged, identity.verify_keys)
    with pytest.raises(ForgedCoinError):
        verify(uuid.uuid4(), coin, identity.verify_keys)
    for card in ({}, {name: key for name, key in identity.verify_keys.items() if name != category}):
        with pytest.raises(ForgedCoinError):
            verify(owner, coin, card)


def test_what_is_signed_is_written_one_way_only() -> None:
    owner, identity = uuid.uuid4(), Identity()
    coin, _ = identity.mint(owner, "SILVER")
    key = identity.verify_keys["SILVER"]
    assert isinstance(key, Ed25519PublicKey)
    key.verify(
        coin.signature,
        b"aqm coin 1" + owner.bytes + b"\x06SILVER" + b"\x24" + coin.key_id.encode() + coin.public_key,
    )
    # Without lengths a name that ends where the public key begins would be another coin under one signature.
    moved = replace(coin, key_id=coin.key_id[:-1], public_key=coin.key_id[-1:].encode() + coin.public_key)
    with pytest.raises(ForgedCoinError):
        verify(owner, moved, identity.verify_keys)


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_signature_covers_what_a_coin_is_for(category: str) -> None:
    owner, identity = uuid.uuid4(), Identity()
    for is_last_resort in (True, False):
        coin, private_key = identity.mint(owner, category, is_last_resort=is_last_resort)
        verify(owner, coin, identity.verify_keys, is_last_resort=is_last_resort)
        with pytest.raises(ForgedCoinError):
            verify(owner, coin, identity.verify_keys, is_last_resort=not is_last_resort)
        again = identity.sign(owner, category, coin.key_id, private_key, is_last_resort=is_last_resort)
        verify(owner, again, identity.verify_keys, is_last_resort=is_last_resort)
        assert replace(again, signature=coin.signature) == coin


def test_nobodys_card_takes_the_place_of_anothers() -> None:
    bob, known = Card(uuid.uuid4(), Identity().verify_keys), {}
    for _ in range(2):
        Card.from_bytes(bob.to_bytes()).add_to(known)
    fewer = {name: key for name, key in bob.verify_keys.items() if name != "GOLD"}
    for other in (Identity().verify_keys, fewer):
        with pytest.raises(BadCardError):
            Card(bob.user_id, other).add_to(known)
    Card(uuid.uuid4(), Identity().verify_keys).add_to(known)
    assert len(known) == 2
    assert known[bob.user_id].keys() == bob.verify_keys.keys()


def test_no_category_but_the_three_is_minted() -> None:
    with pytest.raises(InvalidArgumentError, match="category"):
        Identity().mint(uuid.uuid4(), "IRON")


def test_a_name_tells_when_its_coin_was_minted() -> None:
    owner, identity = uuid.uuid4(), Identity()
    coin, _ = identity.mint(owner, "BRONZE", at=1_800_000_000.123)
    assert minted_at(coin.key_id) == pytest.approx(1_800_000_000.123, abs=0.0006)
    assert (uuid.UUID(coin.key_id).version, uuid.UUID(coin.key_id).variant) == (7, uuid.RFC_4122)
    # RFC 9562, appendix A.6
    assert minted_at("017f22e2-79b0-7cc3-98c4-dc0c0c07398f") == 1645557742.0
    now = minted_at(identity.mint(owner, "BRONZE")[0].key_id)
    assert now is not None
    assert abs(now - time.time()) < 60
    for key_id in (
        str(uuid.uuid4()),
        "key",
        "",
        f"{{{coin.key_id}}}",
        coin.key_id.upper(),
        coin.key_id.replace("-", ""),
    ):
        assert minted_at(key_id) is None


@pytest.mark.parametrize(
    ("category", "public_key"),
    [("BRONZE", bytes(32)), ("BRONZE", bytes(31)), ("GOLD", b"\xff" * 1184), ("SILVER", b"\xff" * 1184)],
)
def test_a_key_that_is_none_is_a_forged_coin(category: str, public_key: bytes) -> None:
    with pytest.raises(ForgedCoinError):
        encrypt(Coin("key", category, public_key, b""), b"hello")


# -- what a message is bound to


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_message_is_bound_to_its_name_category_and_bytes(category: str) -> None:
    coin, private_key = Identity().mint(uuid.uuid4(), category)
    message = encrypt(coin, b"hello")
    assert decrypt(private_key, message) == b"hello"
    neighbour = {"GOLD": "SILVER", "SILVER": "GOLD", "BRONZE": "GOLD"}[category]
    for bent in (
        replace(message, key_id=str(uuid.uuid4())),
        replace(message, category=neighbour),
        replace(message, encapsulated=message.encapsulated[:-1]),
        replace(message, encapsulated=b""),
        replace(message, ciphertext=b""),
    ):
        with pytest.raises(BadMessageError):
            decrypt(private_key, bent)


def test_bits_that_x25519_ignores_are_bound_too() -> None:
    coin, private_key = Identity().mint(uuid.uuid4(), "BRONZE")
    message = encrypt(coin, b"hello")
    last = message.encapsulated[31] ^ 0x80
    with pytest.raises(BadMessageError):
        decrypt(private_key, replace(message, encapsulated=message.encapsulated[:31] + bytes([last])))
    same_point = coin.public_key[:31] + bytes([coin.public_key[31] ^ 0x80])
    assert decapsulate(private_key, encapsulate(coin)[1])
    with pytest.raises(BadMessageError):
        decrypt(private_key, encrypt(replace(coin, public_key=same_point), b"hello"))


def test_a_text_has_a_largest_size() -> None:
    coin, private_key = Identity().mint(uuid.uuid4(), "GOLD")
    message = Message.from_bytes(encrypt(coin, bytes(LARGEST_TEXT)).to_bytes())
    assert len(decrypt(private_key, message)) == LARGEST_TEXT
    with pytest.raises(InvalidArgumentError, match="text"):
        encrypt(coin, bytes(LARGEST_TEXT + 1))


def test_a_message_that_names_no_key_is_none() -> None:
    for key_id, category in (("", "GOLD"), ("k" * 37, "GOLD"), ("a\n", "GOLD"), ("key", "IRON")):
        with pytest.raises(BadMessageError):
            Message(key_id, category, b"", b"")


# -- what an app keeps and gives away


def test_an_identity_survives_a_restart() -> None:
    owner, identity = uuid.uuid4(), Identity()
    data = identity.to_bytes()
    again = Identity.from_bytes(data)
    assert again.to_bytes() == data
    for category in CATEGORIES:
        verify(owner, again.mint(owner, category)[0], identity.verify_keys)
    for junk in (b"", data[:-1], data + b"\x00", b"\x02" + data[1:]):
        with pytest.raises(BadCardError):
            Identity.from_bytes(junk)


def test_a_card_travels_and_junk_is_none() -> None:
    owner, identity = uuid.uuid4(), Identity()
    data = Card(owner, identity.verify_keys).to_bytes()
    card = Card.from_bytes(data)
    assert (card.user_id, card.to_bytes()) == (owner, data)
    for category in CATEGORIES:
        verify(owner, identity.mint(owner, category)[0], card.verify_keys)
    bronze = Card(owner, {"BRONZE": identity.verify_keys["BRONZE"]})
    assert set(Card.from_bytes(bronze.to_bytes()).verify_keys) == {"BRONZE"}

    def summed(content: bytes) -> bytes:
        return content + sha256(content).digest()[:8]

    bent = [data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :] for place in (0, 9, 12, 40, len(data) - 1)]
    short_key = b"aqm card 1" + owner.bytes + b"\x00\x05" + bytes(5) + bytes(4)
    for junk in (b"", b"card", data[:-1], data + b"\x00", *bent, summed(data[:-9]), summed(data[:-8] + b"\x00"),
                 summed(b"aqm card 1"), summed(b"aqm card 1" + owner.bytes), summed(short_key)):  # fmt: skip
        with pytest.raises(BadCardError):
            Card.from_bytes(junk)
