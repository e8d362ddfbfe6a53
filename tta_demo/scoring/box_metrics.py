"""Scores of object detection as COCO counts them, over boxes of all sizes.

Source: Lin et al., "Microsoft COCO: Common Objects in Context", 2014, and its evaluation code.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tta_demo.tta.boxes import Boxes, iou

__all__ = ["LIMIT", "THRESHOLDS", "DetectionScores", "Matches", "average_precision"]

THRESHOLDS = np.linspace(0.5, 0.95, 10)
"""IoU from which on a box counts as found, `(T,)`."""

LIMIT = 100
"""Boxes that count, the best ones, a picture and class."""

_RECALLS = np.linspace(0, 1, 101)


@dataclass(frozen=True)
class DetectionScores:
    """How well boxes were found, 0..1; NaN if there was none to find.

    Attributes:
        ap: average precision, the mean over IoU .50:.05:.95 and classes.
        ap50: the same at IoU .50.
        recall: share of the boxes found, the mean over IoU .50:.05:.95 and classes (AR@100).
    """

    ap: float
    ap50: float
    recall: float


def average_precision(
    found: Sequence[Boxes], truth: Sequence[Boxes], classes: Sequence[int]
) -> DetectionScores:
    """Returns COCO's scores of the boxes found in several pictures.

    Args:
        found: each picture's boxes; ties in score count in this order.
        truth: each picture's true boxes; their scores do not matter.
        classes: the labels that count; one without a true box has no score and leaves the means.

    Raises:
        ValueError: there are not as many pictures found as true.

    Example:
        >>> truth = Boxes([[0, 0, 10, 10]], [1], [1])
        >>> average_precision([Boxes([[0, 0, 10, 8]], [0.3], [1])], [truth], [1])
        DetectionScores(ap=0.7, ap50=1.0, recall=0.7)
    """
    return Matches(found, truth, classes).scores(np.ones(len(truth)))


class Matches:
    """Which boxes are right; known per picture, so that resampling pictures matches none anew.

    Arguments and refusals are those of `average_precision`.

    Example:
        >>> true, wrong = (Boxes([[x, 0, x + 9, 9]], [0.9], [1]) for x in (0, 50))
        >>> matches = Matches([true, wrong], [true, true], [1])
        >>> matches.scores(np.array([1, 0])).ap, round(matches.scores(np.array([1, 1])).ap, 3)
        (1.0, 0.505)
    """

    def __init__(
        self, found: Sequence[Boxes], truth: Sequence[Boxes], classes: Sequence[int]
    ) -> None:
        if len(found) != len(truth):
            sizes = f"boxes of {len(found)} pictures, truth of {len(truth)}"
            raise ValueError(f"{sizes}: give as many")
        self._classes = []
        for label in classes if truth else ():
            true = [one.xyxy[one.labels == label] for one in truth]
            best = [one.take(one.labels == label) for one in found]
            best = [one.take(np.argsort(-one.scores, kind="stable")[:LIMIT]) for one in best]
            hits = [_right_boxes(one.xyxy, boxes) for one, boxes in zip(best, true, strict=True)]
            order = np.argsort(-np.concatenate([one.scores for one in best]), kind="stable")
            owner = np.repeat(np.arange(len(best)), [len(one) for one in best])[order]
            hits = [np.flatnonzero(row) for row in np.concatenate(hits, axis=1)[:, order]]
            self._classes.append((owner, hits, np.array([len(boxes) for boxes in true])))

    def scores(self, counts: np.ndarray) -> DetectionScores:
        """Returns COCO's scores of pictures that count `(P,)` times.

        A class without a true box in any of them has no score and leaves the means.
        """
        curves = []
        for owner, hits, true in self._classes:
            total = counts @ true
            if total:
                times = counts[owner]
                seen = times.cumsum()
                curves.append([_curve(r[times[r] > 0], times, seen, total) for r in hits])
        if not curves:
            return DetectionScores(np.nan, np.nan, np.nan)
        precision, recall = np.moveaxis(np.array(curves), 2, 0)
        return DetectionScores(
            float(precision.mean()), float(precision[:, 0].mean()), float(recall.mean())
        )


def _curve(
    hits: np.ndarray, times: np.ndarray, seen: np.ndarray, total: float
) -> tuple[float, float]:
    """Returns the mean precision at 101 recalls, and the recall reached.

    Right boxes are at the places `hits`; each box counts `times`, the true ones `total` together.
    """
    right = times[hits].cumsum()
    best = np.maximum.accumulate((right / seen[hits])[::-1])[::-1]
    reached = np.searchsorted(right / total, _RECALLS)
    precision = np.append(best, 0.0)[reached].mean()
    return float(precision), float(right[-1] / total) if len(right) else 0.0


def _right_boxes(found: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Returns whether each `found` box, the best first, is right; each `true` one counts once."""
    hits = np.zeros((len(THRESHOLDS), len(found)), bool)
    if not len(true):
        return hits
    free = np.ones((len(THRESHOLDS), len(true)), bool)
    for place, overlaps in enumerate(iou(found, true)):
        possible = np.where(free & (overlaps >= THRESHOLDS[:, None]), overlaps, -1)
        choice = len(true) - 1 - possible[:, ::-1].argmax(1)  # the last one of equals
        hit = possible.max(1) >= 0
        hits[:, place] = hit
        free[hit, choice[hit]] = False
    return hits
