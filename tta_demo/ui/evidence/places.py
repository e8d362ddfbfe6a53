"""What the Evidence tab has evidence about: the worlds of the first tab, and boxes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tta_demo.models.record import ModelRecord
from tta_demo.models.registry import MODELS
from tta_demo.samples import weeds
from tta_demo.tasks.worlds import WORLDS, World
from tta_demo.tta.boxes import Boxes
from tta_demo.ui.detect import places as detect
from tta_demo.ui.segment import choices
from tta_demo.ui.segment.case import SegmentVisitor
from tta_demo.ui.yours.model import YOURS

__all__ = ["BOXES", "PLACES", "BoxWorld", "place_of"]


@dataclass(frozen=True)
class BoxWorld:
    """Pictures without end whose true boxes are known, and the detector that looks at them.

    Attributes:
        label: plain words for people.
        model: a key of `MODELS`.
        place: where the Detect tab has such pictures, if it is there.
        generate: makes pixels and true boxes from a seed and a difficulty 0..1.
    """

    label: str
    model: str
    place: str
    generate: Callable[[int, float], tuple[np.ndarray, Boxes]]

    @property
    def name(self) -> str:
        """Its key in `PLACES`, and the name of its stored results."""
        return self.model

    @property
    def record(self) -> ModelRecord:
        """The detector's record."""
        return MODELS[self.model]

    @property
    def can_be_seen(self) -> bool:
        """Whether the Detect tab has such pictures."""
        return self.place in detect.PLACES


_FIELDS = BoxWorld("Weeds, as boxes", "weed-detector", "weeds", weeds.boxed)

BOXES = {_FIELDS.name: _FIELDS}
"""Every world of boxes by name."""

PLACES: Mapping[str, Any] = {**WORLDS, **BOXES, YOURS: choices.PLACES[YOURS]}
"""All that there is to choose from, by name; your model comes last."""


def place_of(looker: SegmentVisitor, name: str) -> World | BoxWorld:
    """Returns the world of a name; that of the first tab's visitor for a model of their own."""
    return BOXES[name] if name in BOXES else looker.place(name)
