"""The report of a run, in Markdown."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime

from .checker import VERDICTS
from .run import Outcome, Result


def make_report(result: Result, command: str) -> str:
    """All of it."""
    options = result.options
    verdict = "nothing went wrong" if result.is_clean else "FAULTS FOUND"
    lines = [
        f"# Fault harness: {verdict}",
        "",
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC · seed {result.seed} · form {options.form}"
        + (f" · broken on purpose: {options.broken}" if options.broken else "")
        + f" · Linux {platform.release()}, Python {platform.python_version()}",
        "",
        f"    {command}",
    ]
    for outcome in result.outcomes:
        lines += ["", f"## {outcome.name}", "", *_section(outcome)]
    return "\n".join(lines) + "\n"


def _section(outcome: Outcome) -> Iterator[str]:
    if outcome.untested or outcome.findings is None:
        yield f"**Not tested**: {outcome.untested}"
        return
    found = outcome.findings
    yield f"{found.claims} claims answered with {found.coins} coins in {outcome.seconds:.0f} s; {found.empty} answered"
    yield f"none; {found.gone} refused as hard-deleted (410). {found.attempts} attempts, {found.unanswered_attempts} of"
    yield f"them without a certain answer. {found.uploaded} coins uploaded; in the end {_counts(found.states)}."
    yield f"PostgreSQL was started again {outcome.restarts} times. Settings as a client's session has them: "
    yield ", ".join(f"{name} = {value}" for name, value in outcome.settings.items()) + "."
    for note in outcome.notes:
        yield ""
        yield note
    yield from ["", "| verdict | count | meaning |", "|---|---:|---|"]
    for verdict, meaning in VERDICTS.items():
        yield f"| {verdict} | {found.faults[verdict]} | {meaning} |"
    if outcome.done:
        yield from ["", "| fault | times |", "|---|---:|"]
        yield from (f"| {name} | {number} |" for name, number in sorted(outcome.done.items()))
    if outcome.felt:
        yield from ["", f"The faults themselves: {_counts(outcome.felt)}."]
    if outcome.reasons:
        yield from ["", f"What clients saw instead of an answer: {_counts(outcome.reasons)}."]
    if found.examples:
        yield from ["", "Examples:", ""]
        yield from (f"- {verdict}: {example}" for verdict, several in found.examples.items() for example in several)


def _counts(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in counts.most_common()) or "none"
