"""Accuracy against cost: looks in the order in which each helps most.

The order is found on the calibration pictures, see `learning.greedy`; what it is worth is measured
on the held-out ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tta_demo.evidence.options import ONE
from tta_demo.evidence.stacks import Stacks
from tta_demo.evidence.tally import Answer, Gain, Tally, tally
from tta_demo.learning.greedy import forward

__all__ = ["SHARE", "Curve", "Point", "cost_curve", "even_mean", "look_order"]

SHARE = 0.95
"""So much of the gain is enough."""


@dataclass(frozen=True)
class Point:
    """The even mean of the first looks.

    Attributes:
        looks: how many.
        added: the last of them.
        score: mean IoU or accuracy on the held-out pictures, 0..1.
        nll: there.
        ms: what the looks take, milliseconds a picture.
        gain: of the score over one look.
        nll_gain: of the NLL over one look; less is better.
        seen_score: the score on the calibration pictures, which the order was chosen on.
    """

    looks: int
    added: str
    score: float
    nll: float
    ms: float
    gain: Gain
    nll_gain: Gain
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


def look_order(calibration: Stacks) -> tuple[str, ...]:
    """Returns the looks, each the one that helps the even mean of those before it most."""
    steps = forward(calibration.answers())
    return tuple(calibration.views[step.view] for step in steps)


def cost_curve(calibration: Stacks, held: Stacks, order: Sequence[str]) -> Curve:
    """Returns what the first k looks of an order are worth, for every k."""
    seen, out = (_prefixes(part, order) for part in (calibration, held))
    gains, nll_gains = out.gains(ONE)
    ms = dict(zip(held.views, held.ms.tolist(), strict=True))
    known = zip(out.scores(), out.nll(), gains, nll_gains, seen.scores(), strict=True)
    points = tuple(
        Point(k, order[k - 1], float(score), float(nll), sum(ms[v] for v in order[:k]), gain,
              nll_gain, float(before))
        for k, (score, nll, gain, nll_gain, before) in enumerate(known)
        if k
    )  # fmt: skip
    return _judged(points, float(seen.scores()[0]))


def even_mean(places: Sequence[int]) -> Answer:
    """Returns what fuses the looks of these places evenly."""
    chosen = list(places)
    return lambda stack: stack.probs[chosen].mean(0)


def _prefixes(stacks: Stacks, order: Sequence[str]) -> Tally:
    places = [stacks.views.index(view) for view in order]
    first = {str(k): even_mean(places[:k]) for k in range(1, len(places) + 1)}
    return tally(stacks, {ONE: even_mean([0])} | first)


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
