"""The verdict: which plan to take, or to leave it at one look.

Recommended is the cheapest of the plans that clearly gain over one look and are not clearly below
the best of all. If no plan clearly gains, it is one look. Plans are chosen or learned on the
calibration pictures and measured on the held-out ones; "clearly" is by a 95 % interval of each
plan alone, so that of many plans worth nothing one may still pass by luck.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tta_demo.evidence.options import ONE, Option
from tta_demo.evidence.stacks import Stacks
from tta_demo.evidence.tally import Gain, tally

__all__ = ["PlanTrial", "Verdict", "judge", "plans_on_trial"]


@dataclass(frozen=True)
class PlanTrial:
    """What one plan reached on the held-out pictures.

    Attributes:
        option: the plan.
        score: mean IoU or accuracy, 0..1.
        nll: less is better.
        ms: what its looks take, milliseconds a picture.
        gain: of the score over one look.
        nll_gain: of the NLL over one look.
        behind: of the score over that of the plan with the highest score; at most 0.
    """

    option: Option
    score: float
    nll: float
    ms: float
    gain: Gain
    nll_gain: Gain
    behind: Gain


@dataclass(frozen=True)
class Verdict:
    """What to do.

    Attributes:
        recommended: name of the plan to take.
        best: name of the plan with the highest score, however little more it is.
        told: whether the pictures are enough to tell; if not, it stays at one look.
    """

    recommended: str
    best: str
    told: bool


def plans_on_trial(held: Stacks, plans: Sequence[Option]) -> tuple[PlanTrial, ...]:
    """Returns every plan's trial; one look must be among them."""
    found = tally(held, {one.name: one.plan.fuse for one in plans})
    scores, ms = found.scores(), dict(zip(held.views, held.ms.tolist(), strict=True))
    best = found.names[int(scores.argmax())]
    behind, _ = found.gains(best)
    rows = zip(plans, scores, found.nll(), *found.gains(ONE), behind, strict=True)
    return tuple(
        PlanTrial(one, float(score), float(nll), sum(ms[v] for v in one.views), *gains)
        for one, score, nll, *gains in rows
    )


def judge(trials: Sequence[PlanTrial]) -> Verdict:
    """Returns the verdict on plans; of equal looks the cheaper one is that of higher score."""
    best = max(trials, key=lambda one: one.score)
    good = [one for one in trials if one.gain.up and not one.behind.down]
    told = any(one.gain.low is not None for one in trials)
    if not good:
        return Verdict(ONE, best.option.name, told)
    cheapest = min(good, key=lambda one: (len(one.option.views), -one.score))
    return Verdict(cheapest.option.name, best.option.name, told)
