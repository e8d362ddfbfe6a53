"""The U-Net that people's tutorial checkpoints have, in any width.

Source: Ronneberger et al., "U-Net: Convolutional Networks for Biomedical Image Segmentation",
2015, with padded convolutions and batch normalisation (Ioffe and Szegedy, 2015).
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from tta_demo.models.runner import Runner, pick_dtype, read_network

__all__ = ["UNet", "load_unet", "read_unet"]


class ConvBlock(nn.Module):
    """Twice: convolution 3x3, batch norm, ReLU. Keeps H and W."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, padding=1),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            nn.Conv2d(outputs, outputs, 3, padding=1),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Returns features `(B, outputs, H, W)`."""
        return self.conv(x)


class Encoder(nn.Module):
    """A `ConvBlock`, then a max-pool that halves H and W."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = ConvBlock(inputs, outputs)
        self.pool = nn.MaxPool2d(2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the features `(B, outputs, H, W)` and the same pooled to `H/2, W/2`."""
        skip = self.conv(x)
        return skip, self.pool(skip)


class Decoder(nn.Module):
    """Doubles H and W, then a `ConvBlock` over [up, skip]."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(inputs, outputs, 2, stride=2)
        self.conv = ConvBlock(2 * outputs, outputs)

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Returns features `(B, outputs, H, W)`, H and W those of `skip`."""
        return self.conv(torch.cat([self.up(x), skip], dim=1))


class UNet(nn.Module):
    """Four halvings, four doublings; H and W must be multiples of `STRIDE`.

    Args:
        classes: number of classes C.
        width: channels of the first level; the tutorial network has 64.

    Example:
        >>> UNet(classes=3, width=4)(torch.zeros(1, 3, 32, 48)).shape
        torch.Size([1, 3, 32, 48])
    """

    STRIDE = 16

    def __init__(self, classes: int, width: int = 64) -> None:
        super().__init__()
        w = width
        self.e1 = Encoder(3, w)
        self.e2 = Encoder(w, 2 * w)
        self.e3 = Encoder(2 * w, 4 * w)
        self.e4 = Encoder(4 * w, 8 * w)
        self.b = ConvBlock(8 * w, 16 * w)
        self.d1 = Decoder(16 * w, 8 * w)
        self.d2 = Decoder(8 * w, 4 * w)
        self.d3 = Decoder(4 * w, 2 * w)
        self.d4 = Decoder(2 * w, w)
        self.outputs = nn.Conv2d(w, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Returns logits `(B, C, H, W)` of pictures `(B, 3, H, W)` in 0..1."""
        s1, x = self.e1(x)
        s2, x = self.e2(x)
        s3, x = self.e3(x)
        s4, x = self.e4(x)
        x = self.d1(self.b(x), s4)
        x = self.d2(x, s3)
        x = self.d3(x, s2)
        return self.outputs(self.d4(x, s1))

    def fold(self) -> "UNet":
        """Folds each batch norm into the convolution before it, in place: the same function.

        Only for inference: the parameter names of checkpoints are gone afterwards.
        """
        self.eval()
        for module in self.modules():
            if isinstance(module, ConvBlock):
                conv1, norm1, relu, conv2, norm2, _ = module.conv
                module.conv = nn.Sequential(
                    fuse_conv_bn_eval(conv1, norm1), relu, fuse_conv_bn_eval(conv2, norm2), relu
                )
        return self


def read_unet(path: Path) -> UNet:
    """Returns the network of a safetensors file in float32, ready for inference."""
    return read_network(path, lambda tensors: UNet(*tensors["outputs.weight"].shape[:2]))


def load_unet(path: Path, device: str = "cpu", dtype: torch.dtype | None = None) -> Runner:
    """Returns the model of a safetensors file, ready to answer; `dtype` as `load_model`."""
    return Runner(read_unet(path).fold(), UNet.STRIDE, device, dtype or pick_dtype(device))
