"""The fault harness in its short form, and that its checker finds fault where a promise is broken on purpose."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from conftest import ROOT


def run_harness(*arguments: str) -> tuple[int, str]:
    """Exit code and all that a run said."""
    ran = subprocess.run(
        [sys.executable, "-m", "tests.faults", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return ran.returncode, ran.stdout + ran.stderr


def count(report: str, verdict: str) -> int:
    """How often the checker blamed something, by its report."""
    found = re.search(rf"^\| {verdict} \| (\d+) \|", report, re.MULTILINE)
    assert found, report
    return int(found[1])


def test_no_fault_makes_a_coin_lost_or_given_twice() -> None:
    code, said = run_harness("--claims", "600")
    assert code == 0, said
    assert "without a certain answer" in said


@pytest.mark.parametrize(("broken", "verdict"), [("durability", "absent"), ("request-id", "lost"), ("lock", "twice")])
def test_a_broken_promise_is_found(broken: str, verdict: str) -> None:
    code, said = run_harness("--broken", broken, "--claims", "500")
    assert code == 1, said
    assert count(said, verdict) > 0, said


def test_a_fault_that_does_not_exist_is_refused_by_name() -> None:
    code, said = run_harness("--only", "earthquake")
    assert code == 2
    assert "there is no fault earthquake" in said
