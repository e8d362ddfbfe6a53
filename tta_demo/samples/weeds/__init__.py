"""Made-up field photographs with exact truth."""

from tta_demo.samples.weeds.boxes import LEAST, plant_boxes
from tta_demo.samples.weeds.fields import (
    COUNTS,
    DIFFICULTY,
    FAMILIAR_SUN_BELOW,
    SEEDS,
    Field,
    Plant,
    field,
    labelled,
    sample,
    stream,
    sun_of,
)

__all__ = [
    "COUNTS",
    "DIFFICULTY",
    "FAMILIAR_SUN_BELOW",
    "LEAST",
    "SEEDS",
    "Field",
    "Plant",
    "field",
    "labelled",
    "plant_boxes",
    "sample",
    "stream",
    "sun_of",
]
