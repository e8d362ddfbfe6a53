"""Segmentation from one end to the other: a picture in, labels, scores and a report out."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import torch

from tta_demo.learning.weight_file import WeightFile
from tta_demo.models.registry import load_model
from tta_demo.pictures.reading import Picture
from tta_demo.scoring.metrics import confusion, f1, iou, mean_iou
from tta_demo.tasks.worlds import World
from tta_demo.tta.fusion import FUSIONS, fuse
from tta_demo.tta.predict import Look, LookCache, Track, ViewStack, to_labels

__all__ = ["LOOKS", "Learned", "Segmentation", "learned_for", "segment"]

LOOKS = LookCache()
"""The process-wide cache."""

_FUSING = threading.Lock()
"""One fusion at a time: 22 views of a large picture need a gigabyte for a moment."""


class Learned(NamedTuple):
    """Learned weights, chosen for some views.

    Attributes:
        weights: `(V,)`, or `(V, C)` for a weight per class and view.
        pool: a key of `POOLS`.
    """

    weights: torch.Tensor
    pool: str


@dataclass(frozen=True)
class Segmentation:
    """What the model says of one picture: with one look and with several.

    Attributes:
        world: where the model comes from.
        picture: what was looked at.
        truth: `(h, w)` uint8 class ids, or None.
        views: the names of the V views that were fused.
        looks: by name, those views and `identity`.
        fusion: a key of `FUSIONS`.
        learned: what each view counts; None if the fusion has no weights.
        notes: plain sentences on what the user should know.
    """

    world: World
    picture: Picture
    truth: np.ndarray | None
    views: tuple[str, ...]
    looks: dict[str, Look]
    fusion: str
    learned: Learned | None
    notes: tuple[str, ...]

    @cached_property
    def labels(self) -> np.ndarray:
        """`(h, w)` uint8, the fused answer; fused when it is first asked for."""
        chosen = ("identity",) if self.fusion == "none" else self.views
        with _FUSING:
            stack = ViewStack.of({view: self.looks[view] for view in chosen})
            return to_labels(fuse(stack, self.fusion, *(self.learned or ())))

    @property
    def weights(self) -> dict[str, float] | dict[str, dict[str, float]] | None:
        """What each view counts, by view, or by view and class; None without learned weights."""
        if self.learned is None:
            return None
        names = self.world.record.palette.names
        rows = self.learned.weights.tolist()
        if self.learned.weights.ndim > 1:
            rows = [dict(zip(names, row, strict=True)) for row in rows]
        return dict(zip(self.views, rows, strict=True))

    @property
    def one_look(self) -> np.ndarray:
        """`(h, w)` uint8, the answer of the original view alone."""
        return self.looks["identity"].labels

    @property
    def changed(self) -> float:
        """The share of pixels on which one look and all looks differ, 0..1."""
        return float((self.one_look != self.labels).mean())

    @cached_property
    def matrices(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Confusion matrices of one look and of all looks; None without truth."""
        if self.truth is None:
            return None
        classes = len(self.world.record.palette.names)
        one, fused = (confusion(self.truth, x, classes) for x in (self.one_look, self.labels))
        return one, fused

    def view_score(self, name: str, background: bool = True) -> float | None:
        """Returns one view's own mean IoU over the pixels that it saw; None if there is none."""
        if self.truth is None:
            return None
        look = self.looks[name]
        seen = np.s_[:] if look.seen is None else look.seen.numpy()
        classes = len(self.world.record.palette.names)
        score = mean_iou(confusion(self.truth[seen], look.labels[seen], classes), background)
        return None if np.isnan(score) else score

    def report(self) -> dict[str, Any]:
        """Returns everything but the pixels, ready for JSON."""
        record = self.world.record
        result: dict[str, Any] = {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "model": {"name": self.world.model, "digest": record.digest},
            "picture": {"size": self.picture.size, "working_size": self.labels.shape},
            "views": list(self.views),
            "fusion": self.fusion,
            "weights": self.weights,
            "notes": list(self.notes),
            "changed": self.changed,
            "pixels": dict(zip(record.palette.names, self._shares(), strict=True)),
        }
        if self.matrices:
            one, fused = self.matrices
            result["scores"] = {
                "one_look": _scores(one, record.palette.names),
                "fused": _scores(fused, record.palette.names),
                "views": {name: self.view_score(name) for name in self.looks},
            }
        return result

    def _shares(self) -> list[float]:
        counts = np.bincount(self.labels.ravel(), minlength=len(self.world.record.palette.names))
        return (counts / counts.sum()).tolist()


