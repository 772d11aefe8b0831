"""The calls of many users in one statement: what the histories ask of the database."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import psycopg

from conftest import Coin
from tests.histories.model import Claim

Connection = psycopg.Connection[Any]
Answer = tuple[str | None, list[Coin]]
"""An SQLSTATE, or coins."""

UPLOAD = """
select coins.upload_coins(u.user_id, array_agg(row(u.k, u.c, u.p, u.s)::coins.coin_upload order by u.place))
from unnest(%b::integer[], %b::uuid[], %b::text[], %b::text[], %b::bytea[], %b::bytea[])
    with ordinality as u (number, user_id, k, c, p, s, place)
group by u.number, u.user_id
order by u.number
"""
CLAIM = "select * from coins.claim_coins(%b, %b, %b, %b, %b)"
CLAIM_BATCH = """
select b.call_number, b.error_code, b.key_id, b.coin_category, b.public_key_blob, b.signature_blob
from coins.claim_coins_batch(%b::uuid[], %b::uuid[], %b::text[], %b::integer[], %b::uuid[]) as b
"""
DISCARD = "select coins.discard_coins(%b::uuid, %b::text[])"
AGE = "update coins.coin_inventory set uploaded_at = uploaded_at - interval '31 days' where user_id = any(%b::uuid[])"
MAKE_THIS_CALL_ALONE = "55P03"


def upload_all(connection: Connection, uploads: Sequence[tuple[uuid.UUID, list[Coin]]]) -> list[int]:
    """Upload for many users; returns how many coins of each were stored."""
    rows = [(number, user_id, *coin) for number, (user_id, coins) in enumerate(uploads) for coin in coins]
    columns = [list(column) for column in zip(*rows, strict=True)]
    return [row[0] for row in connection.execute(UPLOAD, columns, binary=True)] if rows else []


def claim_one(connection: Connection, claim: Claim) -> Answer:
    """One claim in a transaction of its own, or in a savepoint."""
    arguments = [claim.target, claim.requester, claim.category, claim.count, claim.request_id]
    try:
        with connection.transaction():
            return None, connection.execute(CLAIM, arguments, binary=True).fetchall()
    except psycopg.Error as error:
        return error.sqlstate, []


def claim_all(connection: Connection, claims: Sequence[Claim]) -> list[Answer]:
    """Many claims in one call of the batch function."""
    columns = [[getattr(claim, name) for claim in claims] for name in Claim.ARGUMENTS]
    answers: list[Answer] = [(None, []) for _ in claims]
    for number, error, *coin in connection.execute(CLAIM_BATCH, columns, binary=True):
        if error:
            answers[number - 1] = (error, [])
        else:
            answers[number - 1][1].append(tuple(coin))
    return answers


def discard_all(connection: Connection, discards: Sequence[tuple[uuid.UUID, list[str] | None]]) -> list[int]:
    """Discard for many users; returns how many coins of each went."""
    rows = [connection.execute(DISCARD, discard, binary=True).fetchone() for discard in discards]
    return [row[0] for row in rows if row]
