"""The coins that a load claims, on either side's table."""

from __future__ import annotations

import os
import time
from collections.abc import Collection
from copy import copy
from itertools import count
from math import ceil, sqrt
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql

from .coins import SIZES
from .walk import identity

# A recipient's coins lie beside each other, as an upload leaves them. Random bytes, since others would be compressed,
# and different ones in each coin.
FILL = """
insert into {table} (user_id, key_id, coin_category, public_key_blob, signature_blob{column})
select
    r.user_id,
    lpad(r.number::text, 6, '0') || '-' || lpad(%(fill)s::text, 4, '0') || '-' || lpad(n::text, 8, '0'),
    %(category)s,
    overlay(%(public_key)b::bytea placing uuid_send(gen_random_uuid()) from 1),
    overlay(%(signature)b::bytea placing uuid_send(gen_random_uuid()) from 1){value}
from (
    select n as number, md5('recipient ' || n)::uuid as user_id
    from generate_series(%(first)s::integer, %(last)s::integer) as n
) as r
left join (
    select ci.user_id, count(*) as coins from {table} as ci
    where ci.coin_category = %(category)s and ci.fetched_by is null
    group by ci.user_id
) as unclaimed on unclaimed.user_id = r.user_id
cross join lateral generate_series(1, %(wanted)s - coalesce(unclaimed.coins, 0)) as n
order by r.number, n
"""
DIGEST = "public_key_digest"
"""A column that only we have, and not at every commit: any number does, since no coin is like another."""


def make_key_id(recipient: int, fill: int, number: int) -> str:
    """The key_id that FILL gives a coin: no two recipients share one, so that it alone tells a coin."""
    return f"{recipient:06}-{fill:04}-{number:08}"


def owner_of(key_id: str) -> UUID:
    """The recipient whose coin a key_id names."""
    return identity("recipient", int(key_id[:6]))


class Stock:
    """The inventory of one side.

    dsn: its database. table: schema and name. recipients: how many own coins. category: of all coins. first: number of
    the first recipient.
    """

    def __init__(self, dsn: str, table: tuple[str, str], recipients: int, category: str, first: int = 1) -> None:
        self.dsn = dsn
        self.table = sql.Identifier(*table)
        self.recipients = recipients
        self.category = category
        self.first = first
        self.fills = count(1)
        self.received: set[str] = set()

    def of(self, category: str, recipients: int | None = None, first: int = 1) -> Stock:
        """Other coins in the same table; fills are counted together, as a key_id may come once for a recipient."""
        stock = copy(self)
        stock.category, stock.recipients, stock.first = category, recipients or self.recipients, first
        stock.received = set()
        return stock

    @property
    def last(self) -> int:
        """Number of the last recipient."""
        return self.first + self.recipients - 1

    def fill(self, claims: float) -> None:
        """See to it that so many claims find a coin, with room for an uneven choice of recipients; leave the table
        vacuumed and the server right after a checkpoint, so that every round starts from the same state."""
        each = claims / self.recipients
        self.top_up(ceil(each + 4 * sqrt(each) + 10))
        with self.connect() as connection:
            connection.execute(self._statement("vacuum (analyze) {table}"))
            connection.execute("checkpoint")

    def top_up(self, depth: int) -> int:
        """Give every recipient so many unclaimed coins; returns how many were added. All in one statement, without
        the checks of an upload: it is the load that is measured, not this."""
        public_key, signature = (os.urandom(size) for size in SIZES[self.category])
        values = {
            "fill": next(self.fills),
            "category": self.category,
            "public_key": public_key,
            "signature": signature,
            "first": self.first,
            "last": self.last,
            "wanted": depth,
        }
        with self.connect() as connection:
            has_digest = connection.execute(
                "select from pg_attribute where attrelid = %s::regclass and attname = %s and attgenerated = ''",
                [self.table.as_string(connection), DIGEST],
            ).rowcount
            statement = sql.SQL(FILL).format(
                table=self.table,
                column=sql.SQL(f", {DIGEST}" if has_digest else ""),
                value=sql.SQL(", hashtextextended(gen_random_uuid()::text, 0)" if has_digest else ""),
            )
            return connection.execute(statement, values).rowcount

    def empty(self) -> None:
        """Remove all coins of the table, whosever they are."""
        with self.connect() as connection:
            connection.execute(self._statement("truncate {table}"))

    def size(self) -> int:
        """Bytes on disk: the table with its TOAST and its indexes."""
        with self.connect() as connection:
            row = connection.execute(
                "select pg_total_relation_size(%s::regclass)", [self.table.as_string(connection)]
            ).fetchone()
            return int(row[0]) if row else 0

    def claimed(self) -> int:
        """How many coins are claimed, once nothing is on its way any more."""
        with self.connect() as connection:
            before = -1
            while (now := self._count(connection, "fetched_by is not null")) != before:
                before = now
                time.sleep(0.1)
            return now

    def count_claimed_of(self, keys: Collection[str]) -> int:
        """How many of these key_ids belong to claimed coins."""
        with self.connect() as connection:
            return self._count(connection, "fetched_by is not null and key_id = any(%s)", [list(keys)])

    def wal_position(self) -> str:
        """Where the server's WAL ends now."""
        with self.connect() as connection:
            row = connection.execute("select pg_current_wal_flush_lsn()::text").fetchone()
            return str(row[0]) if row else ""

    def wal_since(self, start: str) -> tuple[int, int]:
        """Bytes of WAL that the server has written since then, and how many of them are full-page images: exact,
        since every record is looked at (pg_walinspect), where pg_stat_wal only knows the number of images."""
        with self.connect() as connection:
            row = connection.execute(
                "select sum(record_size)::bigint, sum(fpi_size)::bigint "
                "from (select pg_current_wal_flush_lsn() as lsn) as now, pg_get_wal_stats(%(start)s, now.lsn) "
                "where now.lsn > %(start)s::pg_lsn",
                {"start": start},
            ).fetchone()
        records, images = row or (0, 0)
        return int(records or 0) + int(images or 0), int(images or 0)

    def connect(self) -> psycopg.Connection[Any]:
        """A connection of the bench's own."""
        return psycopg.connect(self.dsn, autocommit=True, application_name="aqm bench")

    def _statement(self, text: str) -> sql.Composed:
        return sql.SQL(text).format(table=self.table)

    def _count(self, connection: psycopg.Connection[Any], condition: str, values: list[Any] | None = None) -> int:
        row = connection.execute(
            self._statement(f"select count(*) from {{table}} where {condition}"), values
        ).fetchone()
        return int(row[0]) if row else 0
