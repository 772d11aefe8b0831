"""Answers that are kept for a time, until the database says that they have changed.

A function that changes what another tells calls gateway.bust_cache(). While nobody would tell us, nothing is kept.
"""

from __future__ import annotations

import hashlib
import time
from collections import Counter, OrderedDict
from dataclasses import dataclass

MOST_BYTES = 64 * 2**20
"""Of answers kept; the one that was not asked for for longest goes first."""

LARGEST = 64 * 1024
"""Bytes of an answer that is worth keeping."""


OVERHEAD = 500
"""Bytes of memory that an answer costs beside its text, about."""


@dataclass(frozen=True)
class Kept:
    """An answer. tag: its entity tag (RFC 9110, 8.8.3)."""

    status: int
    body: bytes
    tag: str
    expires: float


class Cache:
    """Answers by function and question."""

    def __init__(self) -> None:
        self.kept: OrderedDict[tuple[str, str], Kept] = OrderedDict()
        self.busted: Counter[str] = Counter()
        self.generation = 0
        self.bytes = 0
        self.is_open = False

    def open(self) -> None:
        """From now on we are told of changes; what was missed before is not known."""
        self.close()
        self.is_open = True

    def close(self) -> None:
        """Nobody tells us any more."""
        self.is_open = False
        self.generation += 1
        self.kept.clear()
        self.bytes = 0

    def bust(self, function: str) -> None:
        """Forget what a function told, also what is on its way."""
        self.busted[function] += 1
        for key in [key for key in self.kept if key[0] == function]:
            self._drop(key)

    def hear(self, payload: str) -> None:
        """Act on a notification of the channel gateway, where it is for us."""
        what, _, function = payload.partition(" ")
        if what == "bust":
            self.bust(function)
        elif what == "reload":
            self.open()

    def find(self, function: str, question: str) -> Kept | None:
        """The answer that is kept, if there is one and it is still good."""
        kept = self.kept.get((function, question))
        if kept is None or kept.expires <= time.monotonic():
            return None
        self.kept.move_to_end((function, question))
        return kept

    def state(self, function: str) -> tuple[int, int]:
        """To be asked before the function is: what keep() wants to see again."""
        return self.generation, self.busted[function]

    def keep(
        self, function: str, question: str, state: tuple[int, int], status: int, body: bytes, seconds: float
    ) -> Kept:
        """Keep an answer for so many seconds, unless it may be older than a change that we were told of meanwhile."""
        tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        kept = Kept(status, body, tag, time.monotonic() + seconds)
        if self.is_open and state == self.state(function) and len(body) <= LARGEST:
            self._drop((function, question))
            self.kept[function, question] = kept
            self.bytes += len(body) + len(question) + OVERHEAD
            while self.bytes > MOST_BYTES:
                self._drop(next(iter(self.kept)))
        return kept

    def _drop(self, key: tuple[str, str]) -> None:
        if kept := self.kept.pop(key, None):
            self.bytes -= len(kept.body) + len(key[1]) + OVERHEAD
