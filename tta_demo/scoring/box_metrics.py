"""Scores of object detection as COCO counts them, over boxes of all sizes.

Source: Lin et al., "Microsoft COCO: Common Objects in Context", 2014, and its evaluation code.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tta_demo.tta.boxes import Boxes, iou

__all__ = ["LIMIT", "THRESHOLDS", "DetectionScores", "average_precision", "right_boxes"]

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
    if len(found) != len(truth):
        raise ValueError(f"boxes of {len(found)} pictures, truth of {len(truth)}: give as many")
    present = [label for label in classes if any((t.labels == label).any() for t in truth)]
    if not present:
        return DetectionScores(np.nan, np.nan, np.nan)
    curves = [_curves(found, truth, label) for label in present]
    precision = np.mean([curve for curve, _ in curves], axis=(0, 2))
    recall = np.mean([last for _, last in curves])
    return DetectionScores(float(precision.mean()), float(precision[0]), float(recall))


def _curves(
    found: Sequence[Boxes], truth: Sequence[Boxes], label: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns one class' precision at 101 recalls, `(T, 101)`, and the recall reached, `(T,)`."""
    true = [one.xyxy[one.labels == label] for one in truth]
    best = [one.take(one.labels == label) for one in found]
    best = [one.take(np.argsort(-one.scores, kind="stable")[:LIMIT]) for one in best]
    hits = [right_boxes(one.xyxy, boxes) for one, boxes in zip(best, true, strict=True)]
    order = np.argsort(-np.concatenate([one.scores for one in best]), kind="stable")
    right = np.concatenate(hits, axis=1)[:, order].cumsum(1)
    recall = right / sum(map(len, true))
    precision = right / np.arange(1, len(order) + 1)
    precision = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    none = np.zeros((len(THRESHOLDS), 1))  # what recalls that are never reached have
    precision, last = np.hstack([precision, none]), np.hstack([none, recall])[:, -1]
    reached = [np.searchsorted(row, _RECALLS) for row in recall]
    return np.take_along_axis(precision, np.array(reached), axis=1), last


def right_boxes(found: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Returns whether each box is right, `(T, N)` bool: every true box can be found once.

    Args:
        found: corners `(N, 4)` in one picture, the best first.
        true: corners `(M, 4)`.
    """
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
