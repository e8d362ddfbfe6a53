"""Accuracy against cost: looks in the order in which each helps most.

The order is found on the calibration pictures, by likelihood (see `learning.greedy`) or for boxes
by AP (`learning.box_greedy`); what it is worth is measured on the held-out ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tta_demo.evidence.options import ONE
from tta_demo.evidence.stacks import Looked
from tta_demo.evidence.tally import Gain, Scores
from tta_demo.evidence.task import task_of

__all__ = ["SHARE", "Curve", "Point", "cost_curve", "look_order"]

SHARE = 0.95
"""So much of the gain is enough."""


@dataclass(frozen=True)
class Point:
    """The even mean of the first looks.

    Attributes:
        looks: how many.
        added: the last of them.
        score: mean IoU, accuracy or AP on the held-out pictures, 0..1.
        nll: there; None for boxes.
        ms: what the looks take, milliseconds a picture.
        gain: of the score over one look.
        nll_gain: of the NLL over one look; less is better; None for boxes.
        seen_score: the score on the calibration pictures, which the order was chosen on.
    """

    looks: int
    added: str
    score: float
    nll: float | None
    ms: float
    gain: Gain
    nll_gain: Gain | None
    seen_score: float


@dataclass(frozen=True)
class Curve:
    """What more and more looks are worth.

    Attributes:
        points: one for each number of looks.
        enough: the fewest looks with `SHARE` of the most that any number gains over one look on
            the calibration pictures; None if none gains anything.
        best: how many looks gain most there; None likewise.
        kept: the share of the gain of the `best` that `enough` looks keep on the held-out
            pictures; None if there is no gain.
    """

    points: tuple[Point, ...]
    enough: int | None
    best: int | None
    kept: float | None


def look_order(calibration: Looked) -> tuple[str, ...]:
    """Returns the looks, each the one that helps the even mean of those before it most."""
    steps = task_of(calibration).order(calibration)
    return tuple(calibration.views[step.view] for step in steps)


def cost_curve(calibration: Looked, held: Looked, order: Sequence[str]) -> Curve:
    """Returns what the first k looks of an order are worth, for every k."""
    seen, out = (_prefixes(part, order) for part in (calibration, held))
    ms = dict(zip(held.views, held.ms.tolist(), strict=True))
    before = seen.scores().tolist()
    points = tuple(
        Point(k, order[k - 1], one.score, one.nll, sum(ms[v] for v in order[:k]), one.gain,
              one.nll_gain, before[k])
        for k, one in enumerate(out.reached(ONE))
        if k
    )  # fmt: skip
    return _judged(points, before[0])


def _prefixes(looked: Looked, order: Sequence[str]) -> Scores:
    task, places = task_of(looked), [looked.views.index(view) for view in order]
    first = {str(k): task.mean(looked, places[:k]) for k in range(1, len(places) + 1)}
    return task.tally(looked, {ONE: task.mean(looked, [0])} | first)


def _judged(points: tuple[Point, ...], plain: float) -> Curve:
    """Returns the curve with the number of looks that are enough; `plain` is of one look."""
    gains = [point.seen_score - plain for point in points]
    most = max(gains)
    if most <= 0:
        return Curve(points, None, None, None)
    best = points[gains.index(most)]
    enough = next(p for p, gain in zip(points, gains, strict=True) if gain >= SHARE * most)
    reached = best.gain.value
    kept = enough.gain.value / reached if reached > 0 else None
    return Curve(points, enough.looks, best.looks, kept)
