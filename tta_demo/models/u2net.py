"""U²-Net in its small form (U²-Net-P), which marks what a photograph is about.

Source: Qin et al., "U²-Net: Going Deeper with Nested U-Structure for Salient Object Detection",
Pattern Recognition 2020. Batch norm is folded into the convolutions, so only inference is here.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

from tta_demo.models.feed import IMAGENET
from tta_demo.models.runner import Runner, TwoClasses
from tta_demo.models.sized import Sized

__all__ = ["SIDE", "U2Net", "load_u2net", "read_u2net"]

SIDE = 320
"""The longer side of what the network is shown, pixels; it was trained at 320."""

_STRIDE = 32
"""Any H and W will do; multiples of it do better, by a point of overlap on the examples."""

_DEPTHS = (7, 6, 5, 4)
"""Levels of the blocks that pool; the two deepest blocks widen their kernels instead."""


class ResidualU(nn.Module):
    """A residual U-block: a small U-Net over features, added to its own input features.

    Args:
        depth: convolutions on the way down.
        inputs: channels that come in.
        outputs: channels that go out.
        middle: channels within.
        pools: halve H and W between levels; else the kernels widen at full size (RSU-4F).
    """

    def __init__(
        self, depth: int, inputs: int, outputs: int, middle: int, pools: bool = True
    ) -> None:
        super().__init__()
        wide = [1] * (depth - 1) + [2] if pools else [2**level for level in range(depth)]
        self.pools = pools
        self.enter = _conv(inputs, outputs)
        self.down = nn.ModuleList(
            _conv(middle if level else outputs, middle, wide[level]) for level in range(depth)
        )
        self.up = nn.ModuleList(
            _conv(2 * middle, middle if level else outputs, wide[level])
            for level in reversed(range(depth - 1))
        )

    def forward(self, x: Tensor) -> Tensor:
        """Returns features `(B, outputs, H, W)`, for any H and W."""
        entered = self.enter(x).relu_()
        x, skips = entered, []
        for level, conv in enumerate(self.down):
            # The last level has the size of the one above: its kernel is wider instead.
            pooled = self.pools and 0 < level < len(self.down) - 1
            x = conv(_half(x) if pooled else x).relu_()
            skips.append(x)
        skips.pop()
        for conv in self.up:
            skip = skips.pop()
            x = conv(torch.cat([_resized(x, skip), skip], 1)).relu_()
        return x + entered


class U2Net(nn.Module):
    """A U-Net whose blocks are U-Nets; six side answers become one.

    Args:
        width: channels between blocks.
        middle: channels within blocks.

    Example:
        >>> U2Net(width=8, middle=4)(torch.zeros(1, 3, 33, 48)).shape
        torch.Size([1, 1, 33, 48])
    """

    def __init__(self, width: int = 64, middle: int = 16) -> None:
        super().__init__()
        down = [(depth, True) for depth in _DEPTHS] + [(4, False)] * 2
        up = [(4, False), *((depth, True) for depth in reversed(_DEPTHS))]
        self.down = nn.ModuleList(
            ResidualU(depth, width if number else 3, width, middle, pools)
            for number, (depth, pools) in enumerate(down)
        )
        self.up = nn.ModuleList(
            ResidualU(depth, 2 * width, width, middle, pools) for depth, pools in up
        )
        self.side = nn.ModuleList(_conv(width, 1) for _ in down)
        self.join = nn.Conv2d(len(down), 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Returns logits `(B, 1, H, W)` of the subject, of pictures `(B, 3, H, W)` in 0..1."""
        x, skips = IMAGENET(x), []
        for block in self.down:
            x = block(_half(x) if skips else x)
            skips.append(x)
        answers = [skips.pop()]
        for block in self.up:
            skip = skips.pop()
            answers.append(block(torch.cat([_resized(answers[-1], skip), skip], 1)))
        sides = [conv(x) for conv, x in zip(self.side, reversed(answers), strict=True)]
        return self.join(torch.cat([_resized(side, sides[0]) for side in sides], 1))


def read_u2net(path: Path) -> U2Net:
    """Returns the network of a safetensors file in float32, ready for inference.

    Beside each `weight` (float16) stands a `scale`, a factor for each channel that comes out.
    """
    stored = {name: tensor.float() for name, tensor in load_file(path).items()}
    scales = {name: stored.pop(name) for name in list(stored) if name.endswith("scale")}
    for name, scale in scales.items():
        stored[name.replace("scale", "weight")] *= scale[:, None, None, None]
    network = U2Net(len(stored["down.0.enter.bias"]), len(stored["down.0.down.0.bias"]))
    network.load_state_dict(stored)
    return network.eval()


def load_u2net(path: Path, device: str = "cpu", dtype: torch.dtype | None = None) -> Sized:
    """Returns the model of a safetensors file, ready to answer; float32 if left out.

    bfloat16 changed up to 3 % of the labels.
    """
    network = TwoClasses(read_u2net(path))
    return Sized(Runner(network, _STRIDE, device, dtype or torch.float32), SIDE)


def _conv(inputs: int, outputs: int, wide: int = 1) -> nn.Conv2d:
    """Returns a convolution 3x3 that keeps H and W."""
    return nn.Conv2d(inputs, outputs, 3, padding=wide, dilation=wide)


def _half(x: Tensor) -> Tensor:
    return F.max_pool2d(x, 2, ceil_mode=True)


def _resized(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, like.shape[-2:], mode="bilinear", align_corners=False)
