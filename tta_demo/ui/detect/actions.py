"""What a visitor can do on the Detect tab."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from tta_demo.learning.weight_file import WeightFile
from tta_demo.samples.weeds import SEEDS
from tta_demo.ui.detect.case import DetectCase, DetectVisitor, Settings, example_case, field_case
from tta_demo.ui.detect.choices import controls_of
from tta_demo.ui.detect.places import PLACES
from tta_demo.ui.detect.show import EMPTY, show
from tta_demo.ui.kit.looking import PictureActions
from tta_demo.ui.kit.screen import Updates

__all__ = ["ACTIONS", "carry", "new_field", "open_place"]


@dataclass(frozen=True)
class DetectActions(PictureActions):
    """As on every tab; but here pictures belong to places."""

    def changed(self, case: DetectCase, settings: Settings) -> DetectCase:
        """Returns the case with other settings, in its place: a chosen one is still to come."""
        return super().changed(case, replace(settings, place=case.settings.place))

    def inputs_of(self, case: DetectCase) -> Updates:
        """Returns how all inputs stand, and what the case's place offers to choose from."""
        return super().inputs_of(case) | controls_of(case)


ACTIONS = DetectActions(DetectCase, example_case, show, EMPTY)


def open_place(visitor: DetectVisitor, settings: Settings) -> Iterator[Updates]:
    """Opens the first example of the place that was chosen."""
    yield from ACTIONS.open_example(visitor, 0, settings)


def new_field(visitor: DetectVisitor, difficulty: float, settings: Settings) -> Iterator[Updates]:
    """Generates a field that nobody has seen, and looks."""
    if PLACES[settings.place].generates:  # else the place was changed after the click
        seed = random.choice(SEEDS["test"])
        made = partial(field_case, seed=seed, difficulty=difficulty)
        yield from ACTIONS.opening(visitor, settings, made)


def carry(
    visitor: DetectVisitor,
    place: str,
    views: Sequence[str],
    fusion: str,
    file: WeightFile | None = None,
) -> Updates:
    """Looks so at the picture on screen, or at the first example if the place is another one.

    Args:
        visitor: who has the turn.
        place: a key of `PLACES`.
        views: names in `VIEWS`.
        fusion: as in `Settings`.
        file: learned weights to keep for the place's detector, if there are any.
    """
    case, there = visitor.case, PLACES[place]
    if case is None or case.place is not there:
        case = example_case(Settings(place, [], fusion, there.threshold), 0)
    settings = replace(case.settings, views=[*views], fusion=fusion)
    case = replace(case, settings=settings, file=file or visitor.file_of(there))
    shown = show(case)
    visitor.case = case
    if file is not None:
        visitor.files[file.digest] = file
    return ACTIONS.inputs_of(case) | shown
