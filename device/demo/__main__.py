"""A story with real keys and a real server, printed step by step.

coins: the whole way of twenty messages between two devices. Bob mints and uploads, Alice caches his coins and writes, Bob
reads and tops up, a DBA looks on in psql, pg_cron cleans up.
marketplace: a buyer, a seller and an arbitrator: a good trade, one that nobody answers, disputes both ways.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence

import psycopg

from gateway.settings import SettingError, Settings, read_settings

from ..errors import DeviceError
from .accounts import Accounts
from .database import by_cron, erase, in_psql
from .devices import between_devices
from .marketplace import marketplace
from .report import StepError, coloured, say, step
from .server import ServerError, gateway


def run(settings: Settings, dsn: str, story: str, with_cron: bool) -> None:
    """Every step; raises at the first that fails."""
    with gateway(settings) as (url, is_ours):
        step("A gateway")
        say(f"  {url}, {'started for this demo' if is_ours else 'which was running'}")
        if story == "marketplace":
            marketplace(url, settings, dsn)
            return
        accounts = Accounts(url)
        try:
            outcome = asyncio.run(between_devices(url, accounts))
            in_psql(dsn, outcome)
            if with_cron:
                by_cron(dsn, outcome.bob.courier.user_id)
            else:
                step("pg_cron was left out (--no-cron)")
        finally:
            if accounts.ids:
                erase(dsn, accounts.ids)


def main(arguments: Sequence[str]) -> int:
    """The command line; returns the exit code: 0 only when every step held."""
    parser = argparse.ArgumentParser(prog="aqm demo", description=__doc__, epilog="The database is AQM_DSN.")
    parser.add_argument(
        "story", nargs="?", choices=["coins", "marketplace"], default="coins", help="which one (default: coins)"
    )
    parser.add_argument(
        "--no-cron", action="store_true", help="coins: leave out the job of pg_cron, which takes a minute"
    )
    options = parser.parse_args(arguments)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))
    try:
        settings = read_settings()
        dsn = os.environ.get("AQM_DSN")
        if not dsn:
            raise SettingError("AQM_DSN is not set: name a database, or use ./aqm demo, which brings its own")
        run(settings, dsn, options.story, not options.no_cron)
    except SettingError as error:
        print(f"aqm demo: {error}", file=sys.stderr)
        return 2
    except (StepError, ServerError, DeviceError, TimeoutError, psycopg.Error, OSError) as error:
        print(f"\naqm demo: FAILED: {str(error) or type(error).__name__}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\naqm demo: interrupted", file=sys.stderr)
        return 130
    say("\n" + coloured("Every step held.", 32))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
