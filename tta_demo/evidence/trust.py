"""How far probabilities can be trusted, and which errors doubt finds.

Sources: Guo et al., "On Calibration of Modern Neural Networks", 2017 (temperature, ECE); the
doubt's two parts: `insight.doubt`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch import Tensor

from tta_demo.evidence.stacks import Stacks
from tta_demo.insight.doubt import doubt
from tta_demo.scoring.metrics import calibration_error, reliability
from tta_demo.tta.plan import Plan
from tta_demo.tta.predict import ViewStack

__all__ = ["BINS", "SHARES", "Removal", "Trust", "error_removal", "removal_of"]
__all__ += ["temperature", "trust"]

BINS = 15
SHARES = tuple(round(share, 2) for share in np.linspace(0, 0.5, 51).tolist())
"""Shares of the pixels, pictures or boxes that are handed to a person."""

FITTED_ON = 100_000
"""About so many pixels are enough to fit one number."""


@dataclass(frozen=True)
class Trust:
    """How well the probabilities of one plan fit what happens, on the held-out pictures.

    Attributes:
        plan: its name.
        bins: `(BINS, 3)` pixels, mean confidence and share right, by bins of confidence.
        ece: expected calibration error, 0..1.
        nll: less is better.
        before: the temperature for each look's logits that fits the calibration pictures best
            once they are fused; above 1 makes them less certain.
        nll_before: the NLL with it.
        ece_before: the ECE with it.
        after: the same for the logarithm of the fused answer.
        nll_after: the NLL with that.
        ece_after: the ECE with that.
    """

    plan: str
    bins: tuple[tuple[float, float, float], ...]
    ece: float
    nll: float
    before: float
    nll_before: float
    ece_before: float
    after: float
    nll_after: float
    ece_after: float


@dataclass(frozen=True)
class Removal:
    """Which share of an answer's errors is among its most doubtful pixels, on the held-out ones.

    Attributes:
        doubt: whose, in plain words.
        errors: share of the pixels, pictures or boxes that are wrong, 0..1.
        removed: share of those errors, 0..1, in each of `SHARES`.
        missed: of boxes, the share of the true ones that were not found at all, 0..1.
    """

    doubt: str
    errors: float
    removed: tuple[float, ...]
    missed: float | None = None


def trust(calibration: Stacks, held: Stacks, name: str, plan: Plan) -> Trust:
    """Returns how far a plan's probabilities can be trusted.

    Args:
        calibration: the pictures that the temperatures are fitted on.
        held: those that everything is measured on.
        name: of the plan.
        plan: how to look and fuse.
    """
    before = temperature(calibration, lambda stack, t: plan.fuse(_cooled(stack, t)))
    after = temperature(calibration, lambda stack, t: _sharpened(plan.fuse(stack), t))
    table, loss = _measured(held, plan.fuse)
    first, first_loss = _measured(held, lambda stack: plan.fuse(_cooled(stack, before)))
    last, last_loss = _measured(held, lambda stack: _sharpened(plan.fuse(stack), after))
    means = table[:, 1:] / np.maximum(table[:, :1], 1)
    bins = tuple((n, *row) for n, row in zip(table[:, 0].tolist(), means.tolist(), strict=True))
    eces = (calibration_error(one) for one in (table, first, last))
    ece, ece_before, ece_after = eces
    return Trust(
        name, bins, ece, loss, before, first_loss, ece_before, after, last_loss, ece_after
    )


def temperature(stacks: Stacks, fused: Callable[[ViewStack, float], Tensor]) -> float:
    """Returns the temperature, 0.2 to 5, whose answers have the best likelihood.

    Args:
        stacks: labelled pictures.
        fused: from the looks at a picture and a temperature to probabilities `(C, n)`.
    """
    pixels = sum(len(one.truth) for one in stacks.pictures)
    every = max(1, pixels // FITTED_ON)
    parts = []
    for place, one in enumerate(stacks.pictures):
        start = place % every if len(one.truth) > every else 0
        stack = stacks.stack(place)
        few = ViewStack(stack.views, stack.log_probs[..., start::every].float())
        parts.append((few, torch.from_numpy(one.truth[start::every])))

    def loss(log_t: float) -> float:
        return sum(_loss(fused(stack, float(np.exp(log_t))), truth) for stack, truth in parts)

    found = minimize_scalar(loss, bounds=(np.log(0.2), np.log(5)), method="bounded")
    return float(np.exp(found.x))


def error_removal(held: Stacks, plan: Plan) -> tuple[Removal, ...]:
    """Returns the curves for three kinds of doubt: of one look, of the plan, of its looks.

    The first sorts the plain look's errors, the others sort the fused answer's.

    Args:
        held: labelled pictures.
        plan: of one weight a look, or none; its fused answer counts by its own entropy.
    """
    weights = None if plan.weights is None else plan.weights.values
    rows = [_doubts(stack, truth, plan, weights) for stack, truth in _pairs(held)]
    signals, wrong = (np.concatenate(parts, axis=1) for parts in zip(*rows, strict=True))
    names = ("one look", "all together", "disagreement")
    return tuple(removal_of(*row) for row in zip(names, signals, wrong, strict=True))


def _doubts(
    stack: ViewStack, truth: np.ndarray, plan: Plan, weights: Tensor | None
) -> tuple[np.ndarray, np.ndarray]:
    """Returns three kinds of doubt `(3, n)`, and where the answers that they are of are wrong."""
    plain, fused = stack.probs[0], plan.fuse(stack)
    one = doubt(ViewStack(stack.views[:1], stack.log_probs[:1]))
    together = doubt(ViewStack(("fused",), fused.clamp_min(1e-12).log()[None]))
    parts = doubt(stack.take(plan.views), weights)
    signals = torch.stack([one.total, together.total, parts.disagreement]).numpy()
    missed = [(probs.max(0).indices.numpy() != truth) for probs in (plain, fused)]
    return signals, np.stack([missed[0], missed[1], missed[1]])


def removal_of(name: str, signal: np.ndarray, wrong: np.ndarray) -> Removal:
    """Returns a curve; pixels of equal doubt leave in no order: each a part.

    Args:
        name: whose doubt.
        signal: `(n,)` doubts.
        wrong: `(n,)` which pixels are wrong.
    """
    total, errors = len(wrong), int(wrong.sum())
    if not errors:
        return Removal(name, 0.0, (1.0,) * len(SHARES))
    levels, place, count = np.unique(-signal, return_inverse=True, return_counts=True)
    found = np.bincount(place, wrong, len(levels))
    at, reached = np.append(0, count.cumsum()), np.append(0, found.cumsum())
    removed = np.interp(np.array(SHARES) * total, at, reached) / errors
    return Removal(name, errors / total, tuple(removed.tolist()))


def _measured(held: Stacks, answer: Callable[[ViewStack], Tensor]) -> tuple[np.ndarray, float]:
    """Returns the table of `reliability` and the NLL."""
    table, loss, pixels = np.zeros((BINS, 3)), 0.0, 0
    for stack, truth in _pairs(held):
        probs = answer(stack)
        top, labels = probs.max(0)
        table += reliability(top.numpy().clip(0, 1), labels.numpy() == truth, BINS)
        loss += _loss(probs, torch.from_numpy(truth))
        pixels += len(truth)
    return table, loss / pixels


def _pairs(stacks: Stacks) -> Iterator[tuple[ViewStack, np.ndarray]]:
    for place, one in enumerate(stacks.pictures):
        yield stacks.stack(place), one.truth


def _loss(probs: Tensor, truth: Tensor) -> float:
    return -float(probs.gather(0, truth[None]).clamp_min(1e-7).log().sum())


def _cooled(stack: ViewStack, t: float) -> ViewStack:
    return ViewStack(stack.views, (stack.log_probs.float() / t).log_softmax(1))


def _sharpened(probs: Tensor, t: float) -> Tensor:
    return (probs.clamp_min(1e-12).log() / t).softmax(0)
