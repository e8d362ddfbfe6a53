"""How a segmentation becomes what is shown: pictures, numbers, bars and a table."""

from html import escape

import gradio as gr
import numpy as np

from tta_demo.pictures.draw import fit_within, overlay
from tta_demo.scoring.metrics import f1, iou, mean_iou
from tta_demo.tasks.segment import Segmentation
from tta_demo.tta.fusion import FUSIONS
from tta_demo.tta.predict import to_tensor
from tta_demo.tta.views import VIEWS
from tta_demo.ui.kit import html
from tta_demo.ui.kit.looking import READY
from tta_demo.ui.kit.pictures import as_rgb
from tta_demo.ui.kit.screen import Updates
from tta_demo.ui.segment.case import SegmentCase
from tta_demo.ui.segment.choices import colors
from tta_demo.ui.segment.share import NO_LINK, shared
from tta_demo.ui.segment.staging import scene_of
from tta_demo.ui.stage import MODES, pack
from tta_demo.ui.takeaway.panel import NO_FILES

__all__ = ["EMPTY", "show", "show_fusion", "show_score", "show_view"]

THUMBNAIL = 256
"""Longest side of a thumbnail in pixels."""
EMPTY: Updates = (
    dict.fromkeys(("stage", "result", "gallery", "shown", "answered", "back"))
    | dict.fromkeys(("about", "bars", "table", "notes"), "")
    | NO_FILES
    | {"share": NO_LINK}
)
"""The result without a picture."""

EVEN = {
    "none": "Only the original counts.",
    "max": "In every pixel the most certain look decides; all have the same chance.",
    "median": "In every pixel the middle answer counts; all have the same chance.",
    "confidence": "The surer a look is of a pixel, the more it counts there; all start alike.",
}
"""What looks of the same weight mean, where it needs words."""


def show(
    case: SegmentCase, result: Segmentation, play: str = "none", mode: str = MODES[0]
) -> Updates:
    """Returns everything about a result; for `play` and `mode` see `StagePicture`."""
    views = case.settings.views
    pictures = [
        (fit_within(_turned_back(result, name), THUMBNAIL), _caption(case, result, name))
        for name in views
    ]
    gallery = {"gallery": gr.Gallery(pictures, selected_index=0)}
    stage = {"stage": pack(scene_of(case, result, play, mode))}
    return stage | show_score(case, result) | gallery | show_view(case, result, views[0])


def show_fusion(case: SegmentCase, result: Segmentation) -> Updates:
    """Returns what depends on the fusion."""
    return {"stage": pack(scene_of(case, result, "none"))} | show_score(case, result)


def show_score(case: SegmentCase, result: Segmentation) -> Updates:
    """Returns what depends on the fusion, the truth and the way to score, but for the stage."""
    palette = result.model.palette
    rgb = result.picture.rgb
    masks = [(result.labels == i).astype(np.uint8) for i in range(1, len(palette.names))]
    return READY | NO_FILES | {
        "numbers": _numbers(result, case.settings.background),
        "result": gr.AnnotatedImage(
            (rgb, list(zip(masks, palette.names[1:], strict=True))),
            color_map=colors(case.settings.world),
        ),
        "bars": _bars(result),
        "share": shared(case),
        "table": _class_table(result),
        "notes": "\n\n".join(result.notes),
    }  # fmt: skip


def show_view(case: SegmentCase, result: Segmentation, name: str) -> Updates:
    """Returns what one view saw, what it answered there, and the answer turned back."""
    view, palette = VIEWS[name], result.model.palette
    shown = as_rgb(view.augment(to_tensor(result.picture.rgb)[None])[0])
    score = result.view_score(name, case.settings.background)
    own = "" if score is None else f" Its own score: **{html.percent(score)}** mean IoU."
    seen = "yes" if result.model.augmentation.covers(view) else "no"
    return {
        "about": f"**{view.label}**: {view.summary}.{own} Training showed such pictures: {seen}.",
        "shown": shown,
        "answered": overlay(shown, result.looks[name].frame, palette),
        "back": _turned_back(result, name),
    }


def _turned_back(result: Segmentation, name: str) -> np.ndarray:
    """Returns the answer over the picture; what the view did not see is greyed out."""
    answer = result.looks[name]
    image = overlay(result.picture.rgb, answer.labels, result.model.palette)
    if answer.seen is not None:
        image[~answer.seen.numpy()] = image[~answer.seen.numpy()] // 4 + 96
    return image


def _caption(case: SegmentCase, result: Segmentation, name: str) -> str:
    score = result.view_score(name, case.settings.background)
    return VIEWS[name].label + ("" if score is None else f" {100 * score:.1f}")


def _looks(result: Segmentation) -> str:
    return html.looks_together(len(result.plan.views))


def _numbers(result: Segmentation, background: bool) -> str:
    """Returns the three big numbers: one look, all looks, difference."""
    looks = _looks(result)
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
    return html.score_cards(looks, one, fused, unit)


def _bars(result: Segmentation) -> str:
    """Returns one bar a view: how much each look counts. A bar is a button that names its view."""
    weights = result.weights
    if weights is not None:
        text = "How much each look counts, learned on labelled pictures."
    else:
        weights = dict.fromkeys(result.plan.views, 1 / len(result.plan.views))
        text = EVEN.get(result.plan.fusion, "All looks count the same.")
    hint = "Click a bar to see what that look saw."
    rows = html.weight_bars(weights, result.model.palette, "button")
    return f"<p>{escape(text)} {hint}</p>{rows}"


def _class_table(result: Segmentation) -> str:
    """Returns F1 and IoU a class, with one look and with all; a sentence without truth."""
    if result.matrices is None:
        return "<p>Add a mask to see how right the answers are, class by class.</p>"
    palette = result.model.palette
    columns = [100 * score(matrix) for score in (f1, iou) for matrix in result.matrices]
    names = zip(palette.names, palette.colors, strict=True)
    rows = [
        (f"{html.swatch(color)}{escape(name)}", [column[i] for column in columns])
        for i, (name, color) in enumerate(names)
    ]
    rows.append(("<b>Mean</b>", [np.nanmean(column) for column in columns]))
    without = [c[1:] for c in columns]
    means = [np.nan if np.isnan(c).all() else np.nanmean(c) for c in without]
    rows.append(("<b>Mean without background</b>", means))
    return html.table(
        ("Class", *("one look", "all looks") * 2),
        ([name, *(html.figure(value, 2) for value in values)] for name, values in rows),
        f"In percent. All looks: {escape(_looks(result))}, "
        f"{escape(FUSIONS[result.plan.fusion].summary)}.",
        above="<tr><th></th><th scope='colgroup' colspan='2'>F1</th>"
        "<th scope='colgroup' colspan='2'>IoU</th></tr>",
    )
