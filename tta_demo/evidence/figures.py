"""Evidence as figures, light or dark. Every number in them stands in the table of their name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tta_demo.evidence.findings import Evidence
from tta_demo.evidence.tally import Gain
from tta_demo.evidence.trust import SHARES
from tta_demo.evidence.words import look_name, plan_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["DARK", "FIGURES", "LIGHT", "Ink", "drawn"]


@dataclass(frozen=True)
class Ink:
    """Colours to draw with, and on."""

    paper: str
    text: str
    soft: str
    series: tuple[str, ...]


LIGHT = Ink("#ffffff", "#0f172a", "#cbd5e1", ("#1d4ed8", "#c2410c", "#0f766e", "#7e22ce"))
DARK = Ink("#0f172a", "#e2e8f0", "#334155", ("#7cb0ff", "#fdba74", "#5eead4", "#d8b4fe"))

LINES = ("-", "--", "-.", ":")
"""So that no curve is told from the others by its colour alone."""


def drawn(evidence: Evidence, name: str, ink: Ink = LIGHT) -> "Figure":
    """Returns the figure of a name in `FIGURES`."""
    from matplotlib.figure import Figure  # takes a second, which other commands need not wait

    figure = Figure(figsize=(8, 4.2), layout="constrained", facecolor=ink.paper)
    FIGURES[name](evidence, figure, ink)
    for axes in figure.axes:
        axes.set_facecolor(ink.paper)
        axes.tick_params(colors=ink.text, labelsize=9)
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(ink.soft)
        axes.grid(color=ink.soft, linewidth=0.5)
        axes.set_axisbelow(True)
        for text in (axes.title, axes.xaxis.label, axes.yaxis.label, *axes.texts):
            text.set_color(ink.text)
        if axes.get_legend_handles_labels()[0]:
            axes.legend(frameon=False, labelcolor=ink.text, fontsize=9)
    return figure


def _plans(evidence: Evidence, figure: "Figure", ink: Ink) -> None:
    total = len(evidence.looks)
    names = [f"{plan_name(one.option, total)} ({len(one.option.views)})" for one in evidence.plans]
    gains = [one.gain for one in evidence.plans]
    taken = [one is evidence.recommended for one in evidence.plans]
    axes = figure.subplots()
    _whiskers(axes, names, gains, ink, taken)
    axes.set_xlabel(f"points of {evidence.protocol.score} over one look (in brackets: looks)")
    axes.set_title("Whole plans: orange is recommended")


def _cost(evidence: Evidence, figure: "Figure", ink: Ink) -> None:
    shown = [("score", 100, f"{evidence.protocol.score}, %"), ("nll", 1, "NLL"), ("ms", 1, "ms")]
    if evidence.curve.points[0].nll is None:
        del shown[1]
    panels = figure.subplots(1, len(shown))
    known = [one for one in evidence.plans if len(one.option.views) < 50]
    for axes, (key, factor, label) in zip(panels, shown, strict=True):
        line = [factor * getattr(one, key) for one in evidence.curve.points]
        places = range(1, len(line) + 1)
        axes.plot(places, line, "o-", color=ink.series[0], markersize=3)
        _marks(axes, known, key, factor, ink)
        axes.set_xlabel("looks")
        axes.set_title(label, fontsize=10)


def _marks(axes: "Axes", known: Sequence, key: str, factor: float, ink: Ink) -> None:
    """Marks the plans that were not found by going on from look to look."""
    shown = [one for one in known if not one.option.name.startswith("best")]
    for number, one in enumerate(shown):
        at = len(one.option.views), factor * getattr(one, key)
        axes.plot(*at, "D", color=ink.series[1], markersize=5)
        aside = (4, 5 if number % 2 else -11)
        axes.annotate(one.option.name, at, aside, textcoords="offset points", fontsize=8)


def _looks(evidence: Evidence, figure: "Figure", ink: Ink) -> None:
    left, right = figure.subplots(1, 2, sharey=True)
    names = [look_name(one.view) for one in evidence.looks]
    hurts = [one.hurts for one in evidence.looks]
    _whiskers(left, names, [one.gain for one in evidence.looks], ink, hurts)
    _whiskers(right, names, [one.without for one in evidence.looks], ink, hurts)
    left.set_xscale("symlog", linthresh=1)
    left.set_title("alone, over the original", fontsize=10)
    right.set_title("all others, over all with it", fontsize=10)
    for axes in (left, right):
        axes.set_xlabel(f"points of {evidence.protocol.score}")
    figure.suptitle("Every look on trial: orange hurts", color=ink.text)


def _fusions(evidence: Evidence, figure: "Figure", ink: Ink) -> None:
    axes = figure.subplots()
    names = [one.label for one in evidence.fusions]
    _whiskers(axes, names, [one.gain for one in evidence.fusions], ink)
    axes.set_xscale("symlog", linthresh=1)  # some lose a hundred times what others gain
    axes.set_xlabel(f"points of {evidence.protocol.score} over the plain average")
    axes.set_title("Fusions of all looks")


def _reliability(evidence: Evidence, figure: "Figure", ink: Ink) -> None:
    axes = figure.subplots()
    axes.plot([0, 100], [0, 100], color=ink.soft, label="as sure as right")
    for i, one in enumerate(evidence.trust):
        bins = np.array([row for row in one.bins if row[0]])
        name = plan_name(evidence.plan(one.plan).option, len(evidence.looks))
        style = {"color": ink.series[i % 4], "linestyle": LINES[i % 4]}
        label = f"{name}: ECE {100 * one.ece:.1f} %"
        axes.plot(*(100 * bins[:, 1:].T), marker="o", markersize=3, label=label, **style)
    axes.set_xlabel("confidence, %")
    axes.set_ylabel("right, %")
    axes.set_title("Reliability")


def _removal(evidence: Evidence, figure: "Figure", ink: Ink) -> None:
    axes = figure.subplots()
    shares = 100 * np.array(SHARES)
    axes.plot(shares, shares, color=ink.soft, label="by chance")
    for i, one in enumerate(evidence.removal):
        style = {"color": ink.series[i], "linestyle": LINES[i]}
        axes.plot(shares, 100 * np.array(one.removed), label=one.doubt, **style)
    axes.set_xlabel("most doubtful, handed to a person, %")
    axes.set_ylabel("errors gone, %")
    axes.set_title("Errors that doubt finds")


def _sets(evidence: Evidence, figure: "Figure", ink: Ink) -> None:
    left, right = figure.subplots(1, 2)
    left.plot([90, 100], [90, 100], color=ink.soft, label="as promised")
    names = list(dict.fromkeys(one.plan for one in evidence.sets))
    for i, name in enumerate(names):
        rows = [one for one in evidence.sets if one.plan == name]
        promise = [100 * one.promise for one in rows]
        told = plan_name(evidence.plan(name).option, len(evidence.looks))
        style = {"color": ink.series[i % 4], "linestyle": LINES[i % 4], "marker": "o"}
        left.plot(promise, [100 * one.coverage for one in rows], label=told, **style)
        right.plot(promise, [one.size for one in rows], **style)
    left.set_title("truth inside, %", fontsize=10)
    right.set_title("classes in a set", fontsize=10)
    for axes in (left, right):
        axes.set_xlabel("promised, %")


def _whiskers(
    axes: "Axes", names: Sequence[str], gains: Sequence[Gain], ink: Ink, told: Sequence[bool] = ()
) -> None:
    """Draws differences in points with their intervals, the first name on top."""
    for place, gain in enumerate(gains):
        color = ink.series[1] if told and told[place] else ink.series[0]
        if gain.low is not None and gain.high is not None:
            ends = [100 * gain.low, 100 * gain.high]
            axes.plot(ends, [place, place], color=color, linewidth=2)
        axes.plot(100 * gain.value, place, "o", color=color, markersize=5)
    axes.axvline(0, color=ink.text, linewidth=0.8)
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)


FIGURES: dict[str, Callable[[Evidence, "Figure", Ink], None]] = {
    "plans": _plans,
    "cost": _cost,
    "looks": _looks,
    "fusions": _fusions,
    "reliability": _reliability,
    "removal": _removal,
    "sets": _sets,
}
"""Each by the name of its table."""
