"""Several statements in one round trip, below the driver's cursors."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, partial
from typing import Any, NamedTuple

import psycopg
from psycopg import adapt, pq
from psycopg.abc import PQGen, Transformer
from psycopg.errors import error_from_result
from psycopg.pq.abc import PGconn, PGresult
from psycopg.waiting import Ready, Wait

from .connections import Answer

MOST_PREPARED = 100
"""Statements that a connection remembers; those whose last use is longest ago go first. Callers choose which optional
arguments they send, and each choice is a statement of its own."""

Statement = tuple[bytes, Sequence[Any]]
"""A text with $1, $2, … and its values."""

Types = tuple[int, ...] | None
"""OIDs of a statement's values."""


class Bound(NamedTuple):
    """A statement as it goes on the wire."""

    text: bytes
    types: Types
    values: Sequence[Any]
    formats: Sequence[int] | None


class Wire(psycopg.AsyncConnection[Any]):
    """A connection that sends many statements at once; in autocommit mode, for one call at a time.

    Why not the driver's pipeline: it wakes the backend and the event loop anew for each statement, 137 µs of CPU a call
    instead of 42 (docs/adr/0007).
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.names: dict[tuple[bytes, Types], bytes] = {}
        self.numbers = itertools.count(1)

    @cached_property
    def transformer(self) -> Transformer:
        """What turns values into bytes and back; the driver says how values travel only after it has made the connection."""
        return adapt.Transformer(self)

    async def run(self, statements: Iterable[Statement], prepares: bool = True) -> list[PGresult]:
        """The result of each statement, once the server is done with all.

        prepares: False plans anew whatever the connection remembers. Where it has no prepare_threshold, nothing is ever
        prepared.
        Raises psycopg.Error: that of the first statement that fails; those after it did not run.
        """
        server = self.pgconn
        bound = [self._bind(text, values) for text, values in statements]
        if not prepares or self.prepare_threshold is None:
            sends = [
                partial(server.send_query_params, one.text, one.values, one.types, one.formats, pq.Format.BINARY)
                for one in bound
            ]
        else:
            await self._prepare(bound)
            names = [self.names[one.text, one.types] for one in bound]
            sends = [
                partial(server.send_query_prepared, name, one.values, one.formats, pq.Format.BINARY)
                for name, one in zip(names, bound, strict=True)
            ]
        results = await self.wait(_round_trip(server, sends))
        for result in results:
            check(result)
        return results

    def answer(self, result: PGresult) -> Answer:
        """The rows of a result, in binary form, as Python's values."""
        return answer_of(self.transformer, result)

    def _bind(self, text: bytes, values: Sequence[Any]) -> Bound:
        transformer = self.transformer
        if not values:
            return Bound(text, None, (), None)
        dumped = transformer.dump_sequence(values, [adapt.PyFormat.BINARY] * len(values))
        return Bound(text, transformer.types, dumped, transformer.formats)

    async def _prepare(self, bound: Iterable[Bound]) -> None:
        """Prepare what is new, in a round trip before: whatever fails there, nothing has begun."""
        server = self.pgconn
        new: dict[tuple[bytes, Types], bytes] = {}
        for one in bound:
            key = one.text, one.types
            name = self.names.pop(key, None)
            if name is not None:
                self.names[key] = name  # used last
            elif key not in new:
                new[key] = b"call_%d" % next(self.numbers)
        if not new:
            return
        oldest = list(itertools.islice(self.names, max(0, len(self.names) + len(new) - MOST_PREPARED)))
        gone = [self.names.pop(key) for key in oldest]
        results = await self.wait(
            _round_trip(
                server,
                [
                    *(partial(server.send_query_params, b"deallocate " + name, None) for name in gone),
                    *(partial(server.send_prepare, name, text, types) for (text, types), name in new.items()),
                ],
            )
        )
        # Those before one that fails are there all the same.
        for (key, name), result in zip(new.items(), results[len(gone) :], strict=True):
            check(result)
            self.names[key] = name


def check(result: PGresult) -> None:
    """Raises psycopg.Error where a statement failed."""
    if result.status not in (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK):
        raise error_from_result(result)


def answer_of(transformer: Transformer, result: PGresult) -> Answer:
    """The rows of a result, in binary form, as Python's values."""
    transformer.set_pgresult(result, format=pq.Format.BINARY)
    columns = tuple((result.fname(number) or b"").decode() for number in range(result.nfields))
    rows = transformer.load_rows(0, result.ntuples, tuple)
    transformer.set_pgresult(None)  # which it would keep until the next
    return Answer(columns, rows)


def _round_trip(server: PGconn, sends: Iterable[Callable[[], None]]) -> PQGen[list[PGresult]]:
    """Send, then read until the server says that it is done with all; in the driver's form of a coroutine, which yields
    what it waits for."""
    server.enter_pipeline_mode()
    for send in sends:
        send()
    server.pipeline_sync()
    while server.flush():
        # The server may have to get rid of what it says before it takes more.
        if (yield Wait.RW) & Ready.R:
            server.consume_input()
    results: list[PGresult] = []
    while True:
        while server.is_busy():
            if (yield Wait.R):
                try:
                    server.consume_input()
                except psycopg.OperationalError:
                    # Why it went away, if it said so.
                    for said in results:
                        check(said)
                    raise
        result = server.get_result()
        if result is None:
            continue  # between two statements
        if result.status == pq.ExecStatus.PIPELINE_SYNC:
            break
        results.append(result)
    server.exit_pipeline_mode()
    return results
