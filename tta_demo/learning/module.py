"""Fusing with weights that can be learned."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from tta_demo.tta.fusion import POOLS, weighted_mean
from tta_demo.tta.predict import FLOOR

__all__ = ["LEARNABLE", "ONE_A_VIEW", "Form", "LearnableTTA"]

LEARNABLE = ("linear", "log")
"""The pools of `POOLS` for weights of sum 1."""


@dataclass(frozen=True)
class Form:
    """What weights look like: one per view, or per class and view, for a pool of `POOLS`."""

    per_class: bool = False
    pool: str = "linear"

    def __post_init__(self) -> None:
        if self.pool not in POOLS:
            raise ValueError(f"pool {self.pool!r} is unknown: choose one of {', '.join(POOLS)}")

    @property
    def plain(self) -> bool:
        """Whether the likelihood needs the true class's probability alone."""
        return not self.per_class and self.pool == "linear"


ONE_A_VIEW = Form()
"""One weight a view, for probabilities."""


class LearnableTTA(nn.Module):
    """Fuses the views' probabilities with weights that are on the simplex by construction.

    Args:
        views: number of views V.
        classes: number of classes C for a weight per class and view; None for one per view.
        pool: `linear` weighs probabilities, `log` their logarithms, softmax(sum_v w_v log p_v).
            With a weight per view that equals weighing logits; per class and view it does not,
            because the classes' constants differ, and is this project's own.
        weights: `(V,)` or `(V, C)` to start from, sum 1 over V; even if left out.

    Example:
        >>> tta = LearnableTTA(2, weights=torch.tensor([0.25, 0.75]))
        >>> tta(torch.tensor([[[0.9, 0.1]], [[0.5, 0.5]]])).detach()  # (V, B, C)
        tensor([[0.6000, 0.4000]])
    """

    def __init__(
        self,
        views: int,
        classes: int | None = None,
        pool: str = "linear",
        weights: Tensor | None = None,
    ) -> None:
        super().__init__()
        shape = (views,) if classes is None else (views, classes)
        start = torch.zeros(shape) if weights is None else weights.clamp_min(1e-12).log()
        if pool not in LEARNABLE:
            raise ValueError(f"pool {pool!r}: weights on the simplex are for {LEARNABLE}")
        if start.shape != shape:
            raise ValueError(f"weights have shape {tuple(start.shape)}: give {shape}")
        self.pool = pool
        self.scores = nn.Parameter(start)

    @property
    def weights(self) -> Tensor:
        """Weights `(V,)` or `(V, C)`, positive, sum 1 over V."""
        return self.scores.softmax(0)

    def forward(self, probs: Tensor, seen: Tensor | None = None) -> Tensor:
        """Returns `(B, C, H, W)` fused from `(V, B, C, H, W)`, of sum 1 over C if that is.

        `seen` is `(V, B, 1, H, W)` bool, the pixels that each view saw; None for all.
        """
        return self.pooled(self.values(probs), seen)

    def values(self, probs: Tensor) -> Tensor:
        """Returns what the pool weighs, the shape of `probs`; costly for the log pool."""
        return probs if self.pool == "linear" else probs.log().clamp_min(FLOOR)

    def pooled(self, values: Tensor, seen: Tensor | None = None) -> Tensor:
        """Returns fused probabilities `(B, C, H, W)` of `values(probs)`; see `forward`."""
        weights = self.weights.to(values)
        if weights.ndim == 1:
            fused = weighted_mean(values, seen, weights)
        elif seen is None:  # a product of matrices: many times faster to learn from
            fused = torch.einsum("vc,vbc...->bc...", weights, values)
        else:
            shape = (len(weights), 1, -1, *[1] * (values.ndim - 3))
            fused = weighted_mean(values, seen, weights.view(shape))
        if self.pool == "log":
            return fused.softmax(1)
        if weights.ndim == 1:
            return fused
        return fused / fused.sum(1, keepdim=True).clamp_min(1e-12)
