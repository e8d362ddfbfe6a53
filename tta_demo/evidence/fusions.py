"""Every way to fuse on trial, on the same looks."""

from dataclasses import dataclass

from tta_demo.evidence.stacks import Stacks
from tta_demo.evidence.tally import Gain, tally
from tta_demo.learning.fit import Fit
from tta_demo.tta.fusion import FUSIONS
from tta_demo.tta.plan import Plan

__all__ = ["FusionTrial", "fusions_on_trial"]

EVEN = "mean"


@dataclass(frozen=True)
class FusionTrial:
    """What one fusion of all looks reached on the held-out pictures.

    Attributes:
        fusion: a key of `FUSIONS`.
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


def fusions_on_trial(held: Stacks, learned: Fit) -> tuple[FusionTrial, ...]:
    """Returns every fusion of all looks, compared with the even mean of their probabilities.

    Args:
        held: pictures that the weights were not learned on.
        learned: the weights.
    """
    plans = {
        name: learned.plan(held.views) if fusion.weighted else Plan(held.views, name)
        for name, fusion in FUSIONS.items()
        if name != "none"
    }
    found = tally(held, {name: plan.fuse for name, plan in plans.items()})
    rows = zip(found.names, found.scores(), found.nll(), *found.gains(EVEN), strict=True)
    return tuple(FusionTrial(n, float(s), float(nll), *gains) for n, s, nll, *gains in rows)
