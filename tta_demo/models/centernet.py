"""A small network that finds things by their centres.

Sources: Zhou et al., "Objects as Points" (CenterNet), 2019: heat maps of centres, decoding by
peaks. Liu et al., "Training-Time-Friendly Network", 2020: the blobs' shape. Lin et al., "Feature
Pyramid Networks", 2017: the way back up.
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tta_demo.models.runner import Runner, read_network
from tta_demo.tta.boxes import Boxes

__all__ = ["CenterNet", "Detector", "decode", "load_centernet", "read_centernet", "targets"]

CELL = 4
"""Side of a heat map's cell, pixels."""

_SPREAD = 0.54 / 6
"""Standard deviation of a blob over the side of its box (Liu et al.)."""

_CORE = 0.5
"""Cells with at least this much of a blob's height learn its box."""


class Residual(nn.Module):
    """Adds two convolutions 3x3 of `x` to `x`."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(_conv(channels, channels), _conv(channels, channels))

    def forward(self, x: Tensor) -> Tensor:
        """Returns features `(B, channels, H, W)`."""
        return x + self.conv(x)


class CenterNet(nn.Module):
    """Down to a sixteenth and back up to a quarter; H and W must be multiples of `STRIDE`.

    Args:
        classes: number of classes C, background not counted.
        width: channels of the first level.

    Example:
        >>> CenterNet(classes=2, width=4)(torch.zeros(1, 3, 32, 48)).shape
        torch.Size([1, 6, 8, 12])
    """

    STRIDE = 16

    def __init__(self, classes: int, width: int = 16) -> None:
        super().__init__()
        w4, w8, w16 = 3 * width, 6 * width, 8 * width
        self.stem = nn.Sequential(
            _conv(3, width, stride=2), _conv(width, w4, stride=2), Residual(w4)
        )
        self.down8 = nn.Sequential(_conv(w4, w8, stride=2), Residual(w8))
        self.down16 = nn.Sequential(_conv(w8, w16, stride=2), Residual(w16), Residual(w16))
        self.up8, self.join8 = _conv(w16, w8, kernel=1), _conv(w8, w8)
        self.up4, self.join4 = _conv(w8, w4, kernel=1), _conv(w4, w4)
        self.head = nn.Sequential(_conv(w4, w8), nn.Conv2d(w8, classes + 4, 1))
        with torch.no_grad():  # rare centres, boxes of 10 cells: the loss starts low
            self.head[1].bias.copy_(torch.tensor([-2.2] * classes + [2.3, 2.3, 0, 0]))

    def forward(self, x: Tensor) -> Tensor:
        """Returns maps `(B, C + 4, H / 4, W / 4)` of pictures `(B, 3, H, W)` in 0..1.

        The channels are C logits of a centre, then log width, log height and the centre's offset
        right and down from the middle of the cell; all in cells.
        """
        x4 = self.stem(x)
        x8 = self.down8(x4)
        x = F.interpolate(self.up8(self.down16(x8)), scale_factor=2)
        x = F.interpolate(self.up4(self.join8(x + x8)), scale_factor=2)
        return self.head(self.join4(x + x4))


class Detector:
    """Finds boxes in pictures of any size; arguments as of `Runner`, safe to share as it is.

    A coarse `dtype` gives ties, and so a box twice.
    """

    def __init__(
        self, network: CenterNet, device: str = "cpu", dtype: torch.dtype = torch.float32
    ) -> None:
        self._maps = Runner(network, CenterNet.STRIDE, device, dtype)

    def __call__(self, images: Tensor) -> list[Boxes]:
        """Returns the boxes in each picture of `(B, 3, H, W)`, 0..1; labels 1..C."""
        height, width = images.shape[-2:]
        right, bottom = (-side % CenterNet.STRIDE for side in (width, height))
        # What is too small to be mirrored is left to the runner, which repeats the last pixels.
        right, bottom = right * (right < width), bottom * (bottom < height)
        x = F.pad(images, (0, right, 0, bottom), "reflect")
        return decode(self._maps(x).cpu(), (height, width))


def decode(
    maps: Tensor, size: tuple[int, int], limit: int = 100, threshold: float = 0.05
) -> list[Boxes]:
    """Returns the boxes of each picture, the best first: the peaks of its heat maps.

    Args:
        maps: `(B, C + 4, h, w)` of a `CenterNet`.
        size: `(H, W)` of the pictures, pixels; boxes are clipped to it.
        limit: at most so many boxes.
        threshold: lowest score.
    """
    heat = maps[:, :-4].sigmoid()
    peaks = (heat * (heat == F.max_pool2d(heat, 3, 1, 1))).flatten(1)
    best, places = peaks.topk(min(limit, peaks.shape[1]))
    found = []
    for scores, place, shapes in zip(best, places, maps[:, -4:], strict=True):
        label, row, column = np.unravel_index(place.numpy(), heat.shape[1:])
        log_width, log_height, right, down = shapes[:, row, column].double().numpy()
        middle = np.stack([column + 0.5 + right, row + 0.5 + down], axis=1)
        half = np.exp(np.stack([log_width, log_height], axis=1).clip(-8, 8)) / 2
        corners = CELL * np.hstack([middle - half, middle + half])
        corners = np.clip(corners, 0, (size[1], size[0], size[1], size[0]))
        boxes = Boxes(corners, scores.double().numpy(), label + 1)
        found.append(boxes.take((boxes.scores >= threshold) & (boxes.areas > 0)))
    return found


def targets(truth: Boxes, size: tuple[int, int], classes: int) -> tuple[Tensor, Tensor, Tensor]:
    """Returns the maps that a `CenterNet` should give for a picture of `(H, W)` pixels.

    The true boxes have labels 1..C; their scores do not matter.

    Returns:
        Heat `(C, h, w)` in 0..1, exactly 1 in the cells of centres and falling off as a Gaussian;
        the last four channels `(4, h, w)`, right near centres; and how much these count
        `(h, w)`, 0 elsewhere. All float32. A cell tells of the box whose blob is highest there,
        the smaller one of equals.
    """
    height, width = (-(-side // CenterNet.STRIDE) * CenterNet.STRIDE // CELL for side in size)
    heat = np.zeros((classes, height, width), np.float32)
    shapes = np.zeros((4, height, width), np.float32)
    share = np.zeros((height, width), np.float32)
    rows, columns = np.arange(height)[:, None], np.arange(width)
    order = np.argsort(truth.areas, kind="stable")
    for label, box in zip(truth.labels[order], truth.xyxy[order] / CELL, strict=True):
        wide, high = np.maximum(box[2:] - box[:2], 1e-3)
        x, y = (box[:2] + box[2:]) / 2
        across = (columns - min(int(x), width - 1)) / (_SPREAD * wide)
        down = (rows - min(int(y), height - 1)) / (_SPREAD * high)
        blob = np.exp(-(across**2 + down**2) / 2)
        np.maximum(heat[label - 1], blob, out=heat[label - 1])
        core = (blob >= _CORE) & (blob > share)
        share[core] = blob[core]
        box_at = np.log(wide), np.log(high), x - columns - 0.5, y - rows - 0.5
        for channel, value in zip(shapes, box_at, strict=True):
            channel[core] = np.broadcast_to(value, core.shape)[core]
    return torch.from_numpy(heat), torch.from_numpy(shapes), torch.from_numpy(share)


def read_centernet(path: Path) -> CenterNet:
    """Returns the network of a safetensors file in float32, ready for inference."""

    def shaped(tensors: dict[str, Tensor]) -> CenterNet:
        return CenterNet(len(tensors["head.1.bias"]) - 4, len(tensors["stem.0.0.weight"]))

    return read_network(path, shaped)


def load_centernet(path: Path, device: str = "cpu", dtype: torch.dtype | None = None) -> Detector:
    """Returns the detector of a safetensors file, ready to answer; float32 if left out."""
    return Detector(read_centernet(path), device, dtype or torch.float32)


def _conv(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Returns a convolution that keeps H and W over its stride, batch norm and ReLU."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )
