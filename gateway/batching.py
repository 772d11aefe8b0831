"""Concurrent calls of one endpoint travel together in one call of its batch twin."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import psycopg

from .connections import Answer, is_lost
from .lane import Execute, Lane
from .problems import OUTCOME_UNKNOWN, Problem, from_database, refusal

Call = Mapping[str, Any]
Sent = tuple[Call, asyncio.Future[Answer]]
Entry = tuple[float, list[Sent]]
"""Calls that were sent together, and until when their callers wait for an answer."""

WATCHED_EVERY = 0.25
"""Seconds between two looks at the clock."""

TOO_LATE = "waited too long for the database"

LOCKED = "55P03"
"""The twin's word for: others hold locks for a moment, so make this call alone; the function waits for them."""


class Batcher:
    """Sends whatever calls are waiting as one batch, and the next batch when that is answered.

    A lone call leaves at once; under load, calls that come while a batch is on its way go with the next. Nothing is held
    back to fill a batch. A call that was sent is never cancelled, whoever may have hung up: its rows are claimed.

    lane: where batches travel, whose thread calls send(); all else runs in the event loop. statement: the call of the
    twin. pack: makes its arguments. call_one: sends one call. may_repeat: whether a call may be
    sent again after a lost connection. max_batch: calls a batch. max_waiting: calls that may wait.
    patience: seconds a call may wait before it is sent. limit: seconds after which a caller is told that the outcome of a
    call that was sent is not known. observe: is told the size of each batch.
    """

    def __init__(
        self,
        lane: Lane,
        statement: str,
        pack: Callable[[Sequence[Call]], Sequence[Any]],
        call_one: Callable[[Call], Awaitable[Answer]],
        may_repeat: Callable[[Call], bool],
        max_batch: int,
        max_waiting: int,
        patience: float,
        limit: float,
        observe: Callable[[int], None],
    ) -> None:
        self.lane = lane
        self.statement = statement
        self.pack = pack
        self.call_one = call_one
        self.may_repeat = may_repeat
        self.max_batch = max_batch
        self.max_waiting = max_waiting
        self.patience = patience
        self.limit = limit
        self.observe = observe
        self.loop = asyncio.get_running_loop()  # kept: to ask for it is a system call in Python 3.11
        self.waiting: deque[tuple[Call, asyncio.Future[Answer], float]] = deque()
        self.lock = threading.Lock()
        self.has_turn = False
        self.unanswered: set[asyncio.Future[Answer]] = set()
        self.under_way: list[Entry] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self.watch: asyncio.TimerHandle | None = None

    async def call(self, arguments: Call) -> Answer:
        """The answer to one call. Raises Problem and the driver's errors as a call of its own would."""
        if len(self.waiting) >= self.max_waiting:
            raise Problem(503, "too many requests are waiting")
        future: asyncio.Future[Answer] = self.loop.create_future()
        self.unanswered.add(future)
        with self.lock:
            self.waiting.append((arguments, future, time.monotonic() + self.patience))
            if not self.has_turn:
                self._ask()
        self._watch()
        try:
            return await future
        finally:
            self.unanswered.discard(future)
            del future  # an exception in it refers to this frame: no cycle for the collector

    async def drain(self) -> None:
        """Wait until everything that was sent is answered, whoever may have hung up."""
        while self.unanswered or self.under_way:  # noqa: ASYNC110 once in a life, and no event tells of both
            await asyncio.sleep(0.01)

    # -- in the lane's thread

    def send(self, execute: Execute) -> None:
        """Take what waits, as much as a batch may have, and send it."""
        entry = self._take()
        if not entry[1]:
            return
        try:
            answer = execute(self.statement, self.pack([arguments for arguments, _ in entry[1]]))
        except Exception as error:
            self._tell(self._settle, entry, error)
        else:
            self._tell(self._settle, entry, answer)

    def ask_again(self) -> None:
        """Ask for another turn if anything still waits."""
        with self.lock:
            self._ask_if_waiting()

    def _take(self) -> Entry:
        now = time.monotonic()
        entry: Entry = now + self.limit, []
        with self.lock:
            self._forget_late(now)
            while self.waiting and len(entry[1]) < self.max_batch:
                arguments, future, _ = self.waiting.popleft()
                if not future.done():
                    entry[1].append((arguments, future))
            self._ask_if_waiting()
            if entry[1]:
                self.under_way.append(entry)
        return entry

    def _tell(self, callback: Callable[..., None], *arguments: Any) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits for it any more
            self.loop.call_soon_threadsafe(callback, *arguments)

    # -- behind the lock

    def _ask(self) -> None:
        self.has_turn = True
        self.lane.ask(self)

    def _ask_if_waiting(self) -> None:
        """At the end of a turn."""
        self.has_turn = False
        if self.waiting:
            self._ask()

    def _forget_late(self, now: float) -> None:
        """Tell those that have waited too long, who are in front since all have the same patience. Nobody is told that
        it was not sent while it is: here it leaves the queue."""
        while self.waiting and (self.waiting[0][1].done() or self.waiting[0][2] < now):
            self._tell(_fail, self.waiting.popleft()[1], Problem(503, TOO_LATE))

    # -- in the event loop

    def _watch(self) -> None:
        if self.watch is None:
            self.watch = self.loop.call_later(WATCHED_EVERY, self._look_at_clock)

    def _look_at_clock(self) -> None:
        """Fail what waits too long, for a server that has fallen silent: one timer for all, since one a call is work."""
        now = time.monotonic()
        with self.lock:
            self._forget_late(now)
            under_way = tuple(self.under_way)
            self.watch = None
            if self.waiting or under_way:
                self._watch()
        for until, sent in under_way:
            if until < now:
                for _, future in sent:
                    _fail(future, Problem(503, OUTCOME_UNKNOWN))

    def _settle(self, entry: Entry, outcome: Answer | Exception) -> None:
        """Tell everybody in a batch what became of it, or call for it alone."""
        batch = entry[1]
        self.observe(len(batch))
        try:
            if isinstance(outcome, Answer):
                self._distribute(batch, outcome)
            elif isinstance(outcome, psycopg.Error):
                self._tell_or_repeat(batch, outcome)
            else:
                _fail_all(batch, outcome)
        except Exception as error:
            _fail_all(batch, error)
        self.under_way.remove(entry)

    def _tell_or_repeat(self, batch: Sequence[Sent], error: psycopg.Error) -> None:
        """After a batch that is known to be rolled back find the culprit by making each call alone. After a lost
        connection nobody knows what happened, and nothing is repeated but what carries a request id."""
        is_undone = error.sqlstate and not error.sqlstate.startswith(("08", "57"))
        for arguments, future in batch:
            if is_undone or (is_lost(error) and self.may_repeat(arguments)):
                self._repeat_alone(arguments, future)
            else:
                _fail(future, from_database(error))

    def _repeat_alone(self, arguments: Call, future: asyncio.Future[Answer]) -> None:
        if future.done():
            return  # told that its outcome isn't known: what it claimed now would be nobody's
        entry: Entry = time.monotonic() + self.limit, [(arguments, future)]
        self.under_way.append(entry)
        task = self.loop.create_task(self._send_alone(entry))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def _distribute(self, batch: list[Sent], answer: Answer) -> None:
        """Give each call its rows: call_number, error_code, error_message, error_detail (some twins have none), then the
        columns of the single function."""
        columns = answer.columns
        code_at, message_at = columns.index("error_code"), columns.index("error_message")
        detail_at = columns.index("error_detail") if "error_detail" in columns else None
        first = max(code_at, message_at, detail_at or 0) + 1
        rows: list[list[tuple[Any, ...]]] = [[] for _ in batch]
        for row in answer.rows:
            number, error_code = row[0], row[code_at]
            arguments, future = batch[number - 1]
            if error_code is None:
                rows[number - 1].append(row[first:])
            elif error_code == LOCKED:
                self._repeat_alone(arguments, future)
                batch[number - 1] = (arguments, self.loop.create_future())
            else:
                detail = None if detail_at is None else row[detail_at]
                _fail(future, refusal(error_code, row[message_at], detail=detail))
        for (_, future), its_rows in zip(batch, rows, strict=True):
            if not future.done():
                future.set_result(Answer(columns[first:], its_rows))

    async def _send_alone(self, entry: Entry) -> None:
        ((arguments, future),) = entry[1]
        try:
            answer = await self.call_one(arguments)
        except Exception as error:
            _fail(future, error)
        else:
            if not future.done():
                future.set_result(answer)
        finally:
            self.under_way.remove(entry)


def _fail_all(batch: Sequence[Sent], error: BaseException) -> None:
    for _, future in batch:
        _fail(future, error)


def _fail(future: asyncio.Future[Answer], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
        # Nobody may be waiting any more: then it is no news.
        future.exception()
