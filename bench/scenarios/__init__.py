"""What the bench can measure: a module each, with run(bench) giving a section of the report."""

from __future__ import annotations

from collections.abc import Callable

from ..report import Section
from ..setup import Bench
from . import database, fetch, once

SCENARIOS: dict[str, Callable[[Bench], Section]] = {
    "fetch": fetch.run,
    "database": database.run,
    "once": once.run,
}
"""By the name that the command line takes."""
