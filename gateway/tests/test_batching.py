"""Batches that meet with trouble: nobody is forgotten, nobody waits without end, whatever the lane does."""

from __future__ import annotations

import asyncio
import random
import sys
import threading
import time
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import Any

import psycopg
import pytest

from gateway.batching import Batcher, Call, Entry
from gateway.connections import Answer
from gateway.lane import Execute
from gateway.problems import Problem

COLUMNS = ("call_number", "error_code", "error_message", "key_id")


def echo(_statement: str, arguments: Sequence[Any]) -> Answer:
    """What a twin would answer: each call its own number."""
    return Answer(COLUMNS, [(place, None, None, call["id"]) for place, call in enumerate(arguments, 1)])


class Turns:
    """A lane whose turns the test gives out."""

    def __init__(self) -> None:
        self.turns: SimpleQueue[Batcher | None] = SimpleQueue()

    def ask(self, batcher: Batcher) -> None:
        self.turns.put(batcher)


class Hesitant(Batcher):
    """Lets the loop do something between the beginning of a turn and the taking."""

    def _take(self) -> Entry:
        time.sleep(random.random() / 2000)
        return super()._take()


Make = Callable[..., Batcher]


@pytest.fixture
async def make() -> Make:
    async def call_one(arguments: Call) -> Answer:
        return Answer(("key_id",), [(arguments["id"],)])

    def made(kind: type[Batcher] = Batcher, **changes: Any) -> Batcher:
        usual: dict[str, Any] = {
            "lane": Turns(), "statement": "", "pack": list, "call_one": call_one, "may_repeat": lambda _: True,
            "max_batch": 10, "max_waiting": 1000, "patience": 20.0, "limit": 20.0, "observe": lambda _: None,
        }  # fmt: skip
        return kind(**usual | changes)

    return made


async def send(batcher: Batcher, execute: Execute) -> None:
    """Give the batcher the turn that it has asked for, in a thread."""
    turns: SimpleQueue[Batcher] = batcher.lane.turns  # type: ignore[assignment]
    await asyncio.to_thread(lambda: turns.get(timeout=5).send(execute))


async def status_of(call: asyncio.Task[Answer]) -> int:
    try:
        await call
    except Problem as problem:
        return problem.status
    return 200


async def test_every_call_gets_a_turn_however_loop_and_thread_meet(make: Make) -> None:
    """The thread takes, and is without a connection, at any moment between two steps of the loop."""
    seed = random.randrange(10**9)
    print(f"seed {seed}")
    chance = random.Random(seed)
    lane = Turns()
    batcher = make(Hesitant, lane=lane)

    def run() -> None:
        while (turn := lane.turns.get()) is not None:
            if chance.random() < 0.4:
                turn.ask_again()
            else:
                turn.send(echo)

    thread = threading.Thread(target=run)
    thread.start()
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        async with asyncio.timeout(60):
            for number in range(2000):
                calls = [batcher.call({"id": (number, place)}) for place in range(chance.randint(1, 3))]
                answers = await asyncio.gather(*calls)
                assert [answer.rows for answer in answers] == [[((number, place),)] for place in range(len(calls))]
    finally:
        sys.setswitchinterval(before)
        lane.turns.put(None)
        thread.join()
    assert not batcher.waiting
    assert not batcher.under_way


async def test_who_waited_too_long_makes_room_for_others(make: Make) -> None:
    batcher = make(patience=0.1, max_waiting=5)
    for _ in range(2):
        calls = [asyncio.create_task(batcher.call({"id": place})) for place in range(6)]
        async with asyncio.timeout(5):
            assert [await status_of(call) for call in calls] == [503] * 6
        assert not batcher.waiting, "nothing is kept of them, and the next five find room"
    await send(batcher, echo)
    assert not batcher.under_way


async def test_nobody_waits_beyond_the_limit_for_calls_made_alone(make: Make) -> None:
    asked = []

    async def silence(arguments: Call) -> Answer:
        asked.append(arguments["id"])
        await asyncio.sleep(3)
        return Answer(("key_id",), [])

    def lose(_statement: str, _arguments: Sequence[Any]) -> Answer:
        raise psycopg.OperationalError("the connection is lost")

    batcher = make(call_one=silence, limit=0.3)
    calls = [asyncio.create_task(batcher.call({"id": place})) for place in range(4)]
    await asyncio.sleep(0)
    await send(batcher, lose)
    started = time.monotonic()
    assert [await status_of(call) for call in calls] == [503] * 4
    assert time.monotonic() - started < 2
    assert sorted(asked) == [0, 1, 2, 3]


async def test_a_silent_server_keeps_nobody_beyond_the_limit(make: Make) -> None:
    released = threading.Event()

    def silence(_statement: str, _arguments: Sequence[Any]) -> Answer:
        released.wait(10)
        raise psycopg.OperationalError("the connection is lost")

    batcher = make(limit=0.3)
    call = asyncio.create_task(batcher.call({"id": 1}))
    await asyncio.sleep(0)
    turn = asyncio.create_task(send(batcher, silence))
    async with asyncio.timeout(5):
        assert await status_of(call) == 503
    released.set()
    await turn
    await batcher.drain()


async def test_draining_waits_for_what_was_sent_though_its_callers_are_gone(make: Make) -> None:
    done = []

    def slow(statement: str, arguments: Sequence[Any]) -> Answer:
        time.sleep(0.5)
        done.append(len(arguments))
        return echo(statement, arguments)

    batcher = make()
    call = asyncio.create_task(batcher.call({"id": 1}))
    await asyncio.sleep(0)
    turn = asyncio.create_task(send(batcher, slow))
    await asyncio.sleep(0.1)
    call.cancel()
    await batcher.drain()
    assert done == [1]
    await turn


async def test_nothing_is_sent_for_who_is_gone_before(make: Make) -> None:
    batcher = make()
    calls = [asyncio.create_task(batcher.call({"id": place})) for place in range(5)]
    await asyncio.sleep(0)
    for gone in (calls[0], calls[2], calls[4]):
        gone.cancel()
    await asyncio.sleep(0)
    sent: list[Any] = []

    def note(statement: str, arguments: Sequence[Any]) -> Answer:
        sent.extend(call["id"] for call in arguments)
        return echo(statement, arguments)

    await send(batcher, note)
    assert [(await call).rows for call in (calls[1], calls[3])] == [[(1,)], [(3,)]]
    assert sent == [1, 3]
