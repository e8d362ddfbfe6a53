"""A plan: one way to look and to combine what is seen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from tta_demo.tta.box_fusion import Fused, fuse_boxes
from tta_demo.tta.boxes import Boxes
from tta_demo.tta.fusion import Weights, fuse
from tta_demo.tta.predict import Stacked, ViewStack

__all__ = ["ONE_LOOK", "Plan"]


@dataclass(frozen=True, eq=False)
class Plan:
    """Views, and how their answers become one.

    Attributes:
        views: V names, in the order of the weights.
        fusion: a key of `FUSIONS`, or of `FUSERS` for boxes.
        weights: what each view counts, from anything that `Weights.of` takes; None if the fusion
            takes no weights.

    Example:
        >>> import torch
        >>> stack = ViewStack(("identity", "hflip"), torch.tensor([[0.9, 0.1], [0.5, 0.5]]).log())
        >>> Plan(("identity", "hflip")).fuse(stack), ONE_LOOK.fuse(stack)
        (tensor([0.7000, 0.3000]), tensor([0.9000, 0.1000]))
    """

    views: tuple[str, ...]
    fusion: str = "mean"
    weights: Weights | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "weights", Weights.of(self.weights))

    @classmethod
    def chosen(cls, views: tuple[str, ...], fusion: str, plain: str = "identity") -> "Plan":
        """Returns the plan that somebody chose; without fusion (`none`), the plain view's alone.

        The plain view is the one that shows the picture as it is. The fusion takes no weights.
        """
        return cls((plain,) if fusion == "none" else views, fusion)

    def fuse(self, stack: Stacked) -> Tensor:
        """Returns the fused probabilities of a stack that has these views; see `fuse`."""
        stack = ViewStack.of_array(stack, self.views)
        return fuse(stack.take(self.views), self.fusion, self.weights)

    def fuse_boxes(self, found: Mapping[str, Boxes], threshold: float = 0.55) -> Fused:
        """Returns the fused boxes of these views, out of boxes by view; see `fuse_boxes`."""
        boxes = [found[name] for name in self.views]
        weights = None if self.weights is None else self.weights.values.tolist()
        return fuse_boxes(boxes, self.fusion, weights, threshold)

    def settings(self) -> dict[str, Any]:
        """Returns all of it as JSON, to tell two plans apart."""
        weights = self.weights and (self.weights.pool, self.weights.values.tolist())
        return {"views": list(self.views), "fusion": self.fusion, "weights": weights}


ONE_LOOK = Plan(("identity",), "none")
"""No test-time augmentation: the picture as it is, once."""
