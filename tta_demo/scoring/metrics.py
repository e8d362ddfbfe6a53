"""Scores of a segmentation, from tables of counts that add up over pictures.

A class that the truth lacks has no score (NaN) and leaves the means, whatever the prediction says:
so two answers to one truth are always compared over the same classes. Pixels that were wrongly
given to such a class cost the class that they were taken from.
"""

import numpy as np

from tta_demo.pictures.palettes import IGNORED

__all__ = ["accuracy", "calibration_error", "confusion", "f1", "iou", "mean_iou", "reliability"]


def confusion(truth: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """Returns counts `(C, C)` int64 of class ids 0..C-1: rows are the truth, columns the labels.

    Where the truth is `IGNORED`, nothing is counted.

    Raises:
        ValueError: the shapes differ, or the truth has an id that is no class.

    Example:
        >>> confusion(np.array([0, 0, 1]), np.array([0, 1, 1]), 2)
        array([[1, 1],
               [0, 1]])
    """
    if truth.shape != labels.shape:
        raise ValueError(f"truth is {truth.shape} and the prediction {labels.shape}: sizes differ")
    if truth.size and truth.max() >= classes:
        known = truth != IGNORED
        truth, labels = truth[known], labels[known]
        if truth.size and truth.max() >= classes:
            raise ValueError(f"the truth has {truth.max()}: class ids are 0..{classes - 1}")
    pairs = truth.astype(np.int64).ravel() * classes + labels.astype(np.int64).ravel()
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes)


def accuracy(matrix: np.ndarray) -> float:
    """Returns the share of pixels whose label is right, 0..1.

    Example:
        >>> accuracy(np.array([[3, 1], [0, 4]]))
        0.875
    """
    return float(np.trace(matrix) / matrix.sum())


def iou(matrix: np.ndarray) -> np.ndarray:
    """Returns intersection over union (Jaccard index) a class, `(C,)` in 0..1 or NaN.

    Example:
        >>> iou(np.array([[1, 1, 0], [0, 1, 0], [0, 0, 0]]))
        array([0.5, 0.5, nan])
    """
    hit = np.diag(matrix).astype(float)
    return _of_true_classes(matrix, hit, matrix.sum(0) + matrix.sum(1) - hit)


def f1(matrix: np.ndarray) -> np.ndarray:
    """Returns F1 (Dice) a class, `(C,)` in 0..1 or NaN.

    Example:
        >>> f1(np.array([[2, 2], [0, 0]])).round(2)  # two stray pixels cost the true class
        array([0.67,  nan])
    """
    return _of_true_classes(matrix, 2.0 * np.diag(matrix), matrix.sum(0) + matrix.sum(1))


def _of_true_classes(matrix: np.ndarray, part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Returns `part / whole` `(C,)`, NaN for the classes that the truth lacks."""
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=matrix.sum(1) > 0)


def mean_iou(matrix: np.ndarray, background: bool = True) -> float:
    """Returns the mean IoU over the truth's classes, class 0 if wanted; NaN if there is none.

    Example:
        >>> mean_iou(np.array([[3, 1], [0, 1]]), background=False)
        0.5
    """
    scores = iou(matrix)[0 if background else 1 :]
    scores = scores[~np.isnan(scores)]
    return float(scores.mean()) if len(scores) else float("nan")


def reliability(confidence: np.ndarray, right: np.ndarray, bins: int = 15) -> np.ndarray:
    """Returns `(bins, 3)`: pixels, sum of confidence and number right, by bins of confidence.

    Args:
        confidence: the highest probability of each pixel, 0..1, any shape.
        right: bool, the same shape, whether the label is right.
        bins: equal parts of 0..1.
    """
    index = np.minimum((confidence.ravel() * bins).astype(np.int64), bins - 1)
    columns = (None, confidence.ravel(), right.ravel())
    return np.stack([np.bincount(index, weights, bins) for weights in columns], axis=1)


def calibration_error(table: np.ndarray) -> float:
    """Returns the expected calibration error, 0..1, of `reliability` (Guo et al. 2017).

    Example:
        >>> calibration_error(reliability(np.array([0.75, 0.75]), np.array([True, False])))
        0.25
    """
    return float(np.abs(table[:, 1] - table[:, 2]).sum() / table[:, 0].sum())
