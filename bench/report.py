"""The report: Markdown, for a person."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

from .machine import machine_facts
from .results import Result
from .rounds import describe
from .setup import Bench, generator_version

MEASURES: dict[str, tuple[Callable[[Result], float], str]] = {
    "claims/s": (lambda result: result.rate, ",.0f"),
    "p50 ms": (lambda result: result.p50, ".2f"),
    "p95 ms": (lambda result: result.p95, ".2f"),
    "p99 ms": (lambda result: result.p99, ".2f"),
    "WAL bytes/claim": (lambda result: result.wal_per_coin, ",.0f"),
}
"""Name → how to read it from a result, and how to print it."""


@dataclass(frozen=True)
class Section:
    """What one scenario found.

    results: rounds by contestant. compared: the two whose ratio is shown. shows_speed: whether there is a table.
    """

    title: str
    text: str
    results: Mapping[str, Sequence[Result]]
    compared: tuple[str, str] | None = None
    shows_speed: bool = True

    def faults(self) -> list[str]:
        """What went wrong, a line for each round that had a fault."""
        return [
            f"{name}, round {number}: {describe(result.faults)}"
            for name, rounds in self.results.items()
            for number, result in enumerate(rounds, 1)
            if result.faults
        ]


def make_report(bench: Bench, sections: Sequence[Section]) -> str:
    """The whole report. The bench must still be up: the machine's facts are asked from it."""
    faults = [f"{section.title}: {fault}" for section in sections for fault in section.faults()]
    lines = [f"# AQM bench, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC", ""]
    if bench.yardstick is None:
        lines += [f"**No yardstick: {bench.options.yardstick} is not there. Nothing below is compared.**", ""]
    if faults:
        lines += [f"**Rounds with faults: {len(faults)}**", "", *(f"- {fault}" for fault in faults)]
    else:
        results = [result for section in sections for rounds in section.results.values() for result in rounds]
        lines.append(
            "No faults: every claim was answered by 200 with a coin, no coin was given twice, and what was received is "
            f"what the database says was claimed (but for {sum(result.unread for result in results)} answers that were on "
            "their way when wrk hung up at the end of a round)."
        )
    for section in sections:
        lines += ["", f"## {section.title}", "", section.text]
        if section.shows_speed:
            lines += ["", *speed_table(section)]
    lines += [
        "",
        "## How it was measured",
        "",
        f"Rounds of {bench.options.seconds} s, {bench.options.rounds} of each, taken in turn after a second of warm-up. "
        "Before each the stock is filled up, the table vacuumed and a checkpoint made, so that all start from the same "
        "state and full-page images weigh on all alike. A ratio is taken within a round, where noise hits both; then "
        "the median of the ratios. The gateway runs with its defaults: rate limit, request log and metrics on; tokens "
        "are off. WAL is that of the whole server. Clients and servers share this machine.",
        "",
        *table(["machine", ""], [[name, value] for name, value in facts(bench)]),
        "",
        "Commands:",
        "",
        "```",
        shlex.join(["python", "-m", "bench", *sys.argv[1:]]),
        *dict.fromkeys(shlex.join(command) for command in bench.commands),
        "```",
    ]
    return "\n".join(lines) + "\n"


def facts(bench: Bench) -> list[tuple[str, str]]:
    """The machine and the load generator."""
    return [*machine_facts(bench.cluster), ("load generator", generator_version(bench.options))]


def speed_table(section: Section) -> list[str]:
    """Rounds as columns with their median, the measures of each contestant as rows; then the ratios."""
    rounds = max(len(results) for results in section.results.values())
    rows: list[list[str]] = []
    for name, results in section.results.items():
        for measure, (read, form) in MEASURES.items():
            values = [read(result) for result in results]
            if any(values):
                rows.append([f"{name} {measure}", *(format(value, form) for value in [*values, median(values)])])
    if section.compared:
        ours, theirs = (section.results[name] for name in section.compared)
        for measure, (read, _) in MEASURES.items():
            ratios = [read(mine) / read(other) for mine, other in zip(ours, theirs, strict=True)]
            cells = [f"{ratio:.2f}" for ratio in ratios]
            rows.append([f"**{' / '.join(section.compared)}** {measure}", *cells, f"**{median(ratios):.2f}**"])
    return table(["", *(f"round {number}" for number in range(1, rounds + 1)), "median"], rows, numbers=True)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], numbers: bool = False) -> list[str]:
    """A Markdown table. numbers: all columns but the first are aligned to the right."""
    rule = ["---", *(["---:" if numbers else "---"] * (len(head) - 1))]
    return [f"| {' | '.join(cells)} |" for cells in [head, rule, *rows]]
