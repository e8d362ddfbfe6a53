"""Parts of the Classify tab as HTML and pictures. Every string is escaped."""

import base64
import colorsys
from collections.abc import Sequence
from html import escape

import cv2
import numpy as np

from tta_demo.pictures.draw import fit_within
from tta_demo.tasks.classify import Classification
from tta_demo.tta.crops import CROP_VIEWS, cut
from tta_demo.ui.kit.html import cards

__all__ = ["answer_bars", "framed", "look_cards", "three_numbers"]

TOP = 5
THUMBNAIL = 112
"""Side of a crop's thumbnail in pixels."""
SHOWN = 960
"""Longest side in pixels of the picture with its frames."""


def framed(rgb: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Returns the picture with a frame around what each look saw, looks of one frame as one.

    Args:
        rgb: `(H, W, 3)` uint8.
        names: in `CROP_VIEWS`.
    """
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
    """Returns colours that differ from one number to the next."""
    red, green, blue = colorsys.hsv_to_rgb((0.62 + 0.382 * number) % 1, 0.85, 0.9)
    return round(255 * red), round(255 * green), round(255 * blue)


def three_numbers(result: Classification) -> str:
    """Returns the first choice of one look and of all, and how many looks agree."""
    first, share = result.top(1)[0]
    one_share, one = (float(x) for x in result.one_look.max(0))
    agreeing = round(result.agreement * len(result.views))
    looks = "1 look" if len(result.views) == 1 else f"{len(result.views)} looks combined"
    return cards(
        ("One look (centre)", f"{one_share:.0%}", result.classes[int(one)]),
        (looks, f"{share:.0%}", result.classes[first]),
        ("Agreement", f"{agreeing} of {len(result.views)}", "looks choose what all choose"),
    )


def answer_bars(result: Classification) -> str:
    """Returns the five likeliest classes of all looks together."""
    rows = "".join(
        f'<div class="bar"><span class="name">{escape(result.classes[index])}</span>'
        f'<span class="track"><i style="width:{100 * share:.1f}%"></i></span>'
        f'<span class="share">{share:.1%}</span></div>'
        for index, share in result.top(TOP)
    )
    what = "share of the looks' votes" if result.fusion == "vote" else "probability"
    said = f"<p>The five likeliest answers of all looks together, by {what}.</p>"
    return f'{said}<div class="bars answers">{rows}</div>'


def look_cards(result: Classification, rgb: np.ndarray) -> str:
    """Returns a card a look: what it saw, and its own five likeliest classes."""
    crops = (255 * cut(rgb, result.views)).round().byte().permute(0, 2, 3, 1).numpy()
    best = result.top(1)[0][0]
    parts = []
    for name, crop in zip(result.views, crops, strict=True):
        view = CROP_VIEWS[name]
        rows = "".join(
            f'<div class="row{" same" if index == best else ""}">'
            f"<span>{escape(result.classes[index])}</span>"
            f'<span class="track"><i style="width:{100 * share:.1f}%"></i></span>'
            f"<span>{share:.0%}</span></div>"
            for index, share in result.view_top(name, TOP)
        )
        parts.append(
            f'<div class="look"><img alt="{escape(view.label)}" src="{_data(crop)}">'
            f'<div><b title="{escape(view.summary)}">{escape(view.label)}</b>{rows}</div></div>'
        )
    return f'<div class="looks">{"".join(parts)}</div>'


def _data(crop: np.ndarray) -> str:
    """Returns a small picture as an address that holds it."""
    small = cv2.resize(crop, (THUMBNAIL, THUMBNAIL), interpolation=cv2.INTER_AREA)
    _, jpeg = cv2.imencode(".jpg", small[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg.tobytes()).decode()}"
