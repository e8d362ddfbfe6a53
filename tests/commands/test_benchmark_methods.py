"""The comparison of methods: on halves that learn and are scored in turn."""

import json

import numpy as np
import pytest

from tta_demo.commands.benchmark import methods
from tta_demo.commands.benchmark.harm_sets import VIEWS
from tta_demo.commands.benchmark.harm_sets import Kept as Looked
from tta_demo.evidence.stacks import Kept, Stacks
from tta_demo.evidence.tally import Tally, tally
from tta_demo.models.registry import MODELS
from tta_demo.pictures.assets import ASSETS
from tta_demo.tta.plan import Plan

TWO = ("identity", "hflip")


def made(pictures=20, pixels=60, good=lambda place: 0.5, seed=0):
    """Stacks of two looks and classes; `good` is how often the first one is right, or else not."""
    rng, kept = np.random.default_rng(seed), []
    for place in range(pictures):
        truth = rng.integers(0, 2, pixels)
        share = good(place)
        right = np.where(rng.random((2, pixels)) < [[share], [1 - share]], 0.9, 0.1)
        probs = np.stack([np.where(truth == c, right, 1 - right) for c in range(2)], axis=1)
        logs = np.log(probs).astype(np.float16)
        kept.append(Kept(f"p{place}", logs, truth, np.zeros(2)))
    return Stacks(TWO, ("ground", "leaf"), tuple(kept))


def test_what_is_stored_is_of_the_models_and_ways_that_there_are():
    stored = json.loads((ASSETS / "results" / "methods.json").read_text())
    assert stored["models"] == {name: MODELS[name].digest for name in stored["models"]}
    assert {row["model"] for row in stored["rows"]} == set(stored["models"])
    assert set(methods.WAYS) <= {row["way"] for row in stored["rows"]}


def test_no_picture_is_scored_by_what_it_taught():
    stacks = made()
    halves = [{one.name for one in half.pictures} for half in stacks.split(seed=methods.SEED)]
    # the looks that are right in one half are wrong in the other: what was learned must lose
    stacks = made(good=lambda place: 0.9 if f"p{place}" in halves[0] else 0.1)
    rows = {row["way"]: row for row in methods._rows(stacks)}
    assert {"none", "even", "even, shifted", *methods.WAYS} <= set(rows)
    assert rows["even"]["miou_over_even"] == {"value": 0, "low": 0, "high": 0}
    for way in ("greedy", "Shanmugam", "exact, no prior"):
        assert rows[way]["miou_over_even"]["high"] < 0
        assert rows[way]["nll_over_even"]["low"] > 0
    assert rows["exact, no prior"]["priors"] == [0, 0]
    assert rows["exact"]["learned_on"] == [10, 10]
    assert rows["exact"]["priors"] == [1, 1]  # of few pictures


def test_a_shift_repairs_what_no_weights_of_looks_can():
    stacks = made(good=lambda place: 0.8)
    for one in stacks.pictures:  # all looks shy away from leaves
        one.log_probs[1] = one.log_probs[0]
        one.log_probs[:, 1] -= 4
        one.log_probs[:] -= np.logaddexp(*one.log_probs.swapaxes(0, 1))[:, None]
    shifted = methods._shifted(stacks.answers())
    found = tally(stacks, {"even": Plan(TWO).fuse, "shifted": shifted})
    assert found.scores()[1] > found.scores()[0] + 0.1
    assert found.nll()[1] < found.nll()[0]


def test_halves_together_are_the_whole():
    stacks, answers = made(good=lambda place: place / 20), {"a": Plan(TWO).fuse}
    whole = tally(stacks, answers)
    joined = Tally.joined([tally(half, answers) for half in stacks.split(0.3)])
    assert joined.scores() == pytest.approx(whole.scores())
    assert joined.nll() == pytest.approx(whole.nll())


def test_versions_of_a_picture_become_one():
    logs = np.random.default_rng(0).random((4, len(VIEWS), 2, 5)).astype(np.float16)
    labels = np.arange(20).reshape(4, 5) % 2
    stacks = methods._stacks(Looked("u2net-p", logs, labels, ("a", "b", "a", "b")))
    assert [one.name for one in stacks.pictures] == ["a", "b"]
    np.testing.assert_array_equal(stacks.pictures[1].truth, labels[[1, 3]].ravel())
    np.testing.assert_array_equal(stacks.pictures[1].log_probs[..., 5:], logs[3])
    some = stacks.looking(("identity", "noise"))
    np.testing.assert_array_equal(some.pictures[0].log_probs[1, :, :5], logs[0, -1])
