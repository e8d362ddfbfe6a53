from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import sklearn.metrics
import torch

from tta_demo.learning.fit import fit_steps
from tta_demo.learning.weight_file import WeightFile
from tta_demo.models.registry import load_model
from tta_demo.scoring.score import Plan
from tta_demo.tasks.gallery import PIXELS, Gallery, compare, file_of, learned_plan
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.predict import predict_views, to_tensor

WORLD = WORLDS["weeds"]
CLASSES = WORLD.record.palette.names
VIEWS = ("hflip", "identity", "shift")  # the original is not the first; one leaves pixels unseen


@pytest.fixture(scope="module")
def fields():
    return {f"field {seed}": WORLD.generate(seed, 0.7) for seed in (4_000_100, 4_000_101)}


def fresh(fields):
    return Gallery(WORLD, {name: lambda one=one: one for name, one in fields.items()})


@pytest.fixture(scope="module")
def looked(fields):
    gallery = fresh(fields)
    for name in fields:
        gallery.look(name, VIEWS)
    return gallery


@contextmanager
def counted():
    """A list that grows by one with every forward pass of the model."""
    passes = []
    network = load_model(WORLD.model).network
    handle = network.register_forward_pre_hook(lambda *_: passes.append(1))
    try:
        yield passes
    finally:
        handle.remove()


# Looking


def test_a_second_look_costs_nothing_and_another_view_one_pass_a_picture(fields):
    gallery, names = fresh(fields), list(fields)
    with counted() as passes:
        for views, total in (
            (("identity", "hflip"), 4),
            (("identity", "hflip"), 4),
            (("hflip",), 4),
            (("hflip", "shift", "identity"), 6),
            (("shift", "identity"), 6),
        ):
            for name in names:
                gallery.look(name, views)
            assert len(passes) == total, views
        gallery.answers(names, VIEWS)
        plan = learned_plan(VIEWS, np.full(3, 1 / 3), "linear")
        compare(gallery, names, VIEWS, plan)
        assert len(passes) == 6, "fitting and comparing must not look again"


def test_pictures_are_missing_until_all_views_have_looked(fields):
    gallery, (one, other) = fresh(fields), fields
    assert gallery.missing([one, other], ["identity"]) == [one, other]
    gallery.look(one, ["identity", "hflip"])
    assert gallery.missing([one, other], ["hflip"]) == [other]
    assert gallery.missing([one], ["identity", "hflip"]) == []
    assert gallery.missing([one], ["identity", "vflip"]) == [one]


def test_the_stacks_are_the_views_answers_at_pixels_of_the_picture(fields):
    # The truth that stands in for the labels says where each pixel is.
    numbered = {
        name: replace(one, labels=np.arange(one.labels.size).reshape(one.labels.shape))
        for name, one in fields.items()
    }
    gallery = fresh(numbered)
    for name in numbered:
        gallery.look(name, VIEWS[:1])
        gallery.look(name, VIEWS)
    for name, (stack, places) in zip(numbered, gallery.stacks(list(numbered), VIEWS), strict=True):
        assert len(np.unique(places)) == len(places) == PIXELS
        image = to_tensor(numbered[name].rgb)
        wanted = predict_views(load_model(WORLD.model), image, VIEWS)
        assert stack.views == VIEWS
        logs = wanted.log_probs.flatten(2)[..., places]
        torch.testing.assert_close(stack.log_probs.float(), logs, atol=5e-3, rtol=1e-3)
        assert torch.equal(stack.seen, wanted.seen.flatten(1)[:, places])
        assert 0 < stack.seen[2].sum() < PIXELS


def test_the_labels_are_those_of_the_pixels(fields, looked):
    for name, (_, labels) in zip(fields, looked.stacks(list(fields), VIEWS), strict=True):
        share = np.bincount(fields[name].labels.ravel(), minlength=3) / fields[name].labels.size
        drawn = np.bincount(labels, minlength=3) / PIXELS
        np.testing.assert_allclose(drawn, share, atol=0.03)


