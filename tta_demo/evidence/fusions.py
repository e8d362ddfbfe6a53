"""Every way to fuse on trial, on the same looks."""

from dataclasses import dataclass

from tta_demo.evidence.stacks import Stacks
from tta_demo.evidence.tally import Gain, tally
from tta_demo.learning.fit import Fit, fit_steps
from tta_demo.tta.fusion import FUSIONS
from tta_demo.tta.plan import Plan

__all__ = ["LOGITS", "FusionTrial", "fusions_on_trial"]

EVEN = "mean"
LOGITS = "learned logits"
"""Weights of logits, by the method of those who weigh these, beside those of probabilities."""

PIXELS = 2048
"""Most of one picture that weights of logits are learned from: many small steps, one a picture."""

_NAMES = {name: (fusion.label, fusion.summary) for name, fusion in FUSIONS.items()}
_NAMES[LOGITS] = ("Learned weights of logits", "sum of logits, learned weights")


@dataclass(frozen=True)
class FusionTrial:
    """What one fusion of all looks reached on the held-out pictures.

    Attributes:
        fusion: a key of `FUSIONS`, or `LOGITS`.
        score: mean IoU or accuracy, 0..1.
        nll: less is better.
        gain: of the score over the even mean of probabilities.
        nll_gain: of the NLL over it.
    """

    fusion: str
    score: float
    nll: float
    gain: Gain
    nll_gain: Gain

    @property
    def label(self) -> str:
        """The fusion in plain words."""
        return _NAMES[self.fusion][0]

    @property
    def summary(self) -> str:
        """The exact term."""
        return _NAMES[self.fusion][1]


def fusions_on_trial(calibration: Stacks, held: Stacks, learned: Fit) -> tuple[FusionTrial, ...]:
    """Returns every fusion of all looks, compared with the even mean of their probabilities.

    Args:
        calibration: the pictures that weights are learned on.
        held: those that everything is measured on.
        learned: weights of probabilities, learned on the former.
    """
    plans = {
        name: learned.plan(held.views) if fusion.weighted else Plan(held.views, name)
        for name, fusion in FUSIONS.items()
        if name != "none"
    }
    *_, logits = fit_steps(calibration.answers().thinned(PIXELS), "shanmugam")
    plans[LOGITS] = logits.plan(held.views)
    found = tally(held, {name: plan.fuse for name, plan in plans.items()})
    rows = zip(found.names, found.scores(), found.nll(), *found.gains(EVEN), strict=True)
    return tuple(FusionTrial(n, float(s), float(nll), *gains) for n, s, nll, *gains in rows)
