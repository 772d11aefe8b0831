"""The documents tell the truth: their commands are run, and what they print is what the documents show."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from conftest import ROOT, Database, RunningGateway, claim, make_coins, upload

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DATA_KEYS = f"-c aqm.encryption_keys=1:{'ab' * 32} -c aqm.index_keys=1:{'cd' * 32}"
"""As ./aqm psql gives them to a session."""

DOCUMENTS = sorted([ROOT / "README.md", *ROOT.glob("docs/**/*.md")])


def psql_sessions(text: str) -> list[tuple[str, str]]:
    """Statement and printed result of each prompt in a document's psql fences."""
    found = []
    for language, body in FENCE.findall(text):
        if language == "psql":
            for part in re.split(r"^aqm=# ", body, flags=re.MULTILINE)[1:]:
                lines = part.splitlines()
                last = max([0, *(place for place, line in enumerate(lines) if line.startswith("aqm-# "))])
                statement = "\n".join(line.removeprefix("aqm-# ") for line in lines[: last + 1])
                found.append((statement, "\n".join(lines[last + 1 :]).strip("\n")))
    return found


BY_CHANCE = re.compile(r"\b(pool_usage|slow_queries|oldest_snapshot)\b")
"""Who else is connected, and what else was asked on this server: how many rows that is, is another test's affair."""


def count(statement: str, printed: str) -> list[str]:
    """The numbers of rows, where the statement decides on them."""
    return [] if BY_CHANCE.search(statement) else re.findall(r"^\(\d+ rows?\)$", printed, re.MULTILINE)


def shape(printed: str) -> list[str]:
    """What must be the same in two runs: column names, notices and errors, not times and sizes."""
    lines = printed.splitlines()
    rulers = [place for place, line in enumerate(lines) if re.fullmatch(r"[-+]+", line)]
    if rulers:
        return [re.sub(r"\s+", " ", lines[place - 1]).strip() for place in rulers]
    return [re.sub(r"\d+", "N", line).strip() for line in lines if line.strip()]


@pytest.mark.parametrize("path", [p for p in DOCUMENTS if psql_sessions(p.read_text())], ids=lambda path: path.name)
def test_psql_prints_what_the_document_shows(
    path: object, database: Database, cluster: object, subtests: pytest.Subtests
) -> None:
    bob = uuid.UUID("b0b00000-0000-4000-8000-000000000000")
    upload(database, bob, make_coins(3, "GOLD"))
    claim(database, bob, bob, "GOLD")
    for statement, printed in psql_sessions(path.read_text()):  # type: ignore[attr-defined]
        with subtests.test(statement.splitlines()[0]):
            ran = subprocess.run(
                ["psql", database.dsn, "-X", "-P", "pager=off", "-c", statement.rstrip(";") if statement.startswith("\\") else statement],
                capture_output=True, text=True, check=False, env=os.environ | {"PGOPTIONS": DATA_KEYS},
            )  # fmt: skip
            assert shape(ran.stdout + ran.stderr.replace("psql: ", "")) == shape(printed), ran.stdout + ran.stderr
            assert count(statement, ran.stdout) == count(statement, printed), ran.stdout


def test_readme_curl_answers_what_the_readme_shows(gateway: RunningGateway, subtests: pytest.Subtests) -> None:
    fences = FENCE.findall((ROOT / "README.md").read_text().split("## People and tokens")[0])
    pairs = [
        (command, answer)
        for (kind, command), (next_kind, answer) in pairwise(fences)
        if (kind, next_kind) == ("sh", "json")
    ]
    assert len(pairs) == 4
    for command, answer in pairs:
        with subtests.test(command.splitlines()[0]):
            command = command.replace("http://127.0.0.1:8080", gateway.url)
            ran = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
            assert json.loads(ran.stdout) == json.loads(answer)


