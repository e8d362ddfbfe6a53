"""The picture on screen as a report to read, print and pass on: one HTML file without links."""

from collections.abc import Callable, Iterable, Sequence
from html import escape

import numpy as np

from tta_demo.evidence.html_page import html_page
from tta_demo.insight.changes import BROKEN, CHANGED, FIXED, WRONG
from tta_demo.models.ensemble import headed
from tta_demo.pictures.draw import fit_within, overlay
from tta_demo.pictures.words import figure, signed
from tta_demo.tta.fusion import FUSIONS
from tta_demo.ui.kit.files import beside
from tta_demo.ui.kit.html import (
    class_table,
    contents,
    legend_of,
    looks_together,
    swatch,
    table,
    weight_said,
)
from tta_demo.ui.kit.pictures import data_url, png_url
from tta_demo.ui.segment.case import ITSELF
from tta_demo.ui.takeaway.drawn import MARKS, changes_drawn, doubt_drawn
from tta_demo.ui.takeaway.facts import Takeaway

__all__ = ["document"]

EVEN = ("none", "mean", "gmean", "vote")
"""Fusions in which every look counts the same on all pixels that it saw."""

SIDE = 800
"""Longest side of a picture in the report, in pixels."""

WITHOUT = "without background"


def document(take: Takeaway) -> str:
    """Returns the whole report; nothing in it is fetched or run, every string is escaped."""
    title = f"{take.case.name}: looked at again"
    parts = (
        f"<h1>{escape(title)}</h1><p class='say'>{escape(take.sentence)}</p>",
        _headline(take),
        _pictures(take),
        _doubt(take),
        _classes(take),
        _looks(take),
        _settings(take),
        f"<h2>As Python</h2><pre>{escape(take.code)}</pre>",
    )
    return html_page(title, "".join(parts), beside(__file__, "report.css"))


def _headline(take: Takeaway) -> str:
    """Returns the scores without and with looking again; nothing without a truth."""
    scores = take.report.get("scores")
    if scores is None:
        return "<p>Without the right answer (a mask) there are no scores.</p>"
    changes, one, fused = take.changes, scores["one_look"], scores["fused"]
    unlike = "Different pixels" if take.case.itself else "Wrong pixels"
    rows = [(unlike, f"{changes.before:,}", f"{changes.after:,}",
             f"{changes.after - changes.before:+,}".replace("-", "−"))]  # fmt: skip
    for key, name in (
        ("miou", "Mean IoU, %"),
        ("miou_without_background", f"Mean IoU {WITHOUT}, %"),
    ):
        before, after = (100 * _number(x[key]) for x in (one, fused))
        rows.append((name, figure(before, 2), figure(after, 2), signed(after - before, 2)))
    for key, name in (("nll", "Loss (NLL)"), ("ece", "Calibration error (ECE)")):
        before, after = one[key], fused[key]
        rows.append((name, figure(before, 4), figure(after, 4), signed(after - before, 4)))
    heads = ("", "one look", looks_together(len(take.result.plan.views)), "difference")
    on_page = "with background" if take.case.settings.background else WITHOUT
    less = f"Less is better for {unlike.lower()}, NLL and ECE."
    if take.case.itself:
        less += f" All of it against {ITSELF}: that is not the truth."
    return table(heads, rows, f"{less} The page shows the mean IoU {on_page}.")


def _pictures(take: Takeaway) -> str:
    result = take.result
    palette, rgb = result.model.palette, result.picture.rgb
    itself = take.case.itself
    over = {"One look": result.one_look, "All looks together": result.labels}
    if result.truth is not None:
        over = {"Its own answer, undamaged" if itself else "The truth": result.truth} | over
    figures = [_figure("The picture", rgb)]
    figures += [
        _figure(name, overlay(rgb, labels, palette), holds=contents(labels, palette.names))
        for name, labels in over.items()
    ]
    changed = changes_drawn(rgb, take.changes.codes)
    figures.append(_figure("What changed", changed, _marks(take), png_url))
    legend = f"<p class='legend'>{legend_of(palette.bright)}</p>"
    return f"<div class='grid'>{''.join(figures)}</div>{legend}"


def _marks(take: Takeaway) -> str:
    """Returns what the colours of the changes mean, with the number of pixels of each."""
    names = {FIXED: "fixed", BROKEN: "broken", WRONG: "still wrong"}
    if take.case.itself:
        names = {FIXED: "restored", BROKEN: "lost", WRONG: "still different"}
    if take.result.truth is None:
        names = {CHANGED: "changed"}
    return " ".join(
        f"<span>{swatch(MARKS[code])}{name}: {take.changes.count(code):,}</span>"
        for code, name in names.items()
    )


