"""Small scenes for the tests of the stage, looked at for real by a model of one layer."""

from dataclasses import replace

import numpy as np
import torch
from torch import nn

from tta_demo.pictures.palettes import display_colors
from tta_demo.pictures.reading import Picture
from tta_demo.samples.weeds import DIFFICULTY, SEEDS, sample
from tta_demo.tasks.segment import segment
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.fusion import Weights, fuse
from tta_demo.tta.plan import Plan
from tta_demo.tta.predict import ViewStack, look, to_labels, to_tensor
from tta_demo.tta.views import VIEW_SETS, VIEWS
from tta_demo.ui.stage import StagePicture

D4 = VIEW_SETS["d4"]


def toy(classes):
    """A model that looks left and up more than right and down."""
    model = nn.Conv2d(3, classes, 5, padding=2)
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        model.weight.copy_(torch.randn(model.weight.shape, generator=generator) * 1.2)
        model.bias.zero_()
    return model.eval()


def picture(height, width, seed=0):
    """Soft blobs, `(H, W, 3)` uint8."""
    coarse = np.random.default_rng(seed).random((1, 3, 2 + height // 12, 2 + width // 12))
    soft = nn.functional.interpolate(torch.from_numpy(coarse), (height, width), mode="bicubic")
    return (255 * soft[0].permute(1, 2, 0).clamp(0, 1)).round().byte().numpy()


@torch.no_grad()
def stack_of(rgb, views, classes):
    """Returns looks by view name and their stack."""
    model = toy(classes)
    looks = {name: in_bytes(look(model, to_tensor(rgb), VIEWS[name])) for name in views}
    return looks, ViewStack.of(looks)


def in_bytes(one):
    """A look whose probabilities are what the browser gets: nothing is left to rounding."""
    probs = one.log_probs.exp()
    steps = (255 * probs).round()
    steps[0] = (255 - steps[1:].sum(0)).clamp_min(0)
    known = probs.sum(0) > 0.5
    probs = torch.where(known, steps / 255, 0)
    return replace(one, log_probs=probs.clamp_min(1e-7).log(), labels=to_labels(probs))


def fused(stack, fusion, weights=None, on=None, pool="linear"):
    """Returns the labels of the looks that are on, as the library fuses them."""
    on = [True] * len(stack.views) if on is None else on
    chosen = [i for i, flag in enumerate(on) if flag]
    part = stack.take([stack.views[i] for i in chosen])
    if weights is None:
        return to_labels(fuse(part, fusion))
    weights = weights[chosen]
    return to_labels(fuse(part, fusion, Weights(weights / weights.sum(0), pool)))


def scene_of(
    views=D4,
    fusion="mean",
    weights=None,
    on=None,
    size=(60, 80),
    classes=3,
    seed=0,
    truth=True,
    **more,
):
    """Returns a scene and the stack that it came from."""
    rgb = picture(*size, seed)
    looks, stack = stack_of(rgb, views, classes)
    on = [True] * len(views) if on is None else on
    ranks = np.cumsum(on)
    steps = [
        fused(stack, fusion, weights, [f and r <= k for f, r in zip(on, ranks, strict=True)])
        for k in range(1, sum(on) + 1)
    ]
    right = fused(stack, "gmean")
    rng = np.random.default_rng(seed)
    noisy = np.where(rng.random(right.shape) < 0.04, rng.integers(0, classes, right.shape), right)
    scene = StagePicture(
        name="toy",
        rgb=rgb,
        looks=looks,
        together=np.stack(steps),
        names=[f"Class {c}" for c in range(classes)],
        colors=display_colors(classes),
        fusion=fusion,
        weights=None if weights is None else weights.numpy(),
        truth=noisy.astype(np.uint8) if truth else None,
        on=on,
    )
    return replace(scene, **more), stack


def field_scene(views, fusion="mean", weights=None):
    """Returns the first test field as the shipped model sees it, and its stack."""
    field = sample(SEEDS["test"][0], DIFFICULTY)
    names = VIEW_SETS[views]
    record = WORLDS["weeds"].record
    looks = segment(record, Picture.of(field.rgb, ""), Plan(names), device="cpu").looks
    stack, count = ViewStack.of(looks), len(looks)
    steps = [
        fused(stack, fusion, weights, [v < k for v in range(count)]) for k in range(1, count + 1)
    ]
    scene = StagePicture(
        name="field",
        rgb=field.rgb,
        looks=looks,
        together=np.stack(steps),
        names=record.palette.names,
        colors=display_colors(3),
        fusion=fusion,
        weights=None if weights is None else weights.numpy(),
        truth=field.labels,
    )
    return scene, stack
