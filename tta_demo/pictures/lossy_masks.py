"""Rules for masks in files that were compressed with loss: pixels take the nearest colour.

That makes a true mask only if nearly all pixels are clear, and the others lie at edges.
"""

from dataclasses import replace

import cv2
import numpy as np

from tta_demo.pictures.mask_values import (
    TOLERANCE,
    UNKNOWN,
    MaskValues,
    Reading,
    absent_notes,
    all_grey,
    brightness,
    even_steps,
    nearest,
    pair_note,
    placed,
    steps_note,
    takes_any_two,
)
from tta_demo.pictures.palettes import Palette
from tta_demo.pictures.words import several

__all__ = ["NEAR_IN_LOSSY"]

WIDE = 96
"""Largest channel difference of pixels that lossy compression changed at an edge;"""
REACH = 8
"""those beyond `TOLERANCE` have a clear one no more pixels away than this,"""
UNCLEAR = {"grey": 0.25, "coloured": 1.5}
"""and are no more than this many times those of the classes but 0: chroma is stored coarsely."""
FLAT = 10
"""Largest difference from a colour in the areas that a mask fills with it, after compression."""
APART = 64
"""Least difference of two colours that are told apart in a file compressed with loss."""


def _near_edge_color(mask: MaskValues, palette: Palette) -> Reading | None:
    table, meant = palette.in_masks
    found = _snapped(mask, table)
    return found and replace(found, ids=meant[found.ids])


def _near_level(mask: MaskValues, palette: Palette) -> Reading | None:
    if mask.levels is None or len(palette.names) < 2:
        return None
    told = (f"White was read as {palette.names[1]}.", *absent_notes(mask, palette))
    return _snapped(mask, np.array([[0] * 3, [255] * 3]), told)


def _near_step(mask: MaskValues, palette: Palette) -> Reading | None:
    if mask.levels is None or not len(steps := even_steps(palette)):
        return None
    return _snapped(mask, np.stack([steps] * 3, 1), (steps_note(palette),))


def _near_shade(mask: MaskValues, palette: Palette) -> Reading | None:
    """Reads the two most frequent colours that lie apart, the darker one as class 0."""
    if mask.colors is None or not takes_any_two(mask, palette):
        return None
    first = mask.colors[mask.counts.argmax()].astype(int)
    others = np.where(np.abs(mask.colors - first).max(1) > APART, mask.counts, 0)
    pair = np.stack([first, mask.colors[others.argmax()]])
    pair = pair[np.argsort(brightness(pair))]
    dark, bright = map(tuple, pair.tolist())
    told = (pair_note(dark, bright, palette), *absent_notes(mask, palette))
    found = _snapped(mask, pair, told) if others.any() else None
    return found if found and _are_flat(mask, found.ids, pair) else None


def _are_flat(mask: MaskValues, ids: np.ndarray, pair: np.ndarray) -> bool:
    """Returns whether half of each of two colours' pixels have nearly that colour; no photo's."""
    _, away = nearest(_light_first(mask.colors), _light_first(pair), FLAT)
    flat = mask.counts * (away <= FLAT)
    return all(2 * flat[ids == one].sum() >= mask.counts[ids == one].sum() for one in (0, 1))


def _snapped(mask: MaskValues, table: np.ndarray, notes: tuple[str, ...] = ()) -> Reading | None:
    """Reads a file compressed with loss by the nearest of some colours `(C, 3)`.

    Pixels between them are right only at edges: near clear ones, and few.
    """
    if mask.colors is None:
        return None
    ids, away = nearest(_light_first(mask.colors), _light_first(table), WIDE)
    unclear = placed(mask, away > TOLERANCE).astype(np.uint8)
    most = UNCLEAR["grey" if all_grey(mask.colors) else "coloured"]
    if (ids == UNKNOWN).any() or unclear.sum() > most * mask.counts[ids > 0].sum():
        return None
    if cv2.distanceTransform(unclear, cv2.DIST_L2, 5).max() > REACH:
        return None
    changed = mask.counts[away > 0].sum()
    note = f"{several(changed, 'pixel')} that the compression changed took the nearest colour."
    return Reading(ids, (*notes, note))


def _light_first(colors: np.ndarray) -> np.ndarray:
    """Returns colours `(k, 3)` as Y and half of Cb and Cr, which such files blur at edges."""
    y, (red, _, blue) = brightness(colors), colors.T.astype(float)
    return np.stack([y, (blue - y) * 0.282, (red - y) * 0.357], 1).round().astype(np.int16)


NEAR_IN_LOSSY = (_near_edge_color, _near_level, _near_step, _near_shade)
"""The rules, in order: each returns None for masks that it does not apply to."""
