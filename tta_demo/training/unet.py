"""Training a built-in model: augmented crops, AdamW, one cosine, averaged weights.

Sources: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", 2019 (AdamW, cosine);
Milletari et al., "V-Net", 2016 (soft Dice); Izmailov et al., "Averaging Weights Leads to Wider
Optima", 2018 (here as a running exponential average).
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from tta_demo.models.runner import pick_dtype
from tta_demo.models.unet import UNet
from tta_demo.samples.labelled import LabelledPicture
from tta_demo.scoring.metrics import confusion, mean_iou
from tta_demo.tta.symmetry import IDENTITY
from tta_demo.tta.views import View

__all__ = ["RECIPES", "Augmentation", "Recipe", "train"]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Augmentation:
    """What training shows the model beside the pictures themselves; uniform or log-uniform draws.

    Attributes:
        d4: mirrored and turned by quarter turns, all eight alike.
        zoom: lowest and highest magnification.
        gain: brightness factor over 0..1, clipped.
        gamma: exponent.
        tint: largest change of one colour channel's gain.
        noise: largest standard deviation of Gaussian noise over 0..1.
    """

    d4: bool = True
    zoom: tuple[float, float] = (0.7, 1.4)
    gain: tuple[float, float] = (0.5, 2.5)
    gamma: tuple[float, float] = (0.7, 1.4)
    tint: float = 0.1
    noise: float = 0.03

    def crop(
        self, picture: LabelledPicture, size: int, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Returns one crop: pixels `(size, size, 3)` float32 in 0..1, labels `(size, size)`."""
        source = round(size / _log_uniform(self.zoom, rng))
        rgb, labels = (_pad(a, source) for a in (picture.rgb, picture.labels))
        top, left = (int(rng.integers(n - source + 1)) for n in labels.shape)
        window = np.s_[top : top + source, left : left + source]
        shrinks = source > size
        x = cv2.resize(
            rgb[window], (size, size), interpolation=cv2.INTER_AREA if shrinks else 1
        ).astype(np.float32)
        y = cv2.resize(labels[window], (size, size), interpolation=cv2.INTER_NEAREST_EXACT)
        if self.d4:
            turns, flip = int(rng.integers(4)), bool(rng.integers(2))
            x, y = np.rot90(x, turns), np.rot90(y, turns)
            if flip:
                x, y = x[:, ::-1], y[:, ::-1]
        tint = 1 + rng.uniform(-self.tint, self.tint, 3)
        x = np.clip(x / 255 * (_log_uniform(self.gain, rng) * tint), 0, 1)
        x = x ** _log_uniform(self.gamma, rng)
        x = x + rng.normal(0, rng.uniform(0, self.noise), x.shape)
        return np.clip(x, 0, 1).astype(np.float32), np.ascontiguousarray(y)

    def covers(self, view: View) -> bool:
        """Tells whether training showed the model what this view shows it."""
        return (
            (self.d4 or view.symmetry == IDENTITY)
            and self.zoom[0] <= view.zoom <= self.zoom[1]
            and self.gain[0] <= view.gain <= self.gain[1]
            and self.gamma[0] <= view.gamma <= self.gamma[1]
            and view.noise <= self.noise
            and view.contrast == 1
            and view.tilt == 0
        )


@dataclass(frozen=True)
class Recipe:
    """How a model is trained; everything that the result depends on beside the pictures.

    Attributes:
        groups: how often crops come from each group of pictures; sums to 1.
    """

    steps: int
    augmentation: Augmentation
    groups: dict[str, float]
    width: int = 16
    batch: int = 12
    crop: int = 192
    learning_rate: float = 2e-3
    weight_decay: float = 1e-3
    warmup: int = 200
    average: float = 0.998
    seed: int = 0
    validate_every: int = 500


RECIPES: dict[str, Recipe] = {
    "weeds": Recipe(
        steps=2500,
        crop=160,
        augmentation=Augmentation(
            d4=False,  # a turned field would have the sun elsewhere
            zoom=(0.8, 1.25),
            gain=(0.7, 1.4),
            gamma=(0.8, 1.25),
            tint=0.05,
            noise=0.02,
        ),
        groups={"": 1.0},
    ),
    "nuclei": Recipe(
        steps=4000, augmentation=Augmentation(), groups={"fluorescence": 0.7, "stained": 0.3}
    ),
}
"""By world; what the shipped weights were trained with."""


