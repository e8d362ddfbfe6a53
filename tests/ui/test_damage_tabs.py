"""Damage on the tabs that answer about one picture."""

from dataclasses import replace

import numpy as np
import pytest

from tta_demo.pictures.damage import AMOUNTS, Damage, damage
from tta_demo.ui.classify import actions as classify
from tta_demo.ui.classify.case import Settings as ClassifySettings
from tta_demo.ui.detect import actions as detect
from tta_demo.ui.detect.case import Settings as DetectSettings
from tta_demo.ui.kit.visitor import Viewer

DARK = Damage(darkness=0.8)
TABS = {
    "classify": (classify.ACTIONS, ClassifySettings(["center", "center-hflip"], "mean")),
    "detect": (detect.ACTIONS, DetectSettings("weeds", ["identity", "hflip"], "wbf", 0.3)),
}
READ = ("numbers", "notes")
"""What is read in words."""


@pytest.mark.parametrize("tab", TABS)
def test_damage_reaches_the_model_keeps_the_truth_and_goes_without_a_trace(tab):
    actions, settings = TABS[tab]
    visitor = Viewer()
    shown = list(actions.open_first(visitor, settings))[-1]
    whole = visitor.case
    amounts = [getattr(DARK, name) for name in AMOUNTS]
    harmed = list(actions.change(visitor, replace(settings, damage=amounts)))[-1]
    assert visitor.case.truth is whole.truth
    assert visitor.case.picture is whole.picture
    assert np.array_equal(visitor.case.seen.rgb, damage(whole.picture.rgb, DARK))
    assert DARK.told in harmed["notes"]
    assert DARK.told in harmed["damage_panel"].label
    again = list(actions.change(visitor, settings))[-1]
    assert visitor.case.seen is whole.picture
    assert [again.get(part) for part in READ] == [shown.get(part) for part in READ]
