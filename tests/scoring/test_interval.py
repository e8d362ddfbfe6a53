import numpy as np
import pytest

from tta_demo.scoring.interval import LEAST, Difference, bootstrap, pseudo_values
from tta_demo.scoring.metrics import mean_iou

GAINS = np.array([0.3, -0.1, 0.25, 0.7, 0.05, 0.4, 0.1, -0.2, 0.9])


def mean_gain(counts):
    return [counts @ GAINS / counts.sum()]


def slow_interval(gains, draws, seed):
    """The bootstrap-t of a mean, draw by draw."""
    count, off = len(gains), []
    rng = np.random.default_rng(seed)
    for _ in range(draws):
        drawn = np.repeat(gains, rng.multinomial(count, np.full(count, 1 / count)))
        off.append((drawn.mean() - gains.mean()) / (drawn.std() / np.sqrt(count - 1)))
    tail = 2.5 - 5 / count
    error = gains.std(ddof=1) / np.sqrt(count)
    return gains.mean() - error * np.percentile(off, (100 - tail, tail))


def test_the_interval_of_a_mean_is_the_textbooks():
    (found,) = bootstrap(mean_gain, 9, draws=500, seed=3)
    wanted = (GAINS.mean(), *slow_interval(GAINS, 500, 3))
    assert tuple(found) == pytest.approx(wanted)


def test_each_picture_adds_its_own_value_to_a_mean_and_less_the_rest_to_a_ratio():
    np.testing.assert_allclose(pseudo_values(mean_gain, 9)[:, 0], GAINS)
    rng = np.random.default_rng(0)
    above, below = rng.uniform(1, 2, (2, 500))
    values = pseudo_values(lambda counts: [counts @ above / (counts @ below)], 500)[:, 0]
    ratio = above.sum() / below.sum()
    np.testing.assert_allclose(values, ratio + (above - ratio * below) / below.mean(), atol=0.01)


# Whether an interval that is called 95 % is one


def overlap_gains(rng, pictures):
    """Confusions `(2, P, 2, 2)` of two ways of looking, whose difference varies by picture."""
    share = rng.beta(4, 8, pictures)
    missed, strayed = rng.beta(2, 12, (2, pictures))
    better = 1 - rng.normal(0.06, 0.1, (2, pictures))
    tables = [
        [[(1 - share) * (1 - s), (1 - share) * s], [share * m, share * (1 - m)]]
        for m, s in ((missed, strayed), (missed * better[0], strayed * better[1]))
    ]
    return np.moveaxis(np.array(tables), -1, 1)


def overlap(tables):
    def difference(counts):
        before, after = (mean_iou(np.tensordot(counts, one, 1)) for one in tables)
        return [after - before]

    return difference


MANY = overlap_gains(np.random.default_rng(99), 200_000)
OVERLAP = overlap(MANY)(np.ones(200_000))[0]


def drawn_means(draw):
    return lambda rng, pictures: mean_of(draw(rng, pictures))


def mean_of(gains):
    return lambda counts: [counts @ gains / counts.sum()]


SIMULATED = {
    "even-tempered": (drawn_means(lambda rng, n: rng.normal(0.3, 1, n)), 0.3),
    "skewed": (drawn_means(lambda rng, n: rng.lognormal(0, 0.5, n)), np.exp(0.125)),
    "overlap": (lambda rng, n: overlap(overlap_gains(rng, n)), OVERLAP),
}


@pytest.mark.parametrize("pictures", [8, 12, 30])
@pytest.mark.parametrize(("draw", "truth"), SIMULATED.values(), ids=SIMULATED.keys())
def test_95_percent_intervals_cover_the_truth_so_often(draw, truth, pictures):
    rng, covered, sets = np.random.default_rng(pictures), 0, 800
    for seed in range(sets):
        (found,) = bootstrap(draw(rng, pictures), pictures, draws=400, seed=seed)
        covered += found.low <= truth <= found.high
    luck = 0.01  # of so many sets; of 3,000, the nine cases covered .935 to .955
    assert 0.93 - luck <= covered / sets <= 0.97 + luck


def test_several_scores_are_compared_on_the_same_draws():
    one, other = bootstrap(lambda counts: [*mean_gain(counts), -2 * mean_gain(counts)[0]], 9)
    assert tuple(other) == pytest.approx((-2 * one.value, -2 * one.high, -2 * one.low))


def test_the_seed_decides_the_draws():
    first, again, later = (bootstrap(mean_gain, 9, draws=30, seed=seed) for seed in (0, 0, 1))
    assert first == again
    assert first[0].value == later[0].value
    assert first != later


@pytest.mark.parametrize("pictures", [1, 2, LEAST - 1])
def test_few_pictures_have_a_difference_but_no_interval(pictures):
    (found,) = bootstrap(lambda counts: [0.25 * counts.sum() / pictures], pictures)
    assert found.value == 0.25
    assert np.isnan([found.low, found.high]).all()
    assert not found.known
    assert not found.clear


def test_a_score_that_hangs_on_one_picture_has_no_interval():
    def differences(counts):
        return [*mean_gain(counts), 0.0 if counts[0] else np.nan]

    first, second = bootstrap(differences, 9)
    assert first.known
    assert second.value == 0
    assert not second.known


def test_no_interval_goes_beyond_what_single_pictures_gain():
    gains = np.array([0, 0, 0, 0, 0, 0, 0.01, 0.9])
    (found,) = bootstrap(mean_of(gains), 8)
    assert 0 <= found.low < found.value < found.high <= 0.9 + 1e-9


def test_the_same_gain_on_all_pictures_is_sure():
    (found,) = bootstrap(lambda counts: [0.5], 8)
    assert tuple(found) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize(
    ("low", "high", "clear"),
    [(0.1, 0.3, True), (-0.3, -0.1, True), (-0.1, 0.3, False), (0, 0.3, False), (-0.3, 0, False)],
)
def test_a_difference_is_clear_if_its_interval_leaves_out_0(low, high, clear):
    assert Difference((low + high) / 2, low, high).clear is clear


def test_a_difference_is_rounded_by_name():
    rounded = Difference(0.12345678, -0.000004, 1 / 3).rounded(4)
    assert rounded == {"value": 0.1235, "low": 0, "high": 0.3333}
