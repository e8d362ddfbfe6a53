"""Fusion: from every view's answer to one. Pure reductions of a `ViewStack` over V.

A view has no say on pixels that it did not see; where no view saw anything, every class is
equally likely.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import log

import torch
from torch import Tensor

from tta_demo.tta.predict import Stacked, ViewStack

__all__ = ["FUSIONS", "POOLS", "Fusion", "Weights", "fuse", "weighted_mean"]


@dataclass(frozen=True)
class Fusion:
    """A way to combine the views' answers.

    Attributes:
        label: plain words for people.
        summary: the exact term.
        source: where it comes from.
        reduce: from a stack and weights, `(V,)` or `(V, C)`, to scores `(C, ...)`, at least 0.
        weighted: whether the weights matter.
    """

    label: str
    summary: str
    source: str
    reduce: Callable[[ViewStack, Tensor], Tensor]
    weighted: bool = False


@dataclass(frozen=True, eq=False)
class Weights:
    """How much each view counts.

    Attributes:
        values: `(V,)`, or `(V, C)` for a weight per class and view; float32 on the CPU, from any
            array of that shape; non-negative, sum 1 over V (of any sum for the pool `logits`).
        pool: a key of `POOLS`, what they weigh.

    Raises:
        ValueError: the pool is unknown, or the numbers are no weights.

    Example:
        >>> Weights([0.25, 0.75]).values
        tensor([0.2500, 0.7500])
    """

    values: Tensor
    pool: str = "linear"

    def __post_init__(self) -> None:
        values = torch.as_tensor(self.values, dtype=torch.float32, device="cpu").detach()
        if self.pool not in POOLS:
            raise ValueError(f"pool {self.pool!r} is unknown: choose one of {', '.join(POOLS)}")
        total = values.sum(0)
        sums = total.isfinite() if self.pool == "logits" else (total - 1).abs() <= 1e-3
        if values.ndim not in (1, 2) or not values.numel() or (values < 0).any() or not sums.all():
            told = "give numbers >= 0 of sum 1, one a view, or one a view and class"
            raise ValueError(f"weights {values.tolist()}: {told}")
        object.__setattr__(self, "values", values)

    @classmethod
    def of(cls, given: object) -> "Weights | None":
        """Returns the weights of an array, or of what `fit` found; others, and None, as given."""
        given = getattr(given, "learned", given)
        return given if given is None or isinstance(given, cls) else cls(given)


def fuse(stack: Stacked, fusion: str = "mean", weights: object = None) -> Tensor:
    """Returns fused probabilities `(C, H, W)`, or `(C,)` of a classification stack; float32.

    Args:
        stack: the views' answers, or arrays as for `ViewStack.of_array`.
        fusion: a key of `FUSIONS`.
        weights: as for `Weights.of`; needed for `learned`, refused otherwise.

    Raises:
        ValueError: the fusion is unknown, the weights do not fit, or `none` with several views.

    Example:
        >>> stack = ViewStack(("identity", "hflip"), torch.tensor([[0.9, 0.1], [0.5, 0.5]]).log())
        >>> fuse(stack), fuse(stack, "learned", Weights([0.25, 0.75]))
        (tensor([0.7000, 0.3000]), tensor([0.6000, 0.4000]))
    """
    if fusion not in FUSIONS:
        raise ValueError(f"fusion {fusion!r} is unknown: choose one of {', '.join(FUSIONS)}")
    stack, weights = ViewStack.of_array(stack), Weights.of(weights)
    count, classes = stack.log_probs.shape[:2]
    if FUSIONS[fusion].weighted != (weights is not None):
        raise ValueError(f"fusion {fusion!r} with weights {weights}: only 'learned' takes weights")
    if weights is None:
        scores = FUSIONS[fusion].reduce(stack, torch.full((count,), 1 / count))
    else:
        if weights.values.shape not in ((count,), (count, classes)):
            told = f"weights of shape {tuple(weights.values.shape)} for {count} views"
            raise ValueError(f"{told}: give ({count},), or per class ({count}, {classes})")
        scores = POOLS[weights.pool](stack, weights.values)
    total = scores.sum(0, keepdim=True)
    return torch.where(total > 0, scores / total, 1 / len(scores))


def weighted_mean(values: Tensor, seen: Tensor | None, weights: Tensor) -> Tensor:
    """Returns the mean over V, each pixel's weights renormalised over the views that saw it.

    Args:
        values: `(V, C, ...)`, or `(V, B, C, H, W)`.
        seen: bool, the shape of `values` with an axis of length 1 for C; None if all was seen.
        weights: `(V,)`, sum 1, `(V, C)`, or a shape that broadcasts against `values`.
    """
    weights = weights.to(values)
    if seen is None and weights.ndim == 1:
        return torch.tensordot(weights, values, 1)
    weights = weights.view(*weights.shape, *[1] * (values.ndim - weights.ndim))
    if seen is None:
        return (weights * values).sum(0)
    weights = weights * seen
    # where only views of weight 0 saw a pixel, they count the same
    weights = torch.where(weights.sum(0) > 0, weights, seen.to(weights))
    return (weights * values).sum(0) / weights.sum(0).clamp_min(1e-12)


def _alone(stack: ViewStack, _: Tensor) -> Tensor:
    if len(stack.views) != 1:
        raise ValueError(f"fusion 'none' is for one view, not for {', '.join(stack.views)}")
    return stack.probs[0]


def _mean(stack: ViewStack, weights: Tensor) -> Tensor:
    return weighted_mean(stack.probs, stack.seen_by_class, weights)


def _gmean(stack: ViewStack, weights: Tensor) -> Tensor:
    logs = stack.log_probs.float()
    return weighted_mean(logs, stack.seen_by_class, weights).softmax(0)


def _median(stack: ViewStack, _: Tensor) -> Tensor:
    probs, seen = stack.probs, stack.seen_by_class
    if seen is None:
        low, high = (len(probs) - 1) // 2, len(probs) // 2
        ordered = _sorted(probs)
        return (ordered[low] + ordered[high]) / 2
    ordered = torch.stack(_sorted(torch.where(seen, probs, torch.inf)))
    count = seen.sum(0, keepdim=True).clamp_min(1).expand(1, *probs.shape[1:])
    middle = (ordered.gather(0, (count - 1) // 2) + ordered.gather(0, count // 2))[0] / 2
    return middle.nan_to_num(posinf=0)


def _sorted(values: Tensor) -> list[Tensor]:
    """Odd-even transposition sort over V: for few views many times faster than `torch.sort`."""
    rows = list(values)
    for step in range(len(rows)):
        for i in range(step % 2, len(rows) - 1, 2):
            low, high = torch.minimum(rows[i], rows[i + 1]), torch.maximum(rows[i], rows[i + 1])
            rows[i], rows[i + 1] = low, high
    return rows


def _vote(stack: ViewStack, weights: Tensor) -> Tensor:
    probs = stack.probs
    classes = torch.arange(probs.shape[1]).view(1, -1, *[1] * (probs.ndim - 2))
    ballots = probs.max(1, keepdim=True).indices == classes  # argmax is 20 times slower here
    share = weighted_mean(ballots.float(), stack.seen_by_class, weights)
    tie_break = 0.5 / len(probs) * weighted_mean(probs, stack.seen_by_class, weights)
    return share + tie_break


def _confidence(stack: ViewStack, _: Tensor) -> Tensor:
    probs = stack.probs
    entropy = -(probs * stack.log_probs).sum(1, keepdim=True)
    trust = (1 - entropy / log(probs.shape[1])).clamp_min(1e-6)
    if stack.seen is not None:
        trust = trust * stack.seen_by_class
    return (trust * probs).sum(0)


def _logits(stack: ViewStack, weights: Tensor) -> Tensor:
    total = weights.sum(0)
    mean = weighted_mean(stack.log_probs.float(), stack.seen_by_class, weights / total.clamp(1e-9))
    return (total.view(-1, *[1] * (mean.ndim - 1)) * mean).softmax(0)


POOLS = {"linear": _mean, "log": _gmean, "logits": _logits}
"""What learned weights weigh: probabilities, their logarithms in a mean, or those in a sum."""

FUSIONS: dict[str, Fusion] = {
    "none": Fusion("No fusion", "the original view alone", "baseline", _alone),
    "mean": Fusion("Average", "mean of probabilities", "Krizhevsky et al. 2012", _mean),
    "gmean": Fusion("Average of logits", "mean of logits = geometric mean", "Hinton 2002", _gmean),
    "max": Fusion(
        "Most certain wins",
        "maximum of probabilities, renormalised",
        "Kittler 1998",
        lambda stack, _: stack.probs.amax(0),
    ),
    "median": Fusion("Median", "median of probabilities, renormalised", "Kittler 1998", _median),
    "vote": Fusion(
        "Majority vote", "share of labels; ties by mean probability", "Kittler 1998", _vote
    ),
    "confidence": Fusion(
        "By confidence", "per pixel, weight 1 - entropy / log C", "Wang et al. 2019", _confidence
    ),
    "learned": Fusion("Learned weights", "mean, learned weights", "Kim et al. 2018", _mean, True),
}
