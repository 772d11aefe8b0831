"""Private keys as bytes, through a vault and back."""

from __future__ import annotations

import pytest

from device.backends.base import CATEGORIES
from device.factory import Database
from device.keys import Identity, decapsulate, encapsulate, private_bytes, read_private_key


@pytest.mark.parametrize("category", CATEGORIES)
async def test_a_key_opens_its_message_after_it_was_in_a_vault(opened: Database, category: str) -> None:
    coin, private_key = Identity().mint(category)
    secret, message = encapsulate(coin)
    await opened.vault.store_key(coin.key_id, category, private_bytes(private_key))
    stored = await opened.vault.fetch_key(coin.key_id)
    assert stored
    assert decapsulate(read_private_key(category, stored), message) == secret


@pytest.mark.parametrize("category", CATEGORIES)
def test_bytes_of_another_size_are_no_key(category: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_private_key(category, b"k" * 33)
