"""The command line: ./aqm bench, or python -m bench."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from db.cluster import ClusterError
from db.migrate import MigrationError

from .errors import BenchError
from .report import Section, make_report
from .scenarios import SCENARIOS
from .setup import Options, default_yardstick, set_up
from .stock import SIZES
from .wrk import find_wrk

REPORTS = Path(__file__).with_name("reports")
EPILOG = """
Everything it needs it makes afresh under a temporary folder, with fsync on, and removes in the end.
It takes about 5 minutes and a few gigabytes with the defaults. Figures only mean something on a machine
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
    parser.add_argument("--rounds", type=_positive, default=3, help="rounds of each load (default: 3)")
    parser.add_argument("--seconds", type=_positive, default=10, help="length of a round (default: 10)")
    parser.add_argument("--clients", type=_positive, default=64, help="HTTP clients in a closed loop (default: 64)")
    parser.add_argument("--recipients", type=_positive, default=1000, help="whose coins are claimed (default: 1000)")
    parser.add_argument("--category", choices=SIZES, default="GOLD", help="of the coins (default: GOLD)")
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
    parser.add_argument("--report", type=Path, metavar="FILE", help="default: bench/reports/<date>.md")
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


def run(options: Options) -> int:
    """Measure, print the report and keep it in a file; returns 1 when a round had a fault."""
    with set_up(options) as bench:
        sections: list[Section] = []
        for name in options.scenarios or SCENARIOS:
            bench.say(f"scenario {name}")
            sections.append(SCENARIOS[name](bench))
        report = make_report(bench, sections)
    path = options.report or REPORTS / f"{datetime.now(UTC):%Y-%m-%dT%H%M%S}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(report)
    print(report, end="", flush=True)
    print(f"\nThis report is in {path}", file=sys.stderr)
    return 1 if any(section.faults() for section in sections) else 0


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
