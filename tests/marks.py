"""Makes each claim do what one in two hundred does: move the mark where a queue's unclaimed coins begin."""

from __future__ import annotations

from conftest import Database

DICE = "random() * 200"


def move_the_mark_at_every_claim(database: Database) -> None:
    """Load the dice of both claim functions, in this database."""
    for name in ("coins.claim_coins", "coins.claim_coins_batch"):
        definition = database.value("select pg_get_functiondef(%s::regproc)", [name])
        assert definition.count(DICE) == 1
        database.execute(definition.replace(DICE, "0"))
