"""Runs two sessions step by step, in every order that their steps can have, as PostgreSQL's isolationtester does.

A step that waits for the other session's lock is left waiting, and the schedule goes on with the other session.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import psycopg

Connection = psycopg.AsyncConnection[Any]
Schedule = str
"""Whose turn it is, step by step: "112122"."""


@dataclass(frozen=True)
class Step:
    """One statement of a session; its name tells it in the trace.

    wanted: how many coins a claim asks for; 0 for all that is no claim.
    """

    name: str
    statement: str
    parameters: Sequence[Any] = ()
    wanted: int = 0


@dataclass
class Outcome:
    """What a step answered: rows, or the SQLSTATE of its error; status is PostgreSQL's command tag."""

    step: Step
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    status: str = ""
    error: str = ""
    has_waited: bool = False

    def __str__(self) -> str:
        said = self.error or self.status.lower()
        return f"{self.step.name} → {said}{' (after waiting)' if self.has_waited else ''}"


@dataclass
class Session:
    """A connection and the steps that it has to do, one after the other."""

    connection: Connection
    steps: list[Step]
    outcomes: list[Outcome] = field(default_factory=list)
    running: asyncio.Task[None] | None = None

    @property
    def has_committed(self) -> bool:
        """Whether its transaction has: the COMMIT of a failed one answers ROLLBACK."""
        return bool(self.outcomes) and self.outcomes[-1].status == "COMMIT"

    @property
    def names(self) -> set[str]:
        """What it has done, by the names of the steps."""
        return {outcome.step.name for outcome in self.outcomes}

    @property
    def pid(self) -> int:
        return self.connection.info.backend_pid

    def begin_next(self) -> None:
        """Send the next step without waiting for its answer."""
        outcome = Outcome(self.steps.pop(0))
        self.outcomes.append(outcome)
        self.running = asyncio.create_task(self._do(outcome))

    async def _do(self, outcome: Outcome) -> None:
        try:
            cursor = await self.connection.execute(outcome.step.statement.encode(), outcome.step.parameters or None)
            outcome.status = cursor.statusmessage or ""
            if cursor.description:
                outcome.rows = await cursor.fetchall()
        except psycopg.Error as error:
            outcome.error = error.sqlstate or type(error).__name__


def schedules(first: int, second: int) -> Iterator[Schedule]:
    """All orders in which two lists of so many steps can be done."""
    for places in combinations(range(first + second), first):
        yield "".join("1" if place in places else "2" for place in range(first + second))


async def waits_for(monitor: Connection, waiter: Session, holder: Session) -> bool:
    """Whether a session waits for a lock that the other one holds."""
    cursor = await monitor.execute("select %s = any(pg_blocking_pids(%s))", [holder.pid, waiter.pid])
    row = await cursor.fetchone()
    return row is not None and bool(row[0])


async def settle(monitor: Connection, session: Session, other: Session, patience: float) -> None:
    """Wait until a session's step is done, or until it is seen to wait for the other session's lock."""
    async with asyncio.timeout(patience):
        while session.running:
            await asyncio.wait([session.running], timeout=0.003)
            if session.running.done():
                await session.running
                session.running = None
            elif await waits_for(monitor, session, other):
                session.outcomes[-1].has_waited = True
                return


async def play(
    schedule: Schedule, sessions: tuple[Session, Session], monitor: Connection, patience: float = 10
) -> list[str]:
    """Do the steps of both sessions in the schedule's order; returns what happened, a line a step.

    When it is the turn of a session that waits, the other goes on first. Raises TimeoutError when a step takes longer
    than patience, in seconds; two sessions that wait for each other are PostgreSQL's to break (40P01).
    """
    trace: list[tuple[int, Outcome]] = []
    turns = [int(turn) - 1 for turn in schedule]
    while turns:
        mine = turns.pop(0)
        if sessions[mine].running:
            if (1 - mine) not in turns or sessions[1 - mine].running:
                await finish(sessions, patience)
            else:
                turns.remove(1 - mine)
                turns.insert(0, mine)
                mine = 1 - mine
        session, other = sessions[mine], sessions[1 - mine]
        session.begin_next()
        trace.append((mine + 1, session.outcomes[-1]))
        await settle(monitor, session, other, patience)
        # This step may have let the other one go on; it must have done so before the next is sent.
        await settle(monitor, other, session, patience)
    await finish(sessions, patience)
    return [f"{number} {outcome}" for number, outcome in trace]


async def finish(sessions: tuple[Session, Session], patience: float) -> None:
    """Wait until neither session has a step under way."""
    async with asyncio.timeout(patience):
        for session in sessions:
            if session.running:
                await session.running
                session.running = None
