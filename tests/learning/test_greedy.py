import itertools
from itertools import islice

import numpy as np
import pytest

from tta_demo.learning.greedy import forward, policies
from tta_demo.learning.solver import ascend, log_likelihood


def slow_value(truth, chosen):
    return np.mean([np.log(np.mean([truth[v, i] for v in chosen])) for i in range(truth.shape[1])])


def truth_of(views=5, pixels=40, seed=0):
    return np.random.default_rng(seed).beta(2, 1, (views, pixels)).clip(1e-3)


@pytest.mark.parametrize("repeat", [False, True])
def test_each_step_is_the_best_of_all_by_a_plain_loop(repeat):
    truth, chosen = truth_of(), []
    for step in islice(forward(truth, repeat), 5):
        left = [v for v in range(5) if repeat or v not in chosen]
        values = {v: slow_value(truth, [*chosen, v]) for v in left}
        assert step.value == pytest.approx(max(values.values()))
        assert values[step.view] == pytest.approx(step.value)
        chosen.append(step.view)


def test_without_repetition_every_view_comes_once():
    assert sorted(step.view for step in forward(truth_of(7))) == list(range(7))


def test_the_policy_is_close_to_the_best_of_all_small_ones():
    truth = truth_of(3, 60, seed=3)
    *_, (weights, _) = policies(truth)
    small = itertools.chain.from_iterable(
        itertools.combinations_with_replacement(range(3), k) for k in range(1, 7)
    )
    best = max(slow_value(truth, policy) for policy in small)
    *_, (_, exact) = ascend(truth)
    assert best - 2e-3 <= log_likelihood(truth, weights) <= exact + 1e-9


def test_weights_are_counts_of_ever_better_policies_and_reach_their_value():
    truth, before = truth_of(4, 100, seed=1), -np.inf
    for weights, value in policies(truth):
        assert weights.sum() == pytest.approx(1)
        assert any(np.allclose(weights * k, np.rint(weights * k)) for k in range(1, 9))
        assert log_likelihood(truth, weights) == pytest.approx(value)
        assert value > before
        before = value


def test_a_view_that_is_noise_is_never_chosen():
    truth = truth_of(4, 300)
    truth[2] = np.random.default_rng(9).uniform(0.001, 0.4, 300)
    assert [*policies(truth)][-1][0][2] == 0
    assert [step.view for step in forward(truth)][-1] == 2


@pytest.mark.parametrize("truth", [np.zeros((2, 3)), np.ones((2, 0)), np.ones(3), [[np.nan]]])
def test_what_is_no_probability_is_refused(truth):
    with pytest.raises(ValueError, match="probabilities > 0"):
        next(forward(np.array(truth)))
