import json

import numpy as np
import pytest
import torch
from PIL import Image
from test_cli import run

from tta_demo.commands.arguments import chosen_models, chosen_world
from tta_demo.learning.weight_file import WeightFile
from tta_demo.models.ensemble import Ensemble
from tta_demo.models.registry import MODELS
from tta_demo.models.unet import UNet
from tta_demo.tasks.worlds import WORLDS

PAIR = ("unet-weeds-small", "unet-weeds-novice")
BOTH = Ensemble(tuple(MODELS[name] for name in PAIR))
GIVEN = [word for name in PAIR for word in ("--model", name)]
VIEWS = ("identity", "hflip")
PICTURE = WORLDS["weeds"].examples[0]


def test_models_are_learned_for_evaluated_and_predict_together(tmp_path):
    looks = ("--views", ",".join(VIEWS))
    run("learn", *GIVEN, *looks, "--count", 2, "--out", tmp_path / "weights.json")
    file = WeightFile.load(tmp_path / "weights.json")
    assert file.views == BOTH.rows(VIEWS)
    assert (file.world, file.digest) == ("weeds", BOTH.digest)

    scores = ("--weights", tmp_path / "weights.json", "--count", 2, "--out", tmp_path / "scores")
    told, _ = run("evaluate", *GIVEN, *scores)
    assert {"none", "mean", "learned"} <= set(told.split())

    run("predict", PICTURE, *GIVEN, *looks, "--out", tmp_path / "out")
    report = json.loads((tmp_path / "out" / f"{PICTURE.stem}.json").read_text())
    assert tuple(report["views"]) == BOTH.rows(VIEWS)
    with Image.open(tmp_path / "out" / f"{PICTURE.stem}-mask.png") as mask:
        assert set(np.unique(mask)) <= {0, 1, 2}


def test_weights_of_two_models_are_not_for_one(tmp_path):
    run("learn", *GIVEN, "--views", "identity", "--count", 1, "--out", tmp_path / "weights.json")
    _, told = run("evaluate", "--model", PAIR[0], "--weights", tmp_path / "weights.json",
                  "--count", 1, "--out", tmp_path / "scores", code=2)  # fmt: skip
    assert all(name in told for name in PAIR)
    assert told.count("\n") == 1


def test_without_fusion_the_first_model_looks_once():
    plan, _ = chosen_models(None, PAIR).plan(VIEWS, "none")
    assert plan.views == (f"{PAIR[0]}/identity",)


@pytest.mark.parametrize("name", PAIR)
def test_any_model_of_the_registry_can_take_the_place_of_a_worlds_own(name):
    for world in (chosen_world(None, name), chosen_world("weeds", name)):
        assert (world.name, world.record.digest) == ("weeds", MODELS[name].digest)
        with pytest.raises(ValueError, match="no weights were learned"):
            world.plan(VIEWS, "learned")  # the world's are for its own model
    with pytest.raises(ValueError, match="is not of the world 'nuclei'"):
        chosen_world("nuclei", name)


def test_a_file_of_ones_own_joins_a_model_of_the_world(tmp_path):
    torch.save(UNet(3, 4).state_dict(), tmp_path / "mine.pth")
    world = chosen_models("weeds", ["unet-weeds", str(tmp_path / "mine.pth")])
    assert [one.name for one in world.record.members] == ["unet-weeds", "mine"]
    plan, _ = world.plan(VIEWS, "mean")
    assert len(plan.views) == 4


@pytest.mark.parametrize(
    ("models", "told"),
    [
        (("unet-weeds", "unet-nuclei"), "nucleus"),
        (("unet-weeds", "unet-weeds"), "each of its own name"),
        (("unet-weeds", "efficientnet-lite0"), "efficientnet-lite0"),
    ],
)
def test_what_cannot_look_together_is_told_in_a_sentence(models, told, tmp_path):
    given = [word for name in models for word in ("--model", name)]
    _, said = run("predict", PICTURE, *given, "--out", tmp_path / "out", code=2)
    assert told in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()
