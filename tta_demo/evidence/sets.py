"""Sets of classes that hold their promise: the truth is among them as often as promised.

A set has the likeliest class and every other that is likely enough. How likely that is follows
from labelled pictures: conformal risk control, whose unit is the picture. So the promise is about
the mean over pictures, and few pictures give large sets. With one class a picture this is split
conformal prediction.

Sources: Sadinle et al., "Least Ambiguous Set-Valued Classifiers with Bounded Error Levels", 2019;
Angelopoulos et al., "Conformal Risk Control", 2024.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tta_demo.evidence.options import Option
from tta_demo.evidence.stacks import Stacks

__all__ = ["PROMISES", "SetTrial", "coverage", "sets_on_trial", "threshold"]

PROMISES = (0.9, 0.95, 0.98, 0.99)
"""Of how many pixels, or pictures, the set shall have the truth."""

FOLDS = 5

Part = tuple[np.ndarray, np.ndarray]
"""Probabilities `(C, n)` and truth `(n,)` of one picture."""


@dataclass(frozen=True)
class SetTrial:
    """What sets of classes came to, on pictures that neither weights nor sets were made on.

    Attributes:
        plan: name of the plan that gives the probabilities.
        promise: the share that is promised, 0..1.
        coverage: the share of the pixels whose set has the truth, the mean over pictures.
        size: mean number of classes in a set, at least 1; likewise.
        possible: whether the pictures are enough for the promise; if not, sets have all classes.
    """

    plan: str
    promise: float
    coverage: float
    size: float
    possible: bool


def sets_on_trial(held: Stacks, plans: Sequence[Option]) -> tuple[SetTrial, ...]:
    """Returns the trial of each plan and promise.

    In turns, a fifth of the held-out pictures has sets that were made on the others; at least 2.
    """
    count = len(held.pictures)
    folds = [range(first, count, min(FOLDS, count)) for first in range(min(FOLDS, count))]
    found = []
    for option in plans:
        parts = _parts(held, option)
        for promise in PROMISES:
            rows = []
            for fold in folds:
                others = [part for place, part in enumerate(parts) if place not in fold]
                least = threshold(others, promise)
                rows += [(*coverage(parts[place], least), least > 0) for place in fold]
            covered, size, possible = np.array(rows, float).T
            means = float(covered.mean()), float(size.mean())
            found.append(SetTrial(option.name, promise, *means, bool(possible.all())))
    return tuple(found)


def threshold(parts: Sequence[Part], promise: float) -> float:
    """Returns how likely a class must be to be in a set; 0, all classes, if nothing else will do.

    It is the highest with `(missed + 1) / (pictures + 1)` at most 1 - promise; missed is the sum
    over pictures of the share of pixels whose set lacks the truth.

    Args:
        parts: labelled pictures, with their probabilities.
        promise: 0..1.

    Example:
        >>> picture = np.array([[0.6, 0.7], [0.3, 0.2], [0.1, 0.1]]), np.array([1, 0])
        >>> threshold([picture], 0.5), round(threshold([picture] * 2, 1 / 3), 3)
        (0.3, 1.0)
    """
    values, weights = [], []
    for probs, truth in parts:
        true = probs[truth, np.arange(len(truth))]
        values.append(np.where(probs.argmax(0) == truth, 1.0, true))
        weights.append(np.full(len(truth), 1 / len(truth)))
    allowed = (1 - promise) * (len(parts) + 1) - 1
    if allowed < 0:
        return 0.0
    value, weight = np.concatenate(values), np.concatenate(weights)
    order = np.argsort(value, kind="stable")
    value, missed = value[order], np.cumsum(weight[order])
    # a threshold at a value misses what lies below it
    kept = int(np.searchsorted(missed, allowed + 1e-9, side="right"))
    return float(value[kept]) if kept < len(value) else 1.0


def coverage(part: Part, least: float) -> tuple[float, float]:
    """Returns the share of pixels whose set has the truth, and the mean size of a set.

    Args:
        part: a picture's probabilities and truth.
        least: how likely a class must be; the likeliest is always in.
    """
    probs, truth = part
    inside = probs >= least
    inside[probs.argmax(0), np.arange(len(truth))] = True
    hit = inside[truth, np.arange(len(truth))]
    return float(hit.mean()), float(inside.sum(0).mean())


def _parts(stacks: Stacks, option: Option) -> list[Part]:
    plan = option.plan
    return [
        (plan.fuse(stacks.stack(place)).numpy(), one.truth)
        for place, one in enumerate(stacks.pictures)
    ]
