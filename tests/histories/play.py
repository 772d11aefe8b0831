"""Plays random histories of many recipients side by side: one round is one step of each, in a few transactions."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from conftest import Coin
from tests.histories.calls import (
    AGE,
    MAKE_THIS_CALL_ALONE,
    Answer,
    Connection,
    claim_all,
    claim_one,
    discard_all,
    upload_all,
)
from tests.histories.model import CATEGORIES, Claim, Recipient
from tests.records import Records

HARD_DELETE = "select coins.hard_delete_fetched(0)"
FORGETFUL_DELETE = "delete from coins.coin_inventory where fetched_by is not null"
"""The hard delete of a server without a memory of spent coins: the check must see the difference."""

ROUNDS = 14
BATCH = 64
ACTIONS = {
    "upload new": 4, "upload old": 5, "upload renamed": 1, "claim": 6, "claim with id": 6, "retry": 4,
    "other arguments": 1, "discard": 1, "grow old": 1, "rest": 2,
}  # fmt: skip
FATES = {"answered": 7, "answer lost": 2, "cut before commit": 1}


@dataclass
class Turn:
    """What the users of one recipient do in a round, and whether they hear of it."""

    recipient: Recipient
    fate: str
    upload: list[Coin] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    discard: list[str] | None = field(default_factory=list)
    grows_old: bool = False


@dataclass
class Group:
    """Recipients whose histories are played side by side in one database; everything random comes from one seed."""

    connection: Connection
    chance: random.Random
    records: Records
    hard_delete: str
    recipients: list[Recipient]

    def play(self) -> None:
        """The whole histories, and at their end the last probe: whatever can be had once more is had."""
        for _ in range(ROUNDS):
            self.round([self.turn(recipient) for recipient in self.recipients])
        self.remove_claimed()
        everything = [Turn(r, "answered", upload=list(r.minted)) for r in self.recipients]
        self.round(everything)
        for category in set(CATEGORIES):
            self.round([Turn(r, "answered", claims=[self.new_claim(r, category, 100)]) for r in self.recipients])

    def round(self, turns: list[Turn]) -> None:
        """One step of all: first what is rolled back, then what is not, then maintenance."""
        cut = [turn for turn in turns if turn.fate == "cut before commit"]
        done = [turn for turn in turns if turn.fate != "cut before commit"]
        self.call_and_roll_back(cut)
        self.upload([turn for turn in done if turn.upload])
        self.claim([(turn, claim) for turn in done for claim in turn.claims])
        self.discard([turn for turn in done if turn.discard != []])
        self.purge([turn.recipient for turn in done if turn.grows_old])
        if self.chance.random() < 0.4:
            self.remove_claimed()

    def turn(self, recipient: Recipient) -> Turn:
        """What happens next to a recipient's coins."""
        turn = Turn(recipient, pick(self.chance, FATES))
        match pick(self.chance, ACTIONS):
            case "upload new":
                turn.upload = recipient.mint(self.chance.randint(1, 4))
            case "upload old" if recipient.minted:
                turn.upload = recipient.old_coins()
            case "upload renamed" if recipient.minted:
                turn.upload = [recipient.rename(coin) for coin in recipient.old_coins()]
            case "claim":
                turn.claims = [self.new_claim(recipient) for _ in range(self.chance.randint(1, 2))]
            case "claim with id":
                turn.claims = [self.new_claim(recipient, request_id=self.new_id())]
                turn.claims *= self.chance.choice([1, 1, 2])
            case "retry" if recipient.requests:
                turn.claims = [self.chance.choice(recipient.requests)]
            case "other arguments" if recipient.requests:
                turn.claims = [self.with_other_arguments(self.chance.choice(recipient.requests))]
            case "discard" if recipient.minted:
                turn.discard = self.chance.choice([None, [coin[0] for coin in recipient.old_coins()]])
            case "grow old":
                turn.grows_old = True
        return turn

    def new_id(self) -> uuid.UUID:
        return uuid.UUID(int=self.chance.getrandbits(128), version=4)

    def new_claim(
        self, recipient: Recipient, category: str = "", count: int = 0, request_id: uuid.UUID | None = None
    ) -> Claim:
        category = category or self.chance.choice(CATEGORIES)
        return Claim(recipient.user_id, self.new_id(), category, count or self.chance.randint(1, 3), request_id)

    def with_other_arguments(self, claim: Claim) -> Claim:
        return Claim(claim.target, claim.requester, claim.category, claim.count + 1, claim.request_id)

    def call_and_roll_back(self, turns: list[Turn]) -> None:
        """What the server did but could not commit: nothing has happened, and nobody was told anything."""
        self.connection.execute("begin")
        upload_all(self.connection, [(turn.recipient.user_id, turn.upload) for turn in turns])
        claims = [claim for turn in turns for claim in turn.claims]
        for place in range(0, len(claims), BATCH):
            claim_all(self.connection, claims[place : place + BATCH])
        discards = [(turn.recipient.user_id, turn.discard) for turn in turns if turn.discard != []]
        discard_all(self.connection, discards)
        self.connection.execute("rollback")

    def upload(self, turns: list[Turn]) -> None:
        inserted = upload_all(self.connection, [(turn.recipient.user_id, turn.upload) for turn in turns])
        for turn, got in zip(turns, inserted, strict=True):
            expected = turn.recipient.upload(turn.upload)
            self.records.expect("upload", expected, got, f"{turn.recipient.user_id}: {got} stored, {expected} were new")

    def claim(self, claims: list[tuple[Turn, Claim]]) -> None:
        """All claims of a round, together or one by one."""
        is_single = self.chance.random() < 0.1
        for place in range(0, len(claims), BATCH):
            some = claims[place : place + BATCH]
            asked = [claim for _, claim in some]
            answers: list[Answer] = (
                [(MAKE_THIS_CALL_ALONE, [])] * len(some) if is_single else claim_all(self.connection, asked)
            )
            # What the batch left is asked after all others, so the model must do the same.
            for (turn, claim), answer in zip(some, answers, strict=True):
                if answer[0] != MAKE_THIS_CALL_ALONE:
                    self.compare(turn, claim, answer)
            for (turn, claim), answer in zip(some, answers, strict=True):
                if answer[0] == MAKE_THIS_CALL_ALONE:
                    self.compare(turn, claim, claim_one(self.connection, claim))

    def compare(self, turn: Turn, claim: Claim, got: Answer) -> None:
        expected = turn.recipient.answer(claim)
        about = (
            f"{claim}: {got[0] or [coin[0] for coin in got[1]]}, not {expected[0] or [coin[0] for coin in expected[1]]}"
        )
        self.records.expect("claim", expected, got, about)
        if turn.fate == "answered":
            self.records.receive(claim.target, claim.request_id or claim.requester, got[1])

    def discard(self, turns: list[Turn]) -> None:
        deleted = discard_all(self.connection, [(turn.recipient.user_id, turn.discard) for turn in turns])
        for turn, got in zip(turns, deleted, strict=True):
            expected = turn.recipient.discard(turn.discard)
            self.records.expect(
                "discard", expected, got, f"{turn.recipient.user_id}: {got} deleted, {expected} were on sale"
            )

    def purge(self, recipients: list[Recipient]) -> None:
        self.connection.execute(AGE, [[recipient.user_id for recipient in recipients]])
        row = self.connection.execute("select coins.purge_stale(30)").fetchone()
        expected = sum(recipient.discard(None) for recipient in recipients)
        self.records.expect("purge", expected, row and row[0], f"{row and row[0]} purged, {expected} were old")

    def remove_claimed(self) -> None:
        self.connection.execute(self.hard_delete.encode())
        for recipient in self.recipients:
            recipient.hard_delete()


def pick(chance: random.Random, weights: dict[str, int]) -> str:
    return chance.choices(list(weights), list(weights.values()))[0]


def play(
    connection: Connection,
    histories: int,
    seed: int,
    hard_delete: str = HARD_DELETE,
    together: int = 500,
    progress: Callable[[int, Records], None] = lambda _done, _records: None,
) -> Records:
    """Play so many histories, each of a recipient of its own.

    connection: autocommit, to a migrated and empty database. hard_delete: the statement that deletes claimed coins.
    together: recipients side by side. progress: is told after each group how many are done.
    """
    records = Records()
    for start in range(0, histories, together):
        chance = random.Random(f"{seed} {start}")
        # Claims throw dice, too: now and then one moves the queue's mark.
        connection.execute("select setseed(%s)", [chance.random()])
        recipients = [
            Recipient(chance, uuid.UUID(int=chance.getrandbits(128), version=4))
            for _ in range(min(together, histories - start))
        ]
        Group(connection, chance, records, hard_delete, recipients).play()
        # The next group starts with an empty house; the memory of spent coins stays.
        connection.execute("delete from coins.coin_inventory")
        records.forget()
        progress(start + len(recipients), records)
    return records
