import numpy as np
import pytest
import sklearn.metrics
import torch

from tta_demo.samples.labelled import LabelledPicture
from tta_demo.scoring.score import Score, evaluate, gain, run
from tta_demo.tta.fusion import POOLS, Weights, fuse
from tta_demo.tta.plan import ONE_LOOK, Plan
from tta_demo.tta.predict import ViewStack, predict_views, to_tensor

NAMES = ("a", "b", "c")


def answered(seed, pictures=3, pixels=40, skill=1.0):
    """Probabilities `(C, n)` and truth `(n,)` a picture; the truth does not depend on skill."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(pictures):
        truth = rng.integers(0, 3, pixels)
        logits = rng.normal(0, 1, (3, pixels)) + skill * rng.random() * np.eye(3)[:, truth]
        made.append((np.exp(logits) / np.exp(logits).sum(0), truth))
    return made


def score_of(answers):
    score = Score()
    for probs, truth in answers:
        score.add(probs, truth)
    return score


def slow_scores(answers):
    """The mean IoU and the NLL of all pixels of some pictures together, by scikit-learn."""
    probs, truth = (np.concatenate(parts, -1) for parts in zip(*answers, strict=True))
    return {
        "miou": sklearn.metrics.jaccard_score(truth, probs.argmax(0), average="macro"),
        "nll": sklearn.metrics.log_loss(truth, probs.T, labels=range(3)),
    }


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("shape", [(2,), (2, 3)], ids=["view", "class"])
def test_a_plan_fuses_with_its_weights_and_pool(shape, pool):
    stack = ViewStack(("a", "b"), torch.randn(2, 3, 4, 5).log_softmax(1))
    weights = Weights(torch.rand(shape).softmax(0), pool)
    wanted = fuse(stack, "learned", weights)
    plan = Plan(("a", "b"), "learned", weights)
    np.testing.assert_array_equal(plan.fuse(stack), wanted)


def test_the_row_has_the_scores_of_scikit_learn_over_all_pixels():
    answers = answered(0)
    row = score_of(answers).row(NAMES)
    probs, truth = (np.concatenate(parts, -1) for parts in zip(*answers, strict=True))
    labels = probs.argmax(0)
    assert row["accuracy"] == pytest.approx(sklearn.metrics.accuracy_score(truth, labels))
    assert row["f1"] == pytest.approx(sklearn.metrics.f1_score(truth, labels, average="macro"))
    dice = sklearn.metrics.f1_score(truth > 0, labels > 0)
    assert row["foreground_dice"] == pytest.approx(dice)
    assert {key: row[key] for key in ("miou", "nll")} == pytest.approx(slow_scores(answers))


def test_counting_a_picture_twice_is_having_it_twice():
    answers = answered(1)
    counted = score_of(answers).row(NAMES, np.array([2, 0, 3]))
    repeated = score_of([answers[i] for i in (0, 0, 2, 2, 2)]).row(NAMES)
    del counted["ms"], repeated["ms"]
    assert counted == pytest.approx(repeated)


# Looking and fusing


class Counting:
    """A model that counts its forward passes."""

    def __init__(self, model):
        self.model, self.passes = model, 0

    def __call__(self, images):
        self.passes += 1
        return self.model(images)


def labelled(seed, height=9, width=14):
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 256, (height, width, 3), np.uint8)
    return LabelledPicture(f"{seed}", rgb, rng.integers(0, 3, (height, width), np.uint8))


PLANS = {
    "none": ONE_LOOK,
    "mean": Plan(("hflip", "identity", "shift")),
    "learned": Plan(("rot90", "hflip"), "learned", Weights([0.25, 0.75])),
}


def test_every_plan_is_fused_and_every_view_runs_once_whatever_plans_share_it(toy_model):
    model, rgb = Counting(toy_model), labelled(0).rgb
    found = dict(run(model, rgb, PLANS))
    assert model.passes == 4
    assert list(found) == list(PLANS)
    for name, plan in PLANS.items():
        probs, seconds = found[name]
        wanted = plan.fuse(predict_views(toy_model, to_tensor(rgb), plan.views))
        np.testing.assert_allclose(probs, wanted, atol=1e-6, err_msg=name)
        assert seconds > 0


def test_evaluating_scores_each_plan_on_all_pictures(toy_model):
    pictures = [labelled(0), labelled(1, 12, 7)]
    scores = evaluate(toy_model, iter(pictures), PLANS)
    assert list(scores) == list(PLANS)
    for name, plan in PLANS.items():
        answers = [
            (
                plan.fuse(predict_views(toy_model, to_tensor(one.rgb), plan.views))
                .reshape(3, -1)
                .numpy(),
                one.labels.ravel(),
            )
            for one in pictures
        ]
        row = scores[name].row(NAMES)
        assert {key: row[key] for key in ("miou", "nll")} == pytest.approx(slow_scores(answers))


# How much better, and how sure


@pytest.mark.parametrize("seed", range(2))
def test_the_difference_is_that_of_a_slow_reference_and_the_interval_is_about_it(seed):
    better, worse = answered(seed, 9, skill=3), answered(seed, 9)
    one, other = slow_scores(better), slow_scores(worse)
    for key, difference in gain(score_of(better), score_of(worse), NAMES).items():
        assert difference.value == pytest.approx(one[key] - other[key], abs=1e-6)
        assert difference.low < difference.value < difference.high, key


def test_a_score_gains_nothing_over_itself():
    score = score_of(answered(0, 8))
    keys = ("miou", "accuracy", "nll", "ece", "f1")
    for key, difference in gain(score, score, NAMES, keys).items():
        assert tuple(difference) == (0, 0, 0), key
        assert not difference.clear


def test_a_constant_improvement_is_clear():
    plain = [(p * 0.5, truth) for p, truth in answered(0, 8)]
    better = [(p * 0.6, truth) for p, truth in answered(0, 8)]  # the same labels, more likely
    found = gain(score_of(better), score_of(plain), NAMES)
    assert tuple(found["nll"]) == pytest.approx((-np.log(1.2),) * 3)
    assert found["nll"].clear
    assert tuple(found["miou"]) == (0, 0, 0)


def test_a_gain_on_some_pictures_and_a_loss_on_others_is_not_clear():
    answers = answered(0, 8)
    mixed = [(p * (1.2 if i % 2 else 1 / 1.2), t) for i, (p, t) in enumerate(answers)]
    difference = gain(score_of(mixed), score_of(answers), NAMES)["nll"]
    assert difference.low < 0 < difference.high
    assert not difference.clear


def test_what_one_gains_the_other_loses():
    one, other = score_of(answered(0, 8, skill=3)), score_of(answered(0, 8))
    there, back = (gain(*pair, NAMES, draws=300) for pair in ((one, other), (other, one)))
    for key in there:
        value, low, high = there[key]
        assert tuple(back[key]) == pytest.approx((-value, -high, -low), rel=1e-6)
        assert back[key].clear == there[key].clear


def test_more_pixels_of_the_same_pictures_make_it_no_surer():
    one, other = answered(0, 8, skill=2), answered(0, 8)
    few = gain(score_of(one), score_of(other), NAMES, draws=300)
    one, other = (
        [(np.tile(p, 20), np.tile(truth, 20)) for p, truth in answers] for answers in (one, other)
    )
    many = gain(score_of(one), score_of(other), NAMES, draws=300)
    for key in few:
        assert tuple(many[key]) == pytest.approx(tuple(few[key])), key


def test_the_seed_decides_the_draws():
    one, other = score_of(answered(0, 9, skill=2)), score_of(answered(0, 9))
    first, again, later = (gain(one, other, NAMES, seed=seed, draws=50) for seed in (0, 0, 1))
    assert first == again
    assert first["miou"].value == later["miou"].value
    assert first != later


@pytest.mark.parametrize("counts", [(3, 2), (2, 3), (1, 0)], ids=str)
def test_scores_of_different_numbers_of_pictures_are_refused(counts):
    one, other = (score_of(answered(0, count)) for count in counts)
    with pytest.raises(ValueError, match=f"{counts[0]} and {counts[1]} pictures"):
        gain(one, other, NAMES)


def test_a_stray_pixel_of_an_absent_class_is_no_gain_of_33_points():
    """One look strays by one pixel into a class that no truth has; the fused answer does not."""
    truth = np.repeat([0, 2], [300, 100])
    right = np.eye(3)[truth].T
    strayed = right.copy()
    strayed[:, 0] = (0, 1, 0)
    fused, one = score_of([(right, truth)] * 3), score_of([(strayed, truth)] * 3)
    keys = ("miou", "miou_without_background", "f1")
    found = gain(fused, one, NAMES, keys, draws=50)
    assert found["miou"].value == pytest.approx((1 - 299 / 300) / 2)
    assert found["miou_without_background"].value == 0
    assert 0 < found["f1"].value < 0.001


def test_pictures_of_nothing_but_background_have_no_gain_without_it():
    truth = np.zeros(20, int)
    score = score_of([(np.eye(3)[truth].T, truth)] * 2)
    found = gain(score, score, NAMES, ("miou_without_background",), draws=5)
    assert np.isnan(list(found["miou_without_background"])).all()
