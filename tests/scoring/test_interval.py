from itertools import product

import numpy as np
import pytest

from tta_demo.scoring.interval import Difference, bootstrap

GAINS = np.array([0.3, -0.1, 0.25, 0.7])


def mean_gain(counts):
    return [counts @ GAINS / counts.sum()]


def test_the_interval_is_that_of_every_draw_of_pictures_with_replacement():
    (found,) = bootstrap(mean_gain, 4, draws=20_000)
    every = [GAINS[list(places)].mean() for places in product(range(4), repeat=4)]
    low, high = np.percentile(every, (2.5, 97.5), method="inverted_cdf")
    assert found.value == pytest.approx(GAINS.mean())
    assert (found.low, found.high) == pytest.approx((low, high))


def test_every_resample_has_as_many_pictures_as_there_are_and_the_first_has_each_once():
    asked = []
    bootstrap(lambda counts: asked.append(counts) or [0.0], 7, draws=50)
    assert len(asked) == 51
    np.testing.assert_array_equal(asked[0], np.ones(7))
    assert {counts.sum() for counts in asked} == {7}
    assert all(counts.min() >= 0 for counts in asked)
    assert len({tuple(counts) for counts in asked}) > 40


def test_several_scores_are_compared_on_the_same_draws():
    one, other = bootstrap(lambda counts: [*mean_gain(counts), -2 * mean_gain(counts)[0]], 4)
    assert tuple(other) == pytest.approx((-2 * one.value, -2 * one.high, -2 * one.low))


def test_the_seed_decides_the_draws():
    first, again, later = (bootstrap(mean_gain, 4, draws=30, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first[0].value == later[0].value
    assert first != later


def test_a_single_picture_has_a_difference_but_no_interval():
    (found,) = bootstrap(lambda counts: [0.25], 1)
    assert found.value == 0.25
    assert np.isnan([found.low, found.high]).all()
    assert not found.clear


def test_draws_without_a_score_do_not_count():
    def differences(counts):
        return [mean_gain(counts)[0] if counts[0] else np.nan]

    (found,) = bootstrap(differences, 4)
    assert np.isfinite(tuple(found)).all()
    assert found.low <= found.value <= found.high


@pytest.mark.parametrize(
    ("low", "high", "clear"),
    [(0.1, 0.3, True), (-0.3, -0.1, True), (-0.1, 0.3, False), (0, 0.3, False), (-0.3, 0, False)],
)
def test_a_difference_is_clear_if_its_interval_leaves_out_0(low, high, clear):
    assert Difference((low + high) / 2, low, high).clear is clear


def test_a_difference_is_rounded_by_name():
    rounded = Difference(0.12345678, -0.000004, 1 / 3).rounded(4)
    assert rounded == {"value": 0.1235, "low": 0, "high": 0.3333}
