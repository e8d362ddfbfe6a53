from dataclasses import replace

import pytest
from safetensors.torch import load_file

from tta_demo.commands.train import NETWORKS
from tta_demo.models.registry import MODELS
from tta_demo.training import centernet, unet
from tta_demo.training.card import write_card

HISTORY = [{"epoch": i, "ap": 0.1 * i, "ap50": ap50} for i, ap50 in ((1, 0.4), (2, 0.6), (3, 0.6))]
KEPT = {
    "the best one, the first of equals": (
        "weed-detector",
        centernet.RECIPE,
        "Those of epoch 2 were kept: the highest validation ap50.",
    ),
    "another best one": (
        "weed-detector",
        replace(centernet.RECIPE, best="ap"),
        "Those of epoch 3 were kept: the highest validation ap.",
    ),
    "the last one": ("unet-weeds", unet.RECIPES["weeds"], "Those of epoch 3 were kept."),
}


@pytest.mark.parametrize(("name", "recipe", "told"), KEPT.values(), ids=KEPT.keys())
def test_the_card_names_the_weights_that_were_kept(name, recipe, told, tmp_path):
    weights = tmp_path / "weights.safetensors"
    weights.write_bytes(b"anything")
    write_card(weights, MODELS[name], recipe, HISTORY, ["some scores"], "a command")
    card = weights.with_suffix(".md").read_text()
    assert told in card
    assert "- best" not in card


@pytest.mark.parametrize(("name", "recipe"), unet.RECIPES.items(), ids=unet.RECIPES.keys())
def test_every_recipe_can_be_named_and_its_model_is_shipped(name, recipe):
    assert name in NETWORKS
    weights = load_file(MODELS[recipe.model].weights())
    assert weights["outputs.weight"].shape[:2] == (3, recipe.width)
    card = MODELS[recipe.model].weights().with_suffix(".md").read_text()
    assert f"`python -m tta_demo train {name} " in card
    assert MODELS[recipe.model].digest in card
