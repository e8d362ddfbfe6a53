import pytest

from tta_demo.pictures.reading import read_picture
from tta_demo.scoring.metrics import iou
from tta_demo.tasks.choice import SHARES, choice_of
from tta_demo.tasks.segment import segment
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.plan import Plan
from tta_demo.tta.views import VIEW_SETS

CHOSEN = [name for name in WORLDS if choice_of(name)]


@pytest.mark.parametrize("name", CHOSEN)
def test_examples_gain_what_is_stored(name):
    world, choice = WORLDS[name], choice_of(name)
    assert [example.share for example in choice.examples] == list(SHARES)
    gains = [example.gain for example in choice.examples]
    assert gains == sorted(gains, reverse=True)
    for example in choice.examples:
        picture = read_picture(example.path)
        truth, _ = world.read_truth(world.mask_of(example.path), picture)
        result = segment(world.record, picture, Plan(VIEW_SETS["d4"]), truth)
        one, fused = result.matrices
        present = one.sum(1) > 0
        assert (iou(fused) - iou(one))[present].mean() == pytest.approx(example.gain, abs=1e-3)


@pytest.mark.parametrize("name", CHOSEN)
def test_the_average_is_in_its_interval(name):
    choice = choice_of(name)
    assert choice.gain.low < choice.gain.value < choice.gain.high
    assert len(choice.examples) <= choice.pool


def test_without_a_choice_all_examples_are_offered():
    assert choice_of("mars") is None
    for name in set(WORLDS) - set(CHOSEN):
        assert len(WORLDS[name].examples) >= 3
