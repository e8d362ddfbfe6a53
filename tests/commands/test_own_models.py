import json
import shlex

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper
from onnx_models import classifier
from PIL import Image
from test_cli import run

from tta_demo.commands.arguments import chosen_world
from tta_demo.learning.weight_file import WeightFile
from tta_demo.models.own import own_model
from tta_demo.models.unet import UNet
from tta_demo.tasks.worlds import WORLDS

NAMES = ("sky", "sea", "sand")
COLORS = ((0, 0, 255), (0, 128, 128), (200, 200, 0))


@pytest.fixture
def color_model(tmp_path):
    """A file that takes each pixel's strongest colour for its class."""
    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, (1, 3, "h", "w")) for n in "xy")
    scale = helper.make_tensor("k", TensorProto.FLOAT, [1], [9.0])
    graph = helper.make_graph([helper.make_node("Mul", ["x", "k"], ["y"])], "g", [x], [y], [scale])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (tmp_path / "color.onnx").write_bytes(model.SerializeToString())
    return tmp_path / "color.onnx"


@pytest.fixture
def data(tmp_path):
    """A folder of five pictures whose strongest colour is their truth; and its palette."""
    rng = np.random.default_rng(0)
    for folder in ("images", "masks"):
        (tmp_path / "data" / folder).mkdir(parents=True)
    for name in (f"{number}.png" for number in range(5)):
        labels = np.kron(rng.integers(0, 3, (4, 6)), np.ones((8, 8), int))
        rgb = 40 + 150 * np.eye(3)[labels] + rng.normal(0, 20, (32, 48, 3))
        rgb = rgb.clip(0, 255).astype(np.uint8)
        Image.fromarray(rgb).save(tmp_path / "data" / "images" / name)
        Image.fromarray(np.uint8(COLORS)[labels]).save(tmp_path / "data" / "masks" / name)
    (tmp_path / "palette.json").write_text(json.dumps(dict(zip(NAMES, COLORS, strict=True))))
    return tmp_path / "data"


def test_a_file_of_ones_own_is_learned_for_evaluated_and_predicts(tmp_path, color_model, data):
    own = ("--model", color_model, "--palette", tmp_path / "palette.json")
    weights, scores, out = (tmp_path / name for name in ("weights.json", "scores", "out"))
    _, told = run("learn", *own, "--data", data, "--views", "flips", "--out", weights)
    assert "3 classes, any size" in told
    file = WeightFile.load(weights)
    assert file.digest == own_model(color_model).record.digest
    told, _ = run("evaluate", *own, "--data", data, "--weights", weights, "--out", scores)
    assert set(NAMES) <= set(told.split())
    run("predict", data / "images" / "0.png", *own, "--views", "flips", "--masks", data / "masks",
        "--out", out)  # fmt: skip
    report = json.loads((out / "0.json").read_text())
    assert report["scores"]["fused"]["miou"] > 0.99
    assert set(report["pixels"]) == set(NAMES)
    with Image.open(out / "0-mask.png") as mask:
        assert mask.size == (48, 32)


def test_a_large_picture_is_marked_pixel_by_pixel_at_its_full_size(tmp_path, color_model):
    """Stripes of one pixel, which are lost where the picture is reduced."""
    truth = np.tile(np.arange(1100) % 3, (1000, 1)).astype(np.uint8)
    Image.fromarray(255 * np.eye(3, dtype=np.uint8)[truth]).save(tmp_path / "large.png")
    given = (tmp_path / "large.png", "--model", color_model, "--views", "identity,rot90")
    run("predict", *given, "--full-size", "--out", tmp_path / "full")
    run("predict", *given, "--out", tmp_path / "reduced")
    masks = {name: np.array(Image.open(tmp_path / name / "large-mask.png")) for name in
             ("full", "reduced")}  # fmt: skip
    np.testing.assert_array_equal(masks["full"], truth)
    assert (masks["reduced"] != truth).any()
    assert json.loads((tmp_path / "full" / "large.json").read_text())["tiles"]["count"] == 2


def predicted(out, picture, *options):
    """What `predict` marks in a mirror alone, and what it says beside."""
    _, told = run("predict", picture, *options, "--views", "hflip", "--out", out)
    with Image.open(out / f"{picture.stem}-mask.png") as mask:
        return np.array(mask), told, json.loads((out / f"{picture.stem}.json").read_text())


