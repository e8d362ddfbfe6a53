"""Drawing: label maps over pictures, numpy in and numpy out."""

import cv2
import numpy as np

from tta_demo.pictures.palettes import Palette
from tta_demo.tta.boxes import Boxes

__all__ = ["boxes_drawn", "fit_within", "overlay"]

_READABLE = 640
"""Longest side, in pixels, up to which pictures with boxes are enlarged."""

_FEW = 6
"""So many classes are told apart by their colours alone."""


def overlay(
    rgb: np.ndarray, labels: np.ndarray, palette: Palette, opacity: float = 0.45
) -> np.ndarray:
    """Returns the picture with every class but background tinted, `(H, W, 3)` uint8.

    The labels are `(H, W)` class ids, and the colours the palette's bright ones; the tint has an
    opacity of 0..1, the outline is solid.

    Example:
        >>> palette = Palette(("soil", "weed"), ((0, 0, 0), (200, 0, 0)))
        >>> overlay(np.zeros((1, 1, 3), np.uint8), np.array([[1]]), palette, opacity=0.5)
        array([[[122,  32,  90]]], dtype=uint8)
    """
    colors = palette.bright.colorize(labels)
    shown = cv2.addWeighted(rgb, 1 - opacity, colors, opacity, 0)
    ids = labels.astype(np.uint8)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    edge = cv2.morphologyEx(ids, cv2.MORPH_GRADIENT, cross) > 0
    result = np.where((ids > 0)[..., None], shown, rgb)
    return np.where((edge & (ids > 0))[..., None], colors, result)


def boxes_drawn(rgb: np.ndarray, boxes: Boxes, palette: Palette) -> np.ndarray:
    """Returns the picture with a frame for every box, `(H, W, 3)` uint8.

    Frames have their classes' bright colours; where there are more classes than one can tell
    apart by colour, boxes bear their names. Small pictures are enlarged by a whole number, so
    that frames stay thin.
    """
    colors = palette.bright.colors
    factor = max(1, _READABLE // max(rgb.shape[:2]))
    shown = cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    for (left, top, right, bottom), label in zip(factor * boxes.xyxy, boxes.labels, strict=True):
        first, last = (round(left), round(top)), (round(right) - 1, round(bottom) - 1)
        cv2.rectangle(shown, first, last, (255, 255, 255), 3)
        cv2.rectangle(shown, first, last, colors[label], 2)
        if len(palette.names) > _FEW:
            _name(shown, first, palette.names[label])
    return shown


def _name(rgb: np.ndarray, corner: tuple[int, int], name: str) -> None:
    """Writes a name in place, white on black, below and right of a corner (x, y)."""
    (width, height), base = cv2.getTextSize(name, cv2.FONT_HERSHEY_SIMPLEX, 0.5, 1)
    x = max(0, min(corner[0], rgb.shape[1] - width - 4))
    y = max(0, min(corner[1], rgb.shape[0] - height - base - 4))
    cv2.rectangle(rgb, (x, y), (x + width + 4, y + height + base + 4), (0, 0, 0), cv2.FILLED)
    place = x + 2, y + height + 3
    cv2.putText(rgb, name, place, cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255,) * 3, 1, cv2.LINE_AA)


def fit_within(image: np.ndarray, side: int) -> np.ndarray:
    """Returns the image reduced so that no side is longer than `side` pixels; never enlarged."""
    scale = side / max(image.shape[:2])
    if scale >= 1:
        return image
    height, width = (max(1, round(n * scale)) for n in image.shape[:2])
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
