"""Restore drills, the short form; docs/testing.md has the command of the twenty."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from db.cluster import Cluster
from tests.restore.drill import primary, run_drill


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with primary() as cluster:
        yield cluster


@pytest.mark.parametrize("number", range(2))
async def test_after_a_restore_and_the_fence_no_coin_is_issued_twice(server: Cluster, number: int) -> None:
    records = await run_drill(server, f"suite {number}")
    assert not records.faults, "\n".join(records.examples)
    assert records.issued > 100


async def test_without_the_fence_some_are(server: Cluster) -> None:
    """A drill that can't fail proves nothing."""
    records = await run_drill(server, "suite", is_fenced=False)
    assert records.faults["issued twice"] > 0
