"""Greedy policy search against plain loops, and the calibrated likelihood that it judges by."""

import itertools
from itertools import islice

import numpy as np
import pytest
from planted import answers_of, last
from scipy.optimize import minimize_scalar

from tta_demo.learning import greedy
from tta_demo.learning.answers import Answers
from tta_demo.learning.greedy import forward, policies
from tta_demo.learning.temperature import COLDEST, HOTTEST, calibrated


def looks(noises=(2, 2, 3, 4), pixels=60, classes=3, seed=0):
    """Answers of views that see the truth through so much noise, in three pictures."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, pixels)
    logits = 2 * np.eye(classes)[:, truth] + [
        noise * rng.standard_normal((classes, pixels)) for noise in noises
    ]
    return answers_of(np.exp(logits - np.logaddexp.reduce(logits, 1, keepdims=True)), truth, 3)


def joined(answers):
    probs, labels = (np.concatenate(part, -1) for part in (answers.probs, answers.labels))
    return probs.astype(float), labels


def slow_value(answers, chosen):
    """The likelihood of the even mean at the best of very many temperatures."""
    probs, labels = joined(answers)
    mean = np.log(np.mean([probs[v] for v in chosen], axis=0))

    def loss(temperature):
        total = [np.log(sum(np.exp(column / temperature))) for column in mean.T]
        return -np.mean(
            [c[y] / temperature - t for c, y, t in zip(mean.T, labels, total, strict=True)]
        )

    bounds = (COLDEST, HOTTEST)
    return -minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-9}).fun


@pytest.mark.parametrize("repeat", [False, True])
def test_each_step_is_the_best_of_all_by_a_plain_loop(repeat):
    answers, chosen = looks(), []
    for step in islice(forward(answers, repeat), 4):
        left = [v for v in range(4) if repeat or v not in chosen]
        values = {v: slow_value(answers, [*chosen, v]) for v in left}
        assert step.value == pytest.approx(max(values.values()), abs=1e-6)
        assert values[step.view] == pytest.approx(step.value, abs=1e-6)
        chosen.append(step.view)


def test_without_repetition_every_view_comes_once():
    assert sorted(step.view for step in forward(looks([2] * 7))) == list(range(7))


def test_the_policy_is_close_to_the_best_of_all_small_ones():
    answers = looks((2, 3, 3), seed=3)
    *_, weights = policies(answers)
    small = itertools.chain.from_iterable(
        itertools.combinations_with_replacement(range(3), k) for k in range(1, 5)
    )
    best = max(slow_value(answers, policy) for policy in small)
    counts = [v for v, n in enumerate(np.rint(weights * 60).astype(int)) for _ in range(n)]
    assert slow_value(answers, counts) >= best - 2e-3


def test_policies_are_counts_and_ever_better():
    answers, before = looks(seed=1), -np.inf
    for weights in policies(answers):
        assert weights.sum() == pytest.approx(1)
        count = next(k for k in range(1, 9) if np.allclose(weights * k, np.rint(weights * k)))
        chosen = np.repeat(range(4), np.rint(weights * count).astype(int))
        value = slow_value(answers, chosen)
        assert value > before
        before = value


def test_a_view_that_is_noise_is_never_chosen():
    answers = looks((1, 2, 40, 2), 300)
    assert [*policies(answers)][-1][2] == 0
    assert [step.view for step in forward(answers)][-1] == 2


def test_what_only_makes_answers_more_certain_is_not_what_is_chosen():
    answers = looks((2.0, 2.2), 3000)
    probs, labels = joined(answers)
    probs[0] = probs[0] ** 2 / (probs[0] ** 2).sum(0)  # the better one, boasting
    plain = [np.log(p[labels, np.arange(len(labels))]).mean() for p in probs]
    assert plain[0] < plain[1]
    assert next(forward(answers_of(probs, labels))).view == 0


def test_pictures_of_many_pixels_are_thinned_alike(monkeypatch):
    answers = looks((2, 4, 8), 3000)
    whole = [step.view for step in forward(answers)]
    monkeypatch.setattr(greedy, "NUMBERS", 900)
    assert [step.view for step in forward(answers)] == whole


def test_the_method_tells_the_likelihood_of_the_answers_as_they_are():
    answers = looks()
    fit = last(answers, "greedy")
    probs, labels = joined(answers)
    fused = np.tensordot(fit.weights, probs, 1)[labels, np.arange(len(labels))]
    assert fit.history[-1] == pytest.approx(np.log(fused).mean())
    np.testing.assert_allclose(fit.weights, [*policies(answers)][-1])


def test_the_true_class_alone_is_refused():
    alone = Answers((np.full((2, 1, 3), 0.5, np.float32),), (np.zeros(3, int),))
    with pytest.raises(ValueError, match="needs all classes"):
        next(forward(alone))


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.5])
@pytest.mark.parametrize("start", [0.2, 1.0, 5.0])
def test_the_temperature_that_answers_were_given_is_found(temperature, start):
    rng = np.random.default_rng(0)
    probs = rng.dirichlet(np.full(4, 0.6), 20_000).clip(1e-6)
    probs /= probs.sum(1, keepdims=True)
    labels = (rng.random((len(probs), 1)) > probs.cumsum(1)).sum(1).clip(max=3)
    value, found = calibrated(np.log(probs.T) / temperature, labels, start)
    # dividing by T again by 1 / T gives back what the labels were drawn from
    assert found == pytest.approx(1 / temperature, rel=0.03)
    assert value >= np.log(probs[np.arange(len(labels)), labels]).mean() - 1e-7


@pytest.mark.parametrize(("right", "bound"), [(True, COLDEST), (False, HOTTEST)])
def test_a_temperature_stays_within_its_bounds(right, bound):
    logs = np.log([[0.9] * 8, [0.1] * 8])
    value, found = calibrated(logs, np.full(8, 0 if right else 1))
    assert found == pytest.approx(bound, rel=0.01)
    assert np.isfinite(value)
