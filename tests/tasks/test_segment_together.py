"""Several models that look at one picture."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from own_models import Counting, own_record
from torch import nn

from tta_demo.learning.answers import Answers
from tta_demo.learning.fit import fit_steps
from tta_demo.learning.solver import log_likelihood
from tta_demo.learning.weight_file import WeightFile
from tta_demo.models.ensemble import Ensemble, look_as
from tta_demo.models.registry import load_model
from tta_demo.models.sized import Sized
from tta_demo.pictures.reading import Picture
from tta_demo.scoring.score import run
from tta_demo.tasks.result import plan_of
from tta_demo.tasks.segment import segment
from tta_demo.tta.fusion import FUSIONS, Weights
from tta_demo.tta.plan import ONE_LOOK, Plan
from tta_demo.tta.predict import ViewStack, to_labels, to_tensor

VIEW_NAMES = ("identity", "hflip", "rot90", "zoom0.5", "tilt+10")


def made(folder, name, scale=1.5):
    """A model that looks in no symmetrical way, its calls counted, and its record."""
    network = nn.Conv2d(3, 3, 3, padding=1).eval()
    with torch.no_grad():
        network.weight.normal_(std=scale)
    counting = Counting(network)
    return replace(own_record(folder, "segment", counting), name=name), counting


@pytest.fixture
def pair(tmp_path):
    return [made(tmp_path, name) for name in ("one", "two")]


@pytest.fixture
def both(pair):
    return Ensemble(tuple(record for record, _ in pair))


def picture(seed=0):
    rgb = np.random.default_rng(seed).integers(0, 256, (31, 40, 3), np.uint8)
    return Picture.of(rgb)


def fusions():
    return [name for name in FUSIONS if name not in ("none", "learned")]


@pytest.mark.parametrize("fusion", fusions())
def test_two_copies_of_a_model_say_what_it_says_alone(fusion, pair):
    model, counting = pair[0]
    copies = Ensemble((model, replace(model, name="copy")))
    alone = segment(model, picture(), Plan(VIEW_NAMES, fusion))
    calls = counting.calls
    together = segment(copies, picture(), Plan(copies.rows(VIEW_NAMES), fusion))
    if fusion != "vote":  # there the tie-break weighs less the more rows there are
        torch.testing.assert_close(together.probs, alone.probs, atol=1e-4, rtol=0)
    np.testing.assert_array_equal(together.labels, alone.labels)
    assert counting.calls == calls  # its looks are kept by its digest
    np.testing.assert_array_equal(together.one_look, alone.one_look)


def test_the_even_mean_of_models_is_that_of_their_answers(pair, both):
    views = ("identity", "hflip", "rot90")
    result = segment(both, picture(), Plan(both.rows(views)))
    alone = [segment(record, picture(), Plan(views)).probs for record, _ in pair]
    torch.testing.assert_close(result.probs, sum(alone) / 2, atol=1e-4, rtol=0)


@pytest.mark.parametrize("fusion", fusions())
def test_the_order_of_the_models_does_not_matter(fusion, both):
    other = Ensemble(both.members[::-1])
    first, second = (
        segment(one, picture(), Plan(one.rows(VIEW_NAMES), fusion)) for one in (both, other)
    )
    torch.testing.assert_close(first.probs, second.probs, atol=1e-6, rtol=0)


def test_weights_belong_to_models_and_views(both):
    rows = both.rows(("identity", "hflip"))
    for place, row in enumerate(rows):
        result = segment(both, picture(), Plan(rows, "learned", Weights(torch.eye(4)[place])))
        np.testing.assert_array_equal(result.labels, result.looks[row].labels, row)


def test_one_look_is_the_first_models(pair, both):
    result = segment(both, picture(), Plan(("two/hflip",)))
    assert list(result.looks) == ["two/hflip", "one/identity"]
    np.testing.assert_array_equal(result.one_look, segment(pair[0][0], picture()).labels)


def test_each_model_runs_only_the_looks_that_it_lacks(pair, both):
    segment(pair[0][0], picture(), Plan(("identity", "hflip")))
    segment(both, picture(), Plan(both.rows(("identity", "hflip"))))
    assert [counting.calls for _, counting in pair] == [2, 2]
    segment(both, picture(), Plan(both.rows(("identity", "hflip")), "max"))
    assert [counting.calls for _, counting in pair] == [2, 2]


def test_a_model_that_works_at_another_size_joins_in(tmp_path, pair):
    large, _ = pair[0]
    small = replace(own_record(tmp_path, "segment", Sized(pair[1][1], side=16)), name="small")
    both = Ensemble((large, small))
    result = segment(both, picture(), Plan(both.rows(VIEW_NAMES)))
    alone = [segment(one, picture(), Plan(VIEW_NAMES)) for one in (large, small)]
    for one in alone:
        for view in VIEW_NAMES:
            kept = result.looks[f"{one.model.name}/{view}"]
            assert torch.equal(kept.log_probs, one.looks[view].log_probs), view
    assert result.probs.shape == (3, 31, 40)


def test_a_report_is_read_back_as_the_same_plan(both):
    truth = np.random.default_rng(1).integers(0, 3, (31, 40), np.uint8)
    rows = both.rows(("identity", "hflip"))
    plan = Plan(rows, "learned", Weights([0.1, 0.2, 0.3, 0.4]))
    report = json.loads(json.dumps(segment(both, picture(), plan, truth).report()))
    assert plan_of(report).settings() == plan.settings()
    assert report["model"] == {"name": both.name, "digest": both.digest}
    assert set(report["scores"]["views"]) == set(rows)


@pytest.mark.parametrize(
    "plan", [ONE_LOOK, Plan(("one/identity", "hflip")), Plan(("three/hflip",))]
)
def test_rows_that_are_no_models_views_are_refused_before_any_look(plan, pair, both):
    with pytest.raises(ValueError, match="among one/identity"):
        segment(both, picture(), plan)
    assert [counting.calls for _, counting in pair] == [0, 0]


def test_a_model_that_no_change_reaches_is_named(tmp_path, pair):
    def blind(images):
        return torch.arange(3.0).view(1, 3, 1, 1).expand(len(images), 3, *images.shape[-2:])

    stuck = replace(own_record(tmp_path, "segment", blind), name="stuck")
    both = Ensemble((pair[0][0], stuck))
    notes = segment(both, picture(), Plan(both.rows(("identity", "hflip")))).notes
    assert [note.split(":")[0] for note in notes] == ["stuck"]


# Learning


def truth_of(seed):
    """The strongest colour, which both models meet now and then."""
    return to_labels(torch.from_numpy(picture(seed).rgb).permute(2, 0, 1).float())


def answers_of(models, rows):
    looked = (
        ViewStack.of({row: look_as(models, to_tensor(picture(seed).rgb), row) for row in rows})
        for seed in range(3)
    )
    return Answers.of(zip(looked, map(truth_of, range(3)), strict=True))


def test_weights_of_models_and_views_are_no_less_likely_than_each_models_own(both):
    models = load_model(both)
    *_, together = fit_steps(answers_of(models, both.rows(VIEW_NAMES)))
    assert together.gap <= 1e-6
    for name in models:
        own = answers_of(models, tuple(f"{name}/{view}" for view in VIEW_NAMES))
        *_, alone = fit_steps(own)
        assert together.history[-1] >= log_likelihood(own.true_class(), alone.weights) - 1e-6


def test_the_weights_file_holds_every_model_and_serves_no_other(both, tmp_path):
    rows = both.rows(("identity", "hflip"))
    *_, found = fit_steps(answers_of(load_model(both), rows))
    belongs = {"world": "w", "model": both.name, "digest": both.digest}
    WeightFile.of(found, rows, both.classes, {}, {}, **belongs).save(tmp_path / "w.json")
    file = WeightFile.load(tmp_path / "w.json")
    assert all(one.digest in file.digest for one in both.members)
    weights = file.select(rows[::-1], Ensemble(both.members[::-1]).digest, both.classes)
    np.testing.assert_allclose(weights.values, found.weights[::-1], atol=1e-5)
    with pytest.raises(ValueError, match="learn them again"):
        file.select(rows, both.members[0].digest, both.classes)


def test_scores_are_of_the_same_answers(both):
    plan = Plan(both.rows(VIEW_NAMES))
    _, (probs, seconds) = next(run(load_model(both), picture().rgb, {"all": plan}))
    result = segment(both, picture(), plan)
    np.testing.assert_allclose(probs, result.probs, atol=1e-3)
    assert seconds > 0
