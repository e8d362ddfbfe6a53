"""Parts of the Detect tab as HTML and pictures. Every string is escaped."""

import base64
from collections.abc import Mapping, Sequence
from html import escape

import cv2
import numpy as np

from tta_demo.pictures.draw import boxes_drawn
from tta_demo.pictures.palettes import Palette
from tta_demo.scoring.box_metrics import DetectionScores
from tta_demo.tta.box_fusion import Fused
from tta_demo.tta.boxes import Boxes
from tta_demo.tta.views import VIEWS
from tta_demo.ui.kit.html import cards

__all__ = ["HOVER_JS", "arithmetic", "detection_numbers", "detection_table", "hover_picture",
           "mistake_steps", "threshold_note"]  # fmt: skip

NEUTRAL = 0.05
"""Differences within this many points count as none."""

HOVER_JS = """
const say = (event) => {
  const box = event.target.closest('[data-told]');
  const told = element.querySelector('.told');
  if (told && box) told.textContent = box.dataset.told;
};
element.addEventListener('mouseover', say);
element.addEventListener('focusin', say);
element.addEventListener('click', say);
"""


def detection_numbers(
    one: DetectionScores | None, fused: DetectionScores | None, counts: tuple[int, int], views: int
) -> str:
    """Returns the three big numbers: one look, all looks, difference."""
    looks = "1 look" if views == 1 else f"{views} looks combined"
    if one is None or fused is None or np.isnan(one.ap50 + fused.ap50):
        change = counts[1] - counts[0]
        return cards(
            ("One look", str(counts[0]), "boxes shown"),
            (looks, str(counts[1]), "boxes shown"),
            ("Difference", f"{change:+d}" if change else "±0", "boxes; with the truth, scores"),
        )
    points = 100 * (fused.ap50 - one.ap50)
    tone = "" if abs(points) <= NEUTRAL else "better" if points > 0 else "worse"
    sign = "+" if points > 0 else "−" if points < 0 else "±"
    unit = "average precision, overlap .5"
    return cards(
        ("One look", f"{100 * one.ap50:.1f} %", unit),
        (looks, f"{100 * fused.ap50:.1f} %", unit),
        ("Difference", f"{sign}{abs(points):.2f}", "points", tone),
    )


def detection_table(one: DetectionScores | None, fused: DetectionScores | None) -> str:
    """Returns the scores with one look and with all; a sentence without truth."""
    if one is None or fused is None:
        return "<p>Only generated fields come with the truth: make one to see scores.</p>"
    rows = "".join(
        f"<tr><td>{escape(words)}</td>"
        + "".join(f"<td>{_percent(getattr(score, key))}</td>" for score in (one, fused))
        + "</tr>"
        for key, words in (
            ("ap50", "AP at overlap .5"),
            ("ap", "AP, mean of overlaps .5 to .95"),
            ("recall", "Recall, mean of overlaps .5 to .95"),
        )
    )
    return (
        "<div class='scores' tabindex='0'><table><thead><tr><th scope='col'>Score (%)</th>"
        "<th scope='col'>One look</th><th scope='col'>All looks</th></tr></thead>"
        f"<tbody>{rows}</tbody></table><p>Of this picture alone, with all boxes whatever their "
        "score; the README has 200 test fields.</p></div>"
    )


def _percent(value: float) -> str:
    return "–" if np.isnan(value) else f"{100 * value:.1f}"


def threshold_note(threshold: float, views: int, averages: bool) -> str:
    """Returns what a display threshold means with this many looks, in plain words."""
    if not averages or views == 1:
        return "<p class='small'>A box is shown if its score is at least this.</p>"
    need = max(1, int(np.ceil(threshold * views - 1e-9)))
    looks = f"{need} of {views} looks" if need > 1 else "one look"
    return (
        "<p class='small'>The score of an average box shrinks with the looks that missed it: at "
        f"{threshold:.2f}, even the surest box must be found by {looks}.</p>"
    )


def arithmetic(found: Mapping[str, Boxes], fused: Fused, place: int, averages: bool) -> str:
    """Returns how the score of one fused box came about, in plain words.

    Args:
        found: boxes by view, in the order that they were fused in.
        fused: the result.
        place: of the fused box.
        averages: whether the score is a mean over views; else the highest one.
    """
    names = list(found)
    members = fused.members[place]
    scores = [float(found[names[view]].scores[index]) for view, index in members]
    parts = [
        f"{VIEWS[names[view]].label} {score:.2f}"
        for (view, _), score in zip(members, scores, strict=True)
    ]
    total = float(fused.boxes.scores[place])
    if not averages:
        return f"{', '.join(parts)}: the best score counts, {total:.2f}"
    share = min(len(members), len(names))
    return (
        f"{', '.join(parts)}: mean {np.mean(scores):.2f} × {share} of {len(names)} looks "
        f"= {total:.2f}"
    )


def hover_picture(
    rgb: np.ndarray,
    found: Mapping[str, Boxes],
    fused: Fused,
    palette: Palette,
    threshold: float,
    averages: bool,
) -> str:
    """Returns the picture with its fused boxes; pointing at one shows the boxes that made it."""
    height, width = rgb.shape[:2]
    names = list(found)
    groups = []
    order = np.argsort(-fused.boxes.areas, kind="stable")  # small boxes on top, to be reached
    for place in order[fused.boxes.scores[order] >= threshold]:
        label = int(fused.boxes.labels[place])
        color = f"rgb{palette.colors[label]}"
        told = f"{palette.names[label]}: {arithmetic(found, fused, place, averages)}"
        members = "".join(
            _rect(found[names[view]].xyxy[index], 'class="member"')
            for view, index in fused.members[place]
        )
        groups.append(
            f'<g class="fused" tabindex="0" role="img" data-told="{escape(told)}" '
            f'aria-label="{escape(told)}">{members}'
            + _rect(fused.boxes.xyxy[place], f'class="box" style="stroke:{color}"')
            + "</g>"
        )
    return (
        f'<p class="told">Point at a box, or tap it: the boxes that made it, and its score.</p>'
        f'<svg class="boxes" viewBox="0 0 {width} {height}">'
        f'<image href="{_data(rgb)}" width="{width}" height="{height}"/>{"".join(groups)}</svg>'
    )


def _rect(xyxy: np.ndarray, attributes: str) -> str:
    left, top, right, bottom = xyxy.tolist()
    return (
        f'<rect {attributes} x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" '
        f'height="{bottom - top:.1f}"/>'
    )


def _data(rgb: np.ndarray) -> str:
    """Returns a picture as an address that holds it."""
    _, jpeg = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg.tobytes()).decode()}"


def mistake_steps(
    rgb: np.ndarray, mirrored: np.ndarray, own: Boxes, back: Boxes, palette: Palette
) -> Sequence[tuple[np.ndarray, str]]:
    """Returns pictures with captions: what goes wrong if x is not mirrored back."""
    return [
        (boxes_drawn(mirrored, own, palette), "1. Mirrored"),
        (boxes_drawn(rgb, own, palette), "2. x copied"),
        (boxes_drawn(rgb, back, palette), "3. W − x"),
    ]
