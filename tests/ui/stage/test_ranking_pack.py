"""What the ranking is fed with, against the library."""

import base64
import json

import cv2
import numpy as np
import pytest

from tta_demo.models.registry import models_for
from tta_demo.pictures.reading import Picture
from tta_demo.tasks.classify import classify
from tta_demo.tta.crops import CROP_SETS, CROP_VIEWS, cut
from tta_demo.tta.fusion import fuse
from tta_demo.tta.plan import Plan
from tta_demo.ui.stage import pack_ranking

MODEL = next(iter(models_for("classify").values()))
RGB = np.random.default_rng(3).integers(0, 255, (9, 14, 3), np.uint8)
RGB = cv2.resize(RGB, (1400, 900), interpolation=cv2.INTER_CUBIC)
TRUTH = ("tench", "goldfish")


@pytest.fixture(scope="module")
def result():
    return classify(MODEL, Picture.of(RGB), Plan(CROP_SETS["five-crop"], "gmean"), device="cpu")


def about(result, **more):
    return json.loads(pack_ranking(result, **more)["about"])


def picture_of(url):
    kind, _, data = url.partition(",")
    assert kind == "data:image/jpeg;base64"
    return cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)


def test_the_shares_are_those_of_the_first_looks_fused(result):
    told = about(result, truth=TRUTH)
    places = [MODEL.classes.index(name) for name in told["names"]]
    true = [MODEL.classes.index(name) for name in TRUTH]
    for k, (shares, first, watched) in enumerate(
        zip(told["steps"], told["firsts"], told["watched"]["steps"], strict=True), start=1
    ):
        fused = fuse(result.stack.take(result.plan.views[:k]), "gmean")
        assert shares == pytest.approx(fused[places].tolist(), abs=2e-5)
        assert first["name"] == MODEL.classes[int(fused.argmax())]
        assert watched == pytest.approx(float(fused[true].sum()), abs=2e-5)
    assert k == 5
    assert told["one"]["share"] == pytest.approx(float(result.one_look.max()), abs=2e-5)
    for look, own in zip(told["looks"], result.stack.probs, strict=True):
        assert (look["name"], look["share"]) == (
            MODEL.classes[int(own.argmax())],
            pytest.approx(float(own.max()), abs=2e-5),
        )


def test_the_list_has_the_likeliest_the_first_choice_of_one_look_and_the_truth(result):
    told = about(result, truth=TRUTH)
    likeliest = [MODEL.classes[index] for index, _ in result.top(5)]
    assert {*likeliest, told["one"]["name"]} <= set(told["names"])
    assert set(TRUTH) & set(told["names"])
    assert len(set(told["names"])) == len(told["names"]) <= 7
    assert told["steps"][-1] == sorted(told["steps"][-1], reverse=True)
    assert told["right"] == [name in TRUTH for name in told["names"]]


@pytest.mark.parametrize(("truth", "right"), [(None, {None}), ((), {False})])
def test_without_a_truth_nothing_is_right_and_the_first_choice_is_watched(result, truth, right):
    told = about(result, truth=truth)
    assert told["truth"] == (None if truth is None else [])
    assert {*told["right"], told["one"]["right"], *(x["right"] for x in told["looks"])} == right
    assert told["watched"]["name"] == told["names"][0] == told["firsts"][-1]["name"]
    assert told["watched"]["steps"] == [step[0] for step in told["steps"]]


def test_a_crop_is_sent_as_the_model_sees_it_with_its_frame_in_the_photograph():
    names = CROP_SETS["d4"][:4]
    result = classify(MODEL, Picture.of(RGB), Plan(names), device="cpu")
    packed = pack_ranking(result)
    told = json.loads(packed["about"])
    assert picture_of(packed["picture"]).shape == (told["height"], told["width"], 3)
    assert max(told["width"], told["height"]) <= 640
    for name, look, crop in zip(names, told["looks"], cut(RGB, names), strict=True):
        sent = picture_of(look["picture"])[..., ::-1] / 255
        assert np.abs(sent - crop.permute(1, 2, 0).numpy()).mean() < 0.02
        left, top, right, bottom = CROP_VIEWS[name].frame(RGB.shape[:2])
        expected = (left / 1400, top / 900, right / 1400, bottom / 900)
        assert look["frame"] == pytest.approx(expected, abs=1e-4)


def test_nineteen_looks_stay_a_value_that_a_page_takes_inline():
    result = classify(MODEL, Picture.of(RGB), Plan(CROP_SETS["all"]), device="cpu")
    assert sum(len(str(part)) for part in pack_ranking(result).values()) < 1_000_000
