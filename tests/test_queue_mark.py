"""The mark that spares claims the dead entries before it is a hint: a coin behind it is found by every way of claiming."""

from __future__ import annotations

import uuid

import pytest

from conftest import UPLOAD, Database, make_coins, upload_arguments

CLAIM = "select key_id from coins.claim_coins(%s, %s, 'BRONZE', %s)"
CLAIM_MANY = """
select c.key_id from coins.claim_many(%s, array[row(%s, 'BRONZE', 1, false)::coins.claim_wish]) as m
cross join unnest(m.coins) as c
"""
CLAIM_BATCH = """
select key_id
from coins.claim_coins_batch(array[%s]::uuid[], array[%s]::uuid[], array['BRONZE'], array[1], array[null]::uuid[])
where error_code is distinct from '55P03'
"""


def leave_one_behind_the_mark(database: Database, bob: uuid.UUID) -> None:
    """An upload that began first commits last: meanwhile others upload, claim and move the mark."""
    # The mark moves only while there is as much as the threshold asks for.
    database.execute("update coins.coin_category set low_stock = 1")
    with database.connect() as slow, database.connect() as quick:
        slow.execute("begin")
        quick.execute(UPLOAD, upload_arguments(bob, make_coins(2, prefix="quick")))
        quick.execute(CLAIM, [bob, uuid.uuid4(), 1])
        quick.execute("select coins.tend_queue(%s, 'BRONZE', 1)", [bob])
        quick.execute(CLAIM, [bob, uuid.uuid4(), 1])
        slow.execute(UPLOAD, upload_arguments(bob, make_coins(1, prefix="slow")))
        slow.execute("commit")
    assert database.rows("""
        select ci.key_id
        from coins.coin_inventory as ci
        inner join coins.queue_mark as qm on qm.user_id = ci.user_id and qm.uploaded_at > ci.uploaded_at
        where ci.fetched_by is null
    """) == [("slow-000",)]


@pytest.mark.parametrize("name", ["claim_coins", "claim_many", "claim_coins_batch"])
def test_a_coin_behind_the_mark_is_found(database: Database, bob: uuid.UUID, alice: uuid.UUID, name: str) -> None:
    leave_one_behind_the_mark(database, bob)
    match name:
        case "claim_coins":
            found = database.rows(CLAIM, [bob, alice, 1])
        case "claim_many":
            found = database.rows(CLAIM_MANY, [alice, bob])
        case _:
            found = database.rows(CLAIM_BATCH, [bob, alice])
    assert found == [("slow-000",)]