def test_classes_change_places_in_a_mirror_as_the_option_or_the_palette_says(
    tmp_path, color_model, data
):
    picture, plain = data / "images" / "0.png", tmp_path / "palette.json"
    whole = {"classes": json.loads(plain.read_text()), "swap": [["sea", "sand"]]}
    (tmp_path / "whole.json").write_text(json.dumps(whole))
    own = ("--model", color_model, "--palette")
    mask, _, report = predicted(tmp_path / "a", picture, *own, plain)
    swapped, _, other = predicted(tmp_path / "b", picture, *own, plain, "--swap", "sea=sand")
    read, _, same = predicted(tmp_path / "c", picture, *own, tmp_path / "whole.json")
    assert {0, 1, 2} == set(mask.ravel())
    np.testing.assert_array_equal(swapped, np.array([0, 2, 1])[mask])
    np.testing.assert_array_equal(read, swapped)
    assert other["model"]["digest"] == same["model"]["digest"] != report["model"]["digest"]


def test_a_classifiers_classes_change_places_in_a_mirror(tmp_path, data):
    (tmp_path / "whole.onnx").write_bytes(classifier(2))
    words = ("classify", data / "images" / "0.png", "--model", tmp_path / "whole.onnx")
    swap = ("--swap", "class 0=class 1")
    plain, same = (run(*words, "--views", "center", *more)[0] for more in ((), swap))
    assert plain == same
    plain, swapped = (run(*words, "--views", "center-mirror", *more)[0] for more in ((), swap))
    turned = plain.replace("class 0", "class x").replace("class 1", "class 0")
    assert swapped == turned.replace("class x", "class 1") != plain
    assert "class 7" in run(*words, "--swap", "class 0=class 7", code=2)[1]


def test_weights_are_learned_and_scored_with_the_classes_that_change_places(
    tmp_path, color_model, data
):
    own = ("--model", color_model, "--palette", tmp_path / "palette.json", "--data", data)
    swap, weights = ("--swap", "sea = sand"), tmp_path / "weights.json"
    run("learn", *own, *swap, "--views", "identity,hflip", "--prior", 0, "--out", weights)
    assert WeightFile.load(weights).weights["hflip"] < 0.01, "its mirror exchanges what it may not"
    run("evaluate", *own, *swap, "--weights", weights, "--out", tmp_path / "scores")
    _, told = run("evaluate", *own, "--weights", weights, "--out", tmp_path / "other", code=2)
    assert "learn them again" in told


def test_a_pair_that_is_proposed_can_be_copied(tmp_path, color_model, data):
    names = dict(zip(("body", "left lung", "right lung"), COLORS, strict=True))
    (tmp_path / "lungs.json").write_text(json.dumps(names))
    own = ("--model", color_model, "--palette", tmp_path / "lungs.json")
    _, told, _ = predicted(tmp_path / "a", data / "images" / "0.png", *own)
    (line,) = [line for line in told.splitlines() if "--swap" in line]
    option = shlex.split(line[line.index("--swap") :])
    _, told, _ = predicted(tmp_path / "b", data / "images" / "0.png", *own, *option)
    assert "--swap" not in told


def test_a_file_can_take_the_place_of_a_worlds_model(tmp_path, color_model):
    picture = WORLDS["weeds"].examples[0]
    run("predict", picture, "--world", "weeds", "--model", color_model, "--views", "identity",
        "--out", tmp_path / "out")  # fmt: skip
    report = json.loads((tmp_path / "out" / f"{picture.stem}.json").read_text())
    assert set(report["pixels"]) == set(WORLDS["weeds"].record.classes)
    assert report["model"]["name"] == "color"


def test_the_feed_of_ones_own_model_is_chosen_by_name(tmp_path):
    torch.save(UNet(3, 4).state_dict(), tmp_path / "mine.pth")
    found = chosen_world(None, str(tmp_path / "mine.pth")).record
    other = chosen_world(None, str(tmp_path / "mine.pth"), "imagenet").record
    assert found.digest != other.digest
    assert "BGR" in found.summary
    assert "0.485" in other.summary


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--model", "{here}/missing.pth"), "missing.pth"),
        (("--model", "{here}/color.onnx", "--feed", "cmyk"), "cmyk"),
        (("--world", "weeds", "--feed", "bgr"), "--feed"),
        (("--world", "photos", "--model", "{here}/color.onnx"), "3 classes"),
        (("--model", "{here}/broken.onnx"), "ONNX"),
        ((), "--world"),
        (("--world", "weeds", "--swap", "Weed-1"), "Weed-1"),
        (("--world", "weeds", "--swap", "Weed-1=Weed-3"), "Weed-3"),
    ],
    ids=str,
)
@pytest.mark.usefixtures("color_model")
def test_what_does_not_go_together_is_refused(tmp_path, arguments, said):
    (tmp_path / "broken.onnx").write_bytes(b"broken")
    filled = [argument.replace("{here}", str(tmp_path)) for argument in arguments]
    picture = WORLDS["weeds"].examples[0]
    _, err = run("predict", picture, *filled, "--out", tmp_path / "out", code=2)
    assert said in err
    assert "Traceback" not in err
