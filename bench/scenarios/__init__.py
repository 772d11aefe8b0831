"""What the bench can measure: a module each, with run(bench) giving sections of the report."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..report import Section
from ..setup import Bench
from . import (
    baseline,
    burst,
    database,
    device,
    escrow,
    fetch,
    long,
    mixed,
    once,
    open_loop,
    people,
    rules,
    snapshot,
    upload,
)

SCENARIOS: dict[str, Callable[[Bench], Sequence[Section]]] = {
    "fetch": fetch.run,
    "database": database.run,
    "open-loop": open_loop.run,
    "burst": burst.run,
    "upload": upload.run,
    "mixed": mixed.run,
    "long": long.run,
    "snapshot": snapshot.run,
    "people": people.run,
    "device": device.run,
    "escrow": escrow.run,
    "rules": rules.run,
    "baseline": baseline.run,
    "once": once.run,
}
"""By the name that the command line takes."""