def segment(
    world: World,
    picture: Picture,
    truth: np.ndarray | None = None,
    views: Sequence[str] = ("identity",),
    fusion: str = "mean",
    track: Track = iter,
    device: str = "auto",
    file: WeightFile | None = None,
) -> Segmentation:
    """Returns the answer of one look and of all looks; runs only views that are not cached.

    Args:
        world: whose model and weights to use.
        picture: what to look at.
        truth: `(h, w)` class ids at the picture's working size, if known.
        views: names in `VIEWS`, in any order.
        fusion: a key of `FUSIONS`.
        track: wraps the views that need a forward pass, to show progress.
        device: `cuda`, `mps`, `cpu`, or `auto` for the fastest that is there.
        file: learned weights to use; the world's own if left out.

    Raises:
        ValueError: no view, an unknown one, or none learned for one; before any forward pass.
    """
    views, digest = tuple(views), world.record.digest
    learned, told = learned_for(world, views, fusion, file)
    notes = picture.notes + told
    needed = tuple(dict.fromkeys((*views, "identity")))
    looks = LOOKS.looks(load_model(world.model, device), digest, picture.rgb, needed, track)
    if all(looks[name].seen is not None for name in views):
        seen = torch.stack([looks[name].seen for name in views]).any(0)
        share = float(1 - seen.float().mean())
        notes += (f"{share:.1%} of the picture was seen by no chosen view: add the original.",)
    return Segmentation(
        world=world,
        picture=picture,
        truth=truth,
        views=views,
        looks=looks,
        fusion=fusion,
        learned=learned,
        notes=notes,
    )


def learned_for(
    world: World, views: tuple[str, ...], fusion: str, file: WeightFile | None = None
) -> tuple[Learned | None, tuple[str, ...]]:
    """Returns the file's, or the world's, weights if the fusion takes weights, and notes.

    Raises:
        ValueError: no view, an unknown fusion, or no learned weight for a view.
    """
    if not views:
        raise ValueError("no view is chosen: tick at least one")
    if fusion not in FUSIONS:
        raise ValueError(f"fusion {fusion!r} is unknown: choose one of {', '.join(FUSIONS)}")
    if not FUSIONS[fusion].weighted:
        return None, ()
    notes = () if file is None else (f"Weights of {file.origin}.",)
    file = file or world.weight_file(views)
    weights = file.select(views, world.record.digest, world.record.palette.names)
    learned = Learned(weights, file.pool)
    if set(file.views) == set(views):
        return learned, notes
    note = (
        f"The weights were learned for {len(file.views)} looks together; here they are "
        f"scaled up over the {len(views)} chosen ones."
    )
    return learned, (*notes, note)


def _scores(matrix: np.ndarray, names: Sequence[str]) -> dict[str, Any]:
    scores = {"f1": f1(matrix), "iou": iou(matrix)}
    by_class = {
        key: {n: None if np.isnan(x) else float(x) for n, x in zip(names, values, strict=True)}
        for key, values in scores.items()
    }
    means = {"miou": mean_iou(matrix), "miou_without_background": mean_iou(matrix, False)}
    return {k: None if np.isnan(v) else v for k, v in means.items()} | by_class
