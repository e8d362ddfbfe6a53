"""How a detection becomes what is shown: boxes, numbers, a table. Every string is escaped."""

from html import escape

import numpy as np

from tta_demo.pictures.draw import boxes_drawn
from tta_demo.tasks.detect import Detection
from tta_demo.tta.box_fusion import FUSERS
from tta_demo.tta.boxes import Boxes
from tta_demo.tta.predict import to_tensor
from tta_demo.tta.views import VIEWS
from tta_demo.ui.detect.case import DetectCase
from tta_demo.ui.kit.html import cards, figure, looks_together, score_cards, signed, table
from tta_demo.ui.kit.pictures import as_rgb, data_url
from tta_demo.ui.kit.screen import Updates
from tta_demo.ui.kit.visitor import NO_PICTURE

__all__ = ["EMPTY", "show"]

SCORES = {
    "ap50": "AP at overlap .5",
    "ap": "AP, mean of overlaps .5 to .95",
    "recall": "Recall, mean of overlaps .5 to .95",
}

EMPTY: Updates = {
    "numbers": f"<p>{NO_PICTURE}</p>", "slider": None, "hover": "",
    "gallery": None, "steps": None, "table": "", "meaning": "", "notes": "",
}  # fmt: skip
"""The result without a picture."""


def show(case: DetectCase) -> Updates:
    """Returns everything about the case's answer; may run the model."""
    result, rgb, threshold = case.detect(), case.picture.rgb, case.settings.threshold
    one, fused = (_shown(boxes, threshold) for boxes in (result.one_look, result.boxes))
    return {
        "numbers": _numbers(result, len(one), len(fused)),
        "slider": tuple(boxes_drawn(rgb, boxes, result.model.palette) for boxes in (one, fused)),
        "hover": _hover_picture(rgb, result, threshold),
        "gallery": [_both_frames(rgb, result, name, threshold) for name in result.plan.views],
        "steps": _mistake_steps(rgb, result, threshold),
        "table": _table(result),
        "meaning": _threshold_note(result, threshold),
        "notes": "\n\n".join(result.notes),
    }


def _shown(boxes: Boxes, threshold: float) -> Boxes:
    return boxes.take(boxes.scores >= threshold)


def _numbers(result: Detection, one: int, fused: int) -> str:
    """Returns the three big numbers; one and fused are counts of boxes shown."""
    looks = looks_together(len(result.plan.views))
    if result.scores is None or np.isnan(sum(score.ap50 for score in result.scores)):
        return cards(
            ("One look", str(one), "boxes shown"),
            (looks, str(fused), "boxes shown"),
            ("Difference", signed(fused - one, 0, "±"), "boxes; with the truth, scores"),
        )
    before, after = (100 * score.ap50 for score in result.scores)
    return score_cards(looks, before, after, "average precision, overlap .5")


def _table(result: Detection) -> str:
    """Returns the scores with one look and with all; a sentence without truth."""
    if result.scores is None:
        return "<p>Only generated fields come with the truth: make one to see scores.</p>"
    return table(
        ("Score (%)", "One look", "All looks"),
        (
            [words, *(figure(100 * getattr(score, key), 1) for score in result.scores)]
            for key, words in SCORES.items()
        ),
        "Of this picture alone, with all boxes whatever their score; of 200 test fields: "
        "assets/results/README.md.",
    )


def _threshold_note(result: Detection, threshold: float) -> str:
    """Returns what a display threshold means with this many looks, in plain words."""
    views = len(result.plan.views)
    if not FUSERS[result.plan.fusion].shares or views == 1:
        return "<p class='small'>A box is shown if its score is at least this.</p>"
    need = max(1, int(np.ceil(threshold * views - 1e-9)))
    looks = f"{need} of {views} looks" if need > 1 else "one look"
    return (
        "<p class='small'>The score of an average box shrinks with the looks that missed it: at "
        f"{threshold:.2f}, even the surest box must be found by {looks}.</p>"
    )