def train(
    recipe: Recipe,
    classes: int,
    pictures: Sequence[LabelledPicture],
    validation: Sequence[LabelledPicture],
    out: Path,
    progress: Callable[..., tqdm] = tqdm,
) -> list[dict[str, float]]:
    """Trains a U-Net and saves it as float16 safetensors after every validation.

    The same recipe and pictures give the same weights on the same machine and thread count.

    Args:
        recipe: what to do.
        classes: number of classes C.
        pictures: the ones to learn from.
        validation: the ones to score on, every `recipe.validate_every` steps.
        out: the file to write.
        progress: wraps the range of steps; `tqdm` or alike.

    Returns:
        One row a validation: step, loss (mean since the last row), miou.
    """
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    model = UNet(classes, recipe.width).to(memory_format=torch.channels_last)
    averaged = AveragedModel(model, avg_fn=running_average(recipe.average), use_buffers=True)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=recipe.learning_rate,
        total_steps=recipe.steps,
        pct_start=min(0.3, recipe.warmup / recipe.steps),
        cycle_momentum=False,
    )
    groups = {g: [p for p in pictures if p.group == g] for g in recipe.groups}
    losses, history = [], []
    for step in progress(range(1, recipe.steps + 1), desc="training", unit="step"):
        model.train()
        x, y = _batch(groups, recipe, rng)
        with autocast():
            logits = model(x)
        loss = _loss(logits.float(), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        averaged.update_parameters(model)
        losses.append(loss.item())
        if step % recipe.validate_every == 0 or step == recipe.steps:
            row = {
                "step": step,
                "loss": float(np.mean(losses)),
                "miou": _validate(averaged.module, validation, classes),
            }
            log.info("step %(step)d  loss %(loss).4f  validation mIoU %(miou).4f", row)
            history.append(row)
            losses.clear()
            save(averaged.module, out)
    return history


def running_average(decay: float) -> Callable[[Tensor, Tensor, Tensor], Tensor]:
    """Returns an exponential average that forgets fast at first: the start weights are noise."""

    def average(kept: Tensor, new: Tensor, count: Tensor) -> Tensor:
        if not kept.is_floating_point():
            return new  # batch norm's step counters
        now = min(decay, (1 + int(count)) / (10 + int(count)))
        return kept.lerp(new, 1 - now)

    return average


def autocast() -> torch.autocast:
    """Returns bfloat16 arithmetic where the CPU has instructions for it."""
    return torch.autocast("cpu", torch.bfloat16, enabled=pick_dtype("cpu") == torch.bfloat16)


def _batch(
    groups: dict[str, list[LabelledPicture]], recipe: Recipe, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    crops = []
    for _ in range(recipe.batch):
        group = groups[rng.choice(list(recipe.groups), p=list(recipe.groups.values()))]
        picture = group[int(rng.integers(len(group)))]
        crops.append(recipe.augmentation.crop(picture, recipe.crop, rng))
    x, y = (torch.from_numpy(np.stack(arrays)) for arrays in zip(*crops, strict=True))
    return x.permute(0, 3, 1, 2), y.long()  # NHWC memory seen as NCHW is channels_last


def _loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy plus one minus the mean soft Dice over classes."""
    probs = logits.softmax(1)
    truth = F.one_hot(labels, logits.shape[1]).permute(0, 3, 1, 2)
    overlap = (probs * truth).sum((0, 2, 3))
    dice = (2 * overlap + 1) / (probs.sum((0, 2, 3)) + truth.sum((0, 2, 3)) + 1)
    return F.cross_entropy(logits, labels) + 1 - dice.mean()


@torch.no_grad()
def _validate(model: UNet, pictures: Sequence[LabelledPicture], classes: int) -> float:
    model.eval()
    total = np.zeros((classes, classes), np.int64)
    for picture in pictures:
        x = torch.from_numpy(picture.rgb).permute(2, 0, 1)[None].float() / 255
        height, width = picture.labels.shape
        x = F.pad(x, (0, -width % UNet.STRIDE, 0, -height % UNet.STRIDE), "replicate")
        with autocast():
            labels = model(x).argmax(1)[0, :height, :width]
        total += confusion(picture.labels, labels.numpy(), classes)
    return mean_iou(total)


def save(model: UNet, out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    tensors = {k: v for k, v in model.state_dict().items() if not k.endswith("batches_tracked")}
    save_file({k: v.half().contiguous() for k, v in tensors.items()}, out)


def _pad(array: np.ndarray, size: int) -> np.ndarray:
    """Mirrors the far edges until both sides have `size` pixels at least."""
    bottom, right = (max(0, size - n) for n in array.shape[:2])
    return cv2.copyMakeBorder(array, 0, bottom, 0, right, cv2.BORDER_REFLECT_101)


def _log_uniform(bounds: tuple[float, float], rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(*np.log(bounds))))
