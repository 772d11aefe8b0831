"""Plans last as long as a connection: one from the time when there were no coins must serve when there are many."""

from __future__ import annotations

import os
import uuid

import psycopg
import pytest

from conftest import Database

MANY = 20_000
CALLS = {
    "single": "select * from coins.claim_coins(%(target)s, %(requester)s, 'BRONZE')",
    "batch": "select * from coins.claim_coins_batch("
    "array[%(target)s::uuid], array[%(requester)s::uuid], array['BRONZE'], array[1], array[null::uuid])",
}
FILL = (
    "insert into coins.coin_inventory (user_id, key_id, coin_category, public_key_blob, signature_blob, public_key_digest)"
    " select coalesce(%s, gen_random_uuid()), n, 'BRONZE', '', '', n from generate_series(1, %s) as n"
)


@pytest.mark.parametrize("has_coins", [True, False])
@pytest.mark.parametrize("call", CALLS)
def test_a_claim_that_was_planned_without_coins_does_not_read_those_of_others(
    call: str, has_coins: bool, database: Database
) -> None:
    who = {"target": uuid.uuid4(), "requester": uuid.uuid4()}
    with psycopg.connect(database.dsn, autocommit=True) as connection:
        connection.execute("alter table coins.coin_inventory set (autovacuum_enabled = off)")
        connection.execute("vacuum analyze coins.coin_inventory")
        for _ in range(3):
            connection.execute(CALLS[call].encode(), who)
        with psycopg.connect(database.dsn, autocommit=True) as uploader:
            uploader.execute(FILL.encode(), [None, MANY])
            if has_coins:
                uploader.execute(FILL.encode(), [who["target"], 3])
        with connection.transaction():
            assert len(connection.execute(CALLS[call].encode(), who).fetchall()) == has_coins
            read = connection.execute(
                "select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables where relname = 'coin_inventory'"
            ).fetchone()
    assert read
    assert read[0] < 20


def test_an_upload_that_was_planned_without_coins_does_not_read_those_of_others(database: Database) -> None:
    upload = "select coins.upload_coins(%(user)s, array[(%(key_id)s, 'BRONZE', %(public_key)s, %(signature)s)::coins.coin_upload])"

    def coin() -> dict[str, object]:
        return {
            "user": uuid.uuid4(),
            "key_id": str(uuid.uuid4()),
            "public_key": os.urandom(32),
            "signature": os.urandom(64),
        }

    with psycopg.connect(database.dsn, autocommit=True) as connection:
        connection.execute("alter table coins.coin_inventory set (autovacuum_enabled = off)")
        connection.execute("vacuum analyze coins.coin_inventory")
        # A plan for good comes after the fifth.
        for _ in range(7):
            with connection.transaction(force_rollback=True):
                connection.execute(upload.encode(), coin())
        with psycopg.connect(database.dsn, autocommit=True) as uploader:
            uploader.execute(FILL.encode(), [None, MANY])
        with connection.transaction():
            assert connection.execute(upload.encode(), coin()).fetchone() == (1,)
            read = connection.execute(
                "select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables where relname = 'coin_inventory'"
            ).fetchone()
    assert read
    assert read[0] < 20
