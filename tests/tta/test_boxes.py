import numpy as np
import pytest

from tta_demo.tta.boxes import Boxes, iou, nms_groups

GOOD = {"xyxy": [[0.0, 0, 4, 4], [1, 2, 3, 3]], "scores": [0.5, 1.0], "labels": [1, 7]}


def nms(boxes, threshold=0.5):
    return boxes.take(np.array([group[0] for group in nms_groups(boxes, threshold)]))


def random_boxes(rng, count, labels=2, size=(30, 41)):
    """Whole corners, so that overlaps and scores often tie."""
    ends = rng.integers(0, [size[1] + 1, size[0] + 1], (2, count, 2))
    xyxy = np.concatenate([ends.min(0), ends.max(0)], axis=1)
    return Boxes(xyxy, rng.integers(0, 11, count) / 10, rng.integers(1, labels + 1, count))


def painted(box):
    canvas = np.zeros((60, 60), bool)
    x1, y1, x2, y2 = box.astype(int)
    canvas[y1:y2, x1:x2] = True
    return canvas


# Boxes


def test_boxes_keep_what_they_are_given():
    boxes = Boxes(**GOOD)
    assert len(boxes) == 2
    assert boxes.xyxy.tolist() == GOOD["xyxy"]
    assert (boxes.xyxy.dtype, boxes.scores.dtype) == (np.float64, np.float64)
    assert np.issubdtype(boxes.labels.dtype, np.integer)
    np.testing.assert_array_equal(boxes.areas, [16, 2])


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"xyxy": [[0, 0, 4, 4], [1, 2, np.nan, 3]]}, "box 1 .*nan"),
        ({"xyxy": [[0, 0, np.inf, 4], [1, 2, 3, 3]]}, "box 0 .*inf"),
        ({"xyxy": [[0, 0, 4, 4], [3.5, 2, 3, 3]]}, "box 1 .*3.5"),
        ({"xyxy": [[0, 4, 4, 0], [1, 2, 3, 3]]}, "box 0"),
        ({"xyxy": [0, 0, 4, 4]}, r"\(4,\)"),
        ({"xyxy": [[0, 0, 4, 4]]}, r"\(1, 4\)"),
        ({"scores": [0.5, np.nan]}, "box 1 has nan"),
        ({"scores": [0.5, 1.01]}, "1.01"),
        ({"scores": [-0.1, 1]}, "-0.1"),
        ({"scores": [[0.5, 1]]}, r"\(1, 2\)"),
        ({"labels": [1]}, r"\(1,\)"),
        ({"labels": [1, 2.5]}, "2.5"),
    ],
    ids=str,
)
def test_boxes_that_make_no_sense_are_refused(change, named):
    with pytest.raises(ValueError, match=named):
        Boxes(**(GOOD | change))


def test_a_box_may_have_no_area():
    assert Boxes([[2, 3, 2, 9]], [0.5], [1]).areas == 0


def test_there_may_be_no_boxes():
    for none in (Boxes.empty(), Boxes([], [], []), Boxes(**GOOD).take([])):
        assert len(none) == 0
        assert none.xyxy.shape == (0, 4)
        assert len(nms(none)) == 0


@pytest.mark.parametrize("index", [np.array([1, 0, 1]), np.array([False, True])], ids=str)
def test_boxes_are_taken_in_the_order_of_the_index(index):
    boxes, taken = Boxes(**GOOD), Boxes(**GOOD).take(index)
    for name in ("xyxy", "scores", "labels"):
        np.testing.assert_array_equal(getattr(taken, name), getattr(boxes, name)[index])


# Overlap


def test_the_overlap_is_that_of_painted_pixels():
    rng = np.random.default_rng(0)
    a, b = random_boxes(rng, 20).xyxy, random_boxes(rng, 25).xyxy
    overlaps = iou(a, b)
    assert overlaps.shape == (20, 25)
    assert (overlaps > 0).sum() > 50
    for i, j in np.ndindex(overlaps.shape):
        one, other = painted(a[i]), painted(b[j])
        wanted = (one & other).sum() / max((one | other).sum(), 1)
        assert overlaps[i, j] == pytest.approx(wanted, abs=1e-12), (a[i], b[j])


def test_boxes_without_an_area_overlap_nothing():
    point, line = [3, 3, 3, 3], [0, 3, 9, 3]
    some = np.array([point, line, [0, 0, 9, 9]], float)
    np.testing.assert_array_equal(iou(some, some), np.diag([0.0, 0, 1]))


@pytest.mark.parametrize(("n", "m"), [(0, 3), (3, 0), (0, 0)])
def test_no_boxes_have_no_overlaps(n, m):
    assert iou(np.zeros((n, 4)), np.zeros((m, 4))).shape == (n, m)


# Suppression


def slow_nms(boxes, threshold):
    kept = []
    for i in sorted(range(len(boxes)), key=lambda i: (-boxes.scores[i], i)):
        near = [
            k
            for k in kept
            if boxes.labels[k] == boxes.labels[i]
            and iou(boxes.xyxy[[k]], boxes.xyxy[[i]])[0, 0] > threshold
        ]
        if not near:
            kept.append(i)
    return boxes.take(kept)


def test_suppression_keeps_what_a_slow_one_keeps():
    rng = np.random.default_rng(0)
    fewer = 0
    for _ in range(200):
        boxes, threshold = random_boxes(rng, rng.integers(0, 25)), rng.integers(1, 6) / 10
        wanted, kept = slow_nms(boxes, threshold), nms(boxes, threshold)
        for name in ("xyxy", "scores", "labels"):
            np.testing.assert_array_equal(getattr(kept, name), getattr(wanted, name))
        fewer += len(kept) < len(boxes)
    assert fewer > 100


def test_every_box_is_in_one_group_with_one_that_is_as_good():
    boxes = random_boxes(np.random.default_rng(1), 200)
    groups = nms_groups(boxes, 0.3)
    assert sorted(np.concatenate(groups)) == list(range(200))
    for best, *others in groups:
        assert (boxes.scores[others] <= boxes.scores[best]).all()
        assert (boxes.labels[others] == boxes.labels[best]).all()
        assert (iou(boxes.xyxy[[best]], boxes.xyxy[others]) > 0.3).all()


def test_equal_boxes_of_different_labels_both_stay():
    assert len(nms(Boxes([[0, 0, 4, 4]] * 3, [0.5, 0.5, 0.5], [1, -2, 1]))) == 2


def test_what_is_kept_once_is_kept_again():
    once = nms(random_boxes(np.random.default_rng(2), 100))
    np.testing.assert_array_equal(nms(once).xyxy, once.xyxy)
