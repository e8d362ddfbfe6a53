"""Fusing boxes: from every view's boxes to one set, and which became which.

Source: Solovyev et al., "Weighted boxes fusion: Ensembling boxes from different object detection
models", 2021; the same boxes and scores as ensemble-boxes 1.0.9.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from tta_demo.tta.boxes import Boxes, iou, nms_groups

__all__ = ["FUSERS", "Fused", "Fuser", "fuse_boxes"]


@dataclass(frozen=True, eq=False)
class Fused:
    """Boxes that several views agree on, and where they come from.

    Attributes:
        boxes: N boxes, the best first; ties in the order of the views.
        members: for each of them the (view, place) of every box that went into it, the best first.
    """

    boxes: Boxes
    members: tuple[tuple[tuple[int, int], ...], ...]


def fuse_boxes(
    found: Sequence[Boxes],
    fusion: str = "wbf",
    weights: Sequence[float] | None = None,
    threshold: float = 0.55,
) -> Fused:
    """Returns one set of boxes from several views' boxes of one picture.

    Boxes of one label that overlap belong together. `wbf` replaces them by their mean, weighted
    by score; `nms` keeps the best one as it is. Boxes without an area are left out. With `wbf`, a
    box that 2 of 8 views found gets a quarter of their mean score, with `wbf-max` their highest
    score. Scores that uneven weights lift above 1 are clipped.

    Args:
        found: V views' boxes in the picture's frame.
        fusion: a key of `FUSERS`.
        weights: `(V,)`, at least 0, how much each view's scores count; all alike if left out.
        threshold: boxes belong together above this IoU, 0..1.

    Raises:
        ValueError: the fusion is unknown, there is no view, or several for `none`, or weights or
            threshold do not fit.

    Example:
        >>> a, b = Boxes([[0, 0, 4, 4]], [0.9], [1]), Boxes([[0, 0, 4, 3]], [0.3], [1])
        >>> fused = fuse_boxes([a, b])
        >>> fused.boxes.xyxy, fused.boxes.scores, fused.members
        (array([[0.  , 0.  , 4.  , 3.75]]), array([0.6]), (((0, 0), (1, 0)),))
    """
    if fusion not in FUSERS:
        raise ValueError(f"fusion {fusion!r} is unknown: choose one of {', '.join(FUSERS)}")
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold is {threshold}: give an IoU in 0..1")
    scale = np.ones(len(found)) if weights is None else np.asarray(weights, float)
    right = scale.shape == (len(found),) and np.isfinite(scale).all() and (scale >= 0).all()
    if not (right and scale.any()):
        raise ValueError(f"weights {scale.tolist()} for {len(found)} views: give one each, >= 0")
    pool, origin = _pooled(found, scale)
    boxes, groups = FUSERS[fusion].merge(pool, threshold, scale / scale.max())
    return Fused(boxes, tuple(tuple(origin[i] for i in group) for group in groups))


def _pooled(found: Sequence[Boxes], scale: np.ndarray) -> tuple[Boxes, list[tuple[int, int]]]:
    """Returns all views' boxes that have an area, the best first, and each one's (view, place).

    Scores are times the view's weight, relative to the largest weight.
    """
    kept = [np.flatnonzero(one.areas > 0) for one in found]
    parts = [one.take(index) for one, index in zip(found, kept, strict=True)]
    origin = [(view, int(place)) for view, index in enumerate(kept) for place in index]
    scores = [part.scores * w for part, w in zip(parts, scale / scale.max(), strict=True)]
    xyxy, labels = [part.xyxy for part in parts], [part.labels for part in parts]
    pool = Boxes(*map(np.concatenate, (xyxy, scores, labels)))
    order = np.argsort(-pool.scores, kind="stable")
    return pool.take(order), [origin[i] for i in order]


def _alone(pool: Boxes, _: float, scale: np.ndarray) -> tuple[Boxes, list[list[int]]]:
    if len(scale) != 1:
        raise ValueError(f"fusion 'none' is for one view, here are {len(scale)}: choose another")
    return pool, [[place] for place in range(len(pool))]


def _suppressed(pool: Boxes, threshold: float, _: np.ndarray) -> tuple[Boxes, list[np.ndarray]]:
    """Returns the best box of every cluster, and the places of its boxes."""
    groups = nms_groups(pool, threshold)
    return pool.take(np.array([group[0] for group in groups])), groups


def _averaged(
    pool: Boxes, threshold: float, scale: np.ndarray, best_score: bool = False
) -> tuple[Boxes, list[list[int]]]:
    """Returns the mean box of every cluster, the best first, and the places of its boxes."""
    groups, means = _clusters(pool, threshold)
    first = np.array([group[0] for group in groups], int)
    scores = pool.scores[first]
    if not best_score:
        found = np.array([min(len(scale), len(group)) for group in groups])
        scores = np.array([pool.scores[group].mean() for group in groups]) * found / scale.sum()
    order = np.argsort(-scores, kind="stable")
    boxes = Boxes(means, np.minimum(scores, 1), pool.labels[first])
    return boxes.take(order), [groups[i] for i in order]


def _clusters(pool: Boxes, threshold: float) -> tuple[list[list[int]], np.ndarray]:
    """Returns the places of boxes that belong together, and their means `(K, 4)`.

    Each box, the best first, joins the mean that it overlaps most, or starts a new one.
    """
    groups: list[list[int]] = []
    sums, totals = np.zeros((len(pool), 4)), np.zeros((len(pool), 1))
    means, labels = np.empty((len(pool), 4)), np.empty(len(pool), int)
    # A view of weight 0 gives boxes of score 0: a cluster of only these has an even mean.
    scores = np.maximum(pool.scores, 1e-12)
    for place, (box, label) in enumerate(zip(pool.xyxy, pool.labels, strict=True)):
        count = len(groups)
        overlaps = iou(box[None], means[:count])[0] * (labels[:count] == label)
        best = int(overlaps.argmax()) if count else 0
        if not count or overlaps[best] <= threshold:
            best = count
            groups.append([])
        groups[best].append(place)
        sums[best] += scores[place] * box
        totals[best] += scores[place]
        means[best], labels[best] = sums[best] / totals[best], label
    return groups, means[: len(groups)]


@dataclass(frozen=True)
class Fuser:
    """A way to combine the views' boxes.

    Attributes:
        label: plain words for people.
        summary: the exact term.
        source: where it comes from.
        merge: from all views' boxes, the best first, the threshold and the views' weights, 1 the
            largest, to fused boxes and the places of those that each came from.
        shares: whether a box that few views found loses score.
    """

    label: str
    summary: str
    source: str
    merge: Callable[[Boxes, float, np.ndarray], tuple[Boxes, Sequence[Sequence[int]]]]
    shares: bool = False


FUSERS: dict[str, Fuser] = {
    "none": Fuser("No fusion", "the boxes of the original view alone", "baseline", _alone),
    "nms": Fuser(
        "Best box wins",
        "non-maximum suppression over all views' boxes",
        "Neubeck and Van Gool 2006",
        _suppressed,
    ),
    "wbf": Fuser(
        "Average box",
        "weighted boxes fusion; a box that few views found loses score",
        "Solovyev et al. 2021",
        _averaged,
        shares=True,
    ),
    "wbf-max": Fuser(
        "Average box, best score",
        "weighted boxes fusion with the highest score; one view is enough",
        "Solovyev et al. 2021",
        partial(_averaged, best_score=True),
    ),
}
"""Every way to combine boxes by name."""
