"""The report: Markdown, for a person."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from .goals import Goal
from .machine import machine_facts
from .plots import Plot, draw
from .results import FORMS, Rounds
from .rounds import describe
from .setup import Bench, generator_version


@dataclass(frozen=True)
class Section:
    """What one part of a scenario found.

    results: rounds by contestant. goals: the figures and ratios to be shown. unit: what is counted. plots: to be
    drawn. shows_speed: whether there is a table.
    """

    title: str
    text: str
    results: Rounds
    goals: Sequence[Goal] = ()
    unit: str = "claims"
    plots: Sequence[Plot] = ()
    shows_speed: bool = True

    def faults(self) -> list[str]:
        """What went wrong, a line for each round that had a fault."""
        return [
            f"{name}, round {number}: {describe(result.faults)}"
            for name, rounds in self.results.items()
            for number, result in enumerate(rounds, 1)
            if result.faults
        ]

    def word(self, measure: str) -> str:
        """A measure as it is called here."""
        return measure.replace("claim", self.unit.removesuffix("s"))


@dataclass
class Chapter:
    """What one scenario found. commands: those that its figures came from."""

    name: str
    sections: Sequence[Section]
    commands: Sequence[Sequence[str]] = field(default_factory=list)


def make_report(bench: Bench, servers: Sequence[Sequence[str]], chapters: Sequence[Chapter], files: Path) -> str:
    """The whole report. The bench must still be up: the machine's facts are asked from it.

    servers: their commands. files: the folder beside the report where plots and scripts go.
    """
    sections = [section for chapter in chapters for section in chapter.sections]
    faults = [f"{section.title}: {fault}" for section in sections for fault in section.faults()]
    lines = [f"# AQM bench, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC", ""]
    if bench.yardstick is None:
        lines += [f"**No yardstick: {bench.options.yardstick} is not there. Nothing is compared with it.**", ""]
    if faults:
        lines += [f"**Rounds with faults: {len(faults)}**", "", *(f"- {fault}" for fault in faults)]
    else:
        results = [result for section in sections for rounds in section.results.values() for result in rounds]
        lines.append(
            "No faults: every claim was answered by 200 with a coin, no coin was given twice, and what was received is "
            f"what the database says was claimed (but for {sum(result.unread for result in results)} answers that were on "
            "their way when wrk hung up at the end of a round)."
        )
    lines += ["", *summary(sections)]
    for chapter in chapters:
        for section in chapter.sections:
            lines += ["", f"## {section.title}", "", section.text]
            if section.shows_speed:
                lines += ["", *speed_table(section)]
            for plot in section.plots:
                path = draw(plot, files)
                lines += ["", f"![{plot.title}]({path.parent.name}/{path.name})"]
        lines += ["", f"Commands of `{chapter.name}`:", "", *spoken(chapter.commands)]
    lines += [
        "",
        "## How it was measured",
        "",
        f"Rounds of {bench.options.seconds} s, {bench.options.rounds} of each, taken in turn (in every second round "
        "backwards), after a second of warm-up where the stock to be filled depends on the speed. Before each the stock "
        "is filled up, the table vacuumed and a checkpoint made, so that all start from the same state and full-page "
        "images weigh on all alike. A ratio is taken within a round, where noise hits both; then the median of the "
        "ratios. The gateway runs with its defaults: rate limit, request log and metrics on; tokens are off. WAL is that "
        "of the whole server, its records read one by one (pg_walinspect). Clients and servers share this machine. "
        f"Folders in the commands were temporary; what pgbench was given lies in {files.name}/, named as its folder.",
        "",
        *table(["machine", ""], [[name, value] for name, value in facts(bench)]),
        "",
        "The command, and those of the servers:",
        "",
        *spoken([["python", "-m", "bench", *sys.argv[1:]], *servers]),
    ]
    return "\n".join(lines) + "\n"


def facts(bench: Bench) -> list[tuple[str, str]]:
    """The machine and the load generator."""
    return [*machine_facts(bench.cluster), ("load generator", generator_version(bench.options))]


def spoken(commands: Sequence[Sequence[str]]) -> list[str]:
    """Commands as a shell would take them, each once."""
    return ["```", *dict.fromkeys(shlex.join(command) for command in commands), "```"]


def summary(sections: Sequence[Section]) -> list[str]:
    """Every goal with its median and whether that is as wanted."""
    rows = []
    for section in sections:
        for goal in section.goals:
            values = goal.values(section.results)
            met = {True: "yes", False: "**no**", None: ""}[goal.is_met(values)]
            if met and any(result.faults for result in section.results[goal.ours]):
                # To refuse is fast.
                met = "**no**: faults"
            form = ",.2f"
            rows.append(
                [
                    f"{section.title}: {goal.name}", section.word(goal.measure), format(median(values), form),
                    f"{min(values):{form}} – {max(values):{form}}", goal.wanted, met,
                ]
            )  # fmt: skip
    return table(["in short", "of", "median", "rounds", "wanted", "met"], rows) if rows else []


def speed_table(section: Section) -> list[str]:
    """Rounds as columns with their median, the measures of each contestant as rows; then the ratios."""
    rounds = max(len(results) for results in section.results.values())
    rows: list[list[str]] = []
    for name, results in section.results.items():
        for measure in dict.fromkeys(measure for result in results for measure in result.figures):
            values = [result.figures.get(measure, 0.0) for result in results]
            form = FORMS.get(measure, ",.2f")
            label = f"{name} {section.word(measure)}"
            rows.append([label, *(format(value, form) for value in [*values, median(values)])])
    for goal in section.goals:
        if goal.theirs:
            ratios = goal.values(section.results)
            cells = [f"{ratio:.2f}" for ratio in ratios]
            rows.append([f"**{goal.name}** {section.word(goal.measure)}", *cells, f"**{median(ratios):.2f}**"])
    return table(["", *(f"round {number}" for number in range(1, rounds + 1)), "median"], rows, numbers=True)


def table(head: Sequence[str], rows: Sequence[Sequence[str]], numbers: bool = False) -> list[str]:
    """A Markdown table. numbers: all columns but the first are aligned to the right."""
    rule = ["---", *(["---:" if numbers else "---"] * (len(head) - 1))]
    return [f"| {' | '.join(cells)} |" for cells in [head, rule, *rows]]