def test_views_that_all_saw_everything_need_no_coverage(fields, looked):
    for stack, _ in looked.stacks(list(fields), ("identity", "hflip")):
        assert stack.seen is None


def test_the_pixels_do_not_depend_on_the_order_of_looks(fields, looked):
    other, names = fresh(fields), list(fields)[::-1]
    for view in VIEWS[::-1]:
        for name in names:
            other.look(name, [view])
    for (one, truth), (two, again) in zip(
        looked.stacks(names, VIEWS), other.stacks(names, VIEWS), strict=True
    ):
        np.testing.assert_array_equal(truth, again)
        assert torch.equal(one.log_probs, two.log_probs)


def test_a_picture_of_fewer_pixels_is_kept_whole(fields):
    name, one = next(iter(fields.items()))
    small = replace(one, rgb=one.rgb[:40, :50], labels=one.labels[:40, :50])
    gallery = fresh({name: small})
    gallery.look(name, ["identity"])
    ((stack, labels),) = gallery.stacks([name], ["identity"])
    assert stack.log_probs.shape == (1, 3, 2000)
    np.testing.assert_array_equal(np.bincount(labels), np.bincount(small.labels.ravel()))


def test_answers_are_those_of_the_pixels_that_all_views_saw(fields, looked):
    names = list(fields)
    stacks = [stack for stack, _ in looked.stacks(names, VIEWS)]
    answers = looked.answers(names, VIEWS)
    counts = [int(stack.seen.all(0).sum()) for stack in stacks]
    assert [len(labels) for labels in answers.labels] == counts
    assert 0 < answers.pixels == sum(counts) < 2 * PIXELS
    assert answers.probs[0].shape == (3, 3, counts[0])


# Comparing


def slow_scores(stacks, views, weights):
    """The scores by scikit-learn of a weighted mean over the views that saw a pixel."""
    fused, truths = [], []
    for stack, labels in stacks:
        places = [stack.views.index(view) for view in views]
        probs = stack.log_probs[places].double().exp().numpy()
        seen = stack.seen[places].numpy()
        for i, label in enumerate(labels):
            here = seen[:, i]
            mean = np.asarray(weights)[here] @ probs[here, :, i]
            fused.append(mean / mean.sum())
            truths.append(label)
    fused, labels = np.array(fused), np.argmax(fused, 1)
    jaccard = sklearn.metrics.jaccard_score(truths, labels, average=None)
    scores = {
        "miou": jaccard.mean(),
        "miou_without_background": jaccard[1:].mean(),
        "f1": sklearn.metrics.f1_score(truths, labels, average="macro"),
        "accuracy": sklearn.metrics.accuracy_score(truths, labels),
        "nll": sklearn.metrics.log_loss(truths, fused, labels=range(3)),
    }
    return scores | {f"iou_{n}": value for n, value in zip(CLASSES, jaccard, strict=True)}


def test_the_verdict_has_the_scores_of_scikit_learn_at_the_same_pixels(fields, looked):
    names, weights = list(fields), np.array([0.2, 0.7, 0.1])
    verdict = compare(looked, names, VIEWS, learned_plan(VIEWS, weights, "linear"))
    for got, views, shares in (
        (verdict.none, ("identity",), [1]),
        (verdict.mean, VIEWS, [1, 1, 1]),
        (verdict.learned, VIEWS, weights),
    ):
        wanted = slow_scores(looked.stacks(names, VIEWS), views, shares)
        assert {key: got[key] for key in wanted} == pytest.approx(wanted, abs=1e-4)
    assert verdict.pictures == 2
    for key, difference in verdict.gain.items():
        value = verdict.learned[key] - verdict.mean[key]
        assert difference.value == pytest.approx(value, abs=1e-12), key
        assert difference.low <= difference.value <= difference.high, key


