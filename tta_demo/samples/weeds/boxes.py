"""The true boxes of weed fields."""

from collections.abc import Iterable

import numpy as np

from tta_demo.samples.weeds.fields import Plant
from tta_demo.tta.boxes import Boxes

__all__ = ["LEAST", "plant_boxes"]

LEAST = 40
"""A plant with fewer visible pixels is not worth finding."""


def plant_boxes(plants: Iterable[Plant], least: int = LEAST) -> Boxes:
    """Returns the true boxes of a field, score 1.

    Args:
        plants: of a `weeds.Field`.
        least: plants with fewer visible pixels are left out.

    Example:
        >>> plant_boxes([Plant((0, 0, 9, 8), 2, 50), Plant((0, 0, 3, 4), 1, 9)]).xyxy
        array([[0., 0., 9., 8.]])
    """
    kept = [plant for plant in plants if plant.visible >= least]
    labels = np.array([plant.label for plant in kept], int)
    return Boxes(np.array([plant.box for plant in kept]), np.ones(len(kept)), labels)
