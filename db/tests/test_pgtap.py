"""Runs the pgTAP files: one a function, each assertion reported under its own words."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tap.parser import Parser

HERE = Path(__file__).parent
FILES = sorted(HERE.glob("*/*.sql"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_function_keeps_its_promises(path: Path, new_database: Callable[..., Any], subtests: pytest.Subtests) -> None:
    database = new_database()
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
