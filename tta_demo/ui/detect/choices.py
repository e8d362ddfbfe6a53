"""What the Detect tab offers to choose from, as it follows from the place."""

from collections.abc import Sequence
from dataclasses import replace
from html import escape

import gradio as gr

from tta_demo.learning.weight_file import WeightFile
from tta_demo.tta.box_fusion import FUSERS
from tta_demo.tta.views import VIEWS
from tta_demo.ui.detect.case import LEARNED, DetectCase, DetectVisitor
from tta_demo.ui.detect.places import PLACES, SET_LABELS, SETS, Place
from tta_demo.ui.kit.html import legend_of
from tta_demo.ui.kit.looking import WORKING
from tta_demo.ui.kit.parts import Presets, options_of, samples
from tta_demo.ui.kit.screen import Updates
from tta_demo.ui.stage import BUSY

__all__ = ["FUSIONS", "PRESETS", "change_place", "controls_of", "note"]

PRESETS = Presets(SET_LABELS, SETS, {name: view for name, view in VIEWS.items() if not view.tilt})
"""Boxes of a tilted picture cannot be turned back."""

FUSIONS = FUSERS | {LEARNED: "Average box, learned weights"}
"""Every way to combine boxes by name; the last one is there where weights are."""

FEW = 5
"""Classes that stand on the page at once; more of them unfold."""


def change_place(visitor: DetectVisitor, place: str, fusion: str) -> Updates:
    """Marks the result as old, and offers the examples, looks and classes of another place."""
    there = PLACES[place]
    views, first = [*SETS[there.ticked]], {"stage": BUSY, "threshold": there.threshold}
    parts = _parts(there, views, fusion, visitor.file_of(there))
    return WORKING | parts | first | {"views": views}


def controls_of(case: DetectCase) -> Updates:
    """Returns what a case's place offers, as it stands for its settings."""
    return _parts(case.place, case.settings.views, case.settings.fusion, case.file)


def _parts(place: Place, views: Sequence[str], fusion: str, file: WeightFile | None) -> Updates:
    """Returns what differs from place to place."""
    fusions = FUSERS if file is None else FUSIONS
    return {
        "fusion": gr.Radio(options_of(fusions), value=fusion if fusion in fusions else "wbf"),
        "preset": PRESETS.offer(place.sets, views),
        "example": gr.Dataset(samples=samples(place.examples)),
        "generator": gr.Column(visible=place.generates),
        "note": note(place),
    }


def note(place: Place) -> str:
    """Returns what the detector knows, its classes, and where the examples come from."""
    record = place.record
    bright = record.palette.bright
    things = legend_of(replace(bright, names=bright.names[1:], colors=bright.colors[1:]))
    classes = f"<p class='classes'>{things}</p>"
    if len(record.classes) > FEW + 1:
        told = f"All {len(record.classes) - 1} kinds"
        classes = f"<details><summary>{told}</summary>{classes}</details>"
    sources = f"<p class='small'>Examples: {escape(place.source)}.</p>"
    return f"<p>{escape(record.summary)}</p>{classes}{sources}"
