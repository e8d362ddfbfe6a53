from functools import cache

import numpy as np
import pytest

from tta_demo.learning.solver import ascend, certificate, log_likelihood, log_prior

PLANTED = np.array([0.5, 0.3, 0.2, 0.0])


def planted_truth(weights=PLANTED, pixels=2000, classes=3, seed=0):
    """True-class answers `(V, N)` of independent views; labels follow their weighted mean."""
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.full(classes, 0.5), (len(weights), pixels)).clip(1e-6)
    probs /= probs.sum(2, keepdims=True)
    mix = np.tensordot(weights, probs, 1)
    labels = (rng.random((pixels, 1)) > mix.cumsum(1)).sum(1).clip(max=classes - 1)
    return probs[:, np.arange(pixels), labels]


def slow_log_likelihood(truth, weights):
    return np.log(np.asarray(weights) @ truth).mean()


def sure_and_rarely_wrong():
    """Three views that are nearly always right; on a few pixels, each by its own rate, lost."""
    rng = np.random.default_rng(1)
    return np.where(rng.random((3, 1000)) < 0.1 * rng.random((3, 1)), 1e-7, 1.0)


DATA = {
    "planted": planted_truth(pixels=500),
    "even": planted_truth(np.full(5, 0.2), 400, seed=1),
    "one good view": np.stack([np.full(50, 0.9), np.linspace(0.1, 0.8, 50), np.full(50, 0.5)]),
    "random": np.random.default_rng(2).uniform(0.01, 1, (4, 300)),
    "nearly equal": 0.5 + 0.01 * np.random.default_rng(3).random((6, 200)),
    "sure and often wrong": np.where(
        np.random.default_rng(4).random((4, 300)) < 0.7, 1 - 1e-7, 1e-7
    ),
    "sure and rarely wrong": sure_and_rarely_wrong(),
    # Here full Newton steps overshoot.
    "mostly lost": (np.random.default_rng(14).random((3, 10)) ** 20).clip(1e-7),
    "one pixel": np.array([[0.3], [0.6], [0.5]]),
    "one view": np.array([[0.3, 0.8]]),
}
each = pytest.mark.parametrize("truth", DATA.values(), ids=DATA.keys())


def solve(truth, **options):
    """Returns the last weights and the log-likelihoods on the way."""
    steps = list(ascend(truth, **options))
    return steps[-1][0], [value for _, value in steps]


@cache
def expectation_maximisation(name, steps=20_000):
    truth = DATA[name]
    weights = np.full(len(truth), 1 / len(truth))
    for _ in range(steps):
        weights = weights * (truth / (weights @ truth)).mean(1)
    return weights


def test_planted_weights_are_recovered():
    truth = planted_truth(pixels=200_000).astype(np.float32)
    weights, _ = solve(truth)
    np.testing.assert_allclose(weights, PLANTED, atol=0.02)
    assert certificate(truth, weights) <= 1e-6


@each
def test_the_weights_are_on_the_simplex_at_every_step_and_the_gap_is_closed(truth):
    for weights, _ in ascend(truth):
        assert (weights >= 0).all(), weights
        assert weights.sum() == pytest.approx(1, abs=1e-12)
    assert certificate(truth, weights) <= 1e-6, weights


@each
def test_the_likelihood_never_falls_from_that_of_even_weights_on(truth):
    steps = list(ascend(truth))
    np.testing.assert_array_equal(steps[0][0], np.full(len(truth), 1 / len(truth)))
    for weights, value in steps:
        assert value == pytest.approx(slow_log_likelihood(truth, weights))
    assert (np.diff([value for _, value in steps]) >= 0).all(), steps


@pytest.mark.parametrize("name", DATA)
def test_the_likelihood_equals_that_of_expectation_maximisation(name):
    _, history = solve(DATA[name])
    best = slow_log_likelihood(DATA[name], expectation_maximisation(name))
    assert history[-1] == pytest.approx(best, abs=1e-5)


@pytest.mark.parametrize("name", ["planted", "even", "random"])
def test_the_weights_equal_expectation_maximisation_where_views_differ(name):
    weights, _ = solve(DATA[name])
    np.testing.assert_allclose(weights, expectation_maximisation(name), atol=0.01)


@pytest.mark.parametrize("seed", range(4))
def test_two_views_agree_with_trying_every_weight(seed):
    truth = planted_truth(np.array([0.7, 0.3]), 300, seed=seed)
    grid = np.linspace(0, 1, 2001)
    values = np.log(np.outer(grid, truth[0]) + np.outer(1 - grid, truth[1])).mean(1)
    weights, history = solve(truth)
    assert weights[0] == pytest.approx(grid[values.argmax()], abs=1e-3)
    assert history[-1] >= values.max() - 1e-9


