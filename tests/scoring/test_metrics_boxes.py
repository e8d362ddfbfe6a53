from contextlib import redirect_stdout
from io import StringIO

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from tta_demo.scoring.box_metrics import average_precision
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
    assert max(map(np.sum, labels)) > 100
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
