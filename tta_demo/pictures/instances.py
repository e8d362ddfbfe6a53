"""Instance masks: a number for every object, as programs that count cells write them."""

import cv2
import numpy as np

__all__ = ["are_instances"]

THICKEST_RIM = 7
"""Pixels across that no rim between objects has."""


def are_instances(ids: np.ndarray, classes: int) -> bool:
    """Returns whether ids `(H, W)` >= 0 number objects instead of classes; 0 is the background.

    Where all of them could be class ids too, of background, object and rim, their shapes tell: a
    rim is thin, or lies between the objects and the background.

    Example:
        >>> grid = np.kron(np.arange(12).reshape(3, 4), np.ones((5, 5), int))
        >>> are_instances(grid, 3), are_instances(np.arange(256).reshape(16, 16), 3)
        (True, False)
        >>> are_instances(np.pad(np.pad(np.ones((9, 9), int), 2, constant_values=2), 3), 3)
        False
    """
    numbers = np.unique(ids[ids > 0])
    if not len(numbers) or numbers[-1] > 65535:
        return False
    ids = ids.astype(np.uint16)
    if numbers[-1] < classes:
        return classes == 3 and _is_object(ids == 2) and not _is_enclosed(ids == 1, ids == 0)
    if len(numbers) == 1 or (len(numbers) == 2 and ids.all()):
        return False  # two values: an object and its background
    blobs = np.unique(ids[_inner(ids) & (ids > 0)])
    return 2 * len(blobs) >= len(numbers)  # smoothing and photos make bands without an inside


def _inner(ids: np.ndarray) -> np.ndarray:
    """Returns where all of the eight neighbours are equal."""
    box = np.ones((3, 3), np.uint8)
    low, high = (f(ids, box, borderType=cv2.BORDER_REPLICATE) for f in (cv2.erode, cv2.dilate))
    return low == high


def _is_object(region: np.ndarray) -> bool:
    """Returns whether a region is thicker than any rim."""
    box = np.ones((THICKEST_RIM, THICKEST_RIM), np.uint8)
    return bool(cv2.erode(region.astype(np.uint8), box, borderValue=0).any())


def _is_enclosed(region: np.ndarray, background: np.ndarray) -> bool:
    """Returns whether more than half of a region's outline is shielded from the background."""
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    inside = cv2.erode(region.astype(np.uint8), cross, borderType=cv2.BORDER_REPLICATE)
    outline = region & (inside == 0)
    bare = outline & (cv2.dilate(background.astype(np.uint8), cross) > 0)
    return bool(2 * bare.sum() < outline.sum())
