"""Segmentation from one end to the other: a picture in, labels, scores and a report out."""

import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tta_demo.insight.running import alike, unturned
from tta_demo.models.ensemble import Ensemble, one_look, rows_of, shares
from tta_demo.models.record import ModelRecord
from tta_demo.pictures.reading import Picture
from tta_demo.scoring.metrics import confusion, f1, iou, mean_iou
from tta_demo.scoring.score import Score
from tta_demo.tasks.looking import looks_at
from tta_demo.tasks.result import (
    Result,
    kept_looks,
    needed,
    refuse_other,
    refuse_unfit,
    running_notes,
)
from tta_demo.tta.plan import Plan
from tta_demo.tta.predict import Look, Track, ViewStack, to_labels
from tta_demo.tta.views import VIEWS

__all__ = ["Compared", "Segmentation", "class_shares", "scores_of", "segment"]

_FUSING = threading.Lock()
"""One fusion at a time: 22 views of a large picture need a gigabyte for a moment."""


class Compared:
    """What one look and all looks mark, side by side, and the truth if it is known."""

    model: ModelRecord | Ensemble
    labels: np.ndarray
    one_look: np.ndarray
    truth: np.ndarray | None

    @property
    def changed(self) -> float:
        """The share of pixels on which one look and all looks differ, 0..1."""
        return float((self.one_look != self.labels).mean())

    @cached_property
    def matrices(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Confusion matrices of one look and of all looks; None without truth."""
        if self.truth is None:
            return None
        classes = len(self.model.classes)
        return tuple(confusion(self.truth, x, classes) for x in (self.one_look, self.labels))


@dataclass(frozen=True, eq=False)
class Segmentation(Compared, Result):
    """What a model, or several together, mark in one picture; `looks` are `Look`s.

    Attributes:
        truth: `(h, w)` uint8 class ids at the working size, or None.
    """

    truth: np.ndarray | None = None

    def stack(self, *views: str) -> ViewStack:
        """Returns the answers of some of the looks; of those of the plan if none is named."""
        return ViewStack.of({name: self.looks[name] for name in views or self.plan.views})

    @cached_property
    def _fused(self) -> tuple[Tensor, float]:
        with _FUSING:
            start = time.perf_counter()
            return self.plan.fuse(self.stack()), time.perf_counter() - start

    @property
    def probs(self) -> Tensor:
        """`(C, h, w)` fused probabilities; fused when they are first asked for."""
        return self._fused[0]

    @cached_property
    def labels(self) -> np.ndarray:
        """`(h, w)` uint8, the fused answer."""
        return to_labels(self.probs)

    @property
    def plain(self) -> str:
        """The name of the look at the picture as it is; of several models, the first one's."""
        return one_look(self.model).views[0]

    @property
    def one_look(self) -> np.ndarray:
        """`(h, w)` uint8, the answer of the original view alone, `plain`."""
        return self.looks[self.plain].labels

    def view_score(self, name: str, background: bool = True) -> float | None:
        """Returns one view's own mean IoU over the pixels that it saw; None if there is none."""
        if self.truth is None:
            return None
        look = self.looks[name]
        seen = np.s_[:] if look.seen is None else look.seen.numpy()
        classes = len(self.model.classes)
        score = mean_iou(confusion(self.truth[seen], look.labels[seen], classes), background)
        return None if np.isnan(score) else score

    @property
    def seconds(self) -> dict[str, Any]:
        """What each look took, fusing, and the whole plan without a cache; None if unknown."""
        looks = {name: one.seconds for name, one in self.looks.items()}
        each, fusing = [looks[name] for name in self.plan.views], self._fused[1]
        whole = None if None in each else sum(each) + fusing
        return {"looks": looks, "fusing": fusing, "whole": whole}

    def report(self, **known: object) -> dict[str, Any]:
        """Returns as `Result.report`, and the times."""
        return super().report(**known) | {"seconds": self.seconds}

    def findings(self) -> dict[str, Any]:
        """Returns the share of every class, and scores where the truth is known."""
        names = self.model.classes
        pixels = class_shares(self.labels, names)
        found: dict[str, Any] = {"changed": self.changed, "pixels": pixels}
        if self.matrices:
            (one, fused), plain = self.matrices, self.stack(self.plain).probs[0]
            found["scores"] = {
                "one_look": scores_of(one, names) | self._calibration(plain),
                "fused": scores_of(fused, names) | self._calibration(self.probs),
                "views": {name: self.view_score(name) for name in self.looks},
            }
        return found

    def _calibration(self, probs: Tensor) -> dict[str, float]:
        score = Score()
        score.add(probs.numpy(), self.truth)
        row = score.row(self.model.classes)
        return {key: row[key] for key in ("nll", "ece")}


def segment(
    model: ModelRecord | Ensemble,
    picture: Picture,
    plan: Plan | None = None,
    truth: np.ndarray | None = None,
    shown: Sequence[str] = (),
    track: Track = iter,
    device: str = "auto",
) -> Segmentation:
    """Returns the answer of one look and of all looks; runs only views that are not cached.

    Args:
        model: what marks, a record of the registry or one of your own, or several together.
        picture: what to look at.
        plan: how to look, views in any order, of an ensemble its `rows`; one look if left out.
        truth: `(h, w)` class ids at the picture's working size, if known.
        shown: views to look at beside those of the plan.
        track: wraps the views that need a forward pass, to show progress.
        device: `cuda`, `mps`, `cpu`, or `auto` for the fastest that is there.

    Raises:
        ValueError: the model has another task, there is no view, an unknown one, or a fusion that
            is unknown or does not fit the views; before any forward pass.
    """
    refuse_other(model, "segment")
    plain, *_ = one_look(model).views
    plan = plan or one_look(model)
    views = needed(plan, plain, shown, rows_of(model, VIEWS))
    refuse_unfit(plan, len(model.classes))
    looks: dict[str, Look] = dict.fromkeys(views)
    for one, own in shares(model, views):
        kept = _kept(one, picture, [*own.values()], track, device)
        looks |= {row: kept[view] for row, view in own.items()}
    notes = (*picture.notes, *_unseen(plan, looks), *_running(model, (plain, *plan.views), looks))
    return Segmentation(model, picture, plan, looks, notes, truth)


def _kept(
    model: ModelRecord, picture: Picture, views: Sequence[str], track: Track, device: str
) -> dict[str, Look]:
    """Returns one model's looks by view name; runs only those that are not cached."""

    def make(missing: list[str]) -> Iterable[tuple[str, Look]]:
        looks = looks_at(model, picture.rgb, missing, device)
        return ((view.name, next(looks)) for view in track([VIEWS[name] for name in missing]))

    return kept_looks(model, picture, views, make)


def _unseen(plan: Plan, looks: dict[str, Look]) -> tuple[str, ...]:
    """Returns a note if no view of the plan saw all of the picture."""
    seen = [looks[name].seen for name in plan.views]
    if any(one is None for one in seen):
        return ()
    share = float(1 - torch.stack(seen).any(0).float().mean())
    return (f"{100 * share:.1f} % of the picture was seen by no chosen look: add the original.",)


def _running(
    model: ModelRecord | Ensemble, rows: Sequence[str], looks: Mapping[str, Look]
) -> Iterator[str]:
    """Yields notes on models whose looks seem not to run, of those with a plain one."""
    for one, own in shares(model, rows):
        chosen = {view: looks[row] for row, view in own.items()}
        if "identity" in chosen:
            turned = unturned({view: found.labels for view, found in chosen.items()})
            for note in running_notes(alike(chosen), turned):
                yield f"{one.name}: {note}" if isinstance(model, Ensemble) else note


def class_shares(labels: np.ndarray, names: Sequence[str]) -> dict[str, float]:
    """Returns the share 0..1 of every class among labels `(h, w)`, by its name."""
    counts = np.bincount(labels.ravel(), minlength=len(names))
    return dict(zip(names, (counts / counts.sum()).tolist(), strict=True))


def scores_of(matrix: np.ndarray, names: Sequence[str]) -> dict[str, Any]:
    """Returns the scores of a confusion matrix `(C, C)`, ready for JSON: None instead of NaN."""

    def told(values: Iterable[float]) -> list[float | None]:
        return [None if np.isnan(value) else float(value) for value in values]

    miou, without = told([mean_iou(matrix), mean_iou(matrix, background=False)])
    f1s, ious = (dict(zip(names, told(score(matrix)), strict=True)) for score in (f1, iou))
    return {"miou": miou, "miou_without_background": without, "f1": f1s, "iou": ious}
