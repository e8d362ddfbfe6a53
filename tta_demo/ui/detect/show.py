"""How a detection becomes what is shown: the stage, numbers, a table. Every string is escaped."""

import numpy as np

from tta_demo.pictures.words import figure, signed
from tta_demo.tasks.detect import Detection
from tta_demo.tta.box_fusion import FUSERS
from tta_demo.tta.views import VIEWS
from tta_demo.ui.detect.case import DetectCase
from tta_demo.ui.detect.staging import scene_of
from tta_demo.ui.kit.html import cards, looks_together, paragraphs, percent, table, tone
from tta_demo.ui.kit.screen import Updates
from tta_demo.ui.stage import StageBoxes, pack_boxes

__all__ = ["EMPTY", "show"]

SCORES = {
    "ap": "AP, mean of overlaps .5 to .95",
    "ap50": "AP at overlap .5",
    "recall": "Recall, mean of overlaps .5 to .95",
}

EMPTY: Updates = {"stage": None} | dict.fromkeys(("numbers", "table", "meaning", "notes"), "")
"""The result without a picture."""


def show(case: DetectCase) -> Updates:
    """Returns everything about the case's answer; may run the model."""
    result, threshold = case.detect(), case.settings.threshold
    scene = scene_of(result, threshold, case.place.thing)
    return {
        "stage": pack_boxes(scene),
        "numbers": _numbers(result, scene),
        "table": _table(result, case.place.scores),
        "meaning": _threshold_note(result, threshold),
        "notes": paragraphs(result.notes),
    }


def _numbers(result: Detection, scene: StageBoxes) -> str:
    """Returns three big numbers: average precision, or boxes shown where it has no meaning."""
    looks = looks_together(len(result.plan.views))
    gained, lost = scene.changes(result.boxes)
    told = f"gained {len(gained)}, lost {len(lost)}"
    if result.scores is None or np.isnan(sum(score.ap for score in result.scores)):
        one, fused = (len(scene.shown(boxes)) for boxes in (result.one_look, result.boxes))
        return cards(
            ("One look", str(one), "boxes shown"),
            (looks, str(fused), "boxes shown"),
            ("Difference", signed(fused - one, 0, "±"), f"boxes; {told}"),
        )
    before, after = (score.ap for score in result.scores)
    points = 100 * (after - before)
    unit = "average precision, overlaps .5 to .95"
    return cards(
        ("One look", percent(before), unit),
        (looks, percent(after), unit),
        ("Difference", signed(points, 1, "±"), f"points; {told}", tone(points)),
    )


def _table(result: Detection, elsewhere: str) -> str:
    """Returns the scores with one look and with all, and where to read of more pictures."""
    if result.scores is None:
        return "<p>Nobody has told where what is in this picture: there are no scores.</p>"
    more = f"; {elsewhere}" if elsewhere else ""
    return table(
        ("Score (%)", "One look", "All looks"),
        (
            [words, *(figure(100 * getattr(score, key), 1) for score in result.scores)]
            for key, words in SCORES.items()
        ),
        f"Of this picture alone, with all boxes whatever their score{more}.",
    )


def _threshold_note(result: Detection, threshold: float) -> str:
    """Returns what a display threshold means with this many looks, in plain words."""
    plan, views = result.plan, len(result.plan.views)
    if not FUSERS[plan.fusion].shares or views == 1:
        return "<p class='small'>A box is shown if its score is at least this.</p>"
    if plan.weights is not None:
        counts = zip(plan.views, plan.weights.values.tolist(), strict=True)
        told = ", ".join(f"{VIEWS[name].label} {percent(weight, 0)}" for name, weight in counts)
        return (
            f"<p class='small'>The looks count as learned: {told}. At {threshold:.2f}, even the "
            f"surest box must be found by looks that count {percent(threshold, 0)} together.</p>"
        )
    need = max(1, int(np.ceil(threshold * views - 1e-9)))
    looks = f"{need} of {views} looks" if need > 1 else "one look"
    return (
        "<p class='small'>The score of an average box shrinks with the looks that missed it: at "
        f"{threshold:.2f}, even the surest box must be found by {looks}.</p>"
    )
