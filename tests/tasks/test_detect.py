import json
from dataclasses import asdict

import numpy as np
import pytest
import torch
from own_models import Counting, own_record

from tta_demo.models.registry import MODELS
from tta_demo.pictures.reading import Picture
from tta_demo.samples import weeds
from tta_demo.scoring.box_metrics import average_precision
from tta_demo.tasks.detect import detect
from tta_demo.tta.box_fusion import FUSERS, fuse_boxes
from tta_demo.tta.box_views import predict_boxes
from tta_demo.tta.boxes import Boxes
from tta_demo.tta.fusion import Weights
from tta_demo.tta.plan import ONE_LOOK, Plan
from tta_demo.tta.predict import to_tensor
from tta_demo.tta.views import VIEW_SETS, VIEWS

D4 = VIEW_SETS["d4"]
TILTS = [name for name, view in VIEWS.items() if view.tilt]
DETECTOR = MODELS["weed-detector"]


def blots(images):
    """A box of class 1 around what is red and one of class 2 around what is green.

    It sees worse on the right: what it finds there it trusts less, and it cuts off a pixel.
    """
    image, (found, scores, labels) = images[0], ([], [], [])
    for label in (1, 2):
        rows, columns = (image[label - 1] > 0.6).nonzero().T.tolist()
        if rows:
            right = max(columns) > image.shape[-1] / 2
            found.append([min(columns), min(rows) + right, max(columns) + 1, max(rows) + 1])
            scores.append(0.5 if right else 0.9)
            labels.append(label)
    return [Boxes(np.array(found).reshape(-1, 4), scores, np.array(labels, int))]


TRUTH = Boxes([[3, 8, 20, 21], [30, 25, 48, 38]], [1, 1], [1, 2])


@pytest.fixture
def counting():
    return Counting(blots)


@pytest.fixture
def record(tmp_path, counting):
    return own_record(tmp_path, "detect", counting)


@pytest.fixture
def picture():
    rgb = np.full((40, 52, 3), 60, np.uint8)
    for label, (x1, y1, x2, y2) in enumerate(TRUTH.xyxy.astype(int)):
        rgb[y1:y2, x1:x2, label] = 220
    return Picture.of(rgb, "It was drawn.")


def same(boxes, wanted):
    for name in ("xyxy", "scores", "labels"):
        np.testing.assert_array_equal(getattr(boxes, name), getattr(wanted, name), name)


@pytest.mark.parametrize("fusion", [name for name in FUSERS if name != "none"])
@pytest.mark.parametrize("weights", [None, [1, 0, 0], [0.5, 0.25, 0.25]], ids=str)
def test_the_boxes_are_the_fused_ones_of_the_plans_views(record, picture, fusion, weights):
    views = ("rot90", "hflip", "shift")  # not the original
    plan = Plan(views, fusion, None if weights is None else Weights(weights))
    result = detect(record, picture, plan)
    looks = predict_boxes(blots, to_tensor(picture.rgb), (*views, "identity"))
    fused = fuse_boxes([looks[name].boxes for name in views], fusion, weights)
    same(result.boxes, fused.boxes)
    assert result.fused.members == fused.members
    assert {view for group in result.fused.members for view, _ in group} == {0, 1, 2}
    assert list(result.looks) == [*views, "identity"]
    for name, look in result.looks.items():
        same(look.boxes, looks[name].boxes)
        same(look.frame, looks[name].frame)
    same(result.one_look, looks["identity"].boxes)


def test_no_tta_is_the_original_view_alone_the_best_box_first(record, counting, picture):
    result = detect(record, picture)
    assert result.plan is ONE_LOOK
    assert (counting.calls, counting.shown) == (1, 1)
    same(result.boxes, result.one_look)
    assert result.boxes.scores.tolist() == [0.9, 0.5]
    assert result.fused.members == (((0, 0),), ((0, 1),))


def test_the_model_is_shown_each_missing_view_once_and_none_again(record, counting, picture):
    detect(record, picture, Plan(D4, "wbf"))
    assert counting.calls == 8
    for fusion in ("nms", "wbf-max"):
        detect(record, Picture.of(picture.rgb.copy()), Plan(D4[::-1], fusion))
    detect(record, picture, Plan(D4, "wbf", Weights(np.full(8, 1 / 8))), TRUTH)
    detect(record, picture, ONE_LOOK)
    assert counting.calls == 8
    detect(record, picture, Plan((*D4, "noise"), "wbf"))
    assert counting.calls == 9


