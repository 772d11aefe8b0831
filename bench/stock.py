"""The coins that a load claims, on either side's table."""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from math import ceil, sqrt
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from .walk import identity

SIZES = {"GOLD": (1184, 2420), "SILVER": (1184, 64), "BRONZE": (32, 64)}
"""Bytes of public key and signature by category."""

# A recipient's coins lie beside each other, as an upload leaves them. Random bytes, since others would be compressed,
# and different ones in each coin.
FILL = """
insert into {table} (user_id, key_id, coin_category, public_key_blob, signature_blob)
select
    r.user_id,
    lpad(r.number::text, 6, '0') || '-' || lpad(%(fill)s::text, 4, '0') || '-' || lpad(n::text, 8, '0'),
    %(category)s,
    overlay(%(public_key)b::bytea placing uuid_send(gen_random_uuid()) from 1),
    overlay(%(signature)b::bytea placing uuid_send(gen_random_uuid()) from 1)
from (
    select n as number, md5('recipient ' || n)::uuid as user_id from generate_series(1, %(recipients)s) as n
) as r
left join (
    select ci.user_id, count(*) as coins from {table} as ci
    where ci.coin_category = %(category)s and ci.fetched_by is null
    group by ci.user_id
) as unclaimed on unclaimed.user_id = r.user_id
cross join lateral generate_series(1, %(wanted)s - coalesce(unclaimed.coins, 0)) as n
order by r.number, n
"""


def make_key_id(recipient: int, fill: int, number: int) -> str:
    """The key_id that FILL gives a coin: no two recipients share one, so that it alone tells a coin."""
    return f"{recipient:06}-{fill:04}-{number:08}"


def owner_of(key_id: str) -> UUID:
    """The recipient whose coin a key_id names."""
    return identity("recipient", int(key_id[:6]))


class Stock:
    """The inventory of one side.

    dsn: its database. table: schema and name. recipients: how many own coins. category: of all coins.
    """

    def __init__(self, dsn: str, table: tuple[str, str], recipients: int, category: str) -> None:
        self.dsn = dsn
        self.table = sql.Identifier(*table)
        self.recipients = recipients
        self.category = category
        self.fills = 0
        self.received: set[str] = set()

    def fill(self, claims: float) -> None:
        """See to it that so many claims find a coin, with room for an uneven choice of recipients; leave the table
        vacuumed and the server right after a checkpoint, so that every round starts from the same state."""
        each = claims / self.recipients
        self.fills += 1
        public_key, signature = (os.urandom(size) for size in SIZES[self.category])
        values = {
            "fill": self.fills,
            "category": self.category,
            "public_key": public_key,
            "signature": signature,
            "recipients": self.recipients,
            "wanted": ceil(each + 4 * sqrt(each) + 10),
        }
        with self._connect() as connection:
            connection.execute(self._statement(FILL), values)
            connection.execute(self._statement("vacuum (analyze) {table}"))
            connection.execute("checkpoint")

    def claimed(self) -> int:
        """How many coins are claimed, once nothing is on its way any more."""
        with self._connect() as connection:
            before = -1
            while (now := self._count(connection, "fetched_by is not null")) != before:
                before = now
                time.sleep(0.1)
            return now

    def count_claimed_of(self, keys: Collection[str]) -> int:
        """How many of these key_ids belong to claimed coins."""
        with self._connect() as connection:
            return self._count(connection, "fetched_by is not null and key_id = any(%s)", [list(keys)])

    def wal_position(self) -> int:
        """Bytes of WAL that the server has written so far."""
        with self._connect() as connection:
            row = connection.execute("select pg_current_wal_insert_lsn() - '0/0'::pg_lsn").fetchone()
            return int(row[0]) if row else 0

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.dsn, autocommit=True, application_name="aqm bench")

    def _statement(self, text: str) -> sql.Composed:
        return sql.SQL(text).format(table=self.table)

    def _count(self, connection: psycopg.Connection[Any], condition: str, values: list[Any] | None = None) -> int:
        row = connection.execute(
            self._statement(f"select count(*) from {{table}} where {condition}"), values
        ).fetchone()
        return int(row[0]) if row else 0
