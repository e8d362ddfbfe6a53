"""Frames: how a picture of any size is placed in front of a model that wants its own size."""

from dataclasses import dataclass, replace

import numpy as np
import torch.nn.functional as F
from torch import Tensor

__all__ = ["Frame", "Placed", "resized"]


@dataclass(frozen=True)
class Placed:
    """A picture in front of a model.

    Attributes:
        shown: `(1, 3, h, w)`, what the model gets.
        window: top, bottom, left and right of the picture in it; the rest continues its edges.
        size: `(H, W)` of the picture itself.
    """

    shown: Tensor
    window: tuple[int, int, int, int]
    size: tuple[int, int]

    def undo(self, maps: Tensor) -> Tensor:
        """Returns answers `(1, C, h', w')` to what was shown, in the picture's frame."""
        top, bottom, left, right = self.window
        height, width = self.shown.shape[-2:]
        if self.window == (0, height, 0, width):  # at once: many classes take time
            return resized(maps, self.size)
        full = resized(maps, (height, width))
        return resized(full[..., top:bottom, left:right], self.size)

    def undo_boxes(self, xyxy: np.ndarray) -> np.ndarray:
        """Returns corners `(N, 4)` in what was shown in the picture's frame, clipped to it.

        Example:
            >>> placed = Placed(None, window=(16, 48, 0, 64), size=(50, 100))
            >>> placed.undo_boxes(np.array([[32, 0, 64, 32]]))
            array([[ 50.,   0., 100.,  25.]])
        """
        (top, bottom, left, right), (height, width) = self.window, self.size
        scale = np.tile((width / (right - left), height / (bottom - top)), 2)
        return np.clip((xyxy - (left, top) * 2) * scale, 0, (width, height) * 2)


@dataclass(frozen=True)
class Frame:
    """What a model wants to be shown.

    Attributes:
        size: `(H, W)`, or None for any that is a multiple of `stride`.
        letterbox: pictures keep their aspect, between continued edges; else they are stretched.
        stride: what sizes are continued to where any will do.
        least: shorter sides are continued where any will do, pixels.
        most: pictures are scaled by at most this.
        scale: pictures are scaled by this where any size will do.
    """

    size: tuple[int, int] | None = None
    letterbox: bool = True
    stride: int = 1
    least: int = 1
    most: float = float("inf")
    scale: float = 1.0

    def for_picture(self, size: tuple[int, int]) -> "Frame":
        """Returns the frame for views of a picture of `(H, W)` pixels.

        A view that shows the picture smaller stays so; one that shows it larger cannot.
        """
        if self.size is None or not self.letterbox:
            return self
        return replace(self, most=self._scale(size))

    def place(self, image: Tensor) -> Placed:
        """Returns how an image `(1, 3, H, W)` is shown.

        Example:
            >>> import torch
            >>> Frame(size=(64, 64)).place(torch.rand(1, 3, 50, 100)).window
            (16, 48, 0, 64)
        """
        height, width = image.shape[-2], image.shape[-1]
        if self.size is None:
            h, w = (max(1, round(self.scale * length)) for length in (height, width))
            more = (0, self._filled(w) - w, 0, self._filled(h) - h)
            shown = F.pad(resized(image, (h, w)), more, "replicate")
            return Placed(shown, (0, h, 0, w), (height, width))
        if not self.letterbox:
            return Placed(
                resized(image, self.size), (0, self.size[0], 0, self.size[1]), (height, width)
            )
        scale = self._scale((height, width))
        h, w = max(1, round(scale * height)), max(1, round(scale * width))
        top, left = (self.size[0] - h) // 2, (self.size[1] - w) // 2
        around = (left, self.size[1] - w - left, top, self.size[0] - h - top)
        shown = F.pad(resized(image, (h, w)), around, "replicate")
        return Placed(shown, (top, top + h, left, left + w), (height, width))

    def _filled(self, side: int) -> int:
        return -(-max(side, self.least) // self.stride) * self.stride

    def _scale(self, size: tuple[int, int]) -> float:
        return min(self.size[0] / size[0], self.size[1] / size[1], self.most)


def resized(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Returns pictures or maps `(B, C, H, W)` at another size: bilinear, antialiased."""
    if (x.shape[-2], x.shape[-1]) == tuple(size):
        return x
    return F.interpolate(x, size, mode="bilinear", align_corners=False, antialias=True)
