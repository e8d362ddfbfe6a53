import numpy as np
import pytest

from tta_demo.insight.box_changes import box_changes, partners
from tta_demo.tta.boxes import Boxes, iou


def some_boxes(rng, count):
    corner = rng.uniform(0, 40, (count, 2))
    xyxy = np.concatenate([corner, corner + rng.uniform(4, 14, (count, 2))], axis=1)
    return Boxes(xyxy, rng.random(count), rng.integers(1, 3, count))


def slow_partners(found, others, overlap):
    """One box after the other, the surest first."""
    free, places = set(range(len(others))), [-1] * len(found)
    for i in sorted(range(len(found)), key=lambda i: -found.scores[i]):
        able = [
            (float(iou(found.xyxy[i : i + 1], others.xyxy[j : j + 1])[0, 0]), -j)
            for j in free
            if found.labels[i] == others.labels[j]
        ]
        able = [pair for pair in able if pair[0] >= overlap]
        if able:
            places[i] = -max(able)[1]
            free.remove(places[i])
    return places


@pytest.mark.parametrize("seed", range(5))
def test_partners_are_those_that_a_slow_search_finds(seed):
    rng = np.random.default_rng(seed)
    found, others = some_boxes(rng, 30), some_boxes(rng, 25)
    places = partners(found, others, 0.2).tolist()
    assert places == slow_partners(found, others, 0.2)
    assert len(set(places) - {-1}) == sum(place >= 0 for place in places) > 3


@pytest.mark.parametrize("known", [True, False])
def test_the_same_boxes_gain_and_lose_nothing(known):
    rng = np.random.default_rng(0)
    boxes = some_boxes(rng, 12)
    gained, lost = box_changes(boxes, boxes, some_boxes(rng, 12) if known else None)
    assert not len(gained)
    assert not len(lost)


@pytest.mark.parametrize("known", [True, False])
def test_the_way_back_loses_what_was_gained(known):
    rng = np.random.default_rng(1)
    truth = some_boxes(rng, 20)
    one, two = truth.take(np.arange(12)), truth.take(np.arange(8, 18))
    there, back = (
        box_changes(*pair, truth if known else None) for pair in ((one, two), (two, one))
    )
    assert len(there.gained) == len(back.lost) == 6
    assert len(there.lost) == len(back.gained) == 8


def test_no_boxes_at_all():
    none = Boxes.empty()
    assert partners(none, none).tolist() == []
    assert [part.tolist() for part in box_changes(none, none, none)] == [[], []]