def _arithmetic(result: Detection, index: int) -> str:
    """Returns how the score of one fused box came about, in plain words."""
    names = result.plan.views
    members = [(names[view], number) for view, number in result.fused.members[index]]
    scores = [float(result.looks[name].boxes.scores[number]) for name, number in members]
    parts = ", ".join(
        f"{VIEWS[name].label} {score:.2f}"
        for (name, _), score in zip(members, scores, strict=True)
    )
    total = float(result.boxes.scores[index])
    if not FUSERS[result.plan.fusion].shares:
        return f"{parts}: the best score counts, {total:.2f}"
    share = min(len(members), len(names))
    mean = np.mean(scores)
    return f"{parts}: mean {mean:.2f} × {share} of {len(names)} looks = {total:.2f}"


def _hover_picture(rgb: np.ndarray, result: Detection, threshold: float) -> str:
    """Returns the picture with its fused boxes; pointing at one shows the boxes that made it."""
    height, width = rgb.shape[:2]
    boxes = result.boxes
    order = np.argsort(-boxes.areas, kind="stable")  # small boxes on top, to be reached
    groups = [_box_group(result, index) for index in order[boxes.scores[order] >= threshold]]
    return (
        '<p class="told">Point at a box, or tap it: the boxes that made it, and its score.</p>'
        f'<svg class="boxes" viewBox="0 0 {width} {height}">'
        f'<image href="{data_url(rgb)}" width="{width}" height="{height}"/>{"".join(groups)}</svg>'
    )


def _box_group(result: Detection, index: int) -> str:
    names, boxes = result.plan.views, result.boxes
    label = int(boxes.labels[index])
    color = f"rgb{result.model.palette.colors[label]}"
    told = escape(f"{result.model.palette.names[label]}: {_arithmetic(result, index)}")
    members = "".join(
        _rect(result.looks[names[view]].boxes.xyxy[number], 'class="member"')
        for view, number in result.fused.members[index]
    )
    box = _rect(boxes.xyxy[index], f'class="box" style="stroke:{color}"')
    return (
        f'<g class="fused" tabindex="0" role="img" data-told="{told}" aria-label="{told}">'
        f"{members}{box}</g>"
    )


def _rect(xyxy: np.ndarray, attributes: str) -> str:
    left, top, right, bottom = xyxy.tolist()
    return (
        f'<rect {attributes} x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" '
        f'height="{bottom - top:.1f}"/>'
    )


def _both_frames(
    rgb: np.ndarray, result: Detection, name: str, threshold: float
) -> tuple[np.ndarray, str]:
    """Returns a look's boxes in its own frame and, right of a white gap, turned back."""
    view = VIEWS[name]
    seen = as_rgb(view.augment(to_tensor(rgb)[None])[0])
    look = result.looks[name]
    own, back = (_shown(boxes, threshold) for boxes in (look.frame, look.boxes))
    parts = [
        boxes_drawn(seen, own, result.model.palette),
        boxes_drawn(rgb, back, result.model.palette),
    ]
    tall = max(part.shape[0] for part in parts)
    parts = [
        np.pad(part, ((0, tall - part.shape[0]), (0, 0), (0, 0)), constant_values=255)
        for part in parts
    ]
    gap = np.full((tall, tall // 32, 3), 255, np.uint8)
    return np.hstack([parts[0], gap, parts[1]]), view.label


def _mistake_steps(
    rgb: np.ndarray, result: Detection, threshold: float
) -> list[tuple[np.ndarray, str]]:
    """Returns pictures with captions: what goes wrong if x is not mirrored back."""
    look = result.looks["hflip"]
    own, back = (_shown(boxes, threshold) for boxes in (look.frame, look.boxes))
    mirrored = np.ascontiguousarray(rgb[:, ::-1])
    steps = (("1. Mirrored", mirrored, own), ("2. x copied", rgb, own), ("3. W − x", rgb, back))
    return [
        (boxes_drawn(image, boxes, result.model.palette), text) for text, image, boxes in steps
    ]
