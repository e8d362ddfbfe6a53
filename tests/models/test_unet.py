from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

from tta_demo.models.registry import read_unet
from tta_demo.models.unet import UNet
from tta_demo.samples.labelled import LabelledPicture
from tta_demo.training.unet import Augmentation, Recipe, train
from tta_demo.tta.views import VIEW_SETS, VIEWS

# The network


def block(name, inputs, outputs):
    """Parameter shapes of two 3x3 convolutions with batch norm, as tutorials write it."""
    shapes = {f"{name}.0.weight": (outputs, inputs, 3, 3), f"{name}.0.bias": (outputs,)}
    shapes |= {f"{name}.3.weight": (outputs, outputs, 3, 3), f"{name}.3.bias": (outputs,)}
    return shapes | {
        f"{name}.{i}.{kind}": (outputs,) for i in (1, 4) for kind in ("weight", "bias")
    }


TUTORIAL = {
    **block("e1.conv.conv", 3, 64),
    **block("e2.conv.conv", 64, 128),
    **block("e3.conv.conv", 128, 256),
    **block("e4.conv.conv", 256, 512),
    **block("b.conv", 512, 1024),
    "d1.up.weight": (1024, 512, 2, 2),
    "d1.up.bias": (512,),
    **block("d1.conv.conv", 1024, 512),
    "d2.up.weight": (512, 256, 2, 2),
    "d2.up.bias": (256,),
    **block("d2.conv.conv", 512, 256),
    "d3.up.weight": (256, 128, 2, 2),
    "d3.up.bias": (128,),
    **block("d3.conv.conv", 256, 128),
    "d4.up.weight": (128, 64, 2, 2),
    "d4.up.bias": (64,),
    **block("d4.conv.conv", 128, 64),
    "outputs.weight": (3, 64, 1, 1),
    "outputs.bias": (3,),
}


def trained_unet():
    """A network whose batch norms have seen something, and answer by what they have seen."""
    model = UNet(3, width=4)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean)
            nn.init.uniform_(module.running_var, 0.3, 2)
            nn.init.normal_(module.weight)
            nn.init.normal_(module.bias)
    return model.eval()


def test_the_parameters_are_named_and_shaped_as_in_the_tutorial_checkpoints():
    with torch.device("meta"):
        model = UNet(classes=3, width=64)
    assert {name: tuple(p.shape) for name, p in model.named_parameters()} == TUTORIAL


def plain_forward(weights, x):
    """The tutorial network, written out; each doubling joins [up, skip] in this order."""

    def conv_block(x, name):
        for i in (0, 3):
            x = F.conv2d(x, weights[f"{name}.{i}.weight"], weights[f"{name}.{i}.bias"], padding=1)
            norm = (
                f"{name}.{i + 1}.{k}" for k in ("running_mean", "running_var", "weight", "bias")
            )
            x = F.batch_norm(x, *(weights[key] for key in norm)).relu()
        return x

    skips = []
    for name in ("e1", "e2", "e3", "e4"):
        skips.append(conv_block(x, f"{name}.conv.conv"))
        x = F.max_pool2d(skips[-1], 2)
    x = conv_block(x, "b.conv")
    for name in ("d1", "d2", "d3", "d4"):
        up = F.conv_transpose2d(x, weights[f"{name}.up.weight"], weights[f"{name}.up.bias"], 2)
        x = conv_block(torch.cat([up, skips.pop()], 1), f"{name}.conv.conv")
    return F.conv2d(x, weights["outputs.weight"], weights["outputs.bias"])


@torch.no_grad()
def test_the_network_computes_what_the_tutorial_one_does():
    model, images = trained_unet(), torch.rand(2, 3, 32, 48)
    wanted = plain_forward(model.state_dict(), images)
    torch.testing.assert_close(model(images), wanted, atol=1e-4, rtol=1e-4)


def test_folding_the_batch_norms_keeps_the_function():
    model, images = trained_unet(), torch.rand(2, 3, 32, 48)
    with torch.no_grad():
        before = model(images)
        after = model.fold()(images)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in model.modules())
    assert before.std() > 0.1
    torch.testing.assert_close(after, before, atol=1e-4, rtol=1e-4)


def test_every_parameter_gets_a_gradient():
    model = UNet(3, width=2)
    model(torch.rand(2, 3, 32, 48)).square().mean().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
    assert (model.e1.conv.conv[0].weight.grad != 0).any()
    assert (model.outputs.weight.grad != 0).any()


