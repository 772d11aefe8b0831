"""The store behind the rate limit: windows end, callers are forgotten, memory is bounded."""

from __future__ import annotations

import time

import limits
import pytest

from gateway.limits import CallerCounts, CallerLimit
from gateway.problems import Problem


def test_a_caller_may_go_on_in_the_next_window() -> None:
    limit = CallerLimit(limits.parse("2/second"))
    for _ in range(2):
        limit.hit("alice")
    with pytest.raises(Problem) as refused:
        limit.hit("alice")
    assert refused.value.status == 429
    limit.hit("bob")
    time.sleep(float(refused.value.headers["Retry-After"]))
    limit.hit("alice")


def test_a_large_body_costs_more_than_one_request() -> None:
    limit = CallerLimit(limits.parse("10/minute"))
    limit.hit("alice", size=1000)
    limit.hit("alice", size=9 * 128 * 1024)
    limit.hit("alice")
    with pytest.raises(Problem):
        limit.hit("alice")


def test_without_a_limit_nobody_is_counted() -> None:
    limit = CallerLimit(None)
    for _ in range(1000):
        limit.hit("alice")


def test_callers_who_are_gone_are_forgotten() -> None:
    counts = CallerCounts()
    for number in range(100_000):
        counts.add(f"caller {number}", cost=1, seconds=0)
    assert len(counts.counts) <= 1001
    assert counts.add("stays", cost=1, seconds=60)[0] == 1
    for number in range(3000):
        counts.add(f"caller {number}", cost=1, seconds=0)
    assert counts.add("stays", cost=1, seconds=60)[0] == 2
