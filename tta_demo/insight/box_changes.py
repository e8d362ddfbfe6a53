"""What changed from one set of boxes to another, object by object."""

from typing import NamedTuple

import numpy as np

from tta_demo.tta.boxes import Boxes, iou

__all__ = ["BoxChanges", "box_changes", "box_gap", "partners"]


class BoxChanges(NamedTuple):
    """What became of the boxes.

    Attributes:
        gained: places in `after` of objects that were not found before.
        lost: places in `before` of objects that are not found any more.
    """

    gained: np.ndarray
    lost: np.ndarray


def partners(found: Boxes, others: Boxes, overlap: float = 0.5) -> np.ndarray:
    """Returns for each found box its place among the others, -1 for none; `(N,)` int.

    The surest box chooses first, and takes what it overlaps most among boxes of its label that
    are free and overlap at least so much (IoU, 0..1).

    Example:
        >>> found = Boxes([[0, 0, 9, 9], [0, 0, 9, 8]], [0.4, 0.9], [1, 1])
        >>> partners(found, found.take(np.array([0])))
        array([-1,  0])
    """
    places = np.full(len(found), -1)
    overlaps = iou(found.xyxy, others.xyxy)
    overlaps *= found.labels[:, None] == others.labels
    for place in np.argsort(-found.scores, kind="stable") if len(others) else ():
        best = int(overlaps[place].argmax())
        if overlaps[place, best] >= overlap:
            places[place] = best
            overlaps[:, best] = 0
    return places


def box_changes(before: Boxes, after: Boxes, truth: Boxes | None = None) -> BoxChanges:
    """Returns what was gained and lost: true objects, or without a truth boxes of any kind.

    Example:
        >>> one, two = (Boxes([[x, 0, x + 9, 9]], [0.9], [1]) for x in (0, 50))
        >>> box_changes(one, two)
        BoxChanges(gained=array([0]), lost=array([0]))
        >>> box_changes(one, two, truth=two)
        BoxChanges(gained=array([0]), lost=array([], dtype=int64))
    """
    if truth is None:
        kept = partners(after, before)
        lost = np.setdiff1d(np.arange(len(before)), kept)
        return BoxChanges(np.flatnonzero(kept < 0), lost)
    was, now = (partners(boxes, truth) for boxes in (before, after))
    gained = np.flatnonzero((now >= 0) & ~np.isin(now, was))
    return BoxChanges(gained, np.flatnonzero((was >= 0) & ~np.isin(was, now)))


def box_gap(found: Boxes, plain: Boxes) -> float:
    """Returns how far two sets of boxes are apart, 0..1: the share of scores without partner.

    Scores count, so that the many boxes that a detector hardly believes in say little.

    Example:
        >>> boxes = Boxes([[0, 0, 9, 9], [50, 0, 59, 9]], [0.75, 0.25], [1, 1])
        >>> box_gap(boxes, boxes), box_gap(boxes.take(np.array([0])), boxes)
        (0.0, 0.14285714285714285)
    """
    places = partners(found, plain)
    lone = found.scores[places < 0].sum() + np.delete(plain.scores, places[places >= 0]).sum()
    total = found.scores.sum() + plain.scores.sum()
    return float(lone / total) if total else 0.0
