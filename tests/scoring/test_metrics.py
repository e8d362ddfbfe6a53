import numpy as np
import pytest
import sklearn.metrics

from tta_demo.scoring.metrics import (
    accuracy,
    calibration_error,
    confusion,
    f1,
    iou,
    mean_iou,
    reliability,
)

seeds = pytest.mark.parametrize("seed", range(3))


def random_labels(seed, classes=4, shape=(9, 14)):
    """Truth and a prediction that is right half of the time; every class is in both."""
    rng = np.random.default_rng(seed)
    truth, other = rng.integers(0, classes, (2, *shape), np.uint8)
    return truth, np.where(rng.random(shape) < 0.5, truth, other)


@seeds
def test_the_scores_are_those_of_scikit_learn(seed):
    truth, labels = random_labels(seed)
    matrix = confusion(truth, labels, 4)
    flat = truth.ravel(), labels.ravel()
    np.testing.assert_array_equal(matrix, sklearn.metrics.confusion_matrix(*flat))
    np.testing.assert_allclose(f1(matrix), sklearn.metrics.f1_score(*flat, average=None))
    jaccard = sklearn.metrics.jaccard_score(*flat, average=None)
    np.testing.assert_allclose(iou(matrix), jaccard)
    assert mean_iou(matrix) == pytest.approx(jaccard.mean())
    assert mean_iou(matrix, background=False) == pytest.approx(jaccard[1:].mean())


@seeds
def test_tables_add_up_over_pictures(seed):
    truth, labels = random_labels(seed)
    parts = confusion(truth[:4], labels[:4], 4) + confusion(truth[4:], labels[4:], 4)
    np.testing.assert_array_equal(parts, confusion(truth, labels, 4))


def test_many_classes_fit_into_8_bit_labels():
    truth, labels = random_labels(0, classes=200, shape=(100, 100))
    wanted = sklearn.metrics.confusion_matrix(truth.ravel(), labels.ravel(), labels=range(200))
    np.testing.assert_array_equal(confusion(truth, labels, 200), wanted)


@seeds
def test_a_class_that_is_nowhere_has_no_score_and_leaves_the_mean(seed):
    truth, labels = random_labels(seed, classes=3)
    truth, labels = (np.array([0, 1, 3], np.uint8)[a] for a in (truth, labels))
    matrix = confusion(truth, labels, 5)
    jaccard = sklearn.metrics.jaccard_score(truth.ravel(), labels.ravel(), average=None)
    np.testing.assert_allclose(iou(matrix)[[0, 1, 3]], jaccard)
    for scores in (iou(matrix), f1(matrix)):
        assert np.isnan(scores[[2, 4]]).all(), scores
    assert mean_iou(matrix) == pytest.approx(jaccard.mean())
    assert mean_iou(matrix, background=False) == pytest.approx(jaccard[1:].mean())


def test_a_class_that_the_prediction_misses_scores_0_and_stays_in_the_mean():
    matrix = confusion(np.array([0, 0, 1]), np.array([0, 0, 0]), 2)
    np.testing.assert_allclose(iou(matrix), [2 / 3, 0])
    np.testing.assert_allclose(f1(matrix), [4 / 5, 0])
    assert mean_iou(matrix) == pytest.approx(1 / 3)


def test_a_stray_class_costs_only_the_class_whose_pixels_it_took():
    truth = np.repeat([0, 2], [90, 10])
    clean, stray = truth.copy(), truth.copy()
    stray[0] = 1  # one pixel of a class that the truth lacks
    scores = [mean_iou(confusion(truth, labels, 3)) for labels in (clean, stray)]
    assert scores == pytest.approx([1, (89 / 90 + 1) / 2])
    assert np.isnan(f1(confusion(truth, stray, 3))).tolist() == [False, True, False]


def test_nothing_but_background_has_no_mean_without_it():
    matrix = confusion(np.zeros((3, 4), np.uint8), np.zeros((3, 4), np.uint8), 3)
    assert mean_iou(matrix) == 1
    assert np.isnan(mean_iou(matrix, background=False))


@pytest.mark.parametrize("shape", [(4, 3), (12,), (3, 5), (1, 3, 4)])
def test_sizes_that_differ_are_refused(shape):
    with pytest.raises(ValueError, match=r"\(3, 4\)"):
        confusion(np.zeros((3, 4), np.uint8), np.zeros(shape, np.uint8), 2)


def slow_calibration_error(confidence, right, bins):
    error = 0.0
    for i in range(bins):
        low, high = i / bins, (i + 1) / bins
        members = [
            (c, r)
            for c, r in zip(confidence, right, strict=True)
            if low <= c < high or (c == high == 1)
        ]
        if members:
            gap = np.mean([c for c, _ in members]) - np.mean([r for _, r in members])
            error += len(members) / len(confidence) * abs(gap)
    return error


@pytest.mark.parametrize("bins", [1, 8, 15])
@seeds
def test_the_calibration_error_equals_a_slow_loop(seed, bins):
    rng = np.random.default_rng(seed)
    confidence = rng.random((11, 13))
    confidence[0] = 1
    right = rng.random((11, 13)) < confidence**2
    wanted = slow_calibration_error(confidence.ravel(), right.ravel(), bins)
    assert calibration_error(reliability(confidence, right, bins)) == pytest.approx(wanted)


def test_a_calibrated_answer_has_no_error_and_a_sure_wrong_one_has_all():
    confidence = np.array([0.75, 0.75, 0.75, 0.75])
    fair = reliability(confidence, np.array([True, True, True, False]))
    assert calibration_error(fair) == 0
    assert calibration_error(reliability(np.ones(4), np.zeros(4, bool))) == 1


@seeds
def test_reliability_tables_add_up_and_lose_no_pixel(seed):
    rng = np.random.default_rng(seed)
    confidence, right = rng.random((8, 9)).astype(np.float32), rng.random((8, 9)) < 0.5
    table = reliability(confidence, right)
    np.testing.assert_allclose(table.sum(0), [72, confidence.sum(), right.sum()], rtol=1e-6)
    parts = reliability(confidence[:3], right[:3]) + reliability(confidence[3:], right[3:])
    np.testing.assert_allclose(parts, table)


@pytest.mark.parametrize("classes", [2, 4, 9])
@seeds
def test_the_accuracy_is_that_of_scikit_learn(seed, classes):
    truth, labels = random_labels(seed, classes)
    wanted = sklearn.metrics.accuracy_score(truth.ravel(), labels.ravel())
    assert accuracy(confusion(truth, labels, classes)) == pytest.approx(wanted)


def test_classes_that_are_nowhere_do_not_change_the_accuracy():
    truth, labels = random_labels(0, classes=3)
    assert accuracy(confusion(truth, labels, 9)) == accuracy(confusion(truth, labels, 3))
