"""How much the views doubt: each for itself, and each other.

Source: Depeweg et al., "Decomposition of Uncertainty in Bayesian Deep Learning", 2018: the entropy
of the mean is the mean entropy plus what the views tell apart. For views as samples: Wang et al.,
"Aleatoric uncertainty estimation with test-time augmentation", 2019.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from tta_demo.tta.fusion import weighted_mean
from tta_demo.tta.predict import ViewStack

__all__ = ["Doubt", "doubt", "entropy"]


class Doubt(NamedTuple):
    """Doubt of the weighted mean answer, in bits; `(H, W)` each.

    Attributes:
        total: entropy of the mean.
        shared: mean entropy of the views: what all of them doubt alike.
        disagreement: the rest, at least 0: what they contradict each other in.
    """

    total: Tensor
    shared: Tensor
    disagreement: Tensor


def entropy(probs: Tensor, axis: int = 0) -> Tensor:
    """Returns the entropy over an axis, in bits.

    Example:
        >>> entropy(torch.tensor([0.5, 0.5, 0.0])).item()
        1.0
    """
    return -torch.special.xlogy(probs, probs).sum(axis) / torch.log(torch.tensor(2.0))


def doubt(stack: ViewStack, weights: Tensor | None = None) -> Doubt:
    """Returns how much the views doubt, pixel by pixel; 0 where no view saw anything.

    Args:
        stack: the views' answers `(V, C, ...)`.
        weights: `(V,)`, sum 1; even if left out.

    Example:
        >>> sure = torch.tensor([[[0.999], [0.001]], [[0.001], [0.999]]])
        >>> [round(float(part), 2) for part in doubt(ViewStack(("a", "b"), sure.log()))]
        [1.0, 0.01, 0.99]
    """
    count = len(stack.views)
    weights = torch.full((count,), 1 / count) if weights is None else weights
    probs = stack.probs
    mean = weighted_mean(probs, stack.seen_by_class, weights)
    total = entropy(mean)
    each = entropy(probs, 1)[:, None]
    shared = weighted_mean(each, stack.seen_by_class, weights)[0]
    return Doubt(total, shared, (total - shared).clamp_min(0))
