"""What changed from one answer to another, pixel by pixel."""

from dataclasses import dataclass

import numpy as np

from tta_demo.pictures.palettes import IGNORED

__all__ = ["BROKEN", "CHANGED", "FIXED", "SAME", "WRONG", "Changes", "changes"]

SAME, FIXED, BROKEN, WRONG, CHANGED = range(5)
"""Codes of pixels: as before and right, or as before without a truth; wrong before and right now;
right before and wrong now; wrong before and now; another answer, without a truth."""


@dataclass(frozen=True, eq=False)
class Changes:
    """What changed between two answers to one picture.

    Attributes:
        codes: `(H, W)` uint8, one of the codes above a pixel.
        before: pixels that were wrong; None without a truth.
        after: pixels that are wrong now; None without a truth.
    """

    codes: np.ndarray
    before: int | None
    after: int | None

    def count(self, code: int) -> int:
        """Returns the number of pixels of one code."""
        return int((self.codes == code).sum())


def changes(before: np.ndarray, after: np.ndarray, truth: np.ndarray | None = None) -> Changes:
    """Returns what changed between two answers.

    Args:
        before: `(H, W)` class ids.
        after: `(H, W)` class ids.
        truth: `(H, W)` class ids, if they are known; where `IGNORED`, nothing was or is wrong.

    Raises:
        ValueError: the shapes differ.

    Example:
        >>> rows = [0, 1, 1, 2], [1, 1, 0, 0], [1, 1, 1, 1]
        >>> found = changes(*(np.array([row]) for row in rows))
        >>> found.codes.tolist(), found.before, found.after
        ([[1, 0, 2, 3]], 2, 2)
    """
    shapes = {before.shape, after.shape, *(() if truth is None else (truth.shape,))}
    if len(shapes) > 1:
        told = ", ".join(map(str, sorted(shapes)))
        raise ValueError(f"answers and truth have shapes {told}: give one size")
    if truth is None:
        codes = np.where(before == after, SAME, CHANGED).astype(np.uint8)
        return Changes(codes, None, None)
    known = truth != IGNORED
    was, now = known & (before != truth), known & (after != truth)
    codes = np.select([was & now, was, now], [WRONG, FIXED, BROKEN], SAME).astype(np.uint8)
    return Changes(codes, int(was.sum()), int(now.sum()))
