"""A network that is not ours, made a model: its sides, the size of its answer, its classes."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from tta_demo.models.framing import Frame

__all__ = ["ForeignModel", "as_model"]


class ForeignModel:
    """Calls a network on pictures of any size; see `as_model`.

    Attributes:
        swap: pairs of class ids that a mirror exchanges.
    """

    def __init__(
        self, network: Callable[[Tensor], Tensor], stride: int, swap: Sequence[tuple[int, int]]
    ) -> None:
        self._network = network
        self._frame = Frame(stride=stride)
        self.swap = tuple(swap)

    @property
    def training(self) -> bool:
        """Whether the network is in training mode, in which no view will be looked at."""
        return getattr(self._network, "training", False)

    @torch.no_grad()
    def __call__(self, images: Tensor) -> Tensor:
        """Returns logits `(B, C, H, W)` or `(B, C)` of pictures `(B, 3, H, W)` in 0..1."""
        weights = self._network.parameters() if isinstance(self._network, nn.Module) else ()
        like = next(iter(weights), images)
        placed = self._frame.place(images)
        logits = self._network(placed.shown.to(like))
        if not isinstance(logits, Tensor) or logits.ndim not in (2, 4):
            return logits  # it is refused where every model's answer is
        if logits.shape[1] == 1:
            logits = torch.cat([torch.zeros_like(logits), logits], 1)
        return (placed.undo(logits.float()) if logits.ndim == 4 else logits).cpu()


def as_model(
    network: Callable[[Tensor], Tensor], stride: int = 1, swap: Sequence[tuple[int, int]] = ()
) -> ForeignModel:
    """Returns a network of your own as a model for `predict_views` and `predict_crops`.

    Pictures are continued at the right and at the bottom to the next multiples of `stride`, and
    the answer is cut to the picture again. A coarser answer is enlarged, logits as they are. One
    class `(B, 1, H, W)` becomes two, background and subject, by the sigmoid. The network runs
    where its parameters are; call its `eval()` first.

    Args:
        network: from `(B, 3, H, W)` in 0..1 to logits `(B, C, h, w)` or `(B, C)`. What it wants
            beside, mean and deviation or another order of the colours, belongs into it.
        stride: what H and W must be multiples of, 16 or 32 for a usual U-Net.
        swap: pairs of class ids that mean left and right, and that a mirror exchanges.

    Raises:
        ValueError: the stride is less than 1, or `swap` has an id twice.

    Example:
        >>> halved = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(3, 1, 1)).eval()
        >>> as_model(halved, stride=2)(torch.zeros(1, 3, 5, 7)).shape
        torch.Size([1, 2, 5, 7])
    """
    ids = [one for pair in swap for one in pair]
    if stride < 1 or len(set(ids)) < len(ids):
        raise ValueError(f"stride {stride}, swap {swap}: give 1 or more, and pairs of other ids")
    return ForeignModel(network, stride, swap)
