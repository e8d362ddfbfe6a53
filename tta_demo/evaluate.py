"""Measuring ways to look and fuse on labelled pictures."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from tta_demo.fusion import fuse
from tta_demo.metrics import calibration_error, confusion, f1, iou, mean_iou, reliability
from tta_demo.predict import Look, Model, ViewStack, look, to_tensor
from tta_demo.samples.labelled import LabelledPicture
from tta_demo.views import VIEWS

__all__ = ["Plan", "Score", "evaluate"]


@dataclass(frozen=True)
class Plan:
    """One way to look and fuse.

    Attributes:
        name: what to call it.
        views: V names.
        fusion: a key of `FUSIONS`.
        weights: `(V,)` for learned fusion.
    """

    name: str
    views: tuple[str, ...]
    fusion: str
    weights: torch.Tensor | None = None


@dataclass
class Score:
    """What a plan reached; grows picture by picture.

    Attributes:
        matrices: a confusion matrix `(C, C)` a picture.
        log_loss: summed over pixels, and `pixels` their number.
        table: of `reliability`, summed over pictures.
        seconds: of views and fusion.
    """

    plan: Plan
    matrices: list[np.ndarray] = field(default_factory=list)
    log_loss: float = 0.0
    pixels: int = 0
    table: np.ndarray = field(default_factory=lambda: np.zeros((15, 3)))
    seconds: float = 0.0

    def add(self, probs: np.ndarray, truth: np.ndarray, seconds: float) -> None:
        """Counts one picture: `probs` `(C, H, W)`, `truth` `(H, W)` class ids."""
        labels = probs.argmax(0)
        self.matrices.append(confusion(truth, labels, len(probs)))
        true = np.take_along_axis(probs, truth[None].astype(np.int64), 0)
        self.log_loss -= float(np.log(true.clip(1e-7)).sum())
        self.pixels += truth.size
        self.table += reliability(probs.max(0), labels == truth)
        self.seconds += seconds

    def row(self, names: Sequence[str]) -> dict[str, float]:
        """Returns the scores by name, pooled over all pixels; F1 and IoU for each class name."""
        matrix = np.sum(self.matrices, axis=0)
        whole = np.array(
            [[matrix[0, 0], matrix[0, 1:].sum()], [matrix[1:, 0].sum(), matrix[1:, 1:].sum()]]
        )
        return {
            "miou": mean_iou(matrix),
            "miou_without_background": mean_iou(matrix, background=False),
            "f1": float(np.nanmean(f1(matrix))),
            "foreground_dice": float(f1(whole)[1]),
            "nll": self.log_loss / self.pixels,
            "ece": calibration_error(self.table),
            "ms": 1000 * self.seconds / len(self.matrices),
            **{f"f1_{n}": float(x) for n, x in zip(names, f1(matrix), strict=True)},
            **{f"iou_{n}": float(x) for n, x in zip(names, iou(matrix), strict=True)},
        }


@torch.no_grad()
def evaluate(
    model: Model, pictures: Iterable[LabelledPicture], plans: Sequence[Plan]
) -> list[Score]:
    """Returns the plans' scores; every view of a picture runs once, whatever plans share it.

    Args:
        model: gives logits.
        pictures: with their truth, read one by one.
        plans: what to compare.
    """
    scores = [Score(plan) for plan in plans]
    names = tuple(dict.fromkeys(name for plan in plans for name in plan.views))
    for picture in pictures:
        image = to_tensor(picture.rgb)
        looks: dict[str, Look] = {}
        seconds: dict[str, float] = {}
        for name in names:
            start = time.perf_counter()
            looks[name] = look(model, image, VIEWS[name])
            seconds[name] = time.perf_counter() - start
        for score in scores:
            start = time.perf_counter()
            stack = ViewStack.of({name: looks[name] for name in score.plan.views})
            probs = fuse(stack, score.plan.fusion, score.plan.weights).numpy()
            fusing = time.perf_counter() - start
            score.add(
                probs, picture.labels, fusing + sum(seconds[name] for name in score.plan.views)
            )
    return scores
