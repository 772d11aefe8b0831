"""The judge: reads what the clients wrote down and what the database holds in the end, and knows nothing else.

    python -m tests.faults.checker FOLDER

FOLDER has the clients' records (*.jsonl, see records.py) and database.json lines (dump.py). Exit code 1 when something
went wrong.
"""

from __future__ import annotations

import hashlib
import sys
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from typing import Any

import orjson

from .coins import blobs, category_of, fingerprint, serial_of

DUMP = "database.dump"
SPENT = "spent.dump"
Name = tuple[str, str]
"""A coin: user and key_id."""

MANY = 200
"""More coins than claims under way and a purge can have locked at one moment."""

VERDICTS = {
    "twice": "coins acknowledged to two requests",
    "absent": "coins acknowledged that the database has not given to that sender",
    "lost": "coins claimed in the database that nobody was answered, after all retries",
    "changed": "requests whose retry was answered with other coins",
    "refused": "requests refused although nothing was wrong with them",
    "wrong": "coins answered with wrong bytes, of another recipient or category, or more than asked",
    "uploads_lost": "coins whose upload was acknowledged and of which nothing is known",
    "from_nowhere": "coins in the database that nobody uploaded",
    "none": f"claims answered none although more than {MANY} such coins lay there from the question to the answer",
    "unspent": "coins hard-deleted of which the memory of spent coins knows nothing",
    "guard": "times that a scheduled purge trusted a clock that had jumped",
    "order": "coins out of the order of their uploads, for senders who are owed it",
    "open": "requests still unanswered in the end",
}
"""What is counted; each must be zero."""


@dataclass
class Claim:
    """A claim as its client wrote it down."""

    user: str
    category: str
    count: int
    requester: str
    is_ordered: bool
    asked_at: float
    attempt_at: float = 0.0
    answers: list[tuple[int, list[tuple[str, str]]]] = field(default_factory=list)
    nones: list[tuple[float, float]] = field(default_factory=list)
    """When attempts that were answered none began and ended."""


@dataclass
class Findings:
    """What the checker counted. faults: by the names of VERDICTS. examples: a few of each, to look at."""

    claims: int = 0
    coins: int = 0
    uploaded: int = 0
    empty: int = 0
    gone: int = 0
    attempts: int = 0
    unanswered_attempts: int = 0
    states: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    examples: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def blame(self, verdict: str, example: object) -> None:
        """Count a fault."""
        self.faults[verdict] += 1
        if len(self.examples[verdict]) < 5:
            self.examples[verdict].append(str(example))

    @property
    def is_clean(self) -> bool:
        """Whether nothing went wrong."""
        return not self.faults

    def lines(self) -> Iterator[str]:
        """The findings, a line each."""
        yield f"claims {self.claims}: answered with coins, {self.coins} coins in all"
        yield f"claims answered none {self.empty}, refused as hard-deleted (410) {self.gone}"
        yield f"attempts to claim {self.attempts}, of which {self.unanswered_attempts} had no certain answer"
        yield f"coins uploaded {self.uploaded}; in the end " + ", ".join(
            f"{number} {state}" for state, number in sorted(self.states.items())
        )
        for verdict, meaning in VERDICTS.items():
            yield f"{verdict} {self.faults[verdict]}: {meaning}" + "".join(
                f"\n    {example}" for example in self.examples[verdict]
            )


