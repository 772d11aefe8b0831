"""What the database holds in the end, as a file for the checker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson

from .installation import Installation

STATES = """
select ci.user_id::text, ci.key_id, case when ci.fetched_by is null then 'unclaimed' else 'claimed' end, ci.fetched_by::text
from coins.coin_inventory as ci
union all
select d.user_id::text, d.key_id, case when d.fetched_by is null then 'purged' else 'hard-deleted' end, d.fetched_by::text
from witness.deleted_coin as d
"""


async def dump(installation: Installation, path: Path) -> None:
    """Write one line for each coin: user, key_id, state, sender."""
    rows: list[tuple[Any, ...]] = await installation.query(STATES)
    with path.open("wb") as file:
        file.writelines(orjson.dumps(row) + b"\n" for row in rows)
