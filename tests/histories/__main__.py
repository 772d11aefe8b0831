"""Plays random histories of coins against a throw-away PostgreSQL and says whether a coin was issued twice."""

from __future__ import annotations

import argparse
import random
import sys
import time

import psycopg

from tests.histories.play import FORGETFUL_DELETE, HARD_DELETE, play
from tests.records import Records
from tests.throw_away import throw_away_dsn


def main() -> int:
    """The command line; returns 0 when no coin was issued twice and every answer was the model's."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.histories",
        description=__doc__,
        epilog="The same seed gives the same histories. A history is a recipient's: uploads, claims, lost answers, "
        "retries, hard deletes, purges, and everything uploaded once more at the end.",
    )
    parser.add_argument("--histories", type=int, default=2000, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, help="of an earlier run (default: a new one)")
    parser.add_argument(
        "--forget-spent",
        action="store_true",
        help="delete claimed coins without remembering them: the run must then find coins issued twice",
    )
    options = parser.parse_args()
    if options.histories < 1:
        parser.error("--histories must be at least 1")
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    print(f"seed {seed}", file=sys.stderr)
    started = time.monotonic()

    def progress(done: int, records: Records) -> None:
        seconds = time.monotonic() - started
        left = seconds / done * (options.histories - done)
        print(
            f"\r{done} of {options.histories} histories, {records.issued} coins issued, {left:.0f} s left ",
            end="",
            file=sys.stderr,
            flush=True,
        )

    with throw_away_dsn() as dsn, psycopg.connect(dsn, autocommit=True) as connection:
        hard_delete = FORGETFUL_DELETE if options.forget_spent else HARD_DELETE
        records = play(connection, options.histories, seed, hard_delete, progress=progress)
    print(file=sys.stderr)
    print(
        f"{options.histories} histories, seed {seed}: {records.issued} coins issued, "
        f"{records.faults['issued twice']} issued twice, "
        f"{records.faults.total() - records.faults['issued twice']} answers unlike the model's, "
        f"{time.monotonic() - started:.0f} s"
    )
    for example in records.examples:
        print(f"  {example}")
    return 1 if records.faults else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("\ninterrupted")