def _doubt(take: Takeaway) -> str:
    """Returns the doubt of the looks and its two parts, all in the same colours."""
    parts = zip(("Doubt", "Shared by the looks", "Disagreement"), take.doubt, strict=True)
    figures = (
        _figure(
            name,
            doubt_drawn(bits.numpy(), take.most_doubt),
            f"{float(bits.mean()):.3f} bits a pixel in the mean",
        )
        for name, bits in parts
    )
    return (
        "<h2>Where the looks doubt</h2><div class='grid'>" + "".join(figures) + "</div>"
        "<p class='small'>Doubt is the entropy of the looks' mean answer: the sum of what all "
        "looks doubt alike and of what they contradict each other in. The brightest is "
        f"{take.most_doubt:.2f} bits: every class alike.</p>"
    )


def _figure(
    name: str,
    rgb: np.ndarray,
    note: str = "",
    url: Callable[[np.ndarray], str] = data_url,
    holds: str = "",
) -> str:
    """Returns a picture with its name below; the note is HTML, `holds` says what it shows."""
    said = escape(name)
    told = escape(f"{name}: {holds}" if holds else name)
    return (
        f"<figure><img alt='{told}' src='{url(fit_within(rgb, SIDE))}'>"
        f"<figcaption><b>{said}</b> {note}</figcaption></figure>"
    )


def _classes(take: Takeaway) -> str:
    palette, matrices = take.result.model.palette.bright, take.result.matrices
    if matrices is None:
        return ""
    return "<h2>Class by class</h2>" + class_table(matrices, palette.names, palette.colors)


def _looks(take: Takeaway) -> str:
    """Returns every look with its own score, weight, gap and time."""
    result, background = take.result, take.case.settings.background
    rows: list[tuple[str, ...] | str] = []
    for heading, _, views in headed(result.model, take.gaps):
        rows += [escape(heading)] if heading else []
        for row, view in views.items():
            score, seconds = result.view_score(row, background), result.looks[row].seconds
            rows.append(
                (
                    f"{escape(view.label)} <small>{escape(view.name)}</small>",
                    "–" if score is None else figure(100 * score, 2),
                    _weight(take, row),
                    figure(100 * take.gaps[row], 2),
                    "–" if seconds is None else f"{1000 * seconds:.0f}",
                )
            )
    return "<h2>Look by look</h2>" + table(
        ("Look", "own mean IoU, %", "weight, %", "gap, %", "time, ms"),
        rows,
        "The equivariance gap is how far the answer, turned back, is from the same model's to the "
        "picture as it is (mean total variation). The time is that of the forward pass, with the "
        "way there and back.",
    )


def _weight(take: Takeaway, name: str) -> str:
    """Returns what a look counts: one number, or one a class; all alike where nothing is said."""
    result = take.result
    if name not in result.plan.views:
        return "not counted"
    if result.weights is None:
        return figure(100 / len(result.plan.views), 1) if result.plan.fusion in EVEN else "–"
    return weight_said(result.weights[name])


def _settings(take: Takeaway) -> str:
    case, report, result = take.case, take.report, take.result
    fusion, times = FUSIONS[result.plan.fusion], report["seconds"]
    (height, width), (h, w) = report["picture"]["size"], report["picture"]["working_size"]
    whole = "not measured" if times["whole"] is None else f"{times['whole']:.2f} s without a cache"
    rows = {
        "World": case.world.label,
        "Model": f"{result.model.name}, digest {result.model.digest}",
        "Picture": f"{case.name}, {width} × {height} pixels",
        "Looked at": f"{w} × {h} pixels",
        "Looks": "; ".join(
            f"{heading}: {names}" if heading else names
            for heading, _, views in headed(result.model, result.plan.views)
            for names in [", ".join(view.name for view in views.values())]
        ),
        "Fusion": f"{fusion.label}: {fusion.summary}",
        "Background": "counts" if case.settings.background else "does not count",
        "Time": f"{whole}, of it {times['fusing']:.2f} s to combine",
        "Date": report["date"],
    }
    if case.seed is not None:
        rows["Seed"] = f"{case.seed}, difficulty {case.difficulty:.2f}"
    if report["model"].get("swap"):
        pairs = [" and ".join(pair) for pair in report["model"]["swap"]]
        rows["Exchanged in a mirror"] = "; ".join(pairs)
    if case.damage.amounts:
        rows["Damage"] = f"{case.damage.told}; seed {case.damage.seed}"
    if result.plan.weights is not None:
        rows["Weights"] = f"{case.file.origin}" if case.file else "those that come with the demo"
    return _pairs(rows.items()) + _notes(result.notes)


def _pairs(rows: Iterable[tuple[str, str]]) -> str:
    told = "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in rows)
    return f"<h2>How it was made</h2><dl>{told}</dl>"


def _notes(notes: Sequence[str]) -> str:
    told = "".join(f"<li>{escape(note)}</li>" for note in notes)
    return f"<ul>{told}</ul>" if told else ""


def _number(value: float | None) -> float:
    """Returns a score of the report; NaN where it has none."""
    return float("nan") if value is None else value
