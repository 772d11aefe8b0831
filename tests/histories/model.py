"""What AQM must answer, said once more in plain Python: one recipient's coins and the claims on them."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field
from typing import ClassVar

from conftest import SIZES, Coin

CATEGORIES = ("BRONZE", "BRONZE", "BRONZE", "SILVER")


@dataclass
class Claim:
    """A sender's claim: its arguments, and the coins that it got when it was first made."""

    ARGUMENTS: ClassVar = ("target", "requester", "category", "count", "request_id")

    target: uuid.UUID
    requester: uuid.UUID
    category: str
    count: int
    request_id: uuid.UUID | None
    coins: list[Coin] = field(default_factory=list, repr=False)
    is_hard_deleted: bool = False


@dataclass
class Recipient:
    """A recipient's device, and the server's memory of its coins."""

    chance: random.Random = field(repr=False)
    user_id: uuid.UUID
    minted: list[Coin] = field(default_factory=list, repr=False)
    stock: list[Coin] = field(default_factory=list, repr=False)
    claimed: list[Coin] = field(default_factory=list, repr=False)
    spent: list[Coin] = field(default_factory=list, repr=False)
    requests: list[Claim] = field(default_factory=list, repr=False)

    def mint(self, count: int) -> list[Coin]:
        """New coins of the device; it keeps them for ever, as a careless one does."""
        for _ in range(count):
            category = self.chance.choice(CATEGORIES)
            public_key, signature = (self.chance.randbytes(size) for size in SIZES[category])
            self.minted.append((f"key-{len(self.minted)}", category, public_key, signature))
        return self.minted[len(self.minted) - count :]

    def rename(self, coin: Coin) -> Coin:
        """The same key under another name, as a broken device would send it."""
        return (f"again-{self.chance.randrange(1000)}-{coin[0]}", *coin[1:])

    def old_coins(self) -> list[Coin]:
        """Some of the coins that the device has ever made, in any order."""
        return self.chance.sample(self.minted, self.chance.randint(1, min(6, len(self.minted))))

    def upload(self, coins: list[Coin]) -> int:
        """Store what is new; returns how many that were. Neither a name nor a key is ever taken twice."""
        inserted = 0
        for coin in coins:
            known = [*self.stock, *self.claimed, *self.spent]
            if coin[0] not in {old[0] for old in known} and coin[2] not in {old[2] for old in known}:
                self.stock.append(coin)
                inserted += 1
        return inserted

    def claim(self, claim: Claim) -> list[Coin]:
        """Take the oldest coins; a request id that got some is remembered."""
        claim.coins = [coin for coin in self.stock if coin[1] == claim.category][: claim.count]
        self.stock = [coin for coin in self.stock if coin not in claim.coins]
        self.claimed += claim.coins
        if claim.request_id and claim.coins:
            self.requests.append(claim)
        return claim.coins

    def answer(self, claim: Claim) -> tuple[str | None, list[Coin]]:
        """What a claim is answered: an SQLSTATE, or coins; the same id gets the same coins as long as they are there."""
        for earlier in self.requests:
            if claim.request_id == earlier.request_id:
                if (claim.requester, claim.category, claim.count) != (
                    earlier.requester,
                    earlier.category,
                    earlier.count,
                ):
                    return "PT422", []
                return ("PT410", []) if earlier.is_hard_deleted else (None, earlier.coins)
        return None, self.claim(claim)

    def hard_delete(self) -> None:
        """What was claimed is gone, but never forgotten."""
        self.spent += self.claimed
        self.claimed = []
        for request in self.requests:
            request.is_hard_deleted = True

    def discard(self, keys: list[str] | None) -> int:
        """Take coins off sale; returns how many. None: all."""
        before = len(self.stock)
        self.stock = [coin for coin in self.stock if keys is not None and coin[0] not in keys]
        return before - len(self.stock)
