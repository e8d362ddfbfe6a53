import json

import numpy as np
import pytest

from tta_demo.scoring.box_metrics import average_precision
from tta_demo.tta.box_fusion import fuse_boxes
from tta_demo.tta.boxes import Boxes
from tta_demo.ui.stage import StageBoxes, pack_boxes


def scene(height=300, width=1100, truth=True):
    """Two looks at two objects, of which the first look sees one."""
    right = Boxes([[10, 10, 110, 60], [400, 20, 500, 220]], [1, 1], [1, 2])
    one = Boxes([[12, 10, 112, 60], [700, 5, 720, 25]], [0.9, 0.2], [1, 1])
    two = Boxes([[8, 10, 108, 60], [402, 20, 502, 220]], [0.7, 0.8], [1, 2])
    looks = {"identity": one, "hflip": two}
    return StageBoxes(
        rgb=np.zeros((height, width, 3), np.uint8),
        looks=looks,
        one_look=one,
        fused=[fuse_boxes([one]), fuse_boxes([one, two])],
        names=("soil", "a", "b"),
        thing="plant",
        threshold=0.3,
        shares=True,
        truth=right if truth else None,
    )


def test_boxes_are_sent_at_the_size_of_the_picture_sent():
    given = scene()
    about = json.loads(pack_boxes(given)["about"])
    assert (about["width"], about["height"]) == (512, 140)
    for sent, boxes in zip(about["looks"], given.looks.values(), strict=True):
        rows = np.array(sent["boxes"])
        assert np.abs(rows[:, :4] - boxes.xyxy * 512 / 1100).max() < 1e-3
        assert rows[:, 4].tolist() == boxes.labels.tolist()


def test_what_was_gained_is_counted_among_the_boxes_shown():
    given = scene()
    about = json.loads(pack_boxes(given)["about"])
    first, last = about["steps"]
    assert (first["gained"], first["lost"], first["found"], len(first["boxes"])) == ([], [], 1, 1)
    assert (last["lost"], last["found"]) == ([], 2)
    (place,) = last["gained"]
    assert last["boxes"][place][4] == 2
    assert last["members"][place] == [[1, 1]]


def test_the_line_is_the_mean_average_precision():
    given = scene()
    about = json.loads(pack_boxes(given)["about"])
    boxes = given.fused[-1].boxes
    score = average_precision([boxes], [given.truth], (1, 2)).ap
    assert about["line"][-1] == pytest.approx(100 * score, abs=0.06)
    assert about["before"] == about["line"][0] == about["own"][0]
    assert "AP" in about["unit"]


def test_without_a_truth_boxes_are_counted():
    about = json.loads(pack_boxes(scene(truth=False))["about"])
    assert (about["line"], about["unit"], about["truth"]) == ([1, 2], "boxes", None)
    assert len(about["steps"][-1]["gained"]) == 1


def test_a_truth_without_objects_gives_no_score_that_is_no_number():
    given = scene()
    empty = StageBoxes(**{**vars(given), "truth": Boxes.empty()})
    value = pack_boxes(empty)
    assert "NaN" not in value["about"]
    assert json.loads(value["about"])["unit"] == "boxes"


def test_one_fused_answer_for_each_look():
    given = scene()
    with pytest.raises(ValueError, match="2 looks and 1 fused"):
        pack_boxes(StageBoxes(**{**vars(given), "fused": given.fused[:1]}))
