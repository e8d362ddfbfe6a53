"""Learned weights: how much each view counts, fitted on labelled pictures."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import isinf

import numpy as np

from tta_demo.learning.answers import Answers
from tta_demo.learning.fit_methods import METHODS, needs_all_classes
from tta_demo.learning.module import ONE_A_VIEW, Form
from tta_demo.learning.prior import FEW, chosen_prior
from tta_demo.learning.solver import certificate
from tta_demo.tta.fusion import Weights
from tta_demo.tta.plan import Plan
from tta_demo.tta.predict import Stacked, ViewStack

__all__ = ["Fit", "fit", "fit_steps"]


@dataclass(frozen=True)
class Fit:
    """Weights, and how they were found.

    Attributes:
        weights: `(V,)` or `(V, C)` float64, non-negative, sum 1 over V (of any sum for the pool
            `logits`). `fuse` takes them, and `Plan`; of another pool than the linear one, give it
            the fit itself.
        history: mean log-likelihood of the calibration pixels, first with even weights, then
            after each step.
        gap: no weights have a higher mean log-likelihood, that of the prior added, than these by
            more than this; None for forms without such a certificate.
        pixels: how many were used.
        method: a key of `METHODS`.
        prior: how many pictures the prior counts, which draws the weights towards even ones; 0
            for methods that take none, infinity for even weights.
        form: what the weights look like; some methods choose it.
    """

    weights: np.ndarray
    history: tuple[float, ...]
    gap: float | None
    pixels: int
    method: str
    prior: float
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
    prior: float | None = None,
    form: Form = ONE_A_VIEW,
    pixels: int = 20_000,
    seed: int = 0,
    score: str = "miou",
) -> Fit:
    """Returns the weights that a method finds on labelled pictures.

    Args:
        stacks: every view's answers to each picture, or arrays as for `ViewStack.of_array`; read
            one by one, and not kept.
        labels: the true class ids of each.
        method: a key of `METHODS`.
        prior: how many pictures the prior counts, 0 (as the pictures say) to infinity (even);
            None to choose it from the pictures, see `chosen_prior`.
        form: what the weights look like, one a view for the linear pool if left out.
        pixels: most pixels of one picture, see `Answers.of`.
        seed: of the draw of pixels.
        score: what the choice of the prior looks at, a key of `SCORES`.

    Raises:
        ValueError: there is nothing to fit on, or the method cannot fit this form.

    Example:
        >>> import torch
        >>> sure, guess = torch.tensor([[0.9, 0.1], [0.5, 0.5]]).log()
        >>> stack = ViewStack(("identity", "noise"), torch.stack([sure, guess])[..., None])
        >>> for prior in (None, 1, 0):  # one pixel shows nothing for sure
        ...     print(fit([stack], [np.array([0])], prior=prior).weights.round(2))
        [0.5 0.5]
        [0.63 0.37]
        [1. 0.]
    """
    whole = needs_all_classes(method, form, prior, score)
    looked = zip(map(ViewStack.of_array, stacks), labels, strict=True)
    answers = Answers.of(looked, whole, pixels, seed)
    *_, last = fit_steps(answers, method, prior, form, score=score)
    return last


def fit_steps(
    answers: Answers,
    method: str = "exact",
    prior: float | None = None,
    form: Form = ONE_A_VIEW,
    stopped: Callable[[], bool] = lambda: False,
    score: str = "miou",
) -> Iterator[Fit]:
    """Yields the fit after each step; the last one is complete. See `fit`.

    While the prior is chosen, which comes first, the weights are even. `answers` are of all
    classes if the form, the method or the score needs them. `stopped` is asked after each step;
    true ends the choice with the prior for few pictures, and the fit with what there is.
    """
    needs_all_classes(method, form)
    _check(method, prior)
    steps = METHODS[method].steps
    even, value = next(steps(answers, form, 0.0))
    now = Fit(even, (value,), None, answers.pixels, method, 0.0, form)
    if prior is None:
        prior = 0.0
        for prior in chosen_prior(answers, score) if METHODS[method].prior else ():
            if prior is None:
                yield now
                if stopped():
                    prior = FEW
                    break
    counts = prior / answers.pictures
    history: list[float] = []
    for weights, value in steps(answers, form, counts):
        history.append(value)
        now = replace(now, weights=weights, history=tuple(history), prior=prior)
        now = replace(now, form=Form(weights.ndim > 1, METHODS[method].pool or form.pool))
        yield now
        if stopped() or isinf(prior):
            break
    if now.form.plain:
        now = replace(now, gap=certificate(answers.true_class(), weights, counts))
    yield now


def _check(method: str, prior: float | None) -> None:
    if prior is None:
        return
    if not prior >= 0:
        raise ValueError(
            f"the prior is {prior}: give how many pictures it counts, from 0 on, or None to choose"
        )
    if prior and not METHODS[method].prior:
        raise ValueError(f"method {method!r} takes no prior: leave {prior} out, or choose exact")
