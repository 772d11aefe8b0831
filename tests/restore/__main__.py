"""Runs restore drills against throw-away PostgreSQL servers and says whether a coin was issued twice."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys

from tests.restore.drill import primary, run_drill


def main() -> int:
    """The command line; returns 0 when no coin was issued twice."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.restore",
        description=__doc__,
        epilog="A drill takes a base backup of a running server under load, goes on claiming, restores the backup on a "
        "second server, fences it, and has devices and senders go on there.",
    )
    parser.add_argument("--drills", type=int, default=20, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, help="of an earlier run (default: a new one)")
    parser.add_argument("--no-fence", action="store_true", help="leave the fence out: coins must then be issued twice")
    options = parser.parse_args()
    if options.drills < 1:
        parser.error("--drills must be at least 1")
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    print(f"seed {seed}", file=sys.stderr)
    twice = issued = 0
    with primary() as cluster:
        for number in range(options.drills):
            records = asyncio.run(run_drill(cluster, f"{seed} {number}", not options.no_fence))
            twice += records.faults["issued twice"]
            issued += records.issued
            print(
                f"drill {number + 1} of {options.drills}: {records.issued} coins issued, "
                f"{records.faults['issued twice']} twice",
                file=sys.stderr,
            )
            for example in records.examples:
                print(f"  {example}", file=sys.stderr)
    fence = "without" if options.no_fence else "with"
    print(f"{options.drills} drills {fence} the fence, seed {seed}: {issued} coins issued, {twice} issued twice")
    return 1 if twice else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("\ninterrupted")