@torch.no_grad()
def test_the_answer_depends_on_what_is_40_pixels_away():
    model, images = trained_unet(), torch.rand(1, 3, 64, 64)
    changed = images.clone()
    changed[..., 48:, 48:] = 5
    assert (model(images) - model(changed))[..., :8, :8].abs().max() > 0


# The augmentation of training


def coded_picture(height=90, width=120, seed=0):
    """Smooth blobs of three classes; the green channel is 100 times the label."""
    noise = np.random.default_rng(seed).normal(size=(height, width))
    smooth = cv2.GaussianBlur(noise, (0, 0), 7)
    labels = np.digitize(smooth, np.quantile(smooth, [0.4, 0.7])).astype(np.uint8)
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[..., 1] = 100 * labels
    return LabelledPicture("coded", rgb, labels)


PLAIN = Augmentation(gain=(1, 1), gamma=(1, 1), tint=0, noise=0)


@pytest.mark.parametrize("size", [32, 64, 100], ids="crop-{}".format)
@pytest.mark.parametrize("d4", [True, False])
def test_a_crop_moves_pixels_and_labels_alike(d4, size):
    rng, picture = np.random.default_rng(0), coded_picture()
    crops = [replace(PLAIN, d4=d4).crop(picture, size, rng) for _ in range(20)]
    square = np.ones((5, 5), np.uint8)
    compared = 0
    for x, y in crops:
        assert x.shape == (size, size, 3)
        assert y.shape == (size, size)
        inside = cv2.erode(y, square) == cv2.dilate(y, square)
        wanted = 100 / 255 * y
        np.testing.assert_allclose(x[..., 1][inside], wanted[inside], atol=0.01)
        compared += inside.mean()
    assert compared > 0.3 * len(crops)


def test_crops_of_a_picture_differ_and_the_generator_decides_how():
    picture = coded_picture()
    crops = [Augmentation().crop(picture, 32, np.random.default_rng(i))[0] for i in (0, 0, 1)]
    np.testing.assert_array_equal(crops[0], crops[1])
    assert not np.array_equal(crops[0], crops[2])


def test_all_eight_symmetries_are_drawn():
    still = replace(PLAIN, zoom=(1, 1))
    rgb = np.arange(0, 108, 3, np.uint8).reshape(6, 6, 1).repeat(3, 2)
    picture = LabelledPicture("square", rgb, np.zeros((6, 6), np.uint8))
    rng = np.random.default_rng(0)
    assert len({still.crop(picture, 6, rng)[0].tobytes() for _ in range(100)}) == 8


def test_pixels_of_a_crop_stay_between_0_and_1():
    wild = Augmentation(gain=(3, 5), noise=0.5)
    rng = np.random.default_rng(0)
    for _ in range(5):
        x, _ = wild.crop(coded_picture(), 32, rng)
        assert x.dtype == np.float32
        assert x.min() >= 0
        assert x.max() <= 1


def test_a_picture_smaller_than_the_crop_is_continued():
    x, y = PLAIN.crop(coded_picture(5, 9), 32, np.random.default_rng(0))
    assert x.shape == (32, 32, 3)
    assert y.shape == (32, 32)


ANYTHING = Augmentation(zoom=(0.4, 2), gain=(0.5, 2.5), gamma=(0.5, 2), noise=0.2)


def test_training_covers_what_it_drew_and_nothing_else():
    covered = {name for name, view in VIEWS.items() if ANYTHING.covers(view)}
    never = {"tilt-10", "tilt+10", "contrast+", "contrast-"}
    assert covered == set(VIEWS) - never


@pytest.mark.parametrize(
    ("change", "lost"),
    [
        ({"d4": False}, set(VIEW_SETS["d4"][1:])),
        ({"zoom": (0.7, 1.4)}, {"zoom0.5", "zoom1.5"}),
        ({"gain": (0.7, 2.5)}, {"darker"}),
        ({"gain": (0.5, 1.2)}, {"brighter"}),
        ({"gamma": (0.9, 2)}, {"gamma-"}),
        ({"gamma": (0.5, 1.1)}, {"gamma+"}),
        ({"noise": 0.03}, {"noise"}),
    ],
    ids=lambda value: str(sorted(value) if isinstance(value, set) else value),
)
def test_training_with_less_covers_less(change, lost):
    less = replace(ANYTHING, **change)
    before = {name for name, view in VIEWS.items() if ANYTHING.covers(view)}
    assert {name for name in before if not less.covers(VIEWS[name])} == lost


# Training

TINY = Recipe(
    steps=2,
    augmentation=Augmentation(),
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
