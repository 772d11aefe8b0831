"""The command line: ./aqm bench, or python -m bench."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psycopg

from db.cluster import ClusterError
from db.migrate import MigrationError

from .coins import SIZES
from .errors import BenchError
from .pgbench import SCRIPT
from .report import Chapter, make_report
from .scenarios import SCENARIOS
from .setup import Options, default_yardstick, set_up
from .wrk import find_wrk

REPORTS = Path(__file__).with_name("reports")
EPILOG = """
Everything it needs it makes afresh under a temporary folder, with fsync on, and removes in the end.
All scenarios with the defaults take about two hours and up to 20 gigabytes. Figures only mean something on a machine
that does nothing else meanwhile; of a ratio that is less true.

scenarios:
""" + "\n".join(f"  {name:10} {(sys.modules[run.__module__].__doc__ or '').strip()}" for name, run in SCENARIOS.items())


def read_options(arguments: Sequence[str]) -> Options:
    """The options of a command line; ends the process with a usage message when they are wrong."""
    parser = argparse.ArgumentParser(
        prog="aqm bench",
        description="Measure how fast AQM is on this machine, beside the yardstick, and print a report in Markdown.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"{', '.join(SCENARIOS)} (default: all)")
    number = partial(parser.add_argument, type=_positive)
    number("--rounds", default=5, help="rounds of each load (default: 5)")
    number("--pairs", default=9, help="rounds of rules and baseline, whose differences are small (default: 9)")
    number("--seconds", default=10, help="length of a round (default: 10)")
    parser.add_argument(
        "--clients", type=_several, default=[1, 16, 64, 256], metavar="NUMBERS",
        help="HTTP clients in a closed loop, of fetch (default: 1,16,64,256)",
    )  # fmt: skip
    number("--recipients", default=1000, help="whose coins are claimed (default: 1000)")
    parser.add_argument(
        "--category", choices=SIZES, dest="only_category",
        help="of the coins (default: GOLD; database and upload measure each)",
    )  # fmt: skip
    number("--connections", default=10_000, help="open at once, of open-loop (default: 10000)")
    number("--rate", default=1000, help="arrivals a second, of open-loop (default: 1000)")
    number("--burst", default=10_000, help="fetches at once, of burst (default: 10000)")
    number("--claims", default=1_000_000, help="of long (default: 1000000)")
    number("--drain", default=50_000, help="coins of the hot recipient of snapshot (default: 50000)")
    number("--digests", default=10_000_000, help="of spent coins, of rules (default: 10000000)")
    number("--people", default=1_000_000, help="with accounts, of people (default: 1000000)")
    number("--tries", default=5000, help="refused logins, of people (default: 5000)")
    number("--products", default=1_000_000, help="and as many orders, of escrow (default: 1000000)")
    number("--keys", default=10_000, help="private keys, and coins, of device (default: 10000)")
    parser.add_argument(
        "--against", default="afc5b70", metavar="REF",
        help="git ref that baseline compares with (default: afc5b70, the last one without the seven promises)",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=1, help="of what is left to chance (default: 1)")
    parser.add_argument(
        "--generator", choices=("auto", "wrk", "built-in"), default="auto", help="auto is wrk where it is installed"
    )
    parser.add_argument(
        "--yardstick", type=Path, default=default_yardstick(), metavar="FILE",
        help="the seeds' design as an ASGI module (default: ../shared/peers/seed_reference.py beside the checkout)",
    )  # fmt: skip
    parser.add_argument(
        "--data-dir", type=Path, help="where the cluster's folder is made (default: the temporary folder)"
    )
    parser.add_argument(
        "--report", type=Path, metavar="FILE",
        help="default: bench/reports/<date>.md; plots and scripts go to a folder beside it, of the same name",
    )  # fmt: skip
    options = Options(**vars(parser.parse_args(arguments)))
    unknown = [name for name in options.scenarios if name not in SCENARIOS]
    if unknown:
        parser.error(f"there is no scenario {unknown[0]}; there are {', '.join(SCENARIOS)}")
    if options.generator == "wrk" and not find_wrk():
        parser.error("wrk is not installed (Debian package wrk); --generator built-in needs nothing")
    if options.data_dir and not options.data_dir.is_dir():
        parser.error(f"argument --data-dir: {options.data_dir} is no folder")
    return options


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


def _several(text: str) -> list[int]:
    return [_positive(number) for number in text.split(",")]


def run(options: Options) -> int:
    """Measure, print the report and keep it in a file; returns 1 when a round had a fault."""
    with set_up(options) as bench:
        servers, chapters = bench.commands, []
        for name in options.scenarios or SCENARIOS:
            bench.say(f"scenario {name}")
            bench.commands = []
            sections = SCENARIOS[name](bench)
            chapters.append(Chapter(name, sections, bench.commands))
        path = options.report or REPORTS / f"{datetime.now(UTC):%Y-%m-%dT%H%M%S}.md"
        files = path.with_suffix("")
        files.mkdir(parents=True, exist_ok=True)
        for script in bench.home.glob(f"*/{SCRIPT}"):
            shutil.copy(script, files / f"{script.parent.name}.sql")
        report = make_report(bench, servers, chapters, files)
    path.write_text(report)
    print(report, end="", flush=True)
    print(f"\nThis report is in {path}, its plots and scripts in {files}", file=sys.stderr)
    return 1 if any(section.faults() for chapter in chapters for section in chapter.sections) else 0


def main(arguments: Sequence[str]) -> int:
    """Run and turn what may go wrong into a message; returns the exit code."""
    options = read_options(arguments)
    # A stop in order, by whatever signal: servers end, the folder goes.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return run(options)
    except KeyboardInterrupt:
        print("stopped: no report", file=sys.stderr)
        return 130
    except (BenchError, ClusterError, MigrationError, psycopg.Error, OSError) as error:
        print(f"aqm bench: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
