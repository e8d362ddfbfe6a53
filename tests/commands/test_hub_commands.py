import json

import numpy as np
import pytest
from hub_models import save
from huggingface_hub import constants
from PIL import Image
from test_cli import run


@pytest.fixture
def picture(tmp_path):
    rgb = np.random.default_rng(0).integers(0, 256, (48, 72, 3), np.uint8)
    Image.fromarray(rgb).save(tmp_path / "one.png")
    return tmp_path / "one.png"


def folder(tmp_path, kind):
    save(tmp_path / kind, kind)
    return tmp_path / kind


@pytest.mark.parametrize("kind", ["segformer", "deeplab"])
def test_a_segmenter_of_the_hub_marks_a_picture(tmp_path, picture, kind):
    out = tmp_path / "out"
    _, told = run("predict", picture, "--model", folder(tmp_path, kind), "--views", "flips",
                  "--out", out)  # fmt: skip
    assert "4 classes" in told
    assert f"the folder {kind}" in told
    report = json.loads((out / "one.json").read_text())
    assert set(report["pixels"]) == {"sky", "sea", "sand", "sea 3"}
    with Image.open(out / "one-mask.png") as mask:
        assert mask.size == (72, 48)


def test_a_classifier_of_the_hub_tells_what_is_in_a_picture(tmp_path, picture):
    told, _ = run("classify", picture, "--model", folder(tmp_path, "resnet"))
    assert "sand" in told


@pytest.mark.parametrize("kind", ["yolos", "detr"])
def test_a_detector_of_the_hub_finds_boxes(tmp_path, picture, kind):
    out = tmp_path / "out"
    run("detect", picture, "--model", folder(tmp_path, kind), "--out", out, "--views", "hflip")
    report = json.loads((out / "one.json").read_text())
    assert {box["class"] for box in report["boxes"]} <= {"sky", "sea", "sand", "sea 3"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("predict", "--model", "nobody/nothing"), "cannot be reached"),
        (("predict", "--model", "nothing"), "unet-weeds"),
        (("predict", "--model", "{here}/resnet"), "made to classify"),
        (("predict", "--model", "{here}/resnet", "--feed", "bgr"), "--feed"),
        (("predict", "--world", "weeds", "--model", "{here}/segformer"), "4 classes"),
        (("detect", "--model", "{here}/resnet"), "not to detect"),
    ],
    ids=str,
)
def test_what_cannot_be_used_is_told_in_a_sentence(
    tmp_path, picture, monkeypatch, arguments, said
):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    for kind in ("resnet", "segformer"):
        save(tmp_path / kind, kind)
    command, *options = (argument.replace("{here}", str(tmp_path)) for argument in arguments)
    _, told = run(command, picture, *options, "--out", tmp_path / "out", code=2)
    assert said in " ".join(told.split())
    assert "Traceback" not in told
