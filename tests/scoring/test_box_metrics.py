from contextlib import redirect_stdout
from dataclasses import astuple
from io import StringIO

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tta_demo.scoring.box_metrics import LIMIT, Matches, average_precision
from tta_demo.scoring.interval import bootstrap
from tta_demo.tta.boxes import Boxes

CLASSES = (1, 2, 5)


def truth_in(rng, count):
    corner = rng.integers(0, 80, (count, 2))
    xyxy = np.hstack([corner, corner + rng.integers(5, 30, (count, 2))])
    return Boxes(xyxy, np.ones(count), rng.choice(CLASSES, count))


def found_for(rng, truth, made_up=3):
    """Some of the true boxes moved a little, some twice, some made up; scores that tie."""
    places = rng.integers(0, len(truth), rng.integers(0, 2 * len(truth) + 1)) if len(truth) else []
    some, more = truth.take(places), truth_in(rng, rng.integers(0, made_up + 1))
    xyxy = np.vstack([some.xyxy, more.xyxy])
    xyxy = xyxy + rng.integers(-2, 3, xyxy.shape)
    labels = np.concatenate([some.labels, more.labels])
    return Boxes(xyxy, rng.integers(0, 21, len(xyxy)) / 20, labels)


def coco_boxes(pictures):
    """Yields one record a box, as COCO writes it."""
    for number, boxes in enumerate(pictures, 1):
        for (x1, y1, x2, y2), score, label in zip(
            boxes.xyxy.tolist(), boxes.scores.tolist(), boxes.labels.tolist(), strict=True
        ):
            yield {
                "image_id": number,
                "category_id": label,
                "bbox": [x1, y1, x2 - x1, y2 - y1],
                "area": (x2 - x1) * (y2 - y1),
                "score": score,
                "iscrowd": 0,
            }


