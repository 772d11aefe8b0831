"""What a run does: the options, and how many faults of which kind."""

from __future__ import annotations

import random
from dataclasses import asdict, dataclass
from math import ceil
from pathlib import Path

from .kinds import FAULTS

SHORT = {
    "terminate-backend": 4, "kill-backend": 1, "kill-postmaster": 1, "kill-gateway": 1, "kill-everything": 1,
    "stop-gateway": 1, "stop-backend": 1, "stop-postmaster": 1, "pool": 1, "hang-up": 1, "purge": 3, "hard-delete": 2,
    **{name: 2 for name in FAULTS if "cut" in name},
}  # fmt: skip
LONG = {
    "terminate-backend": 1000, "kill-backend": 200, "kill-postmaster": 100, "kill-gateway": 100, "kill-everything": 20,
    "stop-gateway": 20, "stop-backend": 20, "stop-postmaster": 20, "pool": 20, "hang-up": 50, "purge": 200,
    "hard-delete": 100, **{name: 100 for name in FAULTS if "cut" in name},
}  # fmt: skip
CLAIMS = {"short": 1500, "long": 500_000}
SCENES = ("data-disk", "wal-disk", "clock-hour", "clock-month")
"""Faults that need an installation of their own, after the others."""

BROKEN = {
    "durability": {"kill-postmaster": 3},
    "request-id": {"cut-after-send": 5, "cut-after-commit": 5, "terminate-backend": 5},
    "lock": {},
}
"""What is broken, and how many faults show it."""


@dataclass(frozen=True)
class Options:
    """What the user chose; ./aqm faults --help explains."""

    form: str
    seed: int | None
    claims: int
    only: list[str]
    broken: str | None
    report: Path | None
    keep: Path | None

    def identity(self) -> dict[str, object]:
        """What must be the same for a replay, but for the seed."""
        return {name: value for name, value in asdict(self).items() if name in ("form", "claims", "only")}


def names_for(only: list[str]) -> list[str]:
    """The faults and scenes that words of --only mean: a name, or the beginning of several. Raises ValueError."""
    chosen: list[str] = []
    for word in only:
        meant = [name for name in (*FAULTS, *SCENES) if name == word or name.startswith(f"{word}-")]
        if not meant:
            raise ValueError(f"there is no fault {word}; there are {', '.join((*FAULTS, *SCENES))}")
        chosen += meant
    return chosen


def plan_faults(options: Options, chance: random.Random) -> list[str]:
    """The faults in their order. Fewer claims than the form's, fewer faults, but one of each kind at least."""
    if options.broken:
        return [name for name, times in BROKEN[options.broken].items() for _ in range(times)]
    counts = SHORT if options.form == "short" else LONG
    share = min(1.0, options.claims / CLAIMS[options.form])
    chosen = names_for(options.only) or list(FAULTS)
    plan = [name for name in FAULTS if name in chosen for _ in range(ceil(counts[name] * share))]
    chance.shuffle(plan)
    return plan


def plan_scenes(options: Options) -> list[str]:
    """The scenes of a run; the short form leaves them out unless they are asked for."""
    if options.broken:
        return []
    chosen = names_for(options.only)
    return [name for name in SCENES if name in chosen or (not chosen and options.form == "long")]
