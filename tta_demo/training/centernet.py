"""Training the plant detector: whole fields, focal loss, AdamW, one cosine, averaged weights.

Sources: Zhou et al., "Objects as Points" (CenterNet), 2019 (the losses); and see `train`.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.optim.swa_utils import AveragedModel
from tqdm import tqdm

from tta_demo.models.centernet import CenterNet, Detector, targets
from tta_demo.samples import weeds
from tta_demo.samples.labelled import LabelledPicture
from tta_demo.samples.weeds import plant_boxes
from tta_demo.scoring.box_metrics import average_precision
from tta_demo.training.unet import Augmentation, autocast, running_average, save
from tta_demo.tta.boxes import Boxes
from tta_demo.tta.predict import to_tensor

__all__ = ["RECIPE", "DetectorRecipe", "detection_loss", "train"]

log = logging.getLogger(__name__)

_LABELS = (1, 2)


@dataclass(frozen=True)
class DetectorRecipe:
    """How the detector is trained; everything that the result depends on.

    Attributes:
        augmentation: what training shows beside the fields themselves; colours only.
        fields: how many training fields.
        validation: how many validation fields.
        average: how much of the averaged weights each step keeps.
    """

    augmentation: Augmentation
    epochs: int = 20
    fields: int = weeds.COUNTS["train"]
    validation: int = 30
    width: int = 16
    batch: int = 12
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    warmup: float = 0.1
    average: float = 0.998
    seed: int = 0


RECIPE = DetectorRecipe(
    augmentation=Augmentation(
        d4=False,  # a turned field would have the sun elsewhere
        zoom=(1, 1),
        gain=(0.7, 1.4),
        gamma=(0.8, 1.25),
        tint=0.05,
        noise=0.02,
    )
)
"""What the shipped weights were trained with."""


@dataclass(frozen=True)
class Sample:
    """A field, its plants' boxes, and the maps that the model should give for it."""

    picture: LabelledPicture
    truth: Boxes
    maps: tuple[Tensor, Tensor, Tensor]


def train(
    out: Path, recipe: DetectorRecipe = RECIPE, progress: Callable[..., tqdm] = tqdm
) -> list[dict[str, float]]:
    """Trains a `CenterNet` on weed fields; saves the best so far as float16 safetensors.

    The same recipe gives the same weights on the same machine and thread count.

    Args:
        out: the file to write, after every epoch with a better validation AP@.5.
        recipe: what to do.
        progress: wraps the fields to generate; `tqdm` or alike.

    Returns:
        One row an epoch: epoch, loss (mean), ap and ap50 on the validation fields.
    """
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    samples = [_sample(s) for s in progress(weeds.SEEDS["train"][: recipe.fields], desc="fields")]
    validation = [_sample(seed) for seed in weeds.SEEDS["val"][: recipe.validation]]
    model = CenterNet(len(_LABELS), recipe.width).to(memory_format=torch.channels_last)
    averaged = AveragedModel(model, avg_fn=running_average(recipe.average), use_buffers=True)
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        max_lr=recipe.learning_rate,
        total_steps=recipe.epochs * -(-len(samples) // recipe.batch),
        pct_start=recipe.warmup,
        cycle_momentum=False,
    )
    history: list[dict[str, float]] = []
    for epoch in range(1, recipe.epochs + 1):
        losses = []
        model.train()
        for places in _batches(len(samples), recipe.batch, rng):
            losses.append(_step(model, [samples[i] for i in places], recipe, optimizer, rng))
            schedule.step()
            averaged.update_parameters(model)
        row = {"epoch": epoch, "loss": float(np.mean(losses))}
        row |= _validate(averaged.module, validation)
        log.info("epoch %(epoch)d  loss %(loss).4f  AP@.5 %(ap50).4f  AP %(ap).4f", row)
        if not history or row["ap50"] > max(past["ap50"] for past in history):
            save(averaged.module, out)
        history.append(row)
    return history


def detection_loss(maps: Tensor, heat: Tensor, shapes: Tensor, share: Tensor) -> Tensor:
    """Returns the focal loss of the centres a box, plus the mean L1 loss of boxes near centres.

    Args:
        maps: `(B, C + 4, h, w)` of a `CenterNet`.
        heat: `(B, C, h, w)`, and the rest as `targets` gives it.
        shapes: `(B, 4, h, w)`.
        share: `(B, h, w)`.

    Source:
        Zhou et al. 2019, equation 1; sizes here in logarithms, so that small boxes count alike.
    """
    logits, centre = maps[:, :-4], heat == 1
    probs = logits.sigmoid()
    found = (1 - probs) ** 2 * F.logsigmoid(logits)
    quiet = (1 - heat) ** 4 * probs**2 * F.logsigmoid(-logits)
    focal = -torch.where(centre, found, quiet).sum() / centre.sum().clamp(min=1)
    off = (maps[:, -4:] - shapes).abs().sum(1)
    return focal + (off * share).sum() / share.sum().clamp(min=1)


def _sample(seed: int) -> Sample:
    """Returns the field as `weeds.labelled` draws it for training and validation."""
    field = weeds.field(seed, difficulty=weeds.stream(seed, 6).random(), sun=weeds.sun_of(seed, 0))
    picture = LabelledPicture(f"weeds-{seed}", field.rgb, field.labels)
    truth = plant_boxes(field.plants)
    return Sample(picture, truth, targets(truth, field.labels.shape, len(_LABELS)))


def _batches(count: int, size: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Returns all places in random order, in parts."""
    order = rng.permutation(count)
    return [order[start : start + size] for start in range(0, count, size)]


def _step(
    model: CenterNet,
    samples: Sequence[Sample],
    recipe: DetectorRecipe,
    optimizer: torch.optim.Optimizer,
    rng: np.random.Generator,
) -> float:
    """Learns from one batch; returns its loss."""
    pictures = [one.picture for one in samples]
    crops = [recipe.augmentation.crop(one, len(one.labels), rng)[0] for one in pictures]
    x = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2)  # channels_last
    wanted = (torch.stack(maps) for maps in zip(*(one.maps for one in samples), strict=True))
    with autocast():
        maps = model(x)
    loss = detection_loss(maps.float(), *wanted)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def _validate(model: CenterNet, samples: Sequence[Sample]) -> dict[str, float]:
    detector = Detector(model)
    found = [detector(to_tensor(one.picture.rgb)[None])[0] for one in samples]
    scores = average_precision(found, [one.truth for one in samples], _LABELS)
    return {"ap": scores.ap, "ap50": scores.ap50}
