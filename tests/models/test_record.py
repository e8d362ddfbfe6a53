from dataclasses import replace

import pytest

from tta_demo.models.record import Augmentation
from tta_demo.tta.views import VIEW_SETS, VIEWS

# What training showed

ANYTHING = Augmentation(zoom=(0.4, 2), gain=(0.5, 2.5), gamma=(0.5, 2), noise=0.2)


def test_training_covers_what_it_drew_and_nothing_else():
    covered = {name for name, view in VIEWS.items() if ANYTHING.covers(view)}
    never = {"tilt-10", "tilt+10", "contrast+", "contrast-"}
    assert covered == set(VIEWS) - never


@pytest.mark.parametrize(
    ("change", "lost"),
    [
        ({"d4": False}, VIEW_SETS["d4"][1:]),
        ({"zoom": (0.7, 1.4)}, ["zoom0.5", "zoom1.5"]),
        ({"gain": (0.7, 2.5)}, ["darker"]),
        ({"gain": (0.5, 1.2)}, ["brighter"]),
        ({"gamma": (0.9, 2)}, ["gamma-"]),
        ({"gamma": (0.5, 1.1)}, ["gamma+"]),
        ({"noise": 0.03}, ["noise"]),
    ],
    ids=str,
)
def test_training_with_less_covers_less(change, lost):
    less = replace(ANYTHING, **change)
    before = {name for name, view in VIEWS.items() if ANYTHING.covers(view)}
    assert {name for name in before if not less.covers(VIEWS[name])} == {*lost}
