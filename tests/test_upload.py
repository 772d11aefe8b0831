"""The seeds' five tests of uploading, by the function itself."""

from __future__ import annotations

import uuid

import psycopg
import pytest

from conftest import Database, count, make_coin, make_coins, upload


def test_upload_single_coin(database: Database, bob: uuid.UUID) -> None:
    coin = make_coin("key-001", "GOLD")
    assert upload(database, bob, [coin]) == 1
    stored = database.rows(
        "select user_id, key_id, coin_category, public_key_blob, signature_blob, fetched_by, fetched_at from coins.coin_inventory"
    )
    assert stored == [(bob, *coin, None, None)]


def test_upload_batch(database: Database, bob: uuid.UUID) -> None:
    coins = make_coins(4, "GOLD", "g") + make_coins(3, "SILVER", "s") + make_coins(3, "BRONZE", "b")
    assert upload(database, bob, coins) == 10
    assert count(database, bob) == (4, 3, 3)


def test_upload_duplicate_idempotent(database: Database, bob: uuid.UUID) -> None:
    coins = make_coins(10)
    assert upload(database, bob, coins) == 10
    assert upload(database, bob, coins) == 0
    assert upload(database, bob, [*coins, make_coin("new")]) == 1
    assert database.value("select count(*) from coins.coin_inventory") == 11


def test_upload_invalid_category_rejected(database: Database, bob: uuid.UUID) -> None:
    good, bad = make_coin("good"), ("bad", "TIN", bytes(32), bytes(64))
    with pytest.raises(psycopg.errors.InvalidParameterValue, match=r"coins\[1\]\.coin_category"):
        upload(database, bob, [good, bad])
    assert database.value("select count(*) from coins.coin_inventory") == 0


def test_upload_empty_list(database: Database, bob: uuid.UUID) -> None:
    assert upload(database, bob, []) == 0


def test_a_refused_upload_writes_nothing(database: Database, bob: uuid.UUID) -> None:
    """Rows that are rolled back would still cost WAL and disk: an attack that costs the attacker nothing."""
    database.execute("update coins.coin_category set max_unclaimed = 5")
    upload(database, bob, make_coins(5, "GOLD"))
    size = "select pg_total_relation_size('coins.coin_inventory')"
    before = database.value(size)
    for _ in range(3):
        with pytest.raises(psycopg.Error, match="at most 5"):
            upload(database, bob, make_coins(500, "GOLD", "more"))
    assert database.value(size) == before


def test_an_upload_is_refused_only_for_a_category_that_it_adds_to(database: Database, bob: uuid.UUID) -> None:
    stored = make_coins(2)
    upload(database, bob, stored)
    database.execute("update coins.coin_category set max_unclaimed = 1")
    assert upload(database, bob, [*stored, make_coin("silver", "SILVER")]) == 1
    assert count(database, bob) == (0, 1, 2)
