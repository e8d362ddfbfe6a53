"""Which wrong boxes doubt finds: those with a low score, or that few looks agree on.

A box is wrong if no true one of its label is its partner at IoU .5. Boxes count from that score on
that serves best (F1) on the calibration pictures: a detector gives many more that nobody would be
shown. What it has missed is not among its boxes: no handing over brings that back.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tta_demo.evidence.boxes import BoxLooks, Found
from tta_demo.evidence.trust import Removal, removal_of
from tta_demo.insight.box_changes import partners
from tta_demo.tta.box_fusion import Fused, fuse_boxes
from tta_demo.tta.plan import Plan

__all__ = ["box_removal", "least_score"]


@dataclass(frozen=True)
class _Pool:
    """The boxes of an answer to all pictures: `(N,)` scores, looks that agree, and right ones."""

    scores: np.ndarray
    looks: np.ndarray
    right: np.ndarray
    true: int

    @property
    def least(self) -> float:
        return least_score(self.scores, self.right, self.true)

    def shown(self, least: float) -> "_Pool":
        keep = self.scores >= least
        return replace(
            self, scores=self.scores[keep], looks=self.looks[keep], right=self.right[keep]
        )


def box_removal(calibration: BoxLooks, held: BoxLooks, plan: Plan) -> tuple[Removal, ...]:
    """Returns the curves for three kinds of doubt: low scores of one look, of all, few that agree.

    The first sorts the plain look's boxes, the others sort the fused ones.

    Args:
        calibration: pictures to choose by from which score on boxes count.
        held: pictures that the curves are of.
        plan: how to look and fuse.
    """
    plain = held.views[0]
    one, together = (
        _pool(held, answer).shown(_pool(calibration, answer).least)
        for answer in (lambda found: fuse_boxes([found[plain]], "none"), plan.fuse_boxes)
    )
    rows = (
        ("one look", -one.scores, one),
        ("all together", -together.scores, together),
        ("disagreement", -together.looks, together),
    )
    return tuple(
        replace(
            removal_of(name, doubt, ~pool.right), missed=1 - float(pool.right.sum()) / pool.true
        )
        for name, doubt, pool in rows
    )


def least_score(scores: np.ndarray, right: np.ndarray, true: int) -> float:
    """Returns the score from which on boxes have the highest F1, of precision and recall.

    Args:
        scores: `(N,)`.
        right: `(N,)` whether each box is right.
        true: number of the true boxes.

    Example:
        >>> least_score(np.array([0.9, 0.8, 0.3]), np.array([True, True, False]), 3)
        0.8
    """
    if not len(scores):
        return 0.0
    order = np.argsort(-scores, kind="stable")
    f1 = 2 * right[order].cumsum() / (np.arange(1, len(scores) + 1) + true)
    last = np.append(np.diff(scores[order]) != 0, True)  # boxes of equal score go together
    return float(scores[order][np.where(last, f1, -1).argmax()])


def _pool(looks: BoxLooks, answer: Callable[[Found], Fused]) -> _Pool:
    fused = [answer(found) for found in looks.found]
    right = [partners(one.boxes, true) >= 0 for one, true in zip(fused, looks.truth, strict=True)]
    agreed = [_agreed(one.members) for one in fused]
    scores = [one.boxes.scores for one in fused]
    true = sum(len(one) for one in looks.truth)
    return _Pool(*map(np.concatenate, (scores, agreed, right)), true)


def _agreed(members: Sequence[Sequence[tuple[int, int]]]) -> np.ndarray:
    """Returns how many looks found each box."""
    return np.array([len({view for view, _ in group}) for group in members], int)
