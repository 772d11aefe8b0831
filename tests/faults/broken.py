"""Three ways to take a promise's ground away; the checker must then find fault, or it proves nothing."""

from __future__ import annotations

import re

from .errors import HarnessError
from .installation import Installation

NOT_DURABLE = {
    "synchronous_commit": "off",
    # Both as large as they may be: what was answered stays in memory for long, and a kill loses it.
    "wal_writer_delay": "10s",
    "wal_writer_flush_after": "1GB",
}
LOCK_CLAUSE = re.compile(r"\bfor\s+(no\s+key\s+)?update(\s+of\s+\w+)?\s+skip\s+locked\b")
CLAIM_FUNCTIONS = ("coins.claim_coins", "coins.claim_coins_batch")


async def remove_locks(installation: Installation) -> None:
    """Replace the claim functions by ones without their lock clause.

    They would still give no coin twice where PostgreSQL compares a row's ctid once more after it had to wait for the
    row (since 15.15, 16.11, 17.7): a second lock, in fact, and gone as well when rows are found by record_id.
    """
    await installation.execute("create index on coins.coin_inventory (record_id)")
    for name in CLAIM_FUNCTIONS:
        rows = await installation.query("select pg_get_functiondef(to_regproc(%s))", [name])
        text, removed = LOCK_CLAUSE.subn("", rows[0][0])
        if not removed:
            raise HarnessError(f"{name} has no lock clause to remove")
        await installation.execute(text.replace("ctid", "record_id"))