@pytest.mark.parametrize("name", ["planted", "random", "sure and rarely wrong"])
def test_no_weights_drawn_at_random_are_better(name):
    _, history = solve(DATA[name])
    rng = np.random.default_rng(5)
    for weights in rng.dirichlet(np.full(len(DATA[name]), 0.5), 500):
        assert slow_log_likelihood(DATA[name], weights) <= history[-1] + 1e-6, weights


def test_permuting_views_permutes_weights():
    truth, order = DATA["planted"], [2, 0, 3, 1]
    np.testing.assert_allclose(solve(truth[order])[0], solve(truth)[0][order], atol=1e-3)


def test_copies_of_a_view_share_its_weight():
    truth = DATA["planted"]
    (alone, history), (copied, again) = solve(truth), solve(truth[[0, 1, 2, 3, 0, 0]])
    shared = copied[:4].copy()
    shared[0] += copied[4:].sum()
    np.testing.assert_allclose(shared, alone, atol=1e-3)
    assert again[-1] == pytest.approx(history[-1], abs=1e-6)


def test_the_order_and_repetition_of_pixels_do_not_matter():
    truth = DATA["planted"]
    np.testing.assert_allclose(solve(np.tile(truth[:, ::-1], 3))[0], solve(truth)[0], atol=1e-4)


@pytest.mark.parametrize("steps", [0, 1, 2, 3])
@pytest.mark.parametrize("name", ["planted", "random", "sure and often wrong"])
def test_a_limit_of_steps_is_kept_and_the_gap_still_bounds_the_distance_to_the_best(name, steps):
    truth = DATA[name]
    best = slow_log_likelihood(truth, expectation_maximisation(name))
    weights, history = solve(truth, steps=steps)
    assert len(history) <= steps + 1
    assert best - history[-1] <= certificate(truth, weights) + 1e-12


def test_a_loose_tolerance_stops_earlier_and_is_kept():
    truth = DATA["random"]
    loose, few = solve(truth, tolerance=1e-2)
    _, many = solve(truth)
    assert certificate(truth, loose) <= 1e-2
    assert len(few) < len(many)


@pytest.mark.parametrize("name", DATA)
def test_the_certificate_of_any_weights_bounds_the_distance_to_the_best(name):
    truth = DATA[name]
    best = slow_log_likelihood(truth, expectation_maximisation(name))
    rng = np.random.default_rng(6)
    for weights in rng.dirichlet(np.ones(len(truth)), 50):
        distance = best - slow_log_likelihood(truth, weights)
        assert distance <= certificate(truth, weights) + 1e-12, weights


def test_the_certificate_is_the_steepest_climb_towards_one_view():
    truth, weights, step = DATA["planted"], np.array([0.1, 0.2, 0.3, 0.4]), 1e-6
    here = slow_log_likelihood(truth, weights)
    climbs = [
        (slow_log_likelihood(truth, (1 - step) * weights + step * view) - here) / step
        for view in np.eye(4)
    ]
    assert certificate(truth, weights) == pytest.approx(max(climbs), rel=1e-3)


@each
def test_the_log_likelihood_equals_a_loop_over_pixels(truth):
    weights = np.random.default_rng(7).dirichlet(np.ones(len(truth)))
    wanted = np.mean([np.log(sum(weights * pixel)) for pixel in truth.T])
    assert log_likelihood(truth, weights) == pytest.approx(wanted)


def test_many_pixels_are_all_counted_wherever_they_stand():
    right, pixels = 270_000, 340_000
    truth = np.full((2, pixels), 0.9, np.float32)
    truth[1, :right] = truth[0, right:] = 0.1
    wanted = (right / pixels - 0.1) / 0.8  # where the mean of p_v / p_mix is 1 for both views
    for data in (truth, truth[:, ::-1]):
        weights, history = solve(data)
        assert weights[0] == pytest.approx(wanted, abs=1e-4)
        assert history[-1] == pytest.approx(slow_log_likelihood(data.astype(float), weights))
        assert certificate(data, weights) <= 1e-6


@pytest.mark.parametrize(
    "truth",
    [
        np.ones(5),
        np.ones((2, 3, 4)),
        np.ones((3, 0)),
        np.ones((0, 3)),
        np.array([[0.5, 0.0], [0.5, 0.5]]),
        np.array([[0.5, -0.1], [0.5, 0.5]]),
        np.array([[0.5, np.nan], [0.5, 0.5]]),
        np.array([[0.5, np.inf], [0.5, 0.5]]),
    ],
    ids=["vector", "cube", "no-pixel", "no-view", "zero", "negative", "nan", "inf"],
)
def test_what_is_no_table_of_positive_probabilities_is_refused(truth):
    with pytest.raises(ValueError, match="truth"):
        solve(truth)


