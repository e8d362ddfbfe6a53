import json
from itertools import islice

import numpy as np
import pytest
import sklearn.metrics
from own_models import Counting, own_record

from tta_demo.pictures.reading import Picture
from tta_demo.tasks.full_size import segment_tiles
from tta_demo.tasks.result import plan_of
from tta_demo.tasks.segment import segment
from tta_demo.tta.plan import Plan
from tta_demo.tta.views import VIEW_SETS

D4 = VIEW_SETS["d4"]
SIZE = (40, 1300)


@pytest.fixture
def counting(toy_model):
    return Counting(toy_model)


@pytest.fixture
def record(tmp_path, counting):
    return own_record(tmp_path, "segment", counting)


@pytest.fixture
def picture():
    return Picture.of(np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8))


def test_tiles_mark_what_the_whole_picture_would(record, picture):
    truth = np.random.default_rng(1).integers(0, 3, SIZE, np.uint8)
    plan, done = Plan(D4), []

    def track(tiles):
        assert len(tiles) == 2
        for tile in tiles:
            done.append(tile.size)
            yield tile

    result, whole = (
        segment_tiles(record, picture, plan, truth, track),
        segment(record, picture, plan),
    )
    assert len(done) == len(result.tiles) == 2
    np.testing.assert_array_equal(result.one_look, whole.one_look)
    # within half precision, to which both round
    assert (result.labels == whole.labels).mean() > 0.999
    assert result.changed > 0

    report = json.loads(json.dumps(result.report(world="mine")))
    assert plan_of(report).views == D4
    assert report["picture"]["working_size"] == [*SIZE]
    assert report["tiles"] == {"count": 2, "size": [*done[0]]}
    for key, labels in (("one_look", result.one_look), ("fused", result.labels)):
        wanted = sklearn.metrics.jaccard_score(truth.ravel(), labels.ravel(), average="macro")
        assert report["scores"][key]["miou"] == pytest.approx(wanted)


def test_a_picture_within_one_tile_is_looked_at_as_a_whole(record, picture):
    small = Picture.of(picture.rgb[:, :99])
    result = segment_tiles(record, small, Plan(("hflip", "rot90")))
    np.testing.assert_array_equal(
        result.labels, segment(record, small, Plan(("hflip", "rot90"))).labels
    )
    assert len(result.tiles) == 1


def test_tiles_that_are_left_out_are_no_answer(record, picture):
    with pytest.raises(ValueError, match="only 1 of 2 tiles"):
        segment_tiles(record, picture, track=lambda tiles: islice(tiles, 1))


def test_what_cannot_be_looked_at_costs_no_pass(record, counting, picture):
    for plan in (Plan(("tilt+10",)), Plan(("nonsense",)), Plan(("identity", "hflip"), "none")):
        with pytest.raises(ValueError):  # noqa: PT011 (three kinds)
            segment_tiles(record, picture, plan)
    assert counting.calls == 0
