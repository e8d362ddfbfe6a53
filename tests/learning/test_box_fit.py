import numpy as np
import pytest

from tta_demo.learning.box_fit import fit_boxes
from tta_demo.scoring.box_metrics import average_precision
from tta_demo.tta.box_fusion import fuse_boxes
from tta_demo.tta.boxes import Boxes

CLASSES = (1, 2)


def truth_in(rng, count):
    corner = rng.uniform(0, 80, (count, 2))
    xyxy = np.hstack([corner, corner + rng.uniform(8, 25, (count, 2))])
    return Boxes(xyxy, np.ones(count), rng.integers(1, 3, count))


def seen(rng, truth, blur):
    """What a view finds: most of the true boxes, moved by its blur, and some that are not."""
    some = truth.take(rng.random(len(truth)) < 0.85)
    more = truth_in(rng, rng.integers(0, 3))
    xyxy = np.vstack([some.xyxy, more.xyxy])
    xyxy = xyxy + rng.normal(0, blur, xyxy.shape)
    xyxy[:, 2:] = np.maximum(xyxy[:, 2:], xyxy[:, :2])
    scores = np.concatenate([rng.uniform(0.3, 1, len(some)), rng.uniform(0, 0.7, len(more))])
    return Boxes(xyxy, scores, np.concatenate([some.labels, more.labels]))


def world(seed, blurs, pictures=8):
    """What views of different blur find in some pictures, and the truth."""
    rng = np.random.default_rng(seed)
    truth = [truth_in(rng, rng.integers(2, 7)) for _ in range(pictures)]
    return [
        {f"v{i}": seen(rng, one, blur) for i, blur in enumerate(blurs)} for one in truth
    ], truth


def score(found, weights, truth):
    fused = [fuse_boxes(list(one.values()), "wbf", weights).boxes for one in found]
    return average_precision(fused, truth, CLASSES).ap


@pytest.fixture(scope="module")
def fitted():
    found, truth = world(0, (0.5, 4, 1, 3))
    return found, truth, fit_boxes(found, truth, CLASSES)


def test_the_score_starts_even_only_rises_and_is_that_of_the_weights(fitted):
    found, truth, fit = fitted
    assert fit.history[0] == score(found, None, truth)
    assert (np.diff(fit.history) > 0).all()
    assert len(fit.history) > 2
    assert score(found, fit.weights, truth) == fit.history[-1]
    assert fit.weights.sum() == pytest.approx(1)
    assert (fit.weights >= 0).all()
    assert fit.pictures == len(truth)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_weights_are_never_worse_than_even_on_their_own_pictures(seed):
    found, truth = world(seed, (1, 1, 1), pictures=3)
    fit = fit_boxes(found, truth, CLASSES, passes=1)
    assert score(found, fit.weights, truth) >= score(found, None, truth)


@pytest.mark.parametrize("order", [(3, 2, 1, 0), (1, 3, 0, 2)])
def test_permuting_the_views_permutes_the_weights(fitted, order):
    found, truth, fit = fitted
    other = fit_boxes([{f"v{i}": one[f"v{i}"] for i in order} for one in found], truth, CLASSES)
    np.testing.assert_allclose(other.weights, fit.weights[list(order)])
    np.testing.assert_allclose(other.history, fit.history)


def test_a_view_that_sees_clearly_counts_more_than_blurred_ones(fitted):
    *_, fit = fitted
    assert fit.weights.argmax() == 0
    assert fit.weights[0] > 2 * fit.weights[[1, 3]].max()


def test_where_no_step_helps_the_weights_stay_even():
    truth = [truth_in(np.random.default_rng(0), 3)]
    fit = fit_boxes([{"a": truth[0], "b": truth[0], "c": truth[0]}], truth, CLASSES)
    assert fit.history == (1,)
    np.testing.assert_allclose(fit.weights, 1 / 3)


def test_what_cannot_be_learned_on_is_refused():
    one = Boxes([[0, 0, 9, 9]], [0.5], [1])
    with pytest.raises(ValueError, match="0 pictures, truth of 0"):
        fit_boxes([], [], CLASSES)
    with pytest.raises(ValueError, match="2 pictures, truth of 1"):
        fit_boxes([{"a": one}] * 2, [one], CLASSES)
    with pytest.raises(ValueError, match=r"picture 1 has views .*'b'"):
        fit_boxes([{"a": one}, {"b": one}], [one] * 2, CLASSES)
    with pytest.raises(ValueError, match="without a true box"):
        fit_boxes([{"a": one}], [Boxes.empty()], CLASSES)
