"""Weights of views for weighted boxes fusion, searched on labelled pictures.

Average precision only sees the order of the boxes and who matches whom: it has no gradient.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tta_demo.scoring.box_metrics import average_precision
from tta_demo.tta.box_fusion import fuse_boxes
from tta_demo.tta.boxes import Boxes

__all__ = ["FACTORS", "BoxFit", "fit_boxes"]

FACTORS = (0.0, 0.5, 2.0)
"""What a view's weight is multiplied with to try others."""

_RISE = 1e-9
"""A step must raise the score by more than rounding can."""

Found = Sequence[Mapping[str, Boxes]]


@dataclass(frozen=True, eq=False)
class BoxFit:
    """Weights found on a calibration set.

    Attributes:
        weights: `(V,)`, at least 0, sum 1; in the order of the views.
        history: the score of even weights and after each step; it only rises.
        pictures: how many they were learned on.
    """

    weights: np.ndarray
    history: tuple[float, ...]
    pictures: int


def fit_boxes(
    found: Found, truth: Sequence[Boxes], classes: Sequence[int], passes: int = 3
) -> BoxFit:
    """Returns weights with a high AP@[.5:.95] of the boxes that `wbf` fuses; no forward pass.

    Coordinate ascent from even weights: each view in turn, the best one alone first, tries
    `FACTORS` times its weight (1/V if that is 0), normalised again. Only steps that raise the
    score are taken: the weights are never worse than even on these pictures.

    Args:
        found: for each picture the boxes by view, as `predict_boxes` gives them; the same V views.
        truth: each picture's true boxes.
        classes: the labels that count.
        passes: turns of each view at most; ends earlier if a whole pass changes nothing.

    Raises:
        ValueError: there is no picture or no true box, or pictures have other views.

    Example:
        >>> true = Boxes([[0, 0, 10, 10]], [1], [1])
        >>> far = Boxes([[0, 0, 10, 14]], [0.9], [1])
        >>> fit = fit_boxes([{"identity": true, "hflip": far}], [true], [1])
        >>> fit.weights, fit.history[-1]
        (array([1., 0.]), 1.0)
    """
    views = _views(found, truth)
    alone = [average_precision([one[name] for one in found], truth, classes).ap for name in views]
    if np.isnan(alone[0]):
        raise ValueError(f"{len(truth)} pictures without a true box: there is nothing to learn")
    weights = np.full(len(views), 1 / len(views))
    history = [_score(found, weights, truth, classes)]
    for _ in range(passes):
        before = len(history)
        for place in np.argsort(-np.array(alone), kind="stable"):
            for trial in _trials(weights, place):
                score = _score(found, trial, truth, classes)
                if score > history[-1] + _RISE:
                    history.append(score)
                    weights = trial
        if len(history) == before:
            break
    return BoxFit(weights, tuple(history), len(truth))


def _views(found: Found, truth: Sequence[Boxes]) -> tuple[str, ...]:
    if not found or len(found) != len(truth):
        raise ValueError(f"boxes of {len(found)} pictures, truth of {len(truth)}: give as many")
    views = tuple(found[0])
    for place, one in enumerate(found):
        if tuple(one) != views or not views:
            raise ValueError(f"picture {place} has views {tuple(one)}, the first has {views}")
    return views


def _trials(weights: np.ndarray, place: int) -> Iterator[np.ndarray]:
    for factor in FACTORS:
        trial = weights.copy()
        trial[place] = factor * (weights[place] or 1 / len(weights))
        if trial.any() and trial[place] != weights[place]:
            yield trial / trial.sum()


def _score(
    found: Found, weights: np.ndarray, truth: Sequence[Boxes], classes: Sequence[int]
) -> float:
    fused = [fuse_boxes(list(one.values()), "wbf", weights).boxes for one in found]
    return average_precision(fused, truth, classes).ap
