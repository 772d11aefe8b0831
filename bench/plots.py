"""Plots, as files beside the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from .results import Rounds

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Points = tuple[Sequence[float], Sequence[float]]


@dataclass(frozen=True)
class Lines:
    """A line for each series. name: of the file, without its ending. series: x and y values by name.
    is_log: whether the y axis is logarithmic."""

    name: str
    title: str
    x_label: str
    y_label: str
    series: Mapping[str, Points]
    is_log: bool = False


@dataclass(frozen=True)
class Bars:
    """A bar for each contestant: the median of its rounds, with a line from the least to the most."""

    name: str
    title: str
    measure: str
    results: Rounds


Plot = Lines | Bars


def draw(plot: Plot, folder: Path) -> Path:
    """Draw a plot into a file; returns its path."""
    figure, axes = _new_figure()
    axes.set_title(plot.title)
    if isinstance(plot, Lines):
        for name, (xs, ys) in plot.series.items():
            axes.plot(xs, ys, label=name, marker="o" if len(xs) < 20 else "", linewidth=1.2)
        axes.set_xlabel(plot.x_label)
        axes.set_ylabel(plot.y_label)
        axes.legend()
        if plot.is_log:
            axes.set_yscale("log")
        else:
            axes.set_ylim(bottom=0)
    else:
        values = {name: [result.figures[plot.measure] for result in rounds] for name, rounds in plot.results.items()}
        middles = [median(each) for each in values.values()]
        spread = [
            [middle - min(each) for middle, each in zip(middles, values.values(), strict=True)],
            [max(each) - middle for middle, each in zip(middles, values.values(), strict=True)],
        ]
        axes.barh(list(values), middles, xerr=spread, capsize=3)
        axes.set_xlabel(plot.measure)
        axes.invert_yaxis()
    path = folder / f"{plot.name}.svg"
    figure.savefig(path)
    return path


def _new_figure() -> tuple[Figure, Axes]:
    # Imported late: --help and a wrong command line need not wait for it.
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot()
    axes.grid(alpha=0.3)
    return figure, axes
