"""What a visitor can do on the Detect tab."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

from tta_demo.samples.weeds import SEEDS
from tta_demo.ui.detect.case import DetectCase, Settings, example_case, field_case
from tta_demo.ui.detect.choices import controls_of
from tta_demo.ui.detect.places import PLACES
from tta_demo.ui.detect.show import EMPTY, show
from tta_demo.ui.kit.looking import PictureActions, looked
from tta_demo.ui.kit.screen import Updates
from tta_demo.ui.kit.visitor import Viewer

__all__ = ["ACTIONS", "new_field", "open_place"]


@dataclass(frozen=True)
class DetectActions(PictureActions):
    """As on every tab; but here pictures belong to places."""

    def changed(self, case: DetectCase, settings: Settings) -> DetectCase:
        """Returns the case with other settings, in its place: a chosen one is still to come."""
        return super().changed(case, replace(settings, place=case.settings.place))

    def restore(self, visitor: Viewer) -> Updates:
        """Puts the inputs back, and what its place offers to choose from."""
        restored = super().restore(visitor)
        settings = restored.get("settings")
        return restored | controls_of(settings) if settings else restored


ACTIONS = DetectActions(DetectCase, example_case, show, EMPTY)


def open_place(visitor: Viewer, settings: Settings) -> Iterator[Updates]:
    """Opens the first example of the place that was chosen."""
    yield from ACTIONS.open_example(visitor, 0, settings)


def new_field(visitor: Viewer, difficulty: float, settings: Settings) -> Iterator[Updates]:
    """Generates a field that nobody has seen, and looks."""
    with visitor.turn:
        if PLACES[settings.place].generates:  # else the place was changed after the click
            case = field_case(settings, random.choice(SEEDS["test"]), difficulty)
            yield from looked(visitor, case, show)