@pytest.mark.parametrize(("number", "auth", "printed"), [(0, "none", "see you at eight"), (1, "jwt", "buy milk")])
def test_the_devices_examples_print_what_they_say(
    database: Database, run_gateway: Callable[..., RunningGateway], tmp_path: Path, number: int, auth: str, printed: str
) -> None:
    gateway = run_gateway(database.dsn, AQM_AUTH=auth)
    text = (ROOT / "docs" / "device.md").read_text()
    examples = [body for language, body in FENCE.findall(text) if language == "python"]
    assert len(examples) == 2
    (tmp_path / "example.py").write_text(examples[number].replace("http://127.0.0.1:8080", gateway.url))
    ran = subprocess.run(
        [sys.executable, "example.py"], cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, f"{printed}\n", "")
    assert f"It prints `{printed}`" in text


def test_the_marketplaces_example_prints_what_it_says(
    database: Database, run_gateway: Callable[..., RunningGateway], tmp_path: Path
) -> None:
    gateway = run_gateway(database.dsn, AQM_AUTH="jwt")
    fences = FENCE.findall((ROOT / "docs" / "marketplace.md").read_text())
    [(example, printed)] = [
        (example, printed) for (kind, example), (_, printed) in pairwise(fences) if kind == "python"
    ]
    ran = subprocess.run(
        [sys.executable, "-c", example.replace("http://127.0.0.1:8080", gateway.url)], cwd=tmp_path,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, printed, "")


def hide(shown: Any, answer: Any) -> Any:
    """An answer with … where the document shows that, and lists in one order: sessions have none that means anything."""
    if shown == "…" and isinstance(answer, str):
        return "…"
    if isinstance(shown, dict) and isinstance(answer, dict):
        return {name: hide(shown.get(name), value) for name, value in answer.items()}
    if isinstance(shown, list) and isinstance(answer, list):
        return sorted((hide(shown[0], item) for item in answer), key=str)
    return answer


def test_readme_leads_people_from_sign_up_to_a_closed_account(
    database: Database, run_gateway: Callable[..., RunningGateway]
) -> None:
    gateway = run_gateway(database.dsn, AQM_AUTH="jwt")
    section = (ROOT / "README.md").read_text().split("## People and tokens")[1].split("\n## ")[0]
    fences = FENCE.findall(section)
    assert [kind for kind, _ in fences] == ["sh", "json"] * 7
    # One shell for all, as whoever follows it has.
    script = "echo; echo ===\n".join(body for kind, body in fences if kind == "sh")
    ran = subprocess.run(
        ["sh", "-euc", script.replace("http://127.0.0.1:8080", gateway.url)], capture_output=True, text=True, check=True
    )
    answers = [json.loads(answer) for answer in ran.stdout.split("===")]
    for (_, shown), answer in zip(fences[1::2], answers, strict=True):
        expected = json.loads(shown)
        assert hide(expected, answer) == hide(expected, expected)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: object) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text()):  # type: ignore[attr-defined]
        if not target.startswith("http"):
            assert (path.parent / target).exists(), target  # type: ignore[attr-defined]


def test_every_function_that_a_dba_may_call_is_shown(database: Database) -> None:
    shown = "".join((ROOT / "docs" / name).read_text() for name in ("dba.md", "marketplace.md"))
    names = database.rows("""
        select distinct p.proname from pg_proc as p inner join pg_namespace as n on n.oid = p.pronamespace
        where n.nspname in ('auth', 'coins', 'escrow', 'ops') and (
            has_function_privilege('aqm_monitor', p.oid, 'execute') or has_function_privilege('aqm_device', p.oid, 'execute')
            or has_function_privilege('aqm_anon', p.oid, 'execute') or has_function_privilege('aqm_user', p.oid, 'execute')
            or has_function_privilege('aqm_admin', p.oid, 'execute') or has_function_privilege('aqm_jobs', p.oid, 'execute')
            or has_function_privilege('aqm_wallet', p.oid, 'execute'))
    """)
    helpers = {"find_job", "record_job_success", "record_job_alarm", "job_last_success", "job_alarms"}
    helpers |= {"replication_lag_seconds", "dead_rows_percent", "chain_ages"}
    assert {name for (name,) in names} - helpers <= set(re.findall(r"\b[a-z_]+(?=\()", shown))
