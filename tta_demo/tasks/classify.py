"""Classification from one end to the other: a picture in, the fused answer of its crops out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from tta_demo.insight.running import alike_scores
from tta_demo.models.record import ModelRecord
from tta_demo.pictures.reading import Picture
from tta_demo.tasks.looking import looks_at
from tta_demo.tasks.result import (
    Result,
    kept_looks,
    needed,
    refuse_other,
    refuse_unfit,
    running_notes,
)
from tta_demo.tta.crops import CROP_VIEWS
from tta_demo.tta.plan import Plan
from tta_demo.tta.predict import ViewStack

__all__ = ["ONE_CROP", "Classification", "classify"]

ONE_CROP = Plan(("center",), "none")
"""No test-time augmentation: the crop in the middle, once."""


@dataclass(frozen=True, eq=False)
class Classification(Result):
    """What the model says is in one picture; `looks` are log-probabilities `(C,)`."""

    @cached_property
    def stack(self) -> ViewStack:
        """The answers of the plan's V crops, log-probabilities `(V, C)`."""
        return _stack(self.looks, self.plan.views)

    @cached_property
    def probs(self) -> Tensor:
        """`(C,)` fused probabilities."""
        return self.plan.fuse(self.stack)

    @cached_property
    def one_look(self) -> Tensor:
        """`(C,)` probabilities of the crop in the middle alone."""
        return ONE_CROP.fuse(_stack(self.looks, ONE_CROP.views))

    def top(self, k: int = 5) -> list[tuple[int, float]]:
        """Returns the k likeliest classes of the fused answer, with their probabilities."""
        return _top(self.probs, k)

    @property
    def agreement(self) -> float:
        """The share of crops whose first choice is the fused first choice, 0..1."""
        return float((self.stack.probs.argmax(1) == self.probs.argmax()).float().mean())

    def findings(self) -> dict[str, Any]:
        """Returns the likeliest classes of one look and of all, and how many looks agree."""
        return {
            "one_look": self._named(_top(self.one_look, 5)),
            "fused": self._named(self.top()),
            "agreement": self.agreement,
        }

    def _named(self, found: list[tuple[int, float]]) -> dict[str, float]:
        return {self.model.classes[place]: share for place, share in found}


def classify(
    model: ModelRecord,
    picture: Picture,
    plan: Plan = ONE_CROP,
    shown: Sequence[str] = (),
    device: str = "auto",
) -> Classification:
    """Returns the answer of one look and of all looks, as `segment`; its views are `CROP_VIEWS`.

    Raises:
        ValueError: as `segment`, before any forward pass; or as `cut`.
    """
    refuse_other(model, "classify")
    views = needed(plan, *ONE_CROP.views, shown, CROP_VIEWS)
    refuse_unfit(plan, len(model.classes))

    def make(missing: list[str]) -> Iterable[tuple[str, Tensor]]:
        return zip(missing, looks_at(model, picture.rgb, missing, device), strict=True)

    looks = kept_looks(model, picture, views, make)
    chosen = [looks[name] for name in dict.fromkeys((*ONE_CROP.views, *plan.views))]
    notes = (*picture.notes, *running_notes(alike_scores(chosen)))
    return Classification(model, picture, plan, looks, notes)


def _stack(looks: dict[str, Tensor], views: Sequence[str]) -> ViewStack:
    return ViewStack(tuple(views), torch.stack([looks[name] for name in views]))


def _top(probs: Tensor, k: int) -> list[tuple[int, float]]:
    values, classes = probs.topk(min(k, len(probs)))
    return list(zip(classes.tolist(), values.tolist(), strict=True))
