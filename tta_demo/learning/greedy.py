"""Greedy policy search: look by look, the one that helps the even mean most.

Source: Molchanov et al., "Greedy Policy Search: A Simple Baseline for Learnable Test-Time
Augmentation", 2020. As there, a mean is judged by its calibrated likelihood, so that looks are
chosen for what they know, and not for making answers more or less certain.
"""

from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

import numpy as np

from tta_demo.learning.answers import Answers
from tta_demo.learning.temperature import calibrated
from tta_demo.tta.predict import FLOOR

__all__ = ["Step", "forward", "policies"]

ROUNDS = 2
"""A search with repetition takes so many steps a view, and keeps the best of them."""
NUMBERS = 2**20
"""About so many probabilities of one view are enough to choose by."""


class Step(NamedTuple):
    """One more look.

    Attributes:
        view: its place among the V views.
        value: mean log-likelihood of the even mean with it, once that is `calibrated`.
    """

    view: int
    value: float


def forward(answers: Answers, repeat: bool = False) -> Iterator[Step]:
    """Yields looks in the order in which each helps the even mean of those before it most.

    Without repetition all V of them, with it without end.

    Args:
        answers: of all classes.
        repeat: whether a view may come again, and so count more.

    Raises:
        ValueError: there is the true class alone, which tells nothing of temperatures.

    Example:
        >>> true = np.array([[0.9, 0.1], [0.1, 0.9], [0.4, 0.4]])
        >>> both = Answers((np.stack([true, 1 - true], 1),), (np.array([0, 0]),))
        >>> [step.view for step in forward(both)]
        [0, 1, 2]
    """
    if answers.classes < 2:
        raise ValueError("answers hold the true class alone: a greedy search needs all classes")
    seen = answers.thinned(max(1, NUMBERS // (answers.classes * answers.pictures)))
    probs, labels = (np.concatenate(parts, -1) for parts in (seen.probs, seen.labels))
    total, best, left = np.zeros_like(probs[0]), (0.0, 1.0), set(range(len(probs)))
    while left:
        found = {v: calibrated(_logs(total + probs[v]), labels, best[1]) for v in sorted(left)}
        view = max(found, key=lambda v: found[v][0])
        best = found[view]
        yield Step(view, best[0])
        total += probs[view]
        if not repeat:
            left.remove(view)


def policies(answers: Answers) -> Iterator[np.ndarray]:
    """Yields ever better policies, as weights `(V,)`.

    A policy is a set of looks with repetition; a look's weight is how often it is in there.

    Args:
        answers: as for `forward`.

    Example:
        >>> true = np.array([[0.9, 0.9, 0.2], [0.3, 0.3, 0.9], [0.1, 0.1, 0.1]])
        >>> both = Answers((np.stack([true, 1 - true], 1),), (np.array([0, 0, 0]),))
        >>> *_, weights = policies(both)
        >>> weights.round(2)
        array([0.5, 0.5, 0. ])
    """
    counts, best = np.zeros(answers.views), -np.inf
    for step in islice(forward(answers, repeat=True), ROUNDS * answers.views):
        counts[step.view] += 1
        if step.value > best:
            best = step.value
            yield counts / counts.sum()


def _logs(probs: np.ndarray) -> np.ndarray:
    return np.log(probs.clip(min=np.exp(FLOOR)))
