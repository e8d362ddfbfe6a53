from dataclasses import replace

import torch
from coded import PLAIN, coded_picture
from safetensors.torch import load_file

from tta_demo.models.record import Augmentation
from tta_demo.models.unet import read_unet
from tta_demo.training.unet import UNetRecipe, train

TINY = UNetRecipe(
    model="unet-weeds",
    world="weeds",
    steps=2,
    augmentation=Augmentation(),
    data="two coded pictures",
    groups={"a": 0.5, "b": 0.5},
    width=2,
    batch=2,
    crop=32,
    validate_every=1,
)
PICTURES = [replace(coded_picture(40, 50, seed), group=group) for seed, group in enumerate("ab")]


def trained(recipe, path):
    history = train(recipe, 3, PICTURES, PICTURES, path, lambda steps, **_: steps)
    return history, load_file(path)


def test_training_writes_a_file_that_can_be_read_and_used(tmp_path):
    history, tensors = trained(TINY, tmp_path / "new" / "weights.safetensors")
    model = read_unet(tmp_path / "new" / "weights.safetensors")
    assert not model.training
    for name, value in tensors.items():
        assert torch.equal(model.state_dict()[name], value.float()), name
    with torch.no_grad():
        assert model(torch.rand(1, 3, 16, 32)).shape == (1, 3, 16, 32)
    assert [row["step"] for row in history] == [1, 2]
    for row in history:
        assert row["loss"] > 0, row
        assert 0 <= row["miou"] <= 1, row


def test_the_same_seed_gives_the_same_weights_and_another_one_others(tmp_path):
    _, first = trained(TINY, tmp_path / "first")
    torch.rand(3)  # whatever else draws numbers
    _, again = trained(TINY, tmp_path / "again")
    _, other = trained(replace(TINY, seed=1), tmp_path / "other")
    assert first.keys() == again.keys()
    for name in first:
        assert torch.equal(first[name], again[name]), name
    assert not torch.equal(first["outputs.weight"], other["outputs.weight"])


def test_a_picture_of_a_group_without_a_share_is_never_drawn(tmp_path):
    only_a = replace(TINY, groups={"a": 1.0})
    _, both = trained(only_a, tmp_path / "both")
    train(only_a, 3, PICTURES[:1], PICTURES, tmp_path / "a", lambda steps, **_: steps)
    alone = load_file(tmp_path / "a")
    for name in both:
        assert torch.equal(both[name], alone[name]), name


def test_training_longer_lowers_the_loss(tmp_path):
    recipe = replace(TINY, steps=30, validate_every=10, batch=4, width=4, augmentation=PLAIN)
    history, _ = trained(recipe, tmp_path / "weights")
    assert history[-1]["loss"] < history[0]["loss"], history
