"""Boxes that a detector found, how much they overlap, and suppression of the lesser ones."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Boxes", "iou", "nms_groups"]


@dataclass(frozen=True, eq=False)
class Boxes:
    """N boxes of one picture with scores and labels.

    Attributes:
        xyxy: `(N, 4)` float64, left, top, right, bottom; pixel edges, so that a picture of width
            W ends at W. A box may have no area.
        scores: `(N,)` float64 in 0..1.
        labels: `(N,)` int64 class ids, any.

    Raises:
        ValueError: a shape does not fit, a number is not finite or out of range, or a box ends
            before it starts; names the value.

    Example:
        >>> boxes = Boxes([[0, 0, 4, 2], [1, 1, 3, 3]], [0.9, 0.4], [1, 2])
        >>> len(boxes), boxes.take(boxes.scores < 0.5).labels
        (2, array([2]))
    """

    xyxy: np.ndarray
    scores: np.ndarray
    labels: np.ndarray

    def __post_init__(self) -> None:
        xyxy, scores = (np.asarray(a, np.float64) for a in (self.xyxy, self.scores))
        labels = np.asarray(self.labels)
        xyxy = xyxy if xyxy.size else xyxy.reshape(0, 4)
        count = len(xyxy)
        if xyxy.shape != (count, 4) or scores.shape != (count,) or labels.shape != (count,):
            raise ValueError(
                f"xyxy {xyxy.shape}, scores {scores.shape}, labels {labels.shape}: give (N, 4), "
                "(N,) and (N,)"
            )
        if count and not np.issubdtype(labels.dtype, np.integer):
            raise ValueError(f"labels are {labels.dtype}, {labels.tolist()[:3]}...: give integers")
        _refuse(xyxy, ~np.isfinite(xyxy).all(1), "give finite corners")
        _refuse(xyxy, (xyxy[:, :2] > xyxy[:, 2:]).any(1), "give x1 <= x2 and y1 <= y2")
        _refuse(scores, ~((scores >= 0) & (scores <= 1)), "give scores in 0..1")
        for name, value in (("xyxy", xyxy), ("scores", scores), ("labels", labels.astype(int))):
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.xyxy)

    @classmethod
    def empty(cls) -> "Boxes":
        """Returns no boxes."""
        return cls(np.zeros((0, 4)), np.zeros(0), np.zeros(0, int))

    def take(self, index: np.ndarray) -> "Boxes":
        """Returns some of the boxes, by places `(M,)` int in their order, or `(N,)` bool."""
        index = np.asarray(index)
        index = index if index.size else index.astype(int)
        return Boxes(self.xyxy[index], self.scores[index], self.labels[index])

    @property
    def areas(self) -> np.ndarray:
        """Areas `(N,)` in square pixels."""
        return _areas(self.xyxy)


def iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Returns intersection over union of all pairs, `(N, M)` in 0..1; 0 where the union is empty.

    Args:
        a: corners `(N, 4)`, pixel edges.
        b: corners `(M, 4)`.

    Example:
        >>> iou(np.array([[0, 0, 2, 2]]), np.array([[0, 0, 2, 1], [5, 5, 5, 5]]))
        array([[0.5, 0. ]])
    """
    left, top, right, bottom = a.T[..., None]
    wide = np.minimum(right, b[:, 2]) - np.maximum(left, b[:, 0])
    high = np.minimum(bottom, b[:, 3]) - np.maximum(top, b[:, 1])
    both = np.maximum(wide, 0) * np.maximum(high, 0)
    union = _areas(a)[:, None] + _areas(b) - both
    return np.divide(both, union, out=np.zeros(both.shape), where=union > 0)


def nms_groups(boxes: Boxes, threshold: float = 0.5) -> list[np.ndarray]:
    """Returns places of boxes: each kept one, then those of its label that overlap it too much.

    Args:
        boxes: of one picture; the best goes first, ties in order.
        threshold: an IoU above it is too much.

    Example:
        >>> twice = Boxes([[0, 0, 4, 4], [0, 0, 4, 3], [0, 0, 4, 4]], [0.6, 0.9, 0.7], [1, 1, 2])
        >>> nms_groups(twice)
        [array([1, 0]), array([2])]
    """
    left = np.argsort(-boxes.scores, kind="stable")
    groups = []
    while len(left):
        best = left[0]
        near = iou(boxes.xyxy[best : best + 1], boxes.xyxy[left])[0] > threshold
        near &= boxes.labels[left] == boxes.labels[best]
        near[0] = True  # even without an area
        groups.append(left[near])
        left = left[~near]
    return groups


def _areas(xyxy: np.ndarray) -> np.ndarray:
    return (xyxy[:, 2] - xyxy[:, 0]) * (xyxy[:, 3] - xyxy[:, 1])


def _refuse(values: np.ndarray, wrong: np.ndarray, advice: str) -> None:
    if wrong.any():
        place = int(np.argmax(wrong))
        raise ValueError(f"box {place} has {values[place].tolist()}: {advice}")
