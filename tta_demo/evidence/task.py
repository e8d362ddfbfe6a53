"""What differs between answers that are probabilities and answers that are boxes.

Everything else about evidence is the same for both.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tta_demo.evidence.boxes import BoxLooks, Found, box_tally
from tta_demo.evidence.stacks import Looked, Stacks
from tta_demo.evidence.tally import Answer, Scores, tally
from tta_demo.insight.box_changes import box_gap
from tta_demo.insight.equivariance import gaps
from tta_demo.learning.box_fit import BoxFit, fit_boxes
from tta_demo.learning.box_greedy import forward_boxes
from tta_demo.learning.fit import Fit, fit_steps
from tta_demo.learning.greedy import Step, forward, policies
from tta_demo.tta.box_fusion import FUSERS, fuse_boxes
from tta_demo.tta.boxes import Boxes
from tta_demo.tta.fusion import FUSIONS
from tta_demo.tta.plan import Plan

__all__ = ["Learned", "Task", "task_of"]

PASSES = 1
"""Turns of each look when weights of boxes are learned; more of them find next to nothing."""

BEST = 40
"""Boxes of a look, the best ones, that looks are chosen and weighed by: fusing takes the time, and
lesser boxes hardly move the score."""

Learned = Fit | BoxFit
"""Weights of all looks, learned on the calibration pictures."""


@dataclass(frozen=True)
class Task:
    """A kind of answers: how they are fused, scored, compared and learned from.

    Attributes:
        even: the fusion that counts all looks alike.
        weighted: the fusion that takes learned weights.
        fusions: all ways to fuse by name, that of one look among them (`none`).
        answer: from a plan to what fuses a picture's looks.
        mean: from the places of some looks to what fuses these evenly.
        tally: from looks and answers by name to what these came to.
        gaps: from looks to how far each one's answer is from the plain look's, 0..1, by view.
        order: from looks to steps, each the one that helps the even mean of those before most.
        learn: from looks to weights.
        policy: from looks to weights that a greedy search found; None if there is no such search.
    """

    even: str
    weighted: str
    fusions: Mapping[str, Any]
    answer: Callable[[Plan], Callable[[Any], Any]]
    mean: Callable[[Looked, Sequence[int]], Callable[[Any], Any]]
    tally: Callable[[Any, Mapping[str, Callable[[Any], Any]]], Scores]
    gaps: Callable[[Any], dict[str, float]]
    order: Callable[[Any], Sequence[Step]]
    learn: Callable[[Any], Learned]
    policy: Callable[[Any], np.ndarray | None]


def task_of(looked: Looked) -> Task:
    """Returns the task that looks are for."""
    return BOXES if isinstance(looked, BoxLooks) else PROBABILITIES


def _mean(_: Looked, places: Sequence[int]) -> Answer:
    chosen = list(places)
    return lambda stack: stack.probs[chosen].mean(0)


def _gaps(looked: Stacks) -> dict[str, float]:
    """Returns the mean total variation, every picture alike."""
    plain, pictures = looked.views[0], range(len(looked.pictures))
    return _averaged([gaps(looked.stack(place), plain) for place in pictures])


def _learn(looked: Stacks) -> Fit:
    score = "nll" if looked.whole else "miou"  # overlap is of pixels
    *_, found = fit_steps(looked.answers(), score=score)
    return found


def _policy(looked: Stacks) -> np.ndarray:
    *_, found = policies(looked.answers())
    return found


def _box_mean(looked: Looked, places: Sequence[int]) -> Callable[[Found], Boxes]:
    views, fusion = [looked.views[place] for place in places], "wbf" if places[1:] else "none"
    return lambda found: fuse_boxes([found[view] for view in views], fusion).boxes


def _box_gaps(looked: BoxLooks) -> dict[str, float]:
    plain = looked.views[0]
    return _averaged(
        [{view: box_gap(one, found[plain]) for view, one in found.items()}
         for found in looked.found]
    )  # fmt: skip


def _order_boxes(looks: BoxLooks) -> list[Step]:
    return [*forward_boxes(_best(looks), looks.truth, looks.labels)]


def _learn_boxes(looks: BoxLooks) -> BoxFit:
    return fit_boxes(_best(looks), looks.truth, looks.labels, PASSES)


def _best(looks: BoxLooks) -> list[Found]:
    return [
        {view: one.take(np.argsort(-one.scores, kind="stable")[:BEST])
         for view, one in found.items()}
        for found in looks.found
    ]  # fmt: skip


def _averaged(rows: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {view: float(np.mean([row[view] for row in rows])) for view in rows[0]}


PROBABILITIES = Task(
    even="mean",
    weighted="learned",
    fusions=FUSIONS,
    answer=lambda plan: plan.fuse,
    mean=_mean,
    tally=tally,
    gaps=_gaps,
    order=lambda looked: [*forward(looked.answers())],
    learn=_learn,
    policy=_policy,
)
BOXES = Task(
    even="wbf",
    weighted="wbf",
    fusions=FUSERS,
    answer=lambda plan: lambda found: plan.fuse_boxes(found).boxes,
    mean=_box_mean,
    tally=box_tally,
    gaps=_box_gaps,
    order=_order_boxes,
    learn=_learn_boxes,
    policy=lambda looks: None,
)
