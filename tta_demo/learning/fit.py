"""Learned weights: how much each view counts, fitted on labelled pictures.

Source: Shanmugam et al., "Better Aggregation in Test-Time Augmentation", 2021.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from tta_demo.learning.answers import Answers
from tta_demo.learning.fit_methods import METHODS, log_likelihood, needs_all_classes
from tta_demo.learning.module import ONE_A_VIEW, Form
from tta_demo.learning.solver import certificate
from tta_demo.tta.fusion import Weights
from tta_demo.tta.plan import Plan
from tta_demo.tta.predict import Stacked, ViewStack

__all__ = ["FOLDS", "SHRINKS", "Fit", "fit", "fit_steps"]

SHRINKS = tuple(i / 10 for i in range(11))
"""What cross-validation chooses from."""
FOLDS = 5


@dataclass(frozen=True)
class Fit:
    """Weights, and how they were found.

    Attributes:
        weights: `(V,)` or `(V, C)` float64, non-negative, sum 1 over V; after shrinking. `fuse`
            takes them, and `Plan`; of another pool than the linear one, give it the fit itself.
        found: the same before shrinking.
        history: mean log-likelihood of the calibration pixels, first with even weights, then
            after each step, before shrinking.
        gap: no weights have a higher mean log-likelihood than `found` by more than this; None
            for forms without such a certificate.
        pixels: how many were used.
        method: a key of `METHODS`.
        shrink: how far the weights were drawn towards even, 0..1.
        form: what the weights look like.
    """

    weights: np.ndarray
    found: np.ndarray
    history: tuple[float, ...]
    gap: float | None
    pixels: int
    method: str
    shrink: float
    form: Form

    @property
    def learned(self) -> Weights:
        """The weights with their pool."""
        return Weights(self.weights, self.form.pool)

    def plan(self, views: Sequence[str]) -> Plan:
        """Returns the plan to fuse these views so, in the order of the stacks learned from."""
        return Plan(tuple(views), "learned", self.learned)


def fit(
    stacks: Iterable[Stacked],
    labels: Iterable[np.ndarray],
    method: str = "exact",
    shrink: float | None = 0.0,
    form: Form = ONE_A_VIEW,
    pixels: int = 20_000,
    seed: int = 0,
) -> Fit:
    """Returns the weights that a method finds on labelled pictures.

    Args:
        stacks: every view's answers to each picture, or arrays as for `ViewStack.of_array`; read
            one by one, and not kept.
        labels: the true class ids of each.
        method: a key of `METHODS`.
        shrink: s in (1 - s) found + s even, 0..1; None to choose it by cross-validation over
            pictures.
        form: what the weights look like, one a view for the linear pool if left out.
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
    looked = zip(map(ViewStack.of_array, stacks), labels, strict=True)
    answers = Answers.of(looked, needs_all_classes(method, form), pixels, seed)
    *_, last = fit_steps(answers, method, shrink, form)
    return last


def fit_steps(
    answers: Answers,
    method: str = "exact",
    shrink: float | None = 0.0,
    form: Form = ONE_A_VIEW,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[Fit]:
    """Yields the fit after each step, unshrunk; the last one is complete. See `fit`.

    `answers` are of all classes if the form or the method needs them. `stopped` is asked after
    each step; true ends the fit with what there is.
    """
    needs_all_classes(method, form)
    if shrink is not None and not 0 <= shrink <= 1:
        raise ValueError(f"shrink is {shrink}: give 0 (as found) .. 1 (even), or None to choose")
    history: list[float] = []
    for weights, value in METHODS[method].steps(answers, form):
        history.append(value)
        now = Fit(weights, weights, tuple(history), None, answers.pixels, method, 0.0, form)
        yield now
        if stopped():
            break
    if form.plain:
        now = replace(now, gap=certificate(answers.true_class(), weights))
    if shrink is None:
        total = np.zeros(len(SHRINKS))
        for values in () if stopped() else _cross_validated(answers, method, form):
            total += values
            yield now
            if stopped():
                total[:] = 0  # not all pictures had their turn: leave the weights as found
                break
        shrink = SHRINKS[int(total.argmax())]
    yield replace(now, weights=_shrunk(weights, shrink), shrink=shrink)


def _shrunk(weights: np.ndarray, shrink: float) -> np.ndarray:
    return (1 - shrink) * weights + shrink / len(weights)


def _cross_validated(answers: Answers, method: str, form: Form) -> Iterator[list[float]]:
    """Yields the log-likelihood of each of `SHRINKS` on pictures that a fit did not see."""
    used = [i for i, labels in enumerate(answers.labels) if len(labels)]
    if len(used) < 2:
        raise ValueError(
            f"{len(used)} picture to learn on: choosing the shrink needs 2, or give it as a number"
        )
    for fold in range(min(FOLDS, len(used))):
        held = used[fold::FOLDS]
        rest = answers.take([i for i in used if i not in held])
        *_, (weights, _) = METHODS[method].steps(rest, form)
        left = answers.take(held)
        yield [left.pixels * log_likelihood(left, _shrunk(weights, s), form.pool) for s in SHRINKS]
