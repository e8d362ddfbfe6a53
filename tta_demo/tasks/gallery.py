"""Learning weights and checking them: labelled pictures in, a weights file and scores out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import torch

from tta_demo.learning.answers import Answers
from tta_demo.learning.fit import Fit
from tta_demo.learning.weight_file import WeightFile
from tta_demo.models.registry import load_model
from tta_demo.samples.labelled import LabelledPicture
from tta_demo.scoring.score import Difference, Plan, Score, gain
from tta_demo.tasks.worlds import World
from tta_demo.tta.predict import ViewStack, look, to_tensor
from tta_demo.tta.views import VIEWS

__all__ = ["PIXELS", "Gallery", "Load", "Verdict", "compare", "file_of", "learned_plan"]

PIXELS = 4096
"""Pixels of one picture that a `Gallery` keeps the answers of."""

Load = Callable[[], LabelledPicture]
"""Reads or generates a labelled picture."""


@dataclass
class _Kept:
    """What is kept of one picture: its truth, and each view's answer, at drawn pixels."""

    places: torch.Tensor
    labels: np.ndarray
    answers: dict[str, tuple[torch.Tensor, torch.Tensor | None]]


class Gallery:
    """Labelled pictures and every view's answers at some of their pixels.

    The answers are kept: another method costs no forward pass, another view one a picture.

    Args:
        world: whose model looks.
        sources: how to get each picture, by a name that tells it from all others.
    """

    def __init__(self, world: World, sources: dict[str, Load]) -> None:
        self.world = world
        self.sources = dict(sources)
        self._kept: dict[str, _Kept] = {}

    def missing(self, names: Sequence[str], views: Sequence[str]) -> list[str]:
        """Returns the pictures that some of the views have not looked at."""
        return [
            name
            for name in names
            if name not in self._kept or set(views) - set(self._kept[name].answers)
        ]

    def look(self, name: str, views: Sequence[str]) -> None:
        """Lets the views that have not done so look at one picture."""
        picture = self.sources[name]()
        image = to_tensor(picture.rgb)
        if name not in self._kept:
            self._kept[name] = _drawn(picture)
        kept = self._kept[name]
        model = load_model(self.world.model)
        for view in views:
            if view not in kept.answers:
                one = look(model, image, VIEWS[view])
                logs = one.log_probs.flatten(1)[:, kept.places].half()
                seen = None if one.seen is None else one.seen.flatten()[kept.places]
                kept.answers[view] = (logs, seen)

    def stacks(
        self, names: Sequence[str], views: Sequence[str]
    ) -> Iterator[tuple[ViewStack, np.ndarray]]:
        """Yields `(V, C, n)` answers and `(n,)` class ids of pictures that were looked at."""
        for name in names:
            kept = self._kept[name]
            logs, seen = zip(*(kept.answers[view] for view in views), strict=True)
            cover = None
            if any(one is not None for one in seen):
                whole = torch.ones(len(kept.labels), dtype=torch.bool)
                cover = torch.stack([whole if one is None else one for one in seen])
            yield ViewStack(tuple(views), torch.stack(logs), cover), kept.labels

    def answers(self, names: Sequence[str], views: Sequence[str]) -> Answers:
        """Returns what `fit_steps` needs."""
        return Answers.of(self.stacks(names, views), whole=True, pixels=PIXELS)


def _drawn(picture: LabelledPicture) -> _Kept:
    """Draws the pixels; the same of a picture at every time."""
    count = picture.labels.size
    places = np.random.default_rng(0).permutation(count)[:PIXELS]
    return _Kept(torch.from_numpy(places), picture.labels.ravel()[places], {})


@dataclass(frozen=True)
class Verdict:
    """Whether learning helped on some pictures.

    Attributes:
        none: scores of no TTA, by name; see `Score.row`.
        mean: of the even mean.
        learned: of the learned weights.
        gain: learned minus mean, with intervals over pictures.
        pictures: how many.
    """

    none: dict[str, float]
    mean: dict[str, float]
    learned: dict[str, float]
    gain: dict[str, Difference]
    pictures: int


def learned_plan(views: tuple[str, ...], weights: np.ndarray, pool: str) -> Plan:
    """Returns the plan to fuse with weights `(V,)` or `(V, C)`."""
    return Plan("learned", views, "learned", torch.from_numpy(weights).float(), pool)


def compare(
    gallery: Gallery, names: Sequence[str], views: tuple[str, ...], learned: Plan
) -> Verdict:
    """Returns the scores of no TTA, even mean and learned weights on pictures looked at."""
    plans = (Plan("none", ("identity",), "none"), Plan("mean", views, "mean"), learned)
    none, mean, best = (Score(plan) for plan in plans)
    needed = tuple(dict.fromkeys((*views, "identity")))
    for stack, labels in gallery.stacks(names, needed):
        some = ViewStack(
            views,
            stack.log_probs[: len(views)],
            None if stack.seen is None else stack.seen[: len(views)],
        )
        none.add(none.plan.fuse(stack), labels)
        mean.add(mean.plan.fuse(some), labels)
        best.add(best.plan.fuse(some), labels)
    classes = gallery.world.record.palette.names
    rows = (score.row(classes) for score in (none, mean, best))
    keys = ("miou", "miou_without_background", "f1", "accuracy", "nll", "ece")
    return Verdict(*rows, gain(best, mean, classes, keys), len(names))


def file_of(
    world_name: str,
    world: World,
    views: Sequence[str],
    fit: Fit,
    pool: str,
    calibration: dict[str, Any],
    scores: dict[str, Any],
) -> WeightFile:
    """Returns the weights file of a fit.

    Args:
        world_name: the world's key.
        world: whose model looked.
        views: V names, in the order of the fit's weights.
        fit: the weights and how they were found.
        pool: a key of `POOLS`.
        calibration: what they were learned on.
        scores: what they reached, and where; the fit's own are added.
    """
    classes = world.record.palette.names
    rows = fit.weights.round(6).tolist()
    if fit.weights.ndim > 1:
        rows = [dict(zip(classes, row, strict=True)) for row in rows]
    own = {"even": -fit.history[0], "before_shrinking": -fit.history[-1]}
    return WeightFile(
        world=world_name,
        model=world.model,
        digest=world.record.digest,
        weights=dict(zip(views, rows, strict=True)),
        method=fit.method,
        shrink=fit.shrink,
        pool=pool,
        calibration=calibration | {"pixels": fit.pixels},
        scores={"nll_on_the_calibration_pixels": own, "gap": fit.gap} | scores,
        date=date.today().isoformat(),
    )
