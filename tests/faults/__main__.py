"""The command line: ./aqm faults, or python -m tests.faults."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import random
import shlex
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psycopg
import uvloop

from db.cluster import ClusterError
from db.migrate import MigrationError

from .errors import HarnessError
from .kinds import FAULTS
from .plan import BROKEN, CLAIMS, Options, names_for
from .report import make_report
from .run import Result, run

FAILING_SEEDS = Path(__file__).with_name("failing_seeds")
EPILOG = """
Everything it needs it makes afresh under a temporary folder and removes in the end. The long form takes an hour or
more; --form long --claims 50000 is a tenth of it, faults included. Exit code 1: the checker found fault.
A seed that failed is kept in tests/faults/failing_seeds and tried again first, until it passes; --seed tries one alone.

faults:
""" + "\n".join(
    f"  {name:26} {(fault.__doc__ or 'the connection is cut there').splitlines()[0]}" for name, fault in FAULTS.items()
)


def read_options(arguments: Sequence[str]) -> Options:
    """The options of a command line; ends the process with a usage message when they are wrong."""
    parser = argparse.ArgumentParser(
        prog="aqm faults",
        description="Inflict faults on an AQM under load, judge the clients' own records, print a report in Markdown.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--form", choices=tuple(CLAIMS), default="short", help="how much of it (default: short)")
    parser.add_argument("--seed", type=int, help="of an earlier run, to replay its plan (default: a new one)")
    parser.add_argument("--claims", type=_positive, help="claims to answer; fewer than the form's, fewer faults")
    parser.add_argument("--only", type=_names, default=[], metavar="FAULT,…", help="only these; cut means all cuts")
    parser.add_argument(
        "--broken", choices=tuple(BROKEN), help="break a promise on purpose: the checker must find fault"
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the report there as well")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep records, dump and logs there")
    options = parser.parse_args(arguments)
    return Options(**vars(options) | {"claims": options.claims or CLAIMS[options.form]})


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _names(text: str) -> list[str]:
    words = [word for word in text.split(",") if word]
    try:
        names_for(words)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return words


def seeds_to_run(options: Options) -> list[int]:
    """The seed that was asked for; else those that failed before with the same options, and a new one."""
    if options.seed is not None:
        return [options.seed]
    known = [] if options.broken else [line["seed"] for line in _failing() if _fits(line, options)]
    return [*known, random.SystemRandom().randrange(10**9)]


def remember(options: Options, result: Result) -> None:
    """Keep the seed of a run that failed, forget that of one that passed."""
    if options.broken:
        return
    line = options.identity() | {"seed": result.seed}
    others = [known for known in _failing() if known != line]
    lines = others if result.is_clean else [*others, line]
    if lines or FAILING_SEEDS.exists():
        FAILING_SEEDS.write_text("".join(json.dumps(known) + "\n" for known in lines))


def _failing() -> list[dict[str, Any]]:
    return [json.loads(line) for line in FAILING_SEEDS.read_text().splitlines()] if FAILING_SEEDS.exists() else []


def _fits(line: dict[str, Any], options: Options) -> bool:
    return {name: value for name, value in line.items() if name != "seed"} == options.identity()


def main(arguments: Sequence[str]) -> int:
    """Run and turn what may go wrong into a message; returns the exit code."""
    options = read_options(arguments)
    # A stop in order, by whatever signal: servers end, folders and mounts go.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda _number, _frame: signal.raise_signal(signal.SIGINT))
    # That a statement could not be cancelled because its session was killed is no news here.
    logging.getLogger("psycopg").setLevel(logging.ERROR)
    started = time.monotonic()

    def say(what: str) -> None:
        print(f"[{time.monotonic() - started:5.0f} s] {what}", file=sys.stderr, flush=True)

    reports = []
    is_clean = True
    try:
        for seed in seeds_to_run(options):
            say(f"seed {seed}")
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                try:
                    result = runner.run(run(options, seed, say))
                except HarnessError:
                    remember(options, Result(options, seed, []))
                    raise
            remember(options, result)
            is_clean = is_clean and result.is_clean
            words = ["./aqm", "faults", *arguments, *([] if options.seed is not None else ["--seed", str(seed)])]
            reports.append(make_report(result, shlex.join(words)))
            print(reports[-1], flush=True)
            if options.report:
                options.report.parent.mkdir(parents=True, exist_ok=True)
                options.report.write_text("\n".join(reports))
    except KeyboardInterrupt:
        print("stopped: no report", file=sys.stderr)
        return 130
    except (HarnessError, ClusterError, MigrationError, psycopg.Error, OSError) as error:
        print(f"aqm faults: {error}", file=sys.stderr)
        return 2
    return 0 if is_clean else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
