"""How a classification becomes what is shown: frames, numbers, bars. Every string is escaped."""

import colorsys
from collections.abc import Sequence
from html import escape

import cv2
import numpy as np

from tta_demo.pictures.draw import fit_within
from tta_demo.tasks.classify import Classification
from tta_demo.tta.crops import CROP_VIEWS, cut
from tta_demo.ui.classify.case import ClassifyCase
from tta_demo.ui.kit.html import cards, looks_together, track
from tta_demo.ui.kit.pictures import as_rgb, data_url
from tta_demo.ui.kit.screen import Updates
from tta_demo.ui.kit.visitor import NO_PICTURE

__all__ = ["EMPTY", "show"]

TOP = 5
THUMBNAIL = 112
"""Side of a crop's thumbnail in pixels."""
SHOWN = 960
"""Longest side in pixels of the picture with its frames."""

EMPTY: Updates = {"numbers": f"<p>{NO_PICTURE}</p>", "framed": None}
EMPTY |= dict.fromkeys(("answer", "looks", "notes"), "")
"""The result without a picture."""


def show(case: ClassifyCase) -> Updates:
    """Returns everything about the case's answer; may run the model."""
    result, rgb = case.classify(), case.picture.rgb
    return {
        "numbers": _numbers(result),
        "framed": _framed(rgb, result.plan.views),
        "answer": _answer_bars(result),
        "looks": _look_cards(result, rgb),
        "notes": "\n\n".join(result.notes),
    }


def _framed(rgb: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Returns the picture with a frame around what each look saw, looks of one frame as one."""
    size = rgb.shape[:2]
    shown = fit_within(rgb, SHOWN).copy()
    scale = shown.shape[0] / size[0], shown.shape[1] / size[1]
    frames: dict[tuple[float, ...], str] = {}
    for name in names:
        frames.setdefault(CROP_VIEWS[name].frame(size), name)
    for number, (left, top, right, bottom) in enumerate(frames):
        inset = 2 + 3 * number  # frames of one edge stay side by side
        first = round(left * scale[1]) + inset, round(top * scale[0]) + inset
        last = round(right * scale[1]) - inset - 1, round(bottom * scale[0]) - inset - 1
        cv2.rectangle(shown, first, last, (255, 255, 255), 4)
        cv2.rectangle(shown, first, last, _color(number), 2)
    return shown


def _color(number: int) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb((0.62 + 0.382 * number) % 1, 0.85, 0.9)
    return round(255 * red), round(255 * green), round(255 * blue)


def _numbers(result: Classification) -> str:
    """Returns the first choice of one look and of all, and how many looks agree."""
    first, share = result.top(1)[0]
    one_share, one = (float(x) for x in result.one_look.max(0))
    agreeing = round(result.agreement * len(result.plan.views))
    return cards(
        ("One look (centre)", f"{one_share:.0%}", result.model.classes[int(one)]),
        (looks_together(len(result.plan.views)), f"{share:.0%}", result.model.classes[first]),
        ("Agreement", f"{agreeing} of {len(result.plan.views)}", "looks choose what all choose"),
    )


def _answer_bars(result: Classification) -> str:
    rows = "".join(
        f'<div class="bar"><span class="name">{escape(result.model.classes[index])}</span>'
        f'{track([share])}<span class="share">{share:.1%}</span></div>'
        for index, share in result.top(TOP)
    )
    what = "share of the looks' votes" if result.plan.fusion == "vote" else "probability"
    said = f"<p>The five likeliest answers of all looks together, by {what}.</p>"
    return f'{said}<div class="bars answers">{rows}</div>'


def _look_cards(result: Classification, rgb: np.ndarray) -> str:
    """Returns a card a look: what it saw, and its own five likeliest classes."""
    crops = as_rgb(cut(rgb, result.plan.views))
    best = result.top(1)[0][0]
    parts = []
    for name, crop in zip(result.plan.views, crops, strict=True):
        view = CROP_VIEWS[name]
        rows = "".join(
            f'<div class="row{" same" if index == best else ""}">'
            f"<span>{escape(result.model.classes[index])}</span>"
            f"{track([share])}<span>{share:.0%}</span></div>"
            for index, share in result.view_top(name, TOP)
        )
        parts.append(
            f'<div class="look"><img alt="{escape(view.label)}" src="{_thumbnail(crop)}">'
            f'<div><b title="{escape(view.summary)}">{escape(view.label)}</b>{rows}</div></div>'
        )
    return f'<div class="looks">{"".join(parts)}</div>'


def _thumbnail(crop: np.ndarray) -> str:
    small = cv2.resize(crop, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA)
    return data_url(small)
