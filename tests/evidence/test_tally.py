from inspect import signature

import numpy as np
import pytest
from looked import made

from tta_demo.evidence.tally import Gain, tally
from tta_demo.scoring.interval import Difference, bootstrap
from tta_demo.scoring.score import Score, gain
from tta_demo.tta.plan import Plan

VIEWS = {"identity": 1.0, "hflip": 2.0, "vflip": 4.0}
PLANS = {
    "one look": Plan(("identity",), "none"),
    "mean": Plan(tuple(VIEWS)),
    "max": Plan(tuple(VIEWS), "max"),
}


def both(stacks):
    """The tally, and the slow scores of the same answers."""
    scores = {name: Score() for name in PLANS}
    for place, one in enumerate(stacks.pictures):
        for name, plan in PLANS.items():
            scores[name].add(plan.fuse(stacks.stack(place)).numpy(), one.truth)
    return tally(stacks, {name: plan.fuse for name, plan in PLANS.items()}), scores


def test_scores_are_those_that_are_told_everywhere_else():
    stacks = made(VIEWS, pictures=12, clarity=2.0)
    found, scores = both(stacks)
    counts = np.random.default_rng(0).multinomial(12, np.full(12, 1 / 12))
    for place, score in enumerate(scores.values()):
        for weights in (None, counts):
            row = score.row(stacks.classes, weights)
            assert found.scores(weights)[place] == pytest.approx(row["miou"])
            assert found.nll(weights)[place] == pytest.approx(row["nll"])


def test_gains_and_intervals_are_those_of_the_one_bootstrap():
    stacks = made(VIEWS, pictures=12, clarity=2.0)
    found, scores = both(stacks)
    gains, nll_gains = found.gains("one look")
    draws = signature(bootstrap).parameters["draws"].default
    expected = gain(scores["mean"], scores["one look"], stacks.classes, draws=draws)
    for one, known in ((gains[1], expected["miou"]), (nll_gains[1], expected["nll"])):
        assert (one.value, one.low, one.high) == pytest.approx((*known,), abs=1e-9)
    assert gains[0].value == 0


def test_a_class_that_the_truth_lacks_leaves_the_mean():
    stacks = made(VIEWS, pictures=3, classes=2, clarity=2.0)
    wide = made(VIEWS, pictures=3, classes=3, clarity=2.0)
    for one in wide.pictures:
        one.truth[one.truth == 2] = 0
    found, scores = both(wide)
    assert found.scores()[1] == pytest.approx(scores["mean"].row(wide.classes)["miou"])
    assert found.scores()[0] != tally(stacks, {"a": PLANS["mean"].fuse}).scores()[0]


def test_of_whole_pictures_the_score_is_the_accuracy():
    stacks = made(VIEWS, pictures=50, pixels=1, clarity=2.0)
    found = tally(stacks, {"mean": PLANS["mean"].fuse})
    right = [
        int(PLANS["mean"].fuse(stacks.stack(i)).argmax()) == one.truth[0]
        for i, one in enumerate(stacks.pictures)
    ]
    assert found.scores()[0] == pytest.approx(np.mean(right))
    assert found.hits.shape == (50, 1, 1)


def test_few_pictures_have_a_gain_without_an_interval():
    nothing = Gain.of(0.5, Difference(0.5, float("nan"), float("nan")))
    for one in (nothing, Gain.of(0.5, None)):
        assert one == Gain(0.5)
        assert not one.up
        assert not one.down
    assert Gain.of(0.5, Difference(0.5, 0.1, 0.9)).up
    assert Gain.of(-0.5, Difference(-0.5, -0.9, -0.1)).down
    assert not Gain(0.5, -0.1, 0.9).up
