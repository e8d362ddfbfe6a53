import json

import pytest
from snippets import ROOT

from tta_demo.models.registry import models_for
from tta_demo.pictures.reading import read_picture
from tta_demo.samples.photos import PHOTOS
from tta_demo.tasks.classify import classify
from tta_demo.tta.crops import CROP_SETS
from tta_demo.tta.plan import Plan

MODEL = next(iter(models_for("classify").values()))
STORED = json.loads((ROOT / "assets" / "results" / "photos.json").read_text())
KNOWN = [photo for photo in PHOTOS if photo.truth]


def test_no_photograph_is_missing_and_every_truth_is_a_class():
    assert len(PHOTOS) == 12
    assert len({photo.path.stem for photo in PHOTOS}) == 12, "results go by these names"
    assert {name for photo in PHOTOS for name in photo.truth} <= set(MODEL.classes)
    assert all(photo.subject and photo.source for photo in PHOTOS)


def test_the_stored_results_are_of_this_model_and_these_photographs():
    assert STORED["digest"] == MODEL.digest, "run python -m tta_demo benchmark photos"
    assert set(STORED["photos"]) == {photo.path.stem for photo in KNOWN}
    for name in CROP_SETS:
        shares = [found[name] for found in STORED["photos"].values()]
        assert STORED["mean"][name] == pytest.approx(sum(shares) / len(shares), abs=1e-4)


@pytest.mark.parametrize("photo", KNOWN, ids=lambda photo: photo.path.stem)
def test_the_stored_probability_of_the_truth_is_what_the_model_says(photo):
    result = classify(MODEL, read_picture(photo.path), Plan(CROP_SETS["mirror"]))
    named = dict(zip(MODEL.classes, zip(result.one_look, result.probs, strict=True), strict=True))
    one, both = (float(sum(shares)) for shares in zip(*map(named.get, photo.truth), strict=True))
    stored = STORED["photos"][photo.path.stem]
    assert (stored["center"], stored["mirror"]) == pytest.approx((one, both), abs=0.002)
