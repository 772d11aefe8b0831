"""What the senders wrote down, and the check of it; knows nothing of the database."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

from conftest import Coin

KEPT_EXAMPLES = 5


@dataclass
class Records:
    """Who received which coin, and what else was not as it must be."""

    receivers: dict[tuple[str, Hashable], set[Hashable]] = field(default_factory=dict, repr=False)
    issued: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    def receive(self, target: uuid.UUID, claim: Hashable, coins: Iterable[Coin]) -> None:
        """A sender received coins by a claim; a repeated claim has the name of the first."""
        for coin in coins:
            names = {"key_id": (target, coin[0]), "public key": coin[2]}
            others = [name for name in names.items() if self.receivers.setdefault(name, {claim}) != {claim}]
            if others:
                self.fault("issued twice", f"{' and '.join(kind for kind, _ in others)} of {coin[0]} of {target}")
            for name in others:
                self.receivers[name].add(claim)
            self.issued += 1

    def expect(self, what: str, expected: object, got: object, about: str) -> None:
        """Note when an answer is not the model's."""
        if expected != got:
            self.fault(what, about)

    def fault(self, what: str, example: str) -> None:
        self.faults[what] += 1
        if self.faults[what] <= KEPT_EXAMPLES:
            self.examples.append(f"{what}: {example}")

    def forget(self) -> None:
        """Let go of coins that nobody will ask for again; the counts stay."""
        self.receivers.clear()
