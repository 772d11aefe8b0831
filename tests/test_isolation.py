"""Two sessions, all interleavings: whatever else happens to a coin, one sender at most has it.

Each test is a row of PAIRS at one isolation level; it plays every order of the steps, with every mix of COMMIT and
ROLLBACK. A failure prints the schedule; `ISOLATION_SCHEDULE=112122 pytest tests/test_isolation.py -k '…'` plays that one.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import product

import psycopg
import pytest

from conftest import UPLOAD, Coin, Database, make_coins, migrated_copy, upload_arguments
from db.cluster import Cluster
from tests.interleavings import Connection, Schedule, Session, Step, play, schedules

CLAIM = "select key_id, public_key_blob from coins.claim_coins(%s, %s, 'BRONZE', %s)"


@dataclass
class World:
    """One recipient with coins on sale and one coin that is claimed already."""

    bob: uuid.UUID = field(default_factory=uuid.uuid4)
    senders: tuple[uuid.UUID, uuid.UUID] = field(default_factory=lambda: (uuid.uuid4(), uuid.uuid4()))
    stock: list[Coin] = field(default_factory=list)
    fresh: list[Coin] = field(default_factory=lambda: make_coins(2, prefix="fresh"))


Call = Callable[[World, int], Step]
"""Makes the step for one of the two sessions, 0 or 1."""


def claim(count: int = 1) -> Call:
    return lambda world, me: Step("claim", CLAIM, [world.bob, world.senders[me], count])


def upload_again(world: World, _me: int) -> Step:
    return Step("upload again", UPLOAD, upload_arguments(world.bob, world.stock))


def upload_fresh(world: World, _me: int) -> Step:
    return Step("upload new", UPLOAD, upload_arguments(world.bob, world.fresh))


def purge(_world: World, _me: int) -> Step:
    return Step("purge", "select coins.purge_stale(0)")


def hard_delete(_world: World, _me: int) -> Step:
    return Step("hard delete", "select coins.hard_delete_fetched(0)")


@dataclass(frozen=True)
class Pair:
    """Two lists of calls that meet.

    stock: coins on sale before. may_wait: names of steps that may wait for the other session; no other may.
    is_plenty: every claim that doesn't fail gets all it asks for (READ COMMITTED).
    """

    first: list[Call]
    second: list[Call]
    stock: int = 4
    may_wait: frozenset[str] = frozenset()
    is_plenty: bool = False


PAIRS = {
    "claim × claim": Pair([claim()], [claim()], is_plenty=True),
    "claim × claim of the last coin": Pair([claim()], [claim()], stock=1),
    "claim all × claim all": Pair([claim(4)], [claim(4)]),
    "two claims × two claims": Pair([claim(), claim()], [claim(), claim()], is_plenty=True),
    "claim × purge": Pair([claim()], [purge]),
    "two claims × purge": Pair([claim(), claim()], [purge]),
    "purge × purge": Pair([purge], [purge]),
    "claim × hard delete": Pair([claim()], [hard_delete]),
    "two claims × two hard deletes": Pair([claim(), claim()], [hard_delete, hard_delete]),
    "hard delete × hard delete": Pair([hard_delete], [hard_delete]),
    "claim × upload of new coins": Pair([claim(4)], [upload_fresh]),
    "claim × the same upload again": Pair([claim(2)], [upload_again], may_wait=frozenset({"upload again"})),
    "upload × upload": Pair([upload_fresh], [upload_fresh], may_wait=frozenset({"upload new"})),
}
ENDS = tuple(product(("commit", "rollback"), repeat=2))
LEVELS = ("READ COMMITTED", "REPEATABLE READ")
REFUSALS = {"READ COMMITTED": set(), "REPEATABLE READ": {"40001"}}
"""Errors that a session may get. A serialization failure asks it to try again; nothing has happened."""


@dataclass
class Stage:
    """The connections that all interleavings of a test are played on."""

    connections: tuple[Connection, Connection]
    monitor: Connection

    async def set_up(self, stock: int) -> World:
        """A recipient with coins; whatever an earlier interleaving left is gone."""
        world = World()
        await self.monitor.execute("delete from coins.coin_inventory")
        early = make_coins(1, prefix="early")
        world.stock = make_coins(stock)
        await self.monitor.execute(UPLOAD, upload_arguments(world.bob, early))
        await self.monitor.execute(CLAIM, [world.bob, uuid.uuid4(), 1])
        await self.monitor.execute(UPLOAD, upload_arguments(world.bob, world.stock))
        return world

    async def holders(self, world: World) -> dict[str, uuid.UUID | None]:
        """Who has claimed each coin that is there; None: it is on sale."""
        cursor = await self.monitor.execute(
            "select ci.key_id, ci.fetched_by from coins.coin_inventory as ci where ci.user_id = %s", [world.bob]
        )
        return dict(await cursor.fetchall())


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
        yield [stack.enter_context(migrated_copy(cluster, template)) for _ in ENDS]


def deleted_by(session: Session, *names: str) -> int:
    """How many coins a session's calls of these names deleted, for good."""
    done = [outcome for outcome in session.outcomes if outcome.step.name in names and outcome.rows]
    return sum(int(outcome.rows[0][0]) for outcome in done) if session.has_committed else 0


