"""Random histories, the short form; docs/testing.md has the command of the long one."""

from __future__ import annotations

import os
import random

import pytest

from conftest import Database
from tests.histories.play import FORGETFUL_DELETE, play
from tests.marks import move_the_mark_at_every_claim


def chosen_seed() -> int:
    """HISTORIES_SEED, else a new one; printed, so that a failure can be played again."""
    seed = int(os.environ.get("HISTORIES_SEED") or random.SystemRandom().randrange(10**6))
    print(f"HISTORIES_SEED={seed}")
    return seed


@pytest.mark.parametrize("dice", ["fair", "loaded"])
def test_no_coin_is_issued_twice_in_1000_histories(database: Database, dice: str) -> None:
    if dice == "loaded":
        move_the_mark_at_every_claim(database)
    with database.connect() as connection:
        records = play(connection, 1000, chosen_seed())
    assert not records.faults, "\n".join(records.examples)
    assert records.issued > 1000


def test_a_server_that_forgets_spent_coins_is_found_out(database: Database) -> None:
    """A check that can't fail proves nothing."""
    with database.connect() as connection:
        records = play(connection, 100, chosen_seed(), FORGETFUL_DELETE)
    assert records.faults["issued twice"] > 0
