"""Measuring ways to look and fuse on labelled pictures."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from tta_demo.models.ensemble import look_as
from tta_demo.pictures.palettes import IGNORED
from tta_demo.samples.labelled import LabelledPicture
from tta_demo.scoring import metrics
from tta_demo.scoring.interval import Difference, bootstrap
from tta_demo.tta.plan import Plan
from tta_demo.tta.predict import Model, ViewStack, to_tensor

__all__ = ["Score", "evaluate", "gain", "run"]


@dataclass
class Score:
    """What a plan reached; grows picture by picture.

    Attributes:
        matrices: a confusion matrix `(C, C)` a picture.
        log_losses: summed over the pixels of a picture.
        tables: of `reliability`, one a picture.
        seconds: of views and fusion, all pictures.
    """

    matrices: list[np.ndarray] = field(default_factory=list)
    log_losses: list[float] = field(default_factory=list)
    tables: list[np.ndarray] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, probs: np.ndarray, truth: np.ndarray, seconds: float = 0.0) -> None:
        """Counts one picture: `probs` `(C, ...)`, `truth` `(...)` class ids, some `IGNORED`."""
        if (truth == IGNORED).any():
            probs, truth = probs[:, truth != IGNORED], truth[truth != IGNORED]
        labels = probs.argmax(0)
        self.matrices.append(metrics.confusion(truth, labels, len(probs)))
        true = np.take_along_axis(probs, truth[None].astype(np.int64), 0)
        self.log_losses.append(-float(np.log(true.clip(1e-7)).sum()))
        self.tables.append(metrics.reliability(probs.max(0), labels == truth))
        self.seconds += seconds

    def extend(self, other: "Score") -> None:
        """Counts what another score has counted."""
        self.matrices += other.matrices
        self.log_losses += other.log_losses
        self.tables += other.tables
        self.seconds += other.seconds

    def row(self, names: Sequence[str], counts: np.ndarray | None = None) -> dict[str, float]:
        """Returns the scores by name, pooled over all pixels; F1 and IoU for each class name.

        Each picture counts once, or as often as `counts` says.
        """
        counts = np.ones(len(self.matrices)) if counts is None else counts
        matrix = np.tensordot(counts, self.matrices, 1)
        whole = np.array(
            [[matrix[0, 0], matrix[0, 1:].sum()], [matrix[1:, 0].sum(), matrix[1:, 1:].sum()]]
        )
        return {
            "miou": metrics.mean_iou(matrix),
            "miou_without_background": metrics.mean_iou(matrix, background=False),
            "f1": float(np.nanmean(metrics.f1(matrix))),
            "accuracy": metrics.accuracy(matrix),
            "foreground_dice": float(metrics.f1(whole)[1]),
            "nll": float(counts @ self.log_losses / matrix.sum()),
            "ece": metrics.calibration_error(np.tensordot(counts, self.tables, 1)),
            "ms": 1000 * self.seconds / len(self.matrices),
            **{f"f1_{n}": float(x) for n, x in zip(names, metrics.f1(matrix), strict=True)},
            **{f"iou_{n}": float(x) for n, x in zip(names, metrics.iou(matrix), strict=True)},
        }


def gain(
    score: Score,
    over: Score,
    names: Sequence[str],
    keys: Sequence[str] = ("miou", "nll"),
    draws: int = 1000,
    seed: int = 0,
) -> dict[str, Difference]:
    """Returns by how much `score` exceeds `over` in some of the `Score.row`; see `bootstrap`.

    Both are of the same pictures in the same order.

    Raises:
        ValueError: they have different numbers of pictures.
    """
    pictures = len(score.matrices)
    if len(over.matrices) != pictures:
        raise ValueError(f"{pictures} and {len(over.matrices)} pictures: compare on the same")

    def differences(counts: np.ndarray) -> list[float]:
        one, other = score.row(names, counts), over.row(names, counts)
        return [one[key] - other[key] for key in keys]

    return dict(zip(keys, bootstrap(differences, pictures, draws, seed), strict=True))


def evaluate(
    model: Model | Mapping[str, Model],
    pictures: Iterable[LabelledPicture],
    plans: Mapping[str, Plan],
    spread: Callable[..., Iterable[dict[str, Score]]] = map,
) -> dict[str, Score]:
    """Returns the plans' scores by name, see `run`; reads the pictures little by little.

    `spread` says where the work is done, in place of `map`.
    """

    def one(picture: LabelledPicture) -> dict[str, Score]:
        alone = {name: Score() for name in plans}
        for name, (probs, seconds) in run(model, picture.rgb, plans):
            alone[name].add(probs, picture.labels, seconds)
        return alone

    scores = {name: Score() for name in plans}
    for found in spread(one, pictures):
        for name, score in found.items():
            scores[name].extend(score)
    return scores


@torch.no_grad()
def run(
    model: Model | Mapping[str, Model], rgb: np.ndarray, plans: Mapping[str, Plan]
) -> Iterator[tuple[str, tuple[np.ndarray, float]]]:
    """Yields each plan's name, its probabilities `(C, H, W)`, and the seconds that it took.

    Every view of the picture `(H, W, 3)` uint8 runs once, whatever plans share it. The models of
    an ensemble are given by name; see `look_as`.
    """
    image = to_tensor(rgb)
    rows = dict.fromkeys(view for plan in plans.values() for view in plan.views)
    looks = {name: look_as(model, image, name) for name in rows}
    for name, plan in plans.items():
        start = time.perf_counter()
        probs = plan.fuse(ViewStack.of({view: looks[view] for view in plan.views})).numpy()
        fusing = time.perf_counter() - start
        yield name, (probs, fusing + sum(looks[view].seconds for view in plan.views))
