"""The part below the stage where a picture that was reduced is looked at in its full size."""

from typing import Any

import gradio as gr

from tta_demo.pictures.words import several
from tta_demo.tasks.segment import Segmentation
from tta_demo.ui.kit.files import beside
from tta_demo.ui.kit.screen import Screen, Updates
from tta_demo.ui.learn.show import status
from tta_demo.ui.segment.case import SegmentCase

__all__ = ["IDLE", "NO_FULL", "build_full", "full_parts"]

MORE = 1.5
"""Pixels of all tiles for one of the picture: they overlap."""

IDLE: Updates = {
    "full_start": gr.Button(visible=True),
    "full_stop": gr.Button(visible=False),
    "full_view": None,
    "full_mask": gr.DownloadButton(visible=False),
}
"""While it is not looked at, and nothing is shown of it."""

NO_FULL: Updates = IDLE | {"full": gr.Column(visible=False), "full_told": ""}
"""Where there is nothing larger than what is on the stage."""


def build_full(screen: Screen) -> None:
    """Lays out the part."""
    how: dict[str, Any] = {"size": "sm", "min_width": 120}
    with gr.Column(visible=False, elem_id="full") as screen["full"]:
        screen["full_told"] = gr.HTML(elem_id="full-told")
        with gr.Row(elem_id="full-buttons"):
            screen["full_start"] = gr.Button("Look at full size", elem_id="full-start", **how)
            screen["full_stop"] = gr.Button("Stop", visible=False, elem_id="full-stop", **how)
            screen["full_mask"] = gr.DownloadButton(
                "Mask (class ids), full size", visible=False, elem_id="full-mask", **how
            )
        screen["full_view"] = gr.HTML(
            html_template=beside(__file__, "view.html"),
            js_on_load=beside(__file__, "view.js"),
            elem_id="full-view",
        )


def full_parts(case: SegmentCase, result: Segmentation) -> Updates:
    """Returns the part for a result: what the full size is, and what it costs to look at it."""
    (height, width), (h, w) = case.picture.size, case.picture.rgb.shape[:2]
    if case.path is None or (height, width) == (h, w):
        return NO_FULL
    told = f"Above it is reduced to {w} x {h} pixels. The picture itself has {width} x {height}"
    looks, whole = several(len(result.plan.views), "look"), result.seconds["whole"]
    cost = ""
    if whole is not None:
        cost = f", about {_clock(MORE * whole * height * width / (h * w))} for {looks}"
    return IDLE | {"full": gr.Column(visible=True), "full_told": status(f"{told}{cost}.")}


def _clock(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
