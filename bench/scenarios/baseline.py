"""The claim of this checkout against that of another commit, in pairs: what a change costs who doesn't use it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ..errors import BenchError
from ..goals import Goal, compare
from ..plots import Bars
from ..report import Section
from ..results import P50, RATE, WAL_RECORDS
from ..rounds import Contestant, run_rounds
from ..scripts import BATCH, SINGLE, batch_script
from ..servers import ROOT
from ..setup import Bench, make_database
from ..stock import Stock

CLIENTS = 16
LEAST = 0.97
NOW = "this checkout"


def run(bench: Bench) -> list[Section]:
    """Two databases in one cluster, migrated by one installer from two folders."""
    options, ref = bench.options, bench.options.against
    folders = {NOW: ROOT / "db", ref: unpack(ref, bench.home / "baseline")}
    stocks = {}
    for number, (name, folder) in enumerate(folders.items()):
        bench.say(f"migrating {name}")
        dsn = make_database(bench.cluster, f"bench_baseline_{number}", folder)
        stocks[name] = Stock(dsn, ("coins", "coin_inventory"), options.recipients, options.category)
    return [measure(bench, stocks, "claim_coins", 1), measure(bench, stocks, "claim_coins_batch", BATCH)]


def measure(bench: Bench, stocks: dict[str, Stock], function: str, claims: int) -> Section:
    """One function of both, in turn."""
    ref = bench.options.against
    contestants = []
    for name, stock in stocks.items():
        script = SINGLE if claims == 1 else batch_script(stock)
        load = bench.pgbench(f"baseline {function} {name}", stock, script, CLIENTS, claims=claims)
        contestants.append(Contestant(name, load, stock))
    results = run_rounds(bench, contestants, rounds=bench.options.pairs, are_alike=True)
    title = f"{function}: this checkout against {ref}"
    return Section(
        title=title,
        text=f"pgbench, {CLIENTS} clients, one {bench.options.category} coin a claim over {bench.options.recipients:,} "
        "recipients, no request id, quotas off: two databases of one cluster, in turn.",
        results=results,
        goals=[Goal(NOW, ref, at_least=LEAST), *compare(NOW, ref, P50, WAL_RECORDS)],
        plots=[Bars(f"baseline-{function}", title, RATE, results)],
    )


def unpack(ref: str, folder: Path) -> Path:
    """The db/ folder of a commit. Raises BenchError where git doesn't know it."""
    archive = subprocess.run(["git", "archive", ref, "--", "db"], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode != 0:
        reason = archive.stderr.decode(errors="replace").strip()
        raise BenchError(f"there is no commit {ref} to compare with (--against): {reason}")
    folder.mkdir(parents=True)
    # Not by tarfile: Debian 12's Python 3.11.2 doesn't know its filter argument yet.
    subprocess.run(["tar", "--extract", f"--directory={folder}"], input=archive.stdout, check=True)
    return folder / "db"
