"""Concurrent calls of one endpoint travel together in one call of its batch twin."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any

import psycopg

from .connections import Answer, is_lost
from .lane import Execute, Lane
from .problems import OUTCOME_UNKNOWN, Problem, from_database, refusal

Call = Mapping[str, Any]
Sent = tuple[Call, asyncio.Future[Answer]]
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
        self.has_asked = False
        self.taking = threading.Lock()
        self.unanswered: set[asyncio.Future[Answer]] = set()
        self.under_way: list[tuple[float, Sequence[Sent]]] = []
        self.tasks: set[asyncio.Task[None]] = set()
        self.watch: asyncio.TimerHandle | None = None

    async def call(self, arguments: Call) -> Answer:
        """The answer to one call. Raises Problem and the driver's errors as a call of its own would."""
        if len(self.waiting) >= self.max_waiting:
            raise Problem(503, "too many requests are waiting")
        future: asyncio.Future[Answer] = self.loop.create_future()
        self.unanswered.add(future)
        self.waiting.append((arguments, future, time.monotonic() + self.patience))
        if not self.has_asked:
            self._ask()
        if self.watch is None:
            self.watch = self.loop.call_later(WATCHED_EVERY, self._look_at_clock)
        try:
            return await future
        finally:
            self.unanswered.discard(future)
            del future  # an exception in it refers to this frame: no cycle for the collector

    async def drain(self) -> None:
        """Wait until everything that was sent is answered."""
        while self.unanswered:
            await asyncio.wait(self.unanswered)

    # -- in the lane's thread

    def send(self, execute: Execute) -> None:
        """Take what waits, as much as a batch may have, and send it."""
        self.has_asked = False  # before anything is taken: what comes from now on asks for itself
        if not (batch := self._take()):
            return
        self.ask_again()
        entry = time.monotonic() + self.limit, batch
        self.under_way.append(entry)
        outcome: Answer | Exception
        try:
            outcome = execute(self.statement, self.pack([arguments for arguments, _ in batch]))
        except Exception as error:
            outcome = error
        self._tell(self._settle, entry, outcome)

    def ask_again(self) -> None:
        """Ask for another turn if anything still waits."""
        if self.waiting:
            self._ask()

    def _take(self) -> list[Sent]:
        now = time.monotonic()
        batch: list[Sent] = []
        with self.taking:
            while self.waiting and len(batch) < self.max_batch:
                arguments, future, deadline = self.waiting.popleft()
                if future.done():
                    continue
                if deadline < now:
                    self._tell(_fail, future, Problem(503, TOO_LATE))
                else:
                    batch.append((arguments, future))
        return batch

    def _tell(self, callback: Callable[..., None], *arguments: Any) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits for it any more
            self.loop.call_soon_threadsafe(callback, *arguments)

    # -- in the event loop

    def _ask(self) -> None:
        self.has_asked = True
        self.lane.ask(self)

    def _look_at_clock(self) -> None:
        """Fail what waits too long, for a server that has fallen silent: one timer for all, since one a call is work."""
        now = time.monotonic()
        with self.taking:  # nobody is told that it was not sent while it is
            for _, future, deadline in self.waiting:
                if deadline < now:
                    _fail(future, Problem(503, TOO_LATE))
        for until, sent in tuple(self.under_way):
            if until < now:
                for _, future in sent:
                    _fail(future, Problem(503, OUTCOME_UNKNOWN))
        is_busy = self.waiting or self.under_way
        self.watch = self.loop.call_later(WATCHED_EVERY, self._look_at_clock) if is_busy else None

    def _settle(self, entry: tuple[float, list[Sent]], outcome: Answer | Exception) -> None:
        """Tell everybody in a batch what became of it."""
        self.under_way.remove(entry)
        batch = entry[1]
        self.observe(len(batch))
        try:
            if isinstance(outcome, Exception):
                raise outcome
            self._distribute(batch, outcome)
        except psycopg.Error as error:
            self._spawn(self._send_each_alone(batch, error))
        except Exception as error:
            for _, future in batch:
                _fail(future, error)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self.loop.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _send_each_alone(self, batch: Sequence[Sent], error: psycopg.Error) -> None:
        """After a batch that is known to be rolled back find the culprit by calling one by one. After a lost connection
        nobody knows what happened, and nothing is repeated but what carries a request id."""
        is_undone = error.sqlstate and not error.sqlstate.startswith(("08", "57"))
        for arguments, future in batch:
            if is_undone or (is_lost(error) and self.may_repeat(arguments)):
                await self._send_alone(arguments, future)
            else:
                _fail(future, from_database(error))

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
                self._spawn(self._send_alone(arguments, future))
                batch[number - 1] = (arguments, self.loop.create_future())
            else:
                detail = None if detail_at is None else row[detail_at]
                _fail(future, refusal(error_code, row[message_at], detail=detail))
        for (_, future), its_rows in zip(batch, rows, strict=True):
            if not future.done():
                future.set_result(Answer(columns[first:], its_rows))

    async def _send_alone(self, arguments: Call, future: asyncio.Future[Answer]) -> None:
        entry = time.monotonic() + self.limit, [(arguments, future)]
        self.under_way.append(entry)
        try:
            answer = await self.call_one(arguments)
        except Exception as error:
            _fail(future, error)
        else:
            if not future.done():
                future.set_result(answer)
        finally:
            self.under_way.remove(entry)


def _fail(future: asyncio.Future[Answer], error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)
        # Nobody may be waiting any more: then it is no news.
        future.exception()
