"""What a visitor can do on the Detect tab."""

import random
from collections.abc import Iterator

from tta_demo.samples.weeds import SEEDS
from tta_demo.ui.detect.case import DetectCase, Settings, example_case, field_case
from tta_demo.ui.detect.show import EMPTY, show
from tta_demo.ui.kit.looking import PictureActions, looked
from tta_demo.ui.kit.screen import Updates
from tta_demo.ui.kit.visitor import Viewer

__all__ = ["ACTIONS", "new_field"]

ACTIONS = PictureActions(DetectCase, example_case, show, EMPTY)


def new_field(visitor: Viewer, difficulty: float, settings: Settings) -> Iterator[Updates]:
    """Generates a field that nobody has seen, and looks."""
    with visitor.turn:
        case = field_case(settings, random.choice(SEEDS["test"]), difficulty)
        yield from looked(visitor, case, show)