def test_progress_is_shown_of_the_views_that_need_a_pass(record, picture):
    shown = []

    def track(views):
        for view in views:
            shown.append(view.name)
            yield view

    detect(record, picture, Plan(("hflip",), "wbf"), track=track)
    detect(record, picture, Plan(("hflip", "vflip", "identity"), "wbf"), track=track)
    assert shown == ["hflip", "identity", "vflip"]


# Report and scores


def test_the_report_names_every_box_and_is_ready_for_json(record, picture):
    result = detect(record, picture, Plan(D4, "wbf"))
    report = json.loads(json.dumps(result.report()))
    assert report["model"] == {"name": "own", "digest": record.digest}
    assert report["picture"] == {"size": [40, 52], "working_size": [40, 52]}
    assert (report["views"], report["fusion"], report["weights"]) == ([*D4], "wbf", None)
    assert report["notes"] == ["It was drawn."]
    assert "scores" not in report
    assert len(report["boxes"]) == len(result.boxes) == 2
    for told, label, score, corners in zip(
        report["boxes"], result.boxes.labels, result.boxes.scores, result.boxes.xyxy, strict=True
    ):
        assert told["class"] == f"class {label}"
        assert told["score"] == pytest.approx(score, abs=5e-5)
        assert told["xyxy"] == pytest.approx(corners, abs=5e-3)


def test_nothing_found_is_reported_as_no_box(record):
    dark = Picture.of(np.zeros((40, 52, 3), np.uint8))
    result = detect(record, dark, Plan(D4, "wbf"), TRUTH)
    assert result.report()["boxes"] == []
    assert result.report()["scores"]["fused"] == {"ap": 0, "ap50": 0, "recall": 0}


@pytest.mark.parametrize("fusion", ["nms", "wbf", "wbf-max"])
def test_with_truth_one_look_and_all_looks_are_scored_as_coco_does(record, picture, fusion):
    result = detect(record, picture, Plan(D4, fusion), TRUTH)
    wanted = [average_precision([one], [TRUTH], (1, 2)) for one in (result.one_look, result.boxes)]
    assert result.scores == tuple(wanted)
    one, fused = wanted
    assert one.ap < 1, "this picture tests nothing"
    assert one != fused
    scores = result.report()["scores"]
    assert scores == {"one_look": asdict(one), "fused": asdict(fused)}


def test_without_truth_there_is_no_score(record, picture):
    assert detect(record, picture, Plan(D4, "wbf")).scores is None


def test_a_class_that_was_not_found_counts_in_the_scores(tmp_path, picture):
    truth = Boxes(TRUTH.xyxy, TRUTH.scores, [1, 2])
    whole = own_record(tmp_path, "detect", lambda _: [truth])
    assert detect(whole, picture, truth=truth).scores[1].ap == 1
    missed = own_record(tmp_path, "detect", lambda _: [truth.take([0])])
    assert detect(missed, picture, truth=truth).scores[1].ap == 0.5


# What is refused, and when


@pytest.mark.parametrize("name", TILTS)
def test_tilts_are_refused_before_any_forward_pass(record, counting, picture, name):
    with pytest.raises(ValueError, match="tilts"):
        detect(record, picture, Plan(("identity", name), "wbf"))
    with pytest.raises(ValueError, match="tilts"):
        detect(record, picture, ONE_LOOK, shown=[name])
    assert counting.calls == 0


@pytest.mark.parametrize("fusion", ["average", "mean", "learned"])
def test_an_unknown_fusion_is_refused_by_name_before_any_forward_pass(
    record, counting, picture, fusion
):
    with pytest.raises(ValueError, match=f"{fusion}.*unknown"):
        detect(record, picture, Plan(D4, fusion))
    assert counting.calls == 0


# The built-in detector


def test_the_built_in_detector_finds_plants_of_a_field_with_one_look_and_with_eight():
    made = weeds.field(weeds.SEEDS["test"][0])
    truth = weeds.plant_boxes(made.plants)
    result = detect(DETECTOR, Picture.of(made.rgb), Plan(D4, "wbf"), truth, device="cpu")
    assert all(score.ap50 > 0.5 for score in result.scores)
    report = result.report()
    assert report["model"] == {"name": "weed-detector", "digest": DETECTOR.digest}
    assert {box["class"] for box in report["boxes"]} == set(DETECTOR.classes[1:])


def test_the_built_in_detector_answers_a_picture_of_any_size():
    rgb = np.random.default_rng(0).integers(0, 256, (37, 83, 3), np.uint8)
    result = detect(DETECTOR, Picture.of(rgb), Plan(("identity", "rot90"), "wbf"), device="cpu")
    for look in result.looks.values():
        assert (look.boxes.xyxy.max(0, initial=0) <= [83, 37, 83, 37]).all()
    assert torch.isfinite(torch.from_numpy(result.boxes.xyxy)).all()
