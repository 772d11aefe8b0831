"""Runs the pgTAP files: one a function, each assertion reported under its own words."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tap.parser import Parser

from conftest import Database, migrated_copy
from db.cluster import Cluster

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*/*.sql"))


@pytest.fixture(scope="module")
def shared(cluster: Cluster, template: str) -> Iterator[Database]:
    """One database for many: each file takes back what it did."""
    with migrated_copy(cluster, template) as database:
        yield database


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_function_keeps_its_promises(
    path: Path, shared: Database, new_database: Callable[..., Database], subtests: pytest.Subtests
) -> None:
    # What is about statistics sees what others did, though they took it back.
    database = new_database() if path.parent.name == "ops" else shared
    text = path.read_text()
    assert text.startswith("begin;\n"), "a pgTAP file begins a transaction"
    assert text.endswith("rollback;\n"), "a pgTAP file rolls back"
    ran = subprocess.run(
        ["psql", database.dsn, "-XAtq", "-v", "ON_ERROR_STOP=1", "-f", str(path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    lines = list(Parser().parse_text(ran.stdout))
    plan = next(line.expected_tests for line in lines if line.category == "plan")
    assertions = [line for line in lines if line.category == "test"]
    for assertion in assertions:
        with subtests.test(assertion.description):
            assert assertion.ok, ran.stdout
    assert len(assertions) == plan, f"planned {plan} assertions, ran {len(assertions)}"
