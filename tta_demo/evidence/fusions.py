"""Every way to fuse on trial, on the same looks."""

from dataclasses import dataclass

from tta_demo.evidence.boxes import BoxLooks
from tta_demo.evidence.stacks import Looked
from tta_demo.evidence.tally import Gain
from tta_demo.evidence.task import Learned, task_of
from tta_demo.learning.fit import fit_steps
from tta_demo.tta.box_fusion import FUSERS
from tta_demo.tta.fusion import FUSIONS, Weights
from tta_demo.tta.plan import Plan

__all__ = ["BOXES", "LOGITS", "FusionTrial", "fusions_on_trial"]

LOGITS = "learned logits"
"""Weights of logits, by the method of those who weigh these, beside those of probabilities."""

BOXES = "learned boxes"
"""Weighted boxes fusion with learned weights."""

PIXELS = 2048
"""Most of one picture that weights of logits are learned from: many small steps, one a picture."""

_NAMES = {name: (known.label, known.summary) for name, known in (FUSERS | FUSIONS).items()} | {
    LOGITS: ("Learned weights of logits", "sum of logits, learned weights"),
    BOXES: ("Average box, learned weights", "weighted boxes fusion, learned weights of looks"),
}


@dataclass(frozen=True)
class FusionTrial:
    """What one fusion of all looks reached on the held-out pictures.

    Attributes:
        fusion: a key of `FUSIONS` or `FUSERS`, `LOGITS` or `BOXES`.
        score: mean IoU, accuracy or AP, 0..1.
        nll: less is better; None for boxes.
        gain: of the score over the even mean of probabilities, or the average box (`wbf`).
        nll_gain: of the NLL over it; None for boxes.
    """

    fusion: str
    score: float
    nll: float | None
    gain: Gain
    nll_gain: Gain | None

    @property
    def label(self) -> str:
        """The fusion in plain words."""
        return _NAMES[self.fusion][0]

    @property
    def summary(self) -> str:
        """The exact term."""
        return _NAMES[self.fusion][1]


def fusions_on_trial(
    calibration: Looked, held: Looked, learned: Learned
) -> tuple[FusionTrial, ...]:
    """Returns every fusion of all looks, compared with the one that counts them all alike.

    Args:
        calibration: the pictures that weights are learned on.
        held: those that everything is measured on.
        learned: weights of probabilities or boxes, learned on the former.
    """
    task, views, weights = task_of(held), held.views, Weights(learned.weights)
    plans = {
        name: Plan(views, name, weights if name == "learned" else None)
        for name in task.fusions
        if name != "none"
    }
    if isinstance(held, BoxLooks):
        plans[BOXES] = Plan(views, task.weighted, weights)
    else:
        *_, logits = fit_steps(calibration.answers().thinned(PIXELS), "shanmugam")
        plans[LOGITS] = logits.plan(views)
    found = task.tally(held, {name: task.answer(plan) for name, plan in plans.items()})
    return tuple(
        FusionTrial(name, one.score, one.nll, one.gain, one.nll_gain)
        for name, one in zip(plans, found.reached(task.even), strict=True)
    )