# With a prior

PRIORS = (1e-4, 0.1, 1, 10)
priors = pytest.mark.parametrize("prior", PRIORS)


def slow_objective(truth, weights, prior):
    return slow_log_likelihood(truth, weights) + prior * np.mean(np.log(weights))


@cache
def expectation_maximisation_with_a_prior(name, prior, steps=20_000):
    truth = DATA[name]
    weights = np.full(len(truth), 1 / len(truth))
    for _ in range(steps):
        shares = weights * (truth / (weights @ truth)).mean(1)
        weights = (shares + prior / len(truth)) / (1 + prior)
    return weights


@priors
@pytest.mark.parametrize("name", DATA)
def test_with_a_prior_the_objective_is_that_of_expectation_maximisation(name, prior):
    truth = DATA[name]
    values = [slow_objective(truth, weights, prior) for weights, _ in ascend(truth, prior)]
    best = slow_objective(truth, expectation_maximisation_with_a_prior(name, prior), prior)
    assert values[-1] == pytest.approx(best, abs=1e-5 * (1 + prior))
    assert (np.diff(values) >= -1e-12 * (1 + prior)).all(), values


@priors
@pytest.mark.parametrize("name", DATA)
def test_the_certificate_covers_the_prior_too(name, prior):
    truth = DATA[name]
    *_, (found, _) = ascend(truth, prior)
    assert certificate(truth, found, prior) <= 1e-6
    best = slow_objective(truth, found, prior)
    rng = np.random.default_rng(8)
    for weights in rng.dirichlet(np.ones(len(truth)), 50):
        distance = best - slow_objective(truth, weights, prior)
        assert -1e-6 <= distance <= certificate(truth, weights, prior) + 1e-12, weights


@priors
@pytest.mark.parametrize("seed", range(2))
def test_two_views_with_a_prior_agree_with_trying_every_weight(seed, prior):
    truth = planted_truth(np.array([0.9, 0.1]), 300, seed=seed)
    grid = np.linspace(0, 1, 5001)[1:-1]
    values = np.log(np.outer(grid, truth[0]) + np.outer(1 - grid, truth[1])).mean(1)
    values += prior * (np.log(grid) + np.log(1 - grid)) / 2
    *_, (weights, _) = ascend(truth, prior)
    assert weights[0] == pytest.approx(grid[values.argmax()], abs=1e-3)


@each
def test_the_likelihood_goes_from_the_best_to_that_of_even_weights_as_the_prior_grows(truth):
    even = np.full(len(truth), 1 / len(truth))
    found = [list(ascend(truth, prior))[-1] for prior in (0, *PRIORS, np.inf)]
    values = [value for _, value in found]
    assert (np.diff(values) <= 1e-6).all(), values
    np.testing.assert_array_equal(found[-1][0], even)
    assert certificate(truth, even, np.inf) == 0
    assert values[-1] == pytest.approx(slow_log_likelihood(truth, even))


def test_a_huge_prior_is_as_good_as_an_infinite_one_and_a_tiny_one_as_none():
    truth = DATA["planted"]
    ends = [list(ascend(truth, prior))[-1][0] for prior in (0, 1e-9, 1e9, np.inf)]
    np.testing.assert_allclose(ends[0], ends[1], atol=1e-3)
    np.testing.assert_allclose(ends[2], ends[3], atol=1e-6)


@priors
def test_a_prior_does_not_care_for_the_order_of_views(prior):
    truth, order = DATA["random"], [2, 0, 3, 1]
    (*_, (one, _)), (*_, (other, _)) = ascend(truth, prior), ascend(truth[order], prior)
    np.testing.assert_allclose(other, one[order], atol=1e-3)


def test_where_the_ascent_starts_does_not_matter():
    truth, start = DATA["random"], np.array([0.7, 0.1, 0.1, 0.1])
    np.testing.assert_array_equal(next(ascend(truth, 0.1, start))[0], start)
    (*_, (one, _)), (*_, (other, _)) = ascend(truth, 0.1), ascend(truth, 0.1, start)
    np.testing.assert_allclose(one, other, atol=1e-3)


def test_weights_of_0_are_infinitely_far_from_the_best_with_a_prior():
    truth, weights = DATA["random"], np.array([1.0, 0, 0, 0])
    assert certificate(truth, weights, 0.1) == np.inf
    assert certificate(truth, weights, np.inf) == np.inf
    assert log_prior(weights, 0) == 0


@pytest.mark.parametrize("prior", [-1, float("nan")])
def test_a_prior_below_0_is_refused(prior):
    with pytest.raises(ValueError, match="prior"):
        next(ascend(DATA["random"], prior))