async def check(stage: Stage, world: World, pair: Pair, level: str, sessions: tuple[Session, Session]) -> None:
    """Assert all that must hold after an interleaving, whatever it was."""
    for session in sessions:
        for place, outcome in enumerate(session.outcomes):
            has_failed = any(earlier.error for earlier in session.outcomes[:place])
            allowed = REFUSALS[level] | ({"25P02"} if has_failed else set())
            assert outcome.error in allowed | {""}, "an error that nobody expects"
            assert not outcome.has_waited or outcome.step.name in pair.may_wait, f"{outcome.step.name} had to wait"
            if outcome.step.name == "claim" and not outcome.error:
                wanted = int(outcome.step.parameters[2])
                assert len(outcome.rows) <= wanted, "more coins than asked for"
                if pair.is_plenty and level == "READ COMMITTED":
                    assert len(outcome.rows) == wanted, "fewer coins than asked for although there are enough"

    holders = await stage.holders(world)
    keys = {coin[0]: coin[2] for coin in world.stock}
    given: dict[str, uuid.UUID] = {}
    for session, sender in zip(sessions, world.senders, strict=True):
        for outcome in session.outcomes if session.has_committed else []:
            for key_id, public_key in outcome.rows if outcome.step.name == "claim" else []:
                assert key_id not in given, f"{key_id} was given twice"
                assert keys.get(key_id, public_key) == public_key, f"{key_id} came with another public key"
                given[key_id] = sender

    is_hard_deleted = sum(deleted_by(session, "hard delete") for session in sessions)
    early_or_given = {"early-000"} | given.keys()
    gone = early_or_given - holders.keys()
    assert len(gone) == is_hard_deleted, "a claimed coin goes by the hard delete and by nothing else"
    for key_id, sender in given.items():
        assert holders.get(key_id, sender) == sender, f"{key_id} was given and is not marked"
    marked = {key_id for key_id, holder in holders.items() if holder}
    assert marked <= early_or_given, "a coin is marked that nobody has"

    not_given = keys.keys() - given.keys()
    purged = sum(deleted_by(session, "purge", "discard") for session in sessions)
    missing = {key_id for key_id in not_given if key_id not in holders}
    is_uploaded = any(session.has_committed and "upload new" in session.names for session in sessions)
    fresh = {coin[0] for coin in world.fresh} if is_uploaded else set()
    missing |= fresh - holders.keys()
    assert len(missing) == purged, "a coin that nobody has is on sale, unless it was purged or discarded"
    assert holders.keys() <= early_or_given | keys.keys() | fresh, "a coin came from nowhere"


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


async def play_and_check(stage: Stage, pair: Pair, level: str, ends: tuple[str, ...], schedule: Schedule) -> None:
    world = await stage.set_up(pair.stock)
    calls = (pair.first, pair.second)
    sessions = (Session(stage.connections[0], []), Session(stage.connections[1], []))
    for me, session in enumerate(sessions):
        session.steps = [
            Step("begin", f"begin isolation level {level}"),
            *(call(world, me) for call in calls[me]),
            Step(ends[me], ends[me]),
        ]
    trace = await play(schedule, sessions, stage.monitor)
    try:
        await check(stage, world, pair, level, sessions)
    except (AssertionError, psycopg.Error) as error:
        story = "\n  ".join(trace)
        raise AssertionError(f"{error}\nISOLATION_SCHEDULE={schedule}, {level}:\n  {story}") from error


async def test_a_claim_without_its_lock_clause_is_found_out(database: Database) -> None:
    """A check that can't fail proves nothing."""
    definition = database.value("select pg_get_functiondef('coins.claim_coins'::regproc)")
    assert definition.count("for update skip locked") == 1
    database.execute(definition.replace("for update skip locked", ""))
    with pytest.raises(AssertionError, match="ISOLATION_SCHEDULE"):
        await play_all(database, PAIRS["claim × claim"], "READ COMMITTED", ("commit", "commit"))
