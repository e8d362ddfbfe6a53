"""What looking again did, as pictures: what changed, and where the looks doubt."""

import cv2
import numpy as np

from tta_demo.insight.changes import BROKEN, CHANGED, FIXED, WRONG

__all__ = ["MARKS", "changes_drawn", "doubt_drawn"]

MARKS = {
    FIXED: (56, 189, 248),
    BROKEN: (255, 138, 61),
    WRONG: (226, 232, 240),
    CHANGED: (196, 181, 253),
}
"""The colour of each code of `insight.changes`; `SAME` has none."""

RAMP = np.array([(30, 27, 75), (124, 58, 237), (251, 113, 133), (254, 249, 195)], float)
"""From no doubt to the most."""


def changes_drawn(rgb: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Returns a dark grey picture `(H, W, 3)` uint8 with every pixel of a code in its colour.

    Example:
        >>> changes_drawn(np.zeros((1, 2, 3), np.uint8), np.array([[0, FIXED]])).tolist()
        [[[20, 20, 20], [56, 189, 248]]]
    """
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    drawn = np.repeat((20 + grey[..., None] * 0.4).astype(np.uint8), 3, axis=2)
    for code, color in MARKS.items():
        drawn[codes == code] = color
    return drawn


def doubt_drawn(bits: np.ndarray, most: float) -> np.ndarray:
    """Returns doubt `(H, W)` in bits, from 0 to `most`, as colours `(H, W, 3)` uint8.

    Example:
        >>> doubt_drawn(np.array([[0.0, 1.0]]), most=1.0).tolist()
        [[[30, 27, 75], [254, 249, 195]]]
    """
    levels = np.stack([np.interp(np.linspace(0, 3, 256), range(4), row) for row in RAMP.T], -1)
    table = levels.round().astype(np.uint8)
    return table[(255 * (bits / most).clip(0, 1)).round().astype(np.uint8)]
