"""What the database holds in the end, as a file for the checker."""

from __future__ import annotations

from pathlib import Path

import orjson

from .checker import DUMP, SPENT
from .installation import Installation

STATES = """
select ci.user_id::text, ci.key_id, case when ci.fetched_by is null then 'unclaimed' else 'claimed' end, ci.fetched_by::text
from coins.coin_inventory as ci
union all
select d.user_id::text, d.key_id, case when d.fetched_by is null then 'purged' else 'hard-deleted' end, d.fetched_by::text
from witness.deleted_coin as d
"""


MEMORY = "select sc.user_id::text, sc.digests from coins.spent_coin as sc"


async def dump(installation: Installation, folder: Path) -> None:
    """Write a line for each coin (user, key_id, state, sender), and one for each piece of the memory of spent coins."""
    for name, statement in ((DUMP, STATES), (SPENT, MEMORY)):
        rows = await installation.query(statement)
        with (folder / name).open("wb") as file:
            file.writelines(orjson.dumps(row) + b"\n" for row in rows)
