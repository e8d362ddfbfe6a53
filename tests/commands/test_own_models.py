import json

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper
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
