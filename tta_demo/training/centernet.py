"""Training the plant detector: whole fields, focal loss of centres.

Source: Zhou et al., "Objects as Points" (CenterNet), 2019.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from tta_demo.models.centernet import CenterNet, Detector, load_centernet, targets
from tta_demo.models.registry import MODELS
from tta_demo.samples import weeds
from tta_demo.samples.labelled import LabelledPicture
from tta_demo.scoring.box_metrics import average_precision
from tta_demo.training.augment import crop
from tta_demo.training.card import table_of
from tta_demo.training.loop import Descent, Recipe, autocast
from tta_demo.training.unet import RECIPES
from tta_demo.tta.boxes import Boxes
from tta_demo.tta.predict import to_tensor

__all__ = ["RECIPE", "DetectorRecipe", "detection_loss", "scores_of", "train"]

log = logging.getLogger(__name__)

_LABELS = (1, 2)


@dataclass(frozen=True, kw_only=True)
class DetectorRecipe(Recipe):
    """How the detector is trained: on how many fields, and the part of all steps to warm up."""

    epochs: int = 20
    loss: str = "focal loss of the centres plus L1 loss of the boxes (CenterNet)"
    best: str = "ap50"
    fields: int = weeds.COUNTS["train"]
    validation: int = 30
    weight_decay: float = 1e-2
    warmup: float = 0.1


RECIPE = DetectorRecipe(
    augmentation=MODELS["weed-detector"].augmentation,
    data=f"{RECIPES['weeds'].data} A true box holds the visible pixels of a plant; plants with "
    f"fewer than {weeds.LEAST} of them are left out.",
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

    The same recipe gives the same weights on the same machine and thread count. Writes `out`
    after every epoch with a better validation AP@.5; `progress` wraps the fields to generate.

    Returns:
        One row an epoch: epoch, loss (mean), ap and ap50 on the validation fields.
    """
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    samples = [_sample(s) for s in progress(weeds.SEEDS["train"][: recipe.fields], desc="fields")]
    validation = [_sample(seed) for seed in weeds.SEEDS["val"][: recipe.validation]]
    model = CenterNet(len(_LABELS), recipe.width).to(memory_format=torch.channels_last)
    steps = recipe.epochs * -(-len(samples) // recipe.batch)
    descent = Descent(model, recipe, steps, recipe.warmup)
    history: list[dict[str, float]] = []
    for epoch in range(1, recipe.epochs + 1):
        losses = []
        model.train()
        order = rng.permutation(len(samples))
        for places in np.split(order, range(recipe.batch, len(order), recipe.batch)):
            losses.append(descent.step(_loss(model, [samples[i] for i in places], recipe, rng)))
        row = {"epoch": epoch, "loss": float(np.mean(losses))}
        row |= _validate(descent.averaged, validation)
        log.info("epoch %(epoch)d  loss %(loss).4f  AP@.5 %(ap50).4f  AP %(ap).4f", row)
        if not history or row[recipe.best] > max(past[recipe.best] for past in history):
            descent.save(out)
        history.append(row)
    return history


def scores_of(
    weights: Path, classes: Sequence[str], pictures: int = weeds.COUNTS["test"]
) -> list[str]:
    """Returns lines for the model card: what a detector reaches on test fields."""
    detector = load_centernet(weights)
    fields = [weeds.field(seed) for seed in weeds.SEEDS["test"][:pictures]]
    found = [detector(to_tensor(made.rgb)[None])[0] for made in fields]
    truth = [weeds.plant_boxes(made.plants) for made in fields]
    labels = {"all": _LABELS, **{classes[label]: [label] for label in _LABELS}}
    rows = [
        [name, *(f"{x:.4f}" for x in astuple(average_precision(found, truth, some)))]
        for name, some in labels.items()
    ]
    return [
        *table_of(["", "AP@[.5:.95]", "AP@.5", "recall (AR@100)"], rows),
        "",
        f"{pictures} fields of difficulty {weeds.DIFFICULTY}, seeds from "
        f"{weeds.SEEDS['test'][0]} on, without TTA, as COCO counts. It has seen no real "
        "photograph, no plants but two weeds and grass, which is background, no scale but that "
        "of these fields, and no shadow that falls elsewhere. It gives up to 100 boxes a picture "
        "with scores from 0.05 on, as average precision asks for; to look at them, choose a "
        "higher threshold.",
    ]


def detection_loss(maps: Tensor, heat: Tensor, shapes: Tensor, share: Tensor) -> Tensor:
    """Returns the focal loss of the centres a box, plus the mean L1 loss of boxes near centres.

    The `maps` are `(B, C + 4, h, w)` of a `CenterNet`, the others are batches of its `targets`.

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
    difficulty, sun = weeds.flight(seed)
    field = weeds.field(seed, difficulty=difficulty, sun=sun)
    picture = LabelledPicture(f"weeds-{seed}", field.rgb, field.labels)
    truth = weeds.plant_boxes(field.plants)
    return Sample(picture, truth, targets(truth, field.labels.shape, len(_LABELS)))


def _loss(
    model: CenterNet, samples: Sequence[Sample], recipe: Recipe, rng: np.random.Generator
) -> Tensor:
    shown, pictures = recipe.augmentation, [one.picture for one in samples]
    crops = [crop(shown, one, len(one.labels), rng)[0] for one in pictures]
    x = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2)  # channels_last
    wanted = (torch.stack(maps) for maps in zip(*(one.maps for one in samples), strict=True))
    with autocast():
        maps = model(x)
    return detection_loss(maps.float(), *wanted)


def _validate(model: CenterNet, samples: Sequence[Sample]) -> dict[str, float]:
    detector = Detector(model)
    found = [detector(to_tensor(one.picture.rgb)[None])[0] for one in samples]
    scores = average_precision(found, [one.truth for one in samples], _LABELS)
    return {"ap": scores.ap, "ap50": scores.ap50}