def test_no_tta_is_the_original_view_even_if_it_is_not_among_the_views(fields, looked):
    names, views = list(fields), ("hflip", "shift")
    verdict = compare(looked, names, views, learned_plan(views, np.array([1.0, 0.0]), "linear"))
    alone = compare(looked, names, VIEWS, learned_plan(VIEWS, np.array([1.0, 0, 0]), "linear"))
    assert verdict.none == alone.none
    assert verdict.mean != alone.mean


@pytest.mark.parametrize("shape", [(3,), (3, 3)], ids=["view", "class"])
def test_even_weights_gain_nothing_over_the_mean(shape, fields, looked):
    plan = learned_plan(VIEWS, np.full(shape, 1 / 3), "linear")
    verdict = compare(looked, list(fields), VIEWS, plan)
    assert verdict.learned == pytest.approx(verdict.mean, abs=1e-5)
    assert verdict.gain["nll"].value == pytest.approx(0, abs=1e-6)


def test_a_plan_carries_the_pool(fields, looked):
    names, weights = list(fields), np.full(3, 1 / 3)
    linear, log = (
        compare(looked, names, VIEWS, learned_plan(VIEWS, weights, pool))
        for pool in ("linear", "log")
    )
    same = compare(looked, names, VIEWS, Plan("gmean", VIEWS, "gmean"))
    assert log.learned == pytest.approx(same.learned, abs=1e-6)
    assert log.learned["nll"] != pytest.approx(linear.learned["nll"], abs=1e-6)


# From pictures to a file


@pytest.mark.parametrize(
    ("method", "per_class", "pool"),
    [("exact", False, "linear"), ("adam", True, "log")],
    ids=["view", "class"],
)
def test_what_was_learned_goes_through_a_file_and_fuses_the_same(
    method, per_class, pool, fields, looked, tmp_path
):
    names = list(fields)
    *_, done = fit_steps(looked.answers(names, VIEWS), method, 0.2, per_class, pool)
    scores = {"test": {"miou": 0.5}}
    file = file_of("weeds", WORLD, VIEWS, done, pool, {"pictures": 2}, scores)
    file.save(tmp_path / "weights.json")
    loaded = WeightFile.load(tmp_path / "weights.json")
    assert loaded == file
    assert (loaded.world, loaded.model, loaded.digest) == (
        "weeds",
        WORLD.model,
        WORLD.record.digest,
    )
    assert (loaded.method, loaded.shrink, loaded.pool) == (method, 0.2, pool)
    assert loaded.calibration == {"pictures": 2, "pixels": done.pixels}
    assert loaded.scores["test"] == {"miou": 0.5}
    assert loaded.scores["gap"] == done.gap
    weights = loaded.select(VIEWS, WORLD.record.digest, CLASSES)
    np.testing.assert_allclose(weights, done.weights, atol=2e-6)
    again = compare(looked, names, VIEWS, Plan("file", VIEWS, "learned", weights, loaded.pool))
    fitted = compare(looked, names, VIEWS, learned_plan(VIEWS, done.weights, pool))
    assert again.learned == pytest.approx(fitted.learned, abs=1e-3)
    assert again.learned["nll"] == pytest.approx(fitted.learned["nll"], abs=1e-5)


def test_learned_weights_are_likelier_than_the_mean_on_their_own_pixels(fields, looked):
    names, views = list(fields), ("identity", "hflip")
    *_, done = fit_steps(looked.answers(names, views))
    verdict = compare(looked, names, views, learned_plan(views, done.weights, "linear"))
    assert verdict.learned["nll"] <= verdict.mean["nll"] + 1e-6
    # Both say what even and learned weights cost on these pixels; the file before shrinking.
    own = file_of("weeds", WORLD, views, done, "linear", {}, {}).scores
    found = own["nll_on_the_calibration_pixels"]
    assert found["even"] == pytest.approx(verdict.mean["nll"], abs=1e-3)
    assert found["before_shrinking"] == pytest.approx(verdict.learned["nll"], abs=1e-3)
