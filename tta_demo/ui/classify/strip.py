"""The example photographs, all of them, in the order of what looking again is worth to them."""

from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from html import escape

import gradio as gr

from tta_demo.pictures.draw import fit_within
from tta_demo.pictures.reading import read_picture
from tta_demo.pictures.words import signed
from tta_demo.samples.photos import PHOTOS, Photo
from tta_demo.tta.crops import CROP_SETS
from tta_demo.ui.kit.files import beside
from tta_demo.ui.kit.html import percent, tone
from tta_demo.ui.kit.pictures import data_url
from tta_demo.ui.kit.stored import results, telling

__all__ = ["EXAMPLES", "FIRST", "average", "averages", "gain", "strip"]

FIRST = "mirror"
"""The set of looks at the start: what suits a natural photograph, see `DOMAINS`."""
TIE = 1.0
"""Within this many points neither is better."""
VERDICTS = {"better": "win", "": "tie", "worse": "loss"}
"""By `tone`."""
THUMBNAIL = 144
"""Longest side of a small picture in pixels."""


def gain(photo: Photo) -> float | None:
    """Returns by how many points `FIRST` makes the truth more probable; None if that is unknown.

    It was not measured where there is no class for it.
    """
    found = _each().get(photo.path.stem)
    return None if found is None else 100 * (found[FIRST] - found["center"])


@cache
def _each() -> dict[str, dict[str, float]]:
    """Returns what `python -m tta_demo benchmark photos` found of each; nothing if it is lost."""
    with suppress(ValueError):
        return results("photos")["photos"]
    return {}


def _place(photo: Photo) -> tuple[bool, float]:
    points = gain(photo)
    return points is None, -(points or 0)


EXAMPLES: tuple[Photo, ...] = tuple(sorted(PHOTOS, key=_place))
"""From the greatest gain to the greatest loss, then those whose subject is no class."""


def strip(elem_id: str) -> gr.HTML:
    """Returns the photographs as buttons; its value is the number in `EXAMPLES` of one chosen."""
    buttons = "".join(_button(number, photo) for number, photo in enumerate(EXAMPLES))
    return gr.HTML(
        0,
        html_template=f'<div class="strip" role="group" aria-label="Examples">{buttons}</div>',
        js_on_load=beside(__file__, "strip.js"),
        elem_id=elem_id,
    )


def _button(number: int, photo: Photo) -> str:
    points = gain(photo)
    if points is None:
        verdict, kind = "" if photo.truth else "no class", ""
    else:
        kind = tone(points, TIE)
        verdict = f"{VERDICTS[kind]} {signed(points, 1, '±')}"
    picture = data_url(fit_within(read_picture(photo.path).rgb, THUMBNAIL))
    return (
        f'<button type="button" data-number="{number}" title="{escape(photo.source)}">'
        f'<img alt="" src="{picture}"><span>{escape(photo.subject)}</span>'
        f'<b class="{kind}">{verdict}</b></button>'
    )


@telling
def average() -> str:
    """Returns in one sentence what `FIRST` is worth to all examples together."""
    measured = results("photos")
    one, both = (percent(measured["mean"][name]) for name in ("center", FIRST))
    return (
        f"All {measured['pictures']} with a class (no test set): one look finds the truth {one} "
        f"probable on average, mirrored too {both}."
    )


@telling
def averages(labels: Mapping[str, str]) -> str:
    """Returns what sets of looks are worth to all examples together, as an HTML table.

    Args:
        labels: the sets by name, in plain words.
    """
    measured = results("photos")
    rows = "".join(
        f"<tr><th scope='row'>{escape(label)}</th><td>{len(CROP_SETS[name])}</td>"
        f"<td>{percent(measured['mean'][name])}</td><td>{measured['right'][name]}</td></tr>"
        for name, label in labels.items()
    )
    heads = "".join(f"<th scope='col'>{head}</th>" for head in ("", "Looks", "Average", "Right"))
    return (
        "<table><caption>How probable the truth is on average over the "
        f"{measured['pictures']} photographs, and how many are right.</caption>"
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
    )
