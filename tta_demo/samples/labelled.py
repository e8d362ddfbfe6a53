"""A picture with its truth, whatever it comes from."""

from dataclasses import dataclass

import numpy as np

__all__ = ["LabelledPicture"]


@dataclass(frozen=True)
class LabelledPicture:
    """A picture with its truth.

    Attributes:
        name: what it is called in logs and reports.
        rgb: `(H, W, 3)` uint8.
        labels: `(H, W)` uint8 class ids.
        group: the kind of picture, for balanced sampling.
    """

    name: str
    rgb: np.ndarray
    labels: np.ndarray
    group: str = ""
