"""The verdict: which plan to take, or to leave it at one look.

Recommended is the cheapest of the plans that clearly gain over one look and are not clearly below
the best of all. If no plan clearly gains, it is one look. Plans are chosen or learned on the
calibration pictures and measured on the held-out ones; "clearly" is by a 95 % interval of each
plan alone, so that of many plans worth nothing one may still pass by luck.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tta_demo.evidence.options import ONE, Option
from tta_demo.evidence.stacks import Looked
from tta_demo.evidence.tally import Gain
from tta_demo.evidence.task import task_of

__all__ = ["PlanTrial", "Verdict", "judge", "plans_on_trial"]


@dataclass(frozen=True)
class PlanTrial:
    """What one plan reached on the held-out pictures.

    Attributes:
        option: the plan.
        score: mean IoU, accuracy or AP, 0..1.
        nll: less is better; None for boxes.
        ms: what its looks take, milliseconds a picture.
        gain: of the score over one look.
        nll_gain: of the NLL over one look; None for boxes.
        behind: of the score over that of the plan with the highest score; at most 0.
    """

    option: Option
    score: float
    nll: float | None
    ms: float
    gain: Gain
    nll_gain: Gain | None
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


def plans_on_trial(held: Looked, plans: Sequence[Option]) -> tuple[PlanTrial, ...]:
    """Returns every plan's trial; one look must be among them."""
    task, ms = task_of(held), dict(zip(held.views, held.ms.tolist(), strict=True))
    found = task.tally(held, {one.name: task.answer(one.plan) for one in plans})
    behind, _ = found.gains(found.names[int(found.scores().argmax())])
    return tuple(
        PlanTrial(
            one, got.score, got.nll, sum(ms[v] for v in one.views), got.gain, got.nll_gain, less
        )
        for one, got, less in zip(plans, found.reached(ONE), behind, strict=True)
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
