import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tta_demo.masks import read_mask
from tta_demo.pictures import read_picture
from tta_demo.segmentation import segment
from tta_demo.views import VIEW_SETS
from tta_demo.worlds import WORLDS

NUCLEI = WORLDS["nuclei"]
PICTURE = NUCLEI.examples[0]


def run(*arguments, ok=True):
    command = [sys.executable, "-m", "tta_demo", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not ok or done.returncode == 0, done.stderr
    return done


@pytest.mark.slow
def test_predict_writes_mask_overlay_and_report(tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    (masks / PICTURE.name).write_bytes(NUCLEI.mask_of(PICTURE).read_bytes())
    options = ("--world", "nuclei", "--views", "d4", "--fusion", "learned", "--masks", masks)
    run("predict", PICTURE, *options, "--out", tmp_path)
    picture = read_picture(PICTURE)
    truth, _ = read_mask(NUCLEI.mask_of(PICTURE), NUCLEI.record.palette, picture)
    result = segment(NUCLEI, picture, truth, VIEW_SETS["d4"], "learned")
    mask = Image.open(tmp_path / f"{PICTURE.stem}-mask.png")
    np.testing.assert_array_equal(np.asarray(mask), result.labels)
    assert Image.open(tmp_path / f"{PICTURE.stem}-overlay.png").size == mask.size
    report = json.loads((tmp_path / f"{PICTURE.stem}.json").read_text())
    expected = result.report()
    assert report["scores"] == expected["scores"]
    assert sum(report["weights"].values()) == pytest.approx(1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["{missing}"], "missing.png"),
        (["{text}"], "text.png"),
        (["{picture}", "--views", "sideways"], "sideways"),
        (["{picture}", "--fusion", "guess"], "guess"),
        (["{picture}", "--world", "moon"], "moon"),
        (["{picture}", "--fusion", "learned", "--views", "identity,shift"], "shift"),
    ],
)
def test_an_expected_failure_is_one_line_on_stderr_and_exit_code_2(tmp_path, arguments, named):
    (tmp_path / "text.png").write_text("no picture")
    places = {
        "missing": tmp_path / "missing.png",
        "text": tmp_path / "text.png",
        "picture": PICTURE,
    }
    world = () if "--world" in arguments else ("--world", "nuclei")
    filled = [argument.format(**places) for argument in arguments]
    done = run("predict", *filled, *world, "--out", tmp_path / "out", ok=False)
    assert done.returncode == 2
    assert named in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


@pytest.mark.slow
def test_learn_works_on_the_layout_of_bbbc038(tmp_path):
    import cv2

    rng = np.random.default_rng(0)
    for folder in ("images", "instances"):
        (tmp_path / folder).mkdir()
    rows = []
    for number, split in enumerate(["train", "val", "test"]):
        instances = np.zeros((80, 70), np.uint16)
        cv2.circle(instances, (30, 40), 15, number + 1, -1)
        image = (40 + 150 * (instances > 0) + rng.integers(0, 20, instances.shape)).astype(
            np.uint8
        )
        cv2.imwrite(str(tmp_path / "images" / f"{split}.png"), np.stack([image] * 3, -1))
        cv2.imwrite(str(tmp_path / "instances" / f"{split}.png"), instances)
        rows.append(f"{split},{split},fluorescence")
    (tmp_path / "split.csv").write_text("\n".join(["id,split,modality", *rows]) + "\n")
    out = tmp_path / "weights.json"
    run("learn", "--world", "nuclei", "--data", tmp_path, "--views", "flips", "--out", out)
    weights = json.loads(out.read_text())
    assert [entry["view"] for entry in weights["entries"]] == list(VIEW_SETS["flips"])
    assert sum(entry["weight"] for entry in weights["entries"]) == pytest.approx(1, abs=1e-4)
    assert weights["scores"]["gap"] <= 1e-6


@pytest.mark.slow
def test_sample_writes_fields_and_masks_that_predict_can_score(tmp_path):
    run("sample", "weeds", "--count", 2, "--out", tmp_path)
    pictures = sorted((tmp_path / "images").iterdir())
    assert [p.name for p in pictures] == [p.name for p in sorted((tmp_path / "masks").iterdir())]
    run("predict", *pictures, "--world", "weeds", "--views", "flips", "--masks",
        tmp_path / "masks", "--out", tmp_path / "out")  # fmt: skip
    for picture in pictures:
        report = json.loads((tmp_path / "out" / f"{picture.stem}.json").read_text())
        assert 0 < report["scores"]["fused"]["miou"] <= 1


def test_the_examples_of_the_weeds_world_are_its_first_test_fields():
    weeds = WORLDS["weeds"]
    for path, made in zip(weeds.examples, weeds.pictures("test", None), strict=False):
        picture = read_picture(path)
        # another processor or NumPy may round a colour the other way; labels are exact
        np.testing.assert_allclose(picture.rgb.astype(int), made.rgb.astype(int), atol=1)
        mask, _ = read_mask(weeds.mask_of(path), weeds.record.palette, picture)
        np.testing.assert_array_equal(mask, made.labels)


def test_a_black_and_white_mask_of_nuclei_gets_its_border(tmp_path):
    picture = read_picture(PICTURE)
    truth, _ = NUCLEI.read_truth(NUCLEI.mask_of(PICTURE), picture)
    Image.fromarray(np.where(truth > 0, 255, 0).astype(np.uint8)).save(tmp_path / "mask.png")
    completed, notes = NUCLEI.read_truth(tmp_path / "mask.png", picture)
    np.testing.assert_array_equal(completed > 0, truth > 0)
    assert ((completed == 2) <= (truth == 2)).all(), "the rim of merged nuclei is in the true rims"
    assert (completed == 2).sum() > 0.8 * (truth == 2).sum()
    assert any("border" in note for note in notes)
