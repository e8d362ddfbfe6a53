"""Models that look at pictures in one size, whatever size these have."""

from collections.abc import Callable

from torch import Tensor

from tta_demo.models.framing import resized

__all__ = ["Sized"]

_FLOOR = 1e-7
"""Lowest probability that is told; log 0 would be no logit."""


class Sized:
    """Shows a model each picture at its own size, and enlarges the answer's probabilities.

    Attributes:
        reduces: tells that it has a use for whole pictures alone, not for their tiles.

    Args:
        model: from pictures `(B, 3, h, w)` to logits `(B, C, h, w)`, for any h and w.
        side: the longer side of what it is shown, pixels.
        scale: instead, the factor on both sides of whatever it is shown.
    """

    reduces = True

    def __init__(
        self, model: Callable[[Tensor], Tensor], side: int, scale: float | None = None
    ) -> None:
        self._model = model
        self.side = side
        self._scale = scale

    def for_picture(self, size: tuple[int, int]) -> "Sized":
        """Returns the model for views of a picture of `(H, W)` pixels.

        A view that shows the picture smaller or larger stays so in front of the network.
        """
        return Sized(self._model, self.side, self.side / max(size))

    def __call__(self, images: Tensor) -> Tensor:
        """Returns logits `(B, C, H, W)` of pictures `(B, 3, H, W)` in 0..1."""
        size = images.shape[-2], images.shape[-1]
        scale = self._scale or self.side / max(size)
        small = tuple(max(1, round(scale * length)) for length in size)
        probs = self._model(resized(images, small)).softmax(1)
        return resized(probs, size).clamp_min(_FLOOR).log()
