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
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import aiohttp
import psycopg
import pytest

from bench.coins import SIZES, make_coins
from bench.drive import Drive
from bench.errors import BenchError
from bench.generator import BuiltIn
from bench.goals import Goal
from bench.nothing import body_of
from bench.report import Section
from bench.results import Load, Result
from bench.rounds import audit
from bench.scenarios.baseline import unpack
from bench.scripts import seed_statement
from bench.servers import ROOT, serving
from bench.setup import default_yardstick
from bench.stock import Stock, make_key_id, owner_of
from bench.walk import REQUESTERS, identity, paths
from bench.wrk import Wrk, find_wrk
from conftest import Database, wait_until

SHORT = [
    "--rounds", "1", "--pairs", "1", "--seconds", "1", "--recipients", "400", "--clients", "8,16", "--category", "BRONZE",
    "--connections", "40", "--rate", "100", "--burst", "60", "--claims", "1600", "--drain", "200", "--digests", "26000",
    "--people", "300", "--tries", "20", "--keys", "300", "--products", "3000",
]  # fmt: skip
APART = [
    ["fetch", "burst", "once"],
    ["database"],
    ["open-loop", "upload", "mixed", "long", "snapshot", "people", "device", "escrow"],
    # Where there is no repository there is no other commit.
    ["rules", *(["baseline", "--against", "HEAD"] if (ROOT / ".git").exists() else [])],
]
"""Scenarios that run in a process each, all at once: nothing here judges speed, and time is short."""


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


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The report of each scenario, from one run of them all, which must leave nothing behind."""
    made, results = Path(tempfile.mkdtemp(prefix="aqm-test-bench-")), tmp_path_factory.mktemp("reports")
    made.chmod(0o755)
    benches = [
        start_bench(*words, *SHORT, "--data-dir", str(made), "--report", str(results / f"{words[0]}.md"))
        for words in APART
    ]
    said = [bench.communicate(timeout=300) for bench in benches]
    found = {}
    for words, bench, (report, progress) in zip(APART, benches, said, strict=True):
        assert bench.returncode == 0, progress + report
        assert "No faults" in report
        assert (results / f"{words[0]}.md").read_text() == report
        for plot in re.findall(r"!\[.*\]\((.*)\)", report):
            assert (results / plot).read_text().startswith("<?xml")
        found |= {name: report for name in words if not name.startswith("-")}
    assert list(made.iterdir()) == []
    assert processes_of(made) == []
    made.rmdir()
    return found


HAS_YARDSTICK = default_yardstick().exists()


def test_one_command_measures_both_sides_over_http(reports: dict[str, str]) -> None:
    report = reports["fetch"]
    for clients in (8, 16):
        section = report.partition(f"## Over HTTP: GET /v1/coins/fetch, {clients} clients")[2]
        for name in ["AQM", *(["yardstick", "**AQM / yardstick**"] if HAS_YARDSTICK else []), "nothing"]:
            for measure in ["claims/s", "p50 ms", "p95 ms", "p99 ms"]:
                (only, median) = cells(section, f"{name} {measure}")
                assert only == median > 0
    for fact in ("fsync | on", "synchronous_commit | on", "full_page_writes | on", "PostgreSQL |", "load generator |"):
        assert f"| {fact}" in report
    assert "-m gateway" in report
    assert "## Every coin once" in reports["once"]
    assert cells(reports["burst"], "AQM seconds to the last answer")[0] > 0


def test_the_database_is_measured_with_many_recipients_and_with_one(reports: dict[str, str]) -> None:
    report = reports["database"]
    for who in ("400 recipients", "one hot recipient"):
        section = report.partition(f"## In the database: BRONZE, {who}")[2]
        for name in ["claim_coins", "claim_coins_batch", *(["seeds' CTE"] if HAS_YARDSTICK else [])]:
            assert cells(section, f"{name} claims/s")[0] > 0
            whole, records = (
                cells(section, f"{name} WAL bytes/claim{what}")[0] for what in ("", " without page images")
            )
            assert whole >= records > 0
        if HAS_YARDSTICK:
            (only, median) = cells(section, "**claim_coins / seeds' CTE** claims/s")
            assert only == median > 0


@pytest.mark.parametrize(
    ("scenario", "row"),
    [
        ("long", "claim_coins, long after / before"),
        ("snapshot", "drained by claim_coins last 1,000 / first 1,000"),
        ("upload", "AQM, HTTP coins/s"),
        ("upload", "AQM, database coins/s"),
        ("upload", "AQM, database disk bytes over key and signature"),
        ("mixed", "AQM claims/s"),
        ("mixed", "AQM p99 ms of uploads"),
        ("open-loop", "AQM p99 ms"),
        ("open-loop", "nothing generator late by, p99 ms"),
        ("rules", "**with request id / plain** claims/s"),
        ("rules", "**quotas on / plain** claims/s"),
        ("rules", "**much spent / nothing spent** coins/s"),
        *([("baseline", "**this checkout / HEAD** claims/s")] if (ROOT / ".git").exists() else []),
    ],
)
def test_every_scenario_shows_its_figures(reports: dict[str, str], scenario: str, row: str) -> None:
    (only, median) = cells(reports[scenario], row)
    assert only == median > 0


def test_without_the_yardstick_and_without_wrk_it_measures_what_is_there_and_says_so(
    folder: Path, tmp_path: Path
) -> None:
    bench = start_bench(
        *SHORT, "fetch", "--clients", "4", "--yardstick", str(tmp_path / "none.py"), "--generator", "built-in",
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
    while "warm-up: AQM" not in (line := bench.stderr.readline()):
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
        (["sing"], "there is no scenario sing; there are fetch, database, open-loop, burst"),
        (["--rounds", "0"], "must be at least 1"),
        (["--clients", "1,none"], "invalid _several value"),
        (["--category", "LEAD"], "invalid choice"),
        (["--data-dir", "/nowhere"], "/nowhere is no folder"),
    ],
)
def test_a_wrong_command_line_is_refused_before_anything_is_started(arguments: list[str], message: str) -> None:
    bench = start_bench(*arguments)
    _, said = bench.communicate(timeout=30)
    assert bench.returncode == 2
    assert message in said


GENERATORS = ["built-in", "drive", *(["wrk"] if find_wrk() else [])]


def make_load(generator: str, url: str, walk: list[str], folder: Path) -> Load:
    if generator == "built-in":
        return BuiltIn(url, walk, clients=4)
    (folder / "paths").write_text("\n".join(walk))
    if generator == "drive":
        return Drive("arrivals", url, connections=4, rate=50, paths=folder / "paths")
    return Wrk(url, folder / "paths", clients=4)


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
    if generator == "wrk":
        # It looks at no coin: the books tell.
        assert faults["coin received but not claimed in the database"] == result.coins
        return
    assert faults["coin given twice"] == result.coins - 1
    assert faults["coin received but not claimed in the database"] == 1
    assert result.faults["coin of another recipient"] > 0
    # What was given in one round must not be given in the next.
    assert audit(stock, result, claimed=0, max_unread=0)["coin given twice"] == result.coins


@pytest.mark.parametrize(("fault", "status"), [("empty answer", 200), ("status 503", 503)])
@pytest.mark.parametrize("generator", GENERATORS)
def test_an_empty_answer_and_a_refusal_are_counted(
    generator: str, fault: str, status: int, database: Database, tmp_path: Path
) -> None:
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
    if generator == "wrk" and status == 200:
        stock = Stock(database.dsn, ("coins", "coin_inventory"), recipients=1, category="GOLD")
        assert audit(stock, result, claimed=0, max_unread=4) == {
            "coin received but not claimed in the database": result.coins
        }
        return
    assert result.coins == 0
    assert result.faults["status other than 200" if generator == "wrk" else fault] > 0


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


def test_too_few_open_files_are_said_before_anything_is_started() -> None:
    words = [sys.executable, "-m", "bench", "open-loop", "--connections", "1000"]
    ran = subprocess.run(
        ["sh", "-c", 'ulimit -n 500; exec "$@"', "sh", *words],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ran.returncode == 1
    assert "1000 connections need 1200 open files and the limit is 500" in ran.stderr
    assert "making a cluster" not in ran.stderr


def test_a_claim_that_arrives_while_the_server_is_busy_counts_its_wait(tmp_path: Path) -> None:
    class Slow(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            time.sleep(0.1)
            self.send_response(200)
            self.send_header("Content-Length", "12")
            self.end_headers()
            self.wfile.write(b'{"coins":[]}')

        def log_message(self, *_arguments: object) -> None:
            pass

    (tmp_path / "paths").write_text("\n".join(paths(1, "GOLD")))
    with ThreadingHTTPServer(("127.0.0.1", 0), Slow) as server:
        threading.Thread(target=server.serve_forever).start()
        url = f"http://127.0.0.1:{server.server_port}"
        result = Drive("arrivals", url, connections=1, rate=20, paths=tmp_path / "paths").run(1)
        server.shutdown()
    # Twenty claims of 0.1 s in 1 s over one connection: the last waits for those before it.
    assert result.p99 > 500 > 100 <= result.p50
    assert result.faults["empty answer"] == result.more["arrivals/s"]


def test_wal_is_counted_by_its_records(database: Database) -> None:
    database.execute("create extension pg_walinspect")
    stock = Stock(database.dsn, ("coins", "coin_inventory"), recipients=2, category="GOLD")
    stock.fill(10)
    position = stock.wal_position()
    assert stock.wal_since(position)[0] < 10_000
    stock.top_up(200)
    # The tests' cluster commits before it writes its WAL; a checkpoint would write it, too, but may remove its beginning.
    with psycopg.connect(database.dsn, options="-c synchronous_commit=on") as connection:
        connection.execute("select pg_logical_emit_message(true, 'test', 'to be flushed')")
    written, images = stock.wal_since(position)
    assert written - images > 2 * 150 * sum(SIZES["GOLD"])


def test_a_ratio_is_taken_within_its_round_and_judged_by_the_median() -> None:
    def rounds(*rates: int) -> list[Result]:
        return [Result(coins=rate, seconds=1, p99=10) for rate in rates]

    results = {"AQM": rounds(10, 40, 60), "yardstick": rounds(10, 10, 20)}
    goal = Goal("AQM", "yardstick", at_least=3)
    assert goal.values(results) == [1, 4, 3]
    assert goal.is_met(goal.values(results)) is True
    assert Goal("AQM", "yardstick", at_least=3.5).is_met([1, 4, 3]) is False
    assert Goal("AQM", measure="p99 ms", at_most=5).is_met([10, 10, 10]) is False
    assert Goal("AQM", "yardstick").is_met([1, 4, 3]) is None


def test_a_missing_statement_or_commit_is_said(tmp_path: Path) -> None:
    (tmp_path / "seeds.py").write_text('CLAIM = "select $1"\n')
    assert seed_statement(tmp_path / "seeds.py", "CLAIM") == "select $1"
    with pytest.raises(BenchError, match="has no statement INSERT"):
        seed_statement(tmp_path / "seeds.py", "INSERT")
    with pytest.raises(BenchError, match="no commit nowhere to compare with"):
        unpack("nowhere", tmp_path)


@pytest.mark.parametrize("category", SIZES)
def test_coins_to_upload_are_all_different_and_of_the_right_size(category: str) -> None:
    coins = [*make_coins(category, 100), *make_coins(category, 100)]
    assert len({key_id for key_id, *_ in coins}) == len({key for _, _, key, _ in coins}) == 200
    assert all(len(key_id) <= 36 for key_id, *_ in coins)
    assert {(len(key), len(signature)) for _, _, key, signature in coins} == {SIZES[category]}
