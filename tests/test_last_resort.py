"""A last-resort coin is in many hands: it never becomes a one-time coin, whatever its device does."""

from __future__ import annotations

import uuid

import pytest

from conftest import Coin, Database, claim, make_coin, upload

PUT = "select coins.put_last_resort(%s, row(%s, %s, %s, %s)::coins.coin_upload)"


@pytest.mark.parametrize("then", ["keep", "replace", "discard all", "discard it"])
def test_a_last_resort_coin_is_never_sold_as_a_one_time_coin(
    database: Database, bob: uuid.UUID, alice: uuid.UUID, then: str
) -> None:
    coin: Coin = make_coin("last")
    database.execute(PUT, [bob, *coin])
    match then:
        case "replace":
            database.execute(PUT, [bob, *make_coin("next")])
        case "discard all":
            database.execute("select coins.discard_coins(%s)", [bob])
        case "discard it":
            database.execute("select coins.discard_coins(%s, array['last'])", [bob])
    renamed: Coin = ("another name", *coin[1:])
    assert upload(database, bob, [coin, renamed]) == 0
    assert claim(database, bob, alice, "BRONZE", 2) == []
