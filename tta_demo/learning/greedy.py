"""Greedy policy search: look by look, the one that helps the even mean most.

Source: Molchanov et al., "Greedy Policy Search: A Simple Baseline for Learnable Test-Time
Augmentation", 2020. There the likelihood is that of calibrated answers; here it is that of the
answers as they are.
"""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np

__all__ = ["Step", "forward", "policies"]

ROUNDS = 2
"""A search with repetition takes so many steps a view, and keeps the best of them."""


class Step(NamedTuple):
    """One more look.

    Attributes:
        view: its place among the V views.
        value: mean log-likelihood of the even mean with it.
    """

    view: int
    value: float


def forward(truth: np.ndarray, repeat: bool = False) -> Iterator[Step]:
    """Yields looks in the order in which each helps the even mean of those before it most.

    Without repetition all V of them, with it without end.

    Args:
        truth: `(V, N)` each view's probability of the true class.
        repeat: whether a view may come again, and so count more.

    Raises:
        ValueError: there is no pixel, or a value is not a positive number.

    Example:
        >>> truth = np.array([[0.9, 0.1], [0.1, 0.9], [0.4, 0.4]])
        >>> [step.view for step in forward(truth)]
        [2, 0, 1]
    """
    if truth.ndim != 2 or truth.size == 0 or not (np.isfinite(truth) & (truth > 0)).all():
        raise ValueError(f"truth of shape {truth.shape}: give (V, N) probabilities > 0, N >= 1")
    total, count, left = np.zeros(truth.shape[1], np.float64), 0, set(range(len(truth)))
    while left:
        count += 1
        values = {v: float(np.log((total + truth[v]) / count).mean()) for v in sorted(left)}
        best = max(values, key=values.__getitem__)
        yield Step(best, values[best])
        total += truth[best]
        if not repeat:
            left.remove(best)


def policies(truth: np.ndarray) -> Iterator[tuple[np.ndarray, float]]:
    """Yields ever better policies, each as weights `(V,)` with its mean log-likelihood.

    A policy is a set of looks with repetition; a look's weight is how often it is in there.

    Args:
        truth: as for `forward`.

    Example:
        >>> *_, (weights, _) = policies(np.array([[0.9, 0.9, 0.2], [0.3, 0.3, 0.9]]))
        >>> weights.round(2)
        array([0.67, 0.33])
    """
    counts, best = np.zeros(len(truth)), -np.inf
    for step in islice(forward(truth, repeat=True), ROUNDS * len(truth)):
        counts[step.view] += 1
        if step.value > best:
            best = step.value
            yield counts / counts.sum(), best