class Checker:
    """Reads a folder and judges it."""

    def __init__(self, folder: Path) -> None:
        self.claims: dict[str, Claim] = {}
        self.ordered: list[str] = []
        """Ids of ordered claims in the order of their first answers."""
        self.uploads: dict[str, list[Name]] = {}
        self.acknowledged_uploads: dict[str, float] = {}
        self.findings = Findings()
        for path in sorted(folder.glob("*.jsonl")):
            self._read(path)
        self.database = dict(_read_dump(folder / DUMP))
        self.spent = {user: set(digests) for user, digests in _read(folder / SPENT)}

    def judge(self) -> Findings:
        """The findings."""
        holders = self._judge_answers()
        self._judge_order()
        self._judge_uploads()
        self._judge_database(holders)
        self._judge_nones()
        return self.findings

    def _read(self, path: Path) -> None:
        is_ordered = False
        with path.open("rb") as lines:
            for line in map(orjson.loads, lines):
                if "client" in line:
                    is_ordered = line["ordered"]
                elif line.get("ask") == "claim":
                    self.findings.attempts += 1
                    claim = self.claims.setdefault(
                        line["id"],
                        Claim(line["user"], line["category"], line["count"], line["requester"], is_ordered, line["at"]),
                    )
                    claim.attempt_at = line["at"]
                elif line.get("ask") == "upload":
                    self.uploads.setdefault(line["id"], [(line["user"], key) for key in line["keys"]])
                elif line["id"] in self.uploads:
                    if line.get("status") == 200:
                        self.acknowledged_uploads.setdefault(line["id"], line["at"])
                    elif "status" in line:
                        self.findings.blame("refused", (line["id"], line["status"]))
                elif "failed" in line:
                    self.findings.unanswered_attempts += 1
                else:
                    claim = self.claims[line["id"]]
                    coins = [(key, print_) for key, print_ in line["coins"]]
                    if coins and claim.is_ordered and not any(known for _, known in claim.answers):
                        self.ordered.append(line["id"])
                    claim.answers.append((line["status"], coins))
                    if line["status"] == 200 and not coins:
                        claim.nones.append((claim.attempt_at, line["at"]))

    def _judge_answers(self) -> dict[Name, str]:
        """Each coin that was answered, with its sender."""
        found = self.findings
        holders: dict[Name, tuple[str, str]] = {}
        for request_id, claim in self.claims.items():
            given = [coins for _, coins in claim.answers if coins]
            if not claim.answers:
                found.blame("open", request_id)
            elif not given:
                found.gone += any(status == 410 for status, _ in claim.answers)
                found.empty += all(status == 200 for status, _ in claim.answers)
            found.claims += bool(given)
            for status, _ in claim.answers:
                if status not in (200, 410):
                    found.blame("refused", (request_id, status))
            if any(coins != given[0] for coins in given):
                found.blame("changed", (request_id, given))
            for coins in given:
                if len(coins) > claim.count:
                    found.blame("wrong", (request_id, "asked", claim.count, "given", len(coins)))
                for key, print_ in coins:
                    name = (claim.user, key)
                    if category_of(key) != claim.category or fingerprint(*blobs(*name)) != print_:
                        found.blame("wrong", (request_id, name))
                    holder, _ = holders.setdefault(name, (request_id, claim.requester))
                    if holder != request_id:
                        found.blame("twice", (name, holder, request_id))
        found.coins = len(holders)
        return {name: requester for name, (_, requester) in holders.items()}

    def _judge_order(self) -> None:
        last: dict[str, int] = {}
        for request_id in self.ordered:
            claim = self.claims[request_id]
            for key, _ in next(coins for _, coins in claim.answers if coins):
                if serial_of(key) <= last.get(claim.user, -1):
                    self.findings.blame("order", (claim.user, key, "after", last[claim.user]))
                last[claim.user] = serial_of(key)

    def _judge_uploads(self) -> None:
        for upload_id in self.acknowledged_uploads:
            names = self.uploads[upload_id]
            self.findings.uploaded += len(names)
            for name in names:
                if name not in self.database:
                    self.findings.blame("uploads_lost", name)

    def _judge_database(self, holders: dict[Name, str]) -> None:
        found = self.findings
        known = {name for names in self.uploads.values() for name in names}
        # Whoever was refused as hard-deleted (410) came back after the coins' time: nothing that retries could mend.
        excused: Counter[tuple[str, str, str]] = Counter()
        for claim in self.claims.values():
            if any(status == 410 for status, _ in claim.answers) and not any(coins for _, coins in claim.answers):
                excused[claim.user, claim.category, claim.requester] += claim.count
        for name, requester in holders.items():
            state, fetched_by = self.database.get(name, ("missing", None))
            if state not in ("claimed", "hard-deleted") or fetched_by != requester:
                found.blame("absent", (name, state))
        for name, (state, fetched_by) in self.database.items():
            found.states[state] += 1
            if name not in known:
                found.blame("from_nowhere", name)
            if fetched_by and name not in holders:
                sender = (name[0], category_of(name[1]), fetched_by)
                if state == "hard-deleted" and excused[sender] > 0:
                    excused[sender] -= 1
                else:
                    found.blame("lost", (name, state))
            if state == "hard-deleted":
                known_digests = self.spent.get(name[0], set())
                if not {digest(name[1].encode()), digest(blobs(*name)[0])} <= known_digests:
                    found.blame("unspent", name)

    def _judge_nones(self) -> None:
        """Who was told that there are no coins must not have been surrounded by them."""
        wanted_at = {
            (claim.user, key): claim.asked_at
            for claim in self.claims.values()
            for _, coins in claim.answers
            for key, _ in coins
        }
        queues: defaultdict[tuple[str, str], list[tuple[float, float]]] = defaultdict(list)
        for upload_id, stored_at in self.acknowledged_uploads.items():
            for name in self.uploads[upload_id]:
                state, _ = self.database.get(name, ("missing", None))
                until = wanted_at.get(name, inf if state == "unclaimed" else 0.0)
                queues[name[0], category_of(name[1])].append((stored_at, until))
        for queue in queues.values():
            queue.sort()
        for request_id, claim in self.claims.items():
            queue = queues[claim.user, claim.category]
            for asked_at, answered_at in claim.nones:
                newest = bisect_left(queue, (asked_at, 0.0))
                there = sum(until > answered_at for _, until in queue[max(0, newest - 5 * MANY) : newest])
                if there > MANY:
                    self.findings.blame("none", (request_id, there, "coins"))


def digest(value: bytes) -> int:
    """What the memory of spent coins keeps of a key's name and of a public key: coins.digests()."""
    return int.from_bytes(hashlib.sha256(value).digest()[:8], signed=True)


def _read_dump(path: Path) -> Iterator[tuple[Name, tuple[str, str | None]]]:
    for user, key, state, fetched_by in _read(path):
        yield (user, key), (state, fetched_by)


def _read(path: Path) -> Iterator[Any]:
    with path.open("rb") as lines:
        yield from map(orjson.loads, lines)


def main(arguments: list[str]) -> int:
    """The command line; returns the exit code."""
    match arguments:
        case [folder] if Path(folder, DUMP).exists():
            findings = Checker(Path(folder)).judge()
            print("\n".join(findings.lines()))
            return 0 if findings.is_clean else 1
        case [folder] if not folder.startswith("-"):
            print(f"{folder} holds no {DUMP} of ./aqm faults --keep", file=sys.stderr)
            return 2
    print(__doc__, file=sys.stderr)
    return 0 if arguments in (["-h"], ["--help"]) else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
