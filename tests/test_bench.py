"""The bench measures what it says, finds what is wrong, and leaves nothing behind. Nothing here judges speed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import aiohttp
import pytest

from bench.generator import BuiltIn
from bench.nothing import body_of
from bench.report import Section
from bench.results import Load, Result
from bench.rounds import audit
from bench.servers import serving
from bench.setup import default_yardstick
from bench.stock import SIZES, Stock, make_key_id, owner_of
from bench.walk import REQUESTERS, identity, paths
from bench.wrk import Wrk, find_wrk
from conftest import Database, wait_until

SHORT = ["--rounds", "1", "--seconds", "1", "--recipients", "40", "--clients", "16", "--category", "BRONZE"]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the server's user can reach, unlike pytest's own."""
    made = Path(tempfile.mkdtemp(prefix="aqm-test-bench-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


def start_bench(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "bench", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def cells(report: str, row: str) -> list[float]:
    """The numbers of a row of a table."""
    found = re.search(rf"^\| {re.escape(row)} \|(.*)\|$", report, re.MULTILINE)
    assert found, f"no row {row} in\n{report}"
    return [float(cell.strip(" *").replace(",", "")) for cell in found[1].split("|")]


def processes_of(folder: Path) -> list[str]:
    """Command lines that name a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in words and path.parent.name != str(os.getpid()):
            found.append(words)
    return found


def test_one_command_measures_everything_without_a_fault(folder: Path, tmp_path: Path) -> None:
    bench = start_bench(*SHORT, "--data-dir", str(folder), "--report", str(tmp_path / "report.md"))
    report, progress = bench.communicate(timeout=300)
    assert bench.returncode == 0, progress + report
    assert (tmp_path / "report.md").read_text() == report
    assert "No faults" in report
    measures = ["claims/s", "p50 ms", "p95 ms", "p99 ms"]
    sides = ["AQM", *(["yardstick", "**AQM / yardstick**"] if default_yardstick().exists() else []), "nothing"]
    for name in [*sides, "claim_coins", "claim_coins_batch"]:
        for measure in measures:
            (only, median) = cells(report, f"{name} {measure}")
            assert only == median > 0
    for fact in ("fsync | on", "synchronous_commit | on", "full_page_writes | on", "PostgreSQL |", "load generator |"):
        assert f"| {fact}" in report
    assert "-m gateway" in report
    assert "round 1 of 1: AQM, 1 s" in progress
    assert "## Every coin once" in report
    assert list(folder.iterdir()) == []
    assert processes_of(folder) == []


def test_without_the_yardstick_and_without_wrk_it_measures_what_is_there_and_says_so(
    folder: Path, tmp_path: Path
) -> None:
    bench = start_bench(
        *SHORT, "fetch", "--yardstick", str(tmp_path / "none.py"), "--generator", "built-in",
        "--data-dir", str(folder), "--report", str(tmp_path / "report.md"),
    )  # fmt: skip
    report, progress = bench.communicate(timeout=300)
    assert bench.returncode == 0, progress + report
    assert "**No yardstick:" in report
    assert "NO YARDSTICK:" in progress
    assert "| load generator | built-in" in report
    assert cells(report, "AQM claims/s")[0] > 0
    assert "/ yardstick" not in report
    assert "## Every coin once" not in report


def test_ctrl_c_ends_the_servers_and_removes_the_folder(folder: Path) -> None:
    bench = start_bench(*SHORT, "--data-dir", str(folder), "--report", str(folder / "report.md"))
    assert bench.stderr is not None
    while "warm-up: yardstick" not in (line := bench.stderr.readline()) and "warm-up: nothing" not in line:
        assert line, "the bench ended by itself"
    assert processes_of(folder)
    bench.send_signal(signal.SIGINT)
    report, progress = bench.communicate(timeout=60)
    assert bench.returncode == 130
    assert report == ""
    assert "Traceback" not in progress
    assert list(folder.iterdir()) == []
    wait_until(lambda: processes_of(folder) == [], what="all processes have ended")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sing"], "there is no scenario sing; there are fetch, database, once"),
        (["--rounds", "0"], "must be at least 1"),
        (["--category", "LEAD"], "invalid choice"),
        (["--data-dir", "/nowhere"], "/nowhere is no folder"),
    ],
)
def test_a_wrong_command_line_is_refused_before_anything_is_started(arguments: list[str], message: str) -> None:
    bench = start_bench(*arguments)
    _, said = bench.communicate(timeout=30)
    assert bench.returncode == 2
    assert message in said


GENERATORS = ["built-in", *(["wrk"] if find_wrk() else [])]


def make_load(generator: str, url: str, walk: list[str], folder: Path) -> Load:
    if generator == "built-in":
        return BuiltIn(url, walk, clients=4)
    (folder / "paths").write_text("\n".join(walk))
    return Wrk(url, folder / "paths", folder / "keys", clients=4)


@pytest.mark.parametrize("generator", GENERATORS)
def test_a_server_that_gives_one_coin_to_everybody_is_found_out(
    generator: str, database: Database, tmp_path: Path
) -> None:
    stock = Stock(database.dsn, ("coins", "coin_inventory"), recipients=5, category="GOLD")
    with serving("nothing", [sys.executable, "-m", "bench.nothing", "{port}", "GOLD"], tmp_path, "/") as server:
        load = make_load(generator, server.url, paths(stock.recipients, stock.category), tmp_path)
        result = load.run(1)
    assert result.coins > 1
    faults = audit(stock, result, claimed=0, max_unread=load.max_unread)
    assert faults["coin given twice"] == result.coins - 1
    assert faults["coin received but not claimed in the database"] == 1
    if generator == "built-in":
        assert result.faults["coin of another recipient"] > 0
    # What was given in one round must not be given in the next.
    assert audit(stock, result, claimed=0, max_unread=0)["coin given twice"] == result.coins


@pytest.mark.parametrize(("fault", "status"), [("empty answer", 200), ("status 503", 503)])
@pytest.mark.parametrize("generator", GENERATORS)
def test_an_empty_answer_and_a_refusal_are_counted(generator: str, fault: str, status: int, tmp_path: Path) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b'{"coins":[]}'
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever).start()
        load = make_load(generator, f"http://127.0.0.1:{server.server_port}", paths(1, "GOLD"), tmp_path)
        result = load.run(1)
        server.shutdown()
    assert result.coins == 0
    assert result.faults[fault] > 0


def test_claims_that_nobody_received_are_counted_beyond_those_that_were_on_their_way(database: Database) -> None:
    stock = Stock(database.dsn, ("coins", "coin_inventory"), recipients=2, category="SILVER")
    result = Result(coins=10, seconds=1, p50=1, p95=1, p99=1)
    assert audit(stock, result, claimed=14, max_unread=4) == {}
    assert audit(stock, result, claimed=15, max_unread=4) == {"coin claimed in the database but never received": 1}
    assert audit(stock, result, claimed=9, max_unread=4) == {"coin received but not claimed in the database": 1}
    section = Section("title", "text", {"AQM": [result, Result(10, 1, 1, 1, 1, faults={"status 500": 2})]})
    assert section.faults() == ["AQM, round 2: 2 × status 500"]


@pytest.mark.parametrize("category", SIZES)
def test_the_stock_is_as_deep_as_asked_and_filled_up_again(category: str, database: Database) -> None:
    stock = Stock(database.dsn, ("coins", "coin_inventory"), recipients=3, category=category)
    stock.fill(30)
    depth = "select min(n), max(n), count(*) from (select count(*) n from coin_inventory where fetched_by is null group by user_id) s"
    assert database.rows(depth) == [(33, 33, 3)]
    database.execute(
        "update coin_inventory set fetched_by = user_id, fetched_at = now() where user_id = %s",
        [identity("recipient", 2)],
    )
    assert stock.claimed() == 33
    stock.fill(30)
    assert database.rows(depth) == [(33, 33, 3)]
    keys = [
        row[0] for row in database.rows("select key_id from coin_inventory where fetched_by is null order by key_id")
    ]
    assert len(set(keys)) == 99
    assert make_key_id(2, 2, 33) in keys
    assert {owner_of(key) for key in keys} == {identity("recipient", number) for number in (1, 2, 3)}
    assert database.rows(
        "select distinct octet_length(public_key_blob), octet_length(signature_blob) from coin_inventory"
    ) == [SIZES[category]]
    assert database.value("select count(distinct public_key_blob) from coin_inventory") == 132


@pytest.mark.parametrize("recipients", [1, 7, 1000, 30_000])
def test_the_walk_meets_all_recipients_alike_and_no_requester_often(recipients: int) -> None:
    walk = paths(recipients, "GOLD")
    asked = [re.search(r"target_user_id=([^&]+)", path)[1] for path in walk]  # type: ignore[index]
    assert len(set(asked)) == recipients
    assert len(walk) == asked.count(asked[0]) * recipients
    requesters = {re.search(r"requester_id=([^&]+)", path)[1] for path in walk}  # type: ignore[index]
    assert len(requesters) == len(walk) >= REQUESTERS


@pytest.mark.parametrize("category", SIZES)
async def test_the_answer_of_nothing_is_as_long_as_a_real_one(
    category: str, database: Database, http: aiohttp.ClientSession
) -> None:
    Stock(database.dsn, ("coins", "coin_inventory"), recipients=1, category=category).fill(1)
    async with http.get(paths(1, category)[0]) as answer:
        assert len(await answer.read()) == len(body_of(category))
