"""Two sessions, all interleavings: whatever else happens to a coin, one sender at most has it.

Each test is a row of PAIRS at one isolation level; it plays every order of the steps, with both sessions committing
and with either rolling back. A failure prints the schedule; `ISOLATION_SCHEDULE=112122 pytest tests/test_isolation.py -k '…'` plays that one.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass

import pytest

from conftest import UPLOAD, Database, make_coins, migrated_copy, upload_arguments
from db.cluster import Cluster
from tests.isolation import calls
from tests.isolation.calls import Call, World, claim, claim_batch, claim_many, claim_with_id
from tests.isolation.check import Holders, check_coins, check_outcome, check_spent
from tests.isolation.interleavings import Connection, Schedule, Session, Step, play, schedules
from tests.marks import move_the_mark_at_every_claim


@dataclass(frozen=True)
class Pair:
    """Two lists of calls that meet.

    stock: Bob's coins on sale before. may_wait: names of steps that may wait for the other session; no other may.
    may_fail: errors that are an answer. is_plenty: at READ COMMITTED every claim gets all it asks for.
    """

    first: list[Call]
    second: list[Call]
    stock: int = 4
    may_wait: frozenset[str] = frozenset()
    may_fail: frozenset[str] = frozenset()
    is_plenty: bool = False


PAIRS = {
    "claim × claim": Pair([claim()], [claim()], is_plenty=True),
    "claim × claim of the last coin": Pair([claim()], [claim()], stock=1),
    "claim all × claim all": Pair([claim(4)], [claim(4)]),
    "two claims × two claims": Pair([claim(), claim()], [claim(), claim()], is_plenty=True),
    "claim × batch": Pair([claim()], [claim_batch()], is_plenty=True),
    "batch × batch": Pair([claim_batch(2)], [claim_batch(2)], is_plenty=True),
    "claim many × batch": Pair([claim_many(2)], [claim_batch(2)], is_plenty=True),
    "claim many × claim many": Pair([claim_many(2)], [claim_many(2)], is_plenty=True),
    "claim with id × the same": Pair(
        [claim_with_id(2)], [claim_with_id(2)], may_wait=frozenset({"claim with id"}), is_plenty=True
    ),
    "claim with id × another claim with it": Pair(
        [claim_with_id(2)],
        [claim_with_id(1)],
        may_wait=frozenset({"claim with id"}),
        may_fail=frozenset({"PT422"}),
        is_plenty=True,
    ),
    "claim × purge": Pair([claim()], [calls.purge]),
    "two claims × purge": Pair([claim(), claim()], [calls.purge]),
    "purge × purge": Pair([calls.purge], [calls.purge]),
    "claim × hard delete": Pair([claim()], [calls.hard_delete]),
    "claim again × hard delete": Pair([calls.claim_early_again], [calls.hard_delete], may_fail=frozenset({"PT410"})),
    "hard delete × hard delete": Pair([calls.hard_delete], [calls.hard_delete], may_wait=frozenset({"hard delete"})),
    "claim × upload of new coins": Pair([claim(4)], [calls.upload_new]),
    "claim × the same upload again": Pair([claim(2)], [calls.upload_again]),
    "hard delete × upload of a spent coin": Pair([calls.hard_delete], [calls.upload_spent]),
    "purge × the same upload again": Pair([calls.purge], [calls.upload_again]),
    "upload × upload": Pair([calls.upload_new], [calls.upload_new], may_wait=frozenset({"upload new"})),
    "claim × discard all": Pair([claim(2)], [calls.discard_all], may_wait=frozenset({"discard"})),
    "claim × discard of the same coin": Pair([claim()], [calls.discard_first], may_wait=frozenset({"discard"})),
    "discard × the same upload again": Pair([calls.discard_all], [calls.upload_again]),
    "discard × purge": Pair([calls.discard_all], [calls.purge], may_wait=frozenset({"discard"})),
    "claim × fence": Pair([claim(2)], [calls.fence], may_wait=frozenset({"claim", "fence"})),
    "upload in the old epoch × fence": Pair(
        [calls.upload_in_epoch],
        [calls.fence],
        may_wait=frozenset({"upload new", "fence"}),
        may_fail=frozenset({"PT409"}),
    ),
    "hard delete × fence": Pair([calls.hard_delete], [calls.fence], may_wait=frozenset({"hard delete", "fence"})),
}
ENDS = (("commit", "commit"), ("commit", "rollback"), ("rollback", "commit"))
LEVELS = ("READ COMMITTED", "REPEATABLE READ")
NEEDS_FRESH_SNAPSHOT = "PT409"
"""upload_coins() refuses REPEATABLE READ: an older snapshot would not show what was spent since."""


@dataclass
class Stage:
    """The connections that all interleavings of a test are played on."""

    connections: tuple[Connection, Connection]
    monitor: Connection

    async def set_up(self, stock: int) -> World:
        """Two recipients with coins; whatever an earlier interleaving left is gone."""
        world = World(stock=make_coins(stock))
        await self.monitor.execute("delete from coins.coin_inventory")
        await self.monitor.execute(UPLOAD, upload_arguments(world.bob, world.early))
        await self.monitor.execute(calls.CLAIM, [world.bob, world.senders[0], 1, world.early_request])
        await self.monitor.execute(UPLOAD, upload_arguments(world.bob, world.stock))
        await self.monitor.execute(UPLOAD, upload_arguments(world.carol, world.other_stock))
        cursor = await self.monitor.execute("select e.number from coins.epoch as e")
        (world.epoch,) = await cursor.fetchone() or (0,)
        return world

    async def holders(self) -> Holders:
        """Who has claimed each coin that is there."""
        cursor = await self.monitor.execute("select ci.key_id, ci.fetched_by from coins.coin_inventory as ci")
        return dict(await cursor.fetchall())

    async def upload_all_again(self, world: World) -> None:
        """As a device does that never heard of anything."""
        coins = [*world.early, *world.stock, *world.fresh]
        await self.monitor.execute(UPLOAD, upload_arguments(world.bob, coins))


@asynccontextmanager
async def open_stage(database: Database) -> AsyncIterator[Stage]:
    made = [await database.connect_async() for _ in range(3)]
    try:
        yield Stage((made[0], made[1]), made[2])
    finally:
        for connection in made:
            await connection.close()


@pytest.fixture(scope="module")
def databases(cluster: Cluster, template: str) -> Iterator[list[Database]]:
    """One for each mix of ends: these are played side by side, and a purge knows no recipients."""
    with ExitStack() as stack:
        made = [stack.enter_context(migrated_copy(cluster, template)) for _ in ENDS]
        for database in made:
            move_the_mark_at_every_claim(database)
        yield made


async def play_and_check(stage: Stage, pair: Pair, level: str, ends: tuple[str, ...], schedule: Schedule) -> None:
    """Play one schedule; a failure tells all that happened."""
    world = await stage.set_up(pair.stock)
    sessions = (Session(stage.connections[0], []), Session(stage.connections[1], []))
    for me, (session, made_by) in enumerate(zip(sessions, (pair.first, pair.second), strict=True)):
        begin = Step("begin", f"begin isolation level {level}")
        session.steps = [begin, *(call(world, me) for call in made_by), Step(ends[me], ends[me])]
    trace = await play(schedule, sessions, stage.monitor)
    try:
        for session in sessions:
            may_fail = pair.may_fail
            for outcome in session.outcomes:
                if level == "REPEATABLE READ":
                    is_upload = outcome.step.name.startswith("upload")
                    may_fail |= {NEEDS_FRESH_SNAPSHOT if is_upload else "40001"}
                check_outcome(outcome, may_fail, pair.may_wait, pair.is_plenty and level == "READ COMMITTED")
                may_fail |= {"25P02"} if outcome.error else set()
        check_coins(world, sessions, await stage.holders())
        await stage.upload_all_again(world)
        check_spent(world, sessions, await stage.holders())
    except AssertionError as error:
        story = "\n  ".join(trace)
        raise AssertionError(f"{error}\nISOLATION_SCHEDULE={schedule}, {level}:\n  {story}") from error


async def play_all(database: Database, pair: Pair, level: str, ends: tuple[str, ...]) -> None:
    """Play every schedule of a pair, or the one that the environment names."""
    only = os.environ.get("ISOLATION_SCHEDULE")
    async with open_stage(database) as stage:
        for schedule in [only] if only else schedules(len(pair.first) + 2, len(pair.second) + 2):
            await play_and_check(stage, pair, level, ends, schedule)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", PAIRS)
async def test_all_interleavings(databases: list[Database], name: str, level: str) -> None:
    async with asyncio.TaskGroup() as group:
        for database, ends in zip(databases, ENDS, strict=True):
            group.create_task(play_all(database, PAIRS[name], level, ends))


async def test_a_claim_without_its_lock_clause_is_found_out(database: Database) -> None:
    """A check that can't fail proves nothing."""
    definition = database.value("select pg_get_functiondef('coins.claim_coins'::regproc)")
    assert definition.count("for update skip locked") == 1
    database.execute(definition.replace("for update skip locked", ""))
    with pytest.raises(AssertionError, match="ISOLATION_SCHEDULE"):
        await play_all(database, PAIRS["claim × claim"], "READ COMMITTED", ("commit", "commit"))
