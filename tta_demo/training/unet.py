"""Training a U-Net: augmented crops, cross-entropy and soft Dice.

Source: Milletari et al., "V-Net", 2016 (soft Dice).
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from tta_demo.models.registry import MODELS
from tta_demo.models.runner import Runner
from tta_demo.models.unet import UNet, load_unet
from tta_demo.samples.labelled import LabelledPicture
from tta_demo.samples.weeds import COUNTS
from tta_demo.scoring.metrics import confusion, mean_iou
from tta_demo.scoring.score import evaluate
from tta_demo.training.augment import crop
from tta_demo.training.card import table_of
from tta_demo.training.loop import Descent, Recipe, autocast
from tta_demo.tta.plan import ONE_LOOK, Plan
from tta_demo.tta.predict import to_tensor
from tta_demo.tta.views import VIEW_SETS

__all__ = ["RECIPES", "UNetRecipe", "scores_of", "train"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class UNetRecipe(Recipe):
    """How a U-Net is trained."""

    model: str  # a key of `MODELS`
    world: str  # whose pictures it learns from
    steps: int
    groups: dict[str, float]  # how often crops come from each group of pictures; sums to 1
    pictures: int | None = None  # how many of the training split, from the first on; None for all
    loss: str = "cross-entropy plus one minus mean soft Dice"
    crop: int = 192  # side, pixels
    weight_decay: float = 1e-3
    warmup: int = 200  # steps in which the learning rate rises
    validate_every: int = 500


FEW = 40
"""Fields that the novice has seen."""


def _fields(count: int) -> str:
    return (
        f"The first {count} training seeds of the field generator at difficulties from 0 to 1. "
        "The sun stands in one quarter of the sky, as in one flight: shadows fall to the lower "
        "right. A model may learn that, and views that move the shadows may be worth less."
    )


_WEEDS = UNetRecipe(
    model="unet-weeds",
    world="weeds",
    augmentation=MODELS["unet-weeds"].augmentation,
    data=_fields(COUNTS["train"]),
    steps=2500,
    crop=160,
    groups={"": 1.0},
)

RECIPES: dict[str, UNetRecipe] = {
    "weeds": _WEEDS,
    "weeds-small": replace(
        _WEEDS,
        model="unet-weeds-small",
        width=10,
        seed=1,
        steps=1200,
        pictures=200,
        data=_fields(200),
    ),
    "weeds-novice": replace(
        _WEEDS,
        model="unet-weeds-novice",
        width=10,
        seed=2,
        steps=1500,
        pictures=FEW,
        data=_fields(FEW),
    ),
    "nuclei": UNetRecipe(
        model="unet-nuclei",
        world="nuclei",
        augmentation=MODELS["unet-nuclei"].augmentation,
        data="BBBC038v1 (2018 Data Science Bowl, stage 1, CC0 1.0), its training split: 464 "
        "microscope pictures, fluorescence and stained tissue. Classes: background, nucleus, and "
        "border, the inner rim (2 px) of every nucleus.",
        steps=4000,
        groups={"fluorescence": 0.7, "stained": 0.3},
    ),
}
"""What the shipped weights were trained with, by the name that the command knows."""


def train(
    recipe: UNetRecipe,
    classes: int,
    pictures: Sequence[LabelledPicture],
    validation: Sequence[LabelledPicture],
    out: Path,
    progress: Callable[..., tqdm] = tqdm,
) -> list[dict[str, float]]:
    """Trains a U-Net and saves it as float16 safetensors after every validation.

    The same recipe and pictures give the same weights on the same machine and thread count.
    Validates and writes `out` every `recipe.validate_every` steps; `progress` wraps the steps.

    Returns:
        One row a validation: step, loss (mean since the last row), miou.
    """
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    model = UNet(classes, recipe.width).to(memory_format=torch.channels_last)
    descent = Descent(model, recipe, recipe.steps, min(0.3, recipe.warmup / recipe.steps))
    groups = {g: [p for p in pictures if p.group == g] for g in recipe.groups}
    losses, history = [], []
    for step in progress(range(1, recipe.steps + 1), desc="training", unit="step"):
        model.train()
        x, y = _batch(groups, recipe, rng)
        with autocast():
            logits = model(x)
        losses.append(descent.step(_loss(logits.float(), y)))
        if step % recipe.validate_every == 0 or step == recipe.steps:
            row = {
                "step": step,
                "loss": float(np.mean(losses)),
                "miou": _validate(descent.averaged, validation, classes),
            }
            log.info("step %(step)d  loss %(loss).4f  validation mIoU %(miou).4f", row)
            history.append(row)
            losses.clear()
            descent.save(out)
    return history


def scores_of(weights: Path, classes: Sequence[str], test: Sequence[LabelledPicture]) -> list[str]:
    """Returns lines for the model card: what a model reaches on the test pictures."""
    plans = {"no TTA": ONE_LOOK, "D4, even mean": Plan(VIEW_SETS["d4"])}
    scores = evaluate(load_unet(weights, dtype=torch.float32), test, plans)
    names = ["miou", "foreground_dice", *(f"iou_{name}" for name in classes)]
    rows = {way: score.row(classes) for way, score in scores.items()}
    cells = [[way, *(f"{row[name]:.4f}" for name in names)] for way, row in rows.items()]
    return [
        *table_of(["", *names], cells),
        "",
        f"{len(test)} pictures, pooled over all pixels. `foreground_dice` takes all classes but "
        "the first together.",
    ]


def _batch(
    groups: dict[str, list[LabelledPicture]], recipe: UNetRecipe, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    crops = []
    for _ in range(recipe.batch):
        group = groups[rng.choice(list(recipe.groups), p=list(recipe.groups.values()))]
        picture = group[int(rng.integers(len(group)))]
        crops.append(crop(recipe.augmentation, picture, recipe.crop, rng))
    x, y = (torch.from_numpy(np.stack(arrays)) for arrays in zip(*crops, strict=True))
    return x.permute(0, 3, 1, 2), y.long()  # NHWC memory seen as NCHW is channels_last


def _loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy plus one minus the mean soft Dice over classes."""
    probs = logits.softmax(1)
    truth = F.one_hot(labels, logits.shape[1]).permute(0, 3, 1, 2)
    overlap = (probs * truth).sum((0, 2, 3))
    dice = (2 * overlap + 1) / (probs.sum((0, 2, 3)) + truth.sum((0, 2, 3)) + 1)
    return F.cross_entropy(logits, labels) + 1 - dice.mean()


def _validate(model: UNet, pictures: Sequence[LabelledPicture], classes: int) -> float:
    total = np.zeros((classes, classes), np.int64)
    logits = Runner(model, UNet.STRIDE)
    for picture in pictures:
        with autocast():
            labels = logits(to_tensor(picture.rgb)[None]).argmax(1)[0]
        total += confusion(picture.labels, labels.numpy(), classes)
    return mean_iou(total)