def reference(found, truth, classes=CLASSES):
    """What pycocotools gives: AP, AP50, AR100."""
    with redirect_stdout(StringIO()):
        coco = COCO()
        coco.dataset = {
            "info": {},
            "images": [{"id": number} for number in range(1, len(truth) + 1)],
            "categories": [{"id": label} for label in classes],
            "annotations": [{"id": i, **one} for i, one in enumerate(coco_boxes(truth), 1)],
        }
        coco.createIndex()
        run = COCOeval(coco, coco.loadRes(list(coco_boxes(found))), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return run.stats[[0, 1, 8]]


def same(found, truth, classes=CLASSES):
    scores = average_precision(found, truth, classes)
    values = [scores.ap, scores.ap50, scores.recall]
    np.testing.assert_allclose(values, reference(found, truth, classes), atol=1e-6)
    return scores


def test_the_scores_equal_those_of_coco():
    rng = np.random.default_rng(0)
    seen = set()
    for _ in range(60):
        truth = [truth_in(rng, rng.integers(0, 8)) for _ in range(rng.integers(1, 8))]
        truth.append(truth_in(rng, 1))
        found = [found_for(rng, one) for one in truth]
        if not any(map(len, found)):
            continue
        seen.add(round(same(found, truth).ap, 6))
    assert len(seen) > 50


def test_only_the_best_hundred_boxes_of_a_class_count():
    rng = np.random.default_rng(1)
    truth = [truth_in(rng, 150), truth_in(rng, 20)]
    found = [found_for(rng, one, made_up=400) for one in truth]
    labels = [one.labels == 1 for one in found]
    assert max(map(np.sum, labels)) > LIMIT == 100
    same(found, truth)


def test_a_class_without_a_true_box_leaves_the_means():
    truth = [Boxes([[0, 0, 10, 10]], [1], [1])]
    found = [Boxes([[0, 0, 10, 10], [0, 0, 10, 10]], [0.9, 0.8], [1, 2])]
    assert same(found, truth).ap == 1


def test_labels_that_are_not_asked_for_do_not_count():
    truth = [Boxes([[0, 0, 10, 10], [20, 0, 30, 10]], [1, 1], [1, 7])]
    found = [Boxes([[0, 0, 10, 10], [0, 0, 10, 10]], [0.8, 0.9], [1, 7])]
    assert average_precision(found, truth, [1]).ap == 1


def test_nothing_found_scores_0():
    truth = [Boxes([[0, 0, 10, 10]], [1], [1])]
    scores = average_precision([Boxes.empty()], truth, [1])
    assert (scores.ap, scores.ap50, scores.recall) == (0, 0, 0)


def test_nothing_to_find_has_no_score():
    scores = average_precision([Boxes([[0, 0, 1, 1]], [1], [1])], [Boxes.empty()], [1])
    assert np.isnan([scores.ap, scores.ap50, scores.recall]).all()


def test_boxes_without_an_area_are_never_right():
    truth = [Boxes([[0, 0, 10, 10], [3, 3, 3, 3]], [1, 1], [1, 1])]
    scores = same([Boxes([[0, 0, 10, 10], [3, 3, 3, 3]], [0.5, 0.9], [1, 1])], truth)
    assert scores.recall == 0.5


def test_a_picture_too_few_is_refused():
    with pytest.raises(ValueError, match="1 pictures, truth of 2"):
        average_precision([Boxes.empty()], [Boxes.empty()] * 2, [1])


# Pictures that count several times


def pictures_with_boxes(seed, pictures=12):
    """What was found in some pictures, no two scores alike, and the truth."""
    rng = np.random.default_rng(seed)
    truth = [truth_in(rng, rng.integers(2, 7)) for _ in range(pictures)]
    found = [found_for(rng, one) for one in truth]
    return [Boxes(one.xyxy, rng.random(len(one)), one.labels) for one in found], truth


@pytest.mark.parametrize("seed", [0, 1])
def test_counting_pictures_equals_repeating_them(seed):
    found, truth = pictures_with_boxes(seed)
    matches = Matches(found, truth, CLASSES)
    rng = np.random.default_rng(seed)
    seen = set()
    for counts in (np.ones(12, int), *rng.multinomial(12, np.full(12, 1 / 12), 8)):
        drawn = np.repeat(np.arange(12), counts)
        wanted = average_precision([found[i] for i in drawn], [truth[i] for i in drawn], CLASSES)
        assert astuple(matches.scores(counts)) == pytest.approx(astuple(wanted), abs=1e-12)
        seen.add(round(wanted.ap, 6))
    assert len(seen) > 5


def test_a_class_that_no_drawn_picture_has_leaves_the_mean():
    first, second = Boxes([[0, 0, 9, 9]], [1], [1]), Boxes([[0, 0, 9, 9]], [1], [2])
    matches = Matches([first, Boxes.empty()], [first, second], CLASSES)
    assert astuple(matches.scores(np.array([1, 0]))) == (1, 1, 1)
    assert astuple(matches.scores(np.array([1, 1]))) == (0.5, 0.5, 0.5)
    nothing = Matches([first], [Boxes.empty()], CLASSES).scores(np.array([1]))
    assert np.isnan(astuple(nothing)).all()


def test_no_picture_has_no_score():
    assert np.isnan(astuple(Matches([], [], CLASSES).scores(np.zeros(0)))).all()


def difference(better, worse, pictures):
    """By how much one AP exceeds another, and its interval over pictures."""
    (gained,) = bootstrap(
        lambda counts: [better.scores(counts).ap - worse.scores(counts).ap], pictures
    )
    return gained


def test_the_interval_holds_the_difference():
    found, truth = pictures_with_boxes(3)
    better, worse = Matches(truth, truth, CLASSES), Matches(found, truth, CLASSES)
    gained = difference(better, worse, 12)
    assert gained.value == pytest.approx(1 - average_precision(found, truth, CLASSES).ap)
    assert 0 < gained.low < gained.value < gained.high < 1
    assert difference(worse, worse, 12) == (0, 0, 0)


def test_matches_of_a_picture_too_few_are_refused():
    with pytest.raises(ValueError, match="2 pictures, truth of 1"):
        Matches([Boxes.empty()] * 2, [Boxes.empty()], [1])
