"""What the Detect tab offers to choose from, as it follows from the place."""

from collections.abc import Sequence
from dataclasses import replace
from html import escape

import gradio as gr

from tta_demo.tta.views import VIEWS
from tta_demo.ui.detect.case import Settings
from tta_demo.ui.detect.places import PLACES, SET_LABELS, SETS, Place
from tta_demo.ui.kit.html import legend_of
from tta_demo.ui.kit.looking import WORKING
from tta_demo.ui.kit.parts import Presets, samples
from tta_demo.ui.kit.screen import Updates
from tta_demo.ui.stage import BUSY, display_colors

__all__ = ["PRESETS", "change_place", "controls_of", "note"]

PRESETS = Presets(SET_LABELS, SETS, {name: view for name, view in VIEWS.items() if not view.tilt})
"""Boxes of a tilted picture cannot be turned back."""

FEW = 5
"""Classes that stand on the page at once; more of them unfold."""


def change_place(place: str) -> Updates:
    """Marks the result as old, and offers the examples, looks and classes of another place."""
    there = PLACES[place]
    views, first = [*SETS[there.ticked]], {"stage": BUSY, "threshold": there.threshold}
    return WORKING | _parts(there, views) | first | {"views": views}


def controls_of(settings: Settings) -> Updates:
    """Returns what a place offers, as it stands for these settings."""
    return _parts(PLACES[settings.place], settings.views)


def _parts(place: Place, views: Sequence[str]) -> Updates:
    """Returns what differs from place to place."""
    return {
        "preset": PRESETS.offer(place.sets, views),
        "example": gr.Dataset(samples=samples(place.examples)),
        "generator": gr.Column(visible=place.generates),
        "note": note(place),
    }


def note(place: Place) -> str:
    """Returns what the detector knows, its classes, and where the examples come from."""
    record = place.record
    colors = display_colors(len(record.classes))
    things = legend_of(replace(record.palette, names=record.classes[1:], colors=colors[1:]))
    classes = f"<p class='classes'>{things}</p>"
    if len(record.classes) > FEW + 1:
        told = f"All {len(record.classes) - 1} kinds"
        classes = f"<details><summary>{told}</summary>{classes}</details>"
    sources = f"<p class='small'>Examples: {escape(place.source)}.</p>"
    return f"<p>{escape(record.summary)}</p>{classes}{sources}"
