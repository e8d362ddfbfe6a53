"""Learned weights: how much each view counts, fitted on labelled pictures.

Source: Shanmugam et al., "Better Aggregation in Test-Time Augmentation", 2021.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from tta_demo.learning.answers import Answers
from tta_demo.learning.fit_methods import METHODS, log_likelihood, needs_all_classes
from tta_demo.learning.solver import certificate
from tta_demo.tta.predict import ViewStack

__all__ = ["FOLDS", "SHRINKS", "Fit", "fit", "fit_steps"]

SHRINKS = tuple(i / 10 for i in range(11))
"""What cross-validation chooses from."""
FOLDS = 5


@dataclass(frozen=True)
class Fit:
    """Weights, and how they were found.

    Attributes:
        weights: `(V,)` or `(V, C)` float64, non-negative, sum 1 over V; after shrinking.
        found: the same before shrinking.
        history: mean log-likelihood of the calibration pixels, first with even weights, then
            after each step, before shrinking.
        gap: no weights have a higher mean log-likelihood than `found` by more than this; None
            for forms without such a certificate.
        pixels: how many were used.
        method: a key of `METHODS`.
        shrink: how far the weights were drawn towards even, 0..1.
    """

    weights: np.ndarray
    found: np.ndarray
    history: tuple[float, ...]
    gap: float | None
    pixels: int
    method: str
    shrink: float


def fit(
    stacks: Iterable[ViewStack],
    labels: Iterable[np.ndarray],
    method: str = "exact",
    shrink: float | None = 0.0,
    per_class: bool = False,
    pool: str = "linear",
    pixels: int = 20_000,
    seed: int = 0,
) -> Fit:
    """Returns the weights that a method finds on labelled pictures.

    Args:
        stacks: every view's answers to each picture; read one by one, and not kept.
        labels: the true class ids of each.
        method: a key of `METHODS`.
        shrink: s in (1 - s) found + s even, 0..1; None to choose it by cross-validation over
            pictures.
        per_class: a weight per class and view instead of one per view.
        pool: a key of `POOLS`.
        pixels: most pixels of one picture.
        seed: of the draw of pixels.

    Raises:
        ValueError: there is nothing to fit on, or the method cannot fit this form.

    Example:
        >>> import torch
        >>> sure, guess = torch.tensor([[0.9, 0.1], [0.5, 0.5]]).log()
        >>> stack = ViewStack(("identity", "noise"), torch.stack([sure, guess])[..., None])
        >>> fit([stack], [np.array([0])]).weights
        array([1., 0.])
    """
    looked = zip(stacks, labels, strict=True)
    answers = Answers.of(looked, needs_all_classes(method, per_class, pool), pixels, seed)
    *_, last = fit_steps(answers, method, shrink, per_class, pool)
    return last


def fit_steps(
    answers: Answers,
    method: str = "exact",
    shrink: float | None = 0.0,
    per_class: bool = False,
    pool: str = "linear",
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[Fit]:
    """Yields the fit after each step, unshrunk; the last one is complete. See `fit`.

    Args:
        answers: of all classes if the form or the method needs them.
        method: a key of `METHODS`.
        shrink: as for `fit`.
        per_class: as for `fit`.
        pool: as for `fit`.
        stopped: asked after each step; true ends the fit with what there is.
    """
    needs_all_classes(method, per_class, pool)
    if shrink is not None and not 0 <= shrink <= 1:
        raise ValueError(f"shrink is {shrink}: give 0 (as found) .. 1 (even), or None to choose")
    plain = not per_class and pool == "linear"
    steps = METHODS[method].steps(answers, per_class, pool)
    history: list[float] = []
    for weights, value in steps:
        history.append(value)
        now = Fit(weights, weights, tuple(history), None, answers.pixels, method, 0.0)
        yield now
        if stopped():
            break
    if plain:
        now = replace(now, gap=certificate(answers.true_class(), weights))
    if shrink is None:
        total = np.zeros(len(SHRINKS))
        for values in () if stopped() else _cross_validated(answers, method, per_class, pool):
            total += values
            yield now
            if stopped():
                total[:] = 0  # not all pictures had their turn: leave the weights as found
                break
        shrink = SHRINKS[int(total.argmax())]
    yield replace(now, weights=_shrunk(weights, shrink), shrink=shrink)


def _shrunk(weights: np.ndarray, shrink: float) -> np.ndarray:
    return (1 - shrink) * weights + shrink / len(weights)


def _cross_validated(
    answers: Answers, method: str, per_class: bool, pool: str
) -> Iterator[list[float]]:
    """Yields the log-likelihood of each of `SHRINKS` on pictures that a fit did not see."""
    used = [i for i, labels in enumerate(answers.labels) if len(labels)]
    if len(used) < 2:
        raise ValueError(
            f"{len(used)} picture to learn on: choosing the shrink needs 2, or give it as a number"
        )
    for fold in range(min(FOLDS, len(used))):
        held = used[fold::FOLDS]
        rest = answers.take([i for i in used if i not in held])
        *_, (weights, _) = METHODS[method].steps(rest, per_class, pool)
        left = answers.take(held)
        yield [left.pixels * log_likelihood(left, _shrunk(weights, s), pool) for s in SHRINKS]
