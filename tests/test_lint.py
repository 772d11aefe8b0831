"""Each linter as a test of its own: ./aqm lint runs these alone, ./aqm test with all others."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ROOT, Database

pytestmark = pytest.mark.lint

# Beside the Python that runs the tests, so that PATH doesn't matter.
PROGRAMS = Path(sys.executable).parent
MIGRATIONS = sorted((ROOT / "db" / "migrations").glob("*.sql"))
SQUAWK_EXCLUDED = [
    "require-lock-timeout",  # migrate.py sets it once for all files
    "require-statement-timeout",  # a data fix may take as long as it takes
    "ban-drop-constraint",  # what replaces it stands beside it
    "ban-drop-function",  # a changed signature needs it, and the function's file brings the new one at once
    "prefer-text-field",  # the guide gives the columns their types
    "prefer-bigint-over-int",  # sizes, caps and versions never get near the end of an integer
    "prefer-bigint-over-smallint",  # stars and points, as the guide has them
]


def lint(program: str, *arguments: str) -> str:
    """Run a linter over the checkout; fails with all that it says when it is not content."""
    ran = subprocess.run([PROGRAMS / program, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        pytest.fail(f"{program}:\n{ran.stdout}{ran.stderr}", pytrace=False)
    return ran.stdout


def test_ruff_finds_nothing() -> None:
    lint("ruff", "check")


def test_python_files_have_the_format_of_ruff() -> None:
    # Python alone: ruff would rewrite the examples in Markdown as well.
    lint("ruff", "format", "--check", "--exclude=*.md")


def test_mypy_finds_nothing() -> None:
    lint("mypy")


def test_sqlfluff_finds_nothing() -> None:
    lint("sqlfluff", "lint", "db")


def test_squawk_finds_no_migration_that_would_hurt() -> None:
    said = lint(
        "squawk",
        "--assume-in-transaction",
        "--pg-version=15.0",
        "--include=require-table-schema",
        f"--exclude={','.join(SQUAWK_EXCLUDED)}",
        *map(str, MIGRATIONS),
    )
    assert f"Found 0 issues in {len(MIGRATIONS)} files" in said


def test_plpgsql_check_finds_nothing(database: Database) -> None:
    # A trigger's function can only be checked together with a table that it serves.
    found = database.rows(
        """
        select p.oid::regprocedure::text, c.lineno, c.level, c.message, c.detail, c.hint
        from pg_proc as p
        inner join pg_language as l on l.oid = p.prolang and l.lanname = 'plpgsql'
        inner join pg_namespace as n on n.oid = p.pronamespace and n.nspowner::regrole::text like 'aqm%owner'
        left join pg_trigger as t on t.tgfoid = p.oid and not t.tgisinternal
        cross join lateral plpgsql_check_function_tb(
            p.oid, coalesce(t.tgrelid, 0), fatal_errors => false, other_warnings => true, extra_warnings => true,
            security_warnings => true, compatibility_warnings => true
        ) as c
        """
    )
    assert found == []


def test_shellcheck_finds_nothing() -> None:
    lint("shellcheck", "aqm")
