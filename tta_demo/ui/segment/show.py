"""How a segmentation becomes what is shown: pictures, numbers, bars and a table."""

from html import escape

import gradio as gr
import numpy as np

from tta_demo.models.ensemble import headed
from tta_demo.pictures.words import figure
from tta_demo.scoring.metrics import mean_iou
from tta_demo.tasks.segment import Segmentation
from tta_demo.tta.fusion import FUSIONS
from tta_demo.ui.full.panel import NO_FULL, full_parts
from tta_demo.ui.kit import html
from tta_demo.ui.kit.damage_panel import damage_title
from tta_demo.ui.kit.looking import READY
from tta_demo.ui.kit.screen import Updates
from tta_demo.ui.segment.case import ITSELF, SegmentCase
from tta_demo.ui.segment.share import NO_LINK, shared
from tta_demo.ui.segment.staging import scene_of
from tta_demo.ui.segment.team import team_parts
from tta_demo.ui.stage import MODES, pack
from tta_demo.ui.takeaway.panel import NO_FILES

__all__ = ["EMPTY", "show", "show_fusion", "show_score"]

EMPTY: Updates = (
    {"stage": None, "share": NO_LINK}
    | dict.fromkeys(("table", "looks", "notes"), "")
    | NO_FILES
    | NO_FULL
)
"""The result without a picture."""

EVEN = {
    "none": "Only the original counts",
    "max": "In every pixel the most certain look decides; all have the same chance",
    "median": "In every pixel the middle answer counts; all have the same chance",
    "confidence": "The surer a look is of a pixel, the more it counts there; all start alike",
}
"""What looks of the same weight mean, where it needs words."""


def show(
    case: SegmentCase, result: Segmentation, play: str = "none", mode: str = MODES[0]
) -> Updates:
    """Returns everything about a result; for `play` and `mode` see `StagePicture`."""
    return {"stage": pack(scene_of(case, result, play, mode))} | show_score(case, result)


def show_fusion(case: SegmentCase, result: Segmentation) -> Updates:
    """Returns what depends on the fusion."""
    return {"stage": pack(scene_of(case, result, "none"))} | show_score(case, result)


def show_score(case: SegmentCase, result: Segmentation) -> Updates:
    """Returns what depends on the fusion, the truth and the way to score, but for the stage."""
    return READY | NO_FILES | damage_title(case) | team_parts(case) | full_parts(case, result) | {
        "itself": gr.Checkbox(visible=case.truth is None),
        "numbers": _numbers(case, result),
        "share": shared(case),
        "table": _class_table(case, result),
        "looks": _look_table(case, result),
        "notes": html.paragraphs(result.notes),
    }  # fmt: skip


def _looks(result: Segmentation) -> str:
    return html.looks_together(len(result.plan.views))


def _numbers(case: SegmentCase, result: Segmentation) -> str:
    """Returns the three big numbers: one look, all looks, difference."""
    looks, background = _looks(result), case.settings.background
    if result.matrices is None:
        one, fused = (float((x > 0).mean()) for x in (result.one_look, result.labels))
        return html.cards(
            ("One look", html.percent(one), "of the picture is marked"),
            (looks, html.percent(fused), "of the picture is marked"),
            (
                "Changed",
                html.percent(result.changed, 2),
                "of all pixels; with a mask you see scores",
            ),
        )
    one, fused = (100 * mean_iou(matrix, background) for matrix in result.matrices)
    if np.isnan(one + fused):
        return html.cards(
            ("One look", "–", "nothing to score"), (looks, "–", ""), ("Difference", "–", "")
        )
    unit = "overlap (mean IoU)" if background else "overlap without background"
    if case.itself:
        unit += ", with its own answer on the undamaged picture"
    return html.score_cards(looks, one, fused, unit)


def _look_table(case: SegmentCase, result: Segmentation) -> str:
    """Returns each look's exact name, own score, weight, and whether training showed it."""
    weights = result.weights
    even = 1 / len(result.plan.views)
    rows: list[tuple[str, ...] | str] = []
    for heading, model, views in headed(result.model, result.plan.views):
        rows += [escape(heading)] if heading else []
        shown = model.augmentation
        for row, view in views.items():
            score = result.view_score(row, case.settings.background)
            rows.append(
                (
                    f"{escape(view.label)}<small>{escape(view.summary)}</small>",
                    figure(np.nan if score is None else 100 * score, 1),
                    html.weight_said(weights[row] if weights else even),
                    "?" if shown is None else "yes" if shown.covers(view) else "no",
                )
            )
    taught = "labelled pictures"
    if weights and case.file is None:
        taught = case.world.weight_file(result.plan.views).calibration["data"]
    learned = f"Weights learned on {escape(taught)}"
    if weights and isinstance(next(iter(weights.values())), dict):
        learned += f", for {escape(', '.join(result.model.classes))}"
    said = learned if weights else EVEN.get(result.plan.fusion, "All looks count the same")
    return html.table(
        ("Look", "IoU alone", "Weight", "In training"),
        rows,
        f"In percent. {said}. In training: whether the model has learned from pictures "
        "changed like this.",
    )


def _class_table(case: SegmentCase, result: Segmentation) -> str:
    """Returns F1 and IoU a class, with one look and with all; a sentence without truth."""
    if result.matrices is None:
        return "<p>Add a mask to see how right the answers are, class by class.</p>"
    palette = result.model.palette.bright
    note = f"All looks: {escape(_looks(result))}, {escape(FUSIONS[result.plan.fusion].summary)}."
    note += f" Compared with {ITSELF}, not with the truth." if case.itself else ""
    return html.class_table(result.matrices, palette.names, palette.colors, note)
