"""EfficientNet-Lite0, a classifier.

Source: Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
2019, in its Lite form (2020): no squeeze-and-excitation, ReLU6.
"""

from pathlib import Path

import torch
from efficientnet_lite_pytorch import EfficientNet
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from tta_demo.models.feed import Fed, Feed
from tta_demo.models.runner import Runner

__all__ = ["load_efficientnet", "read_efficientnet"]

FEED = Feed(255, mean=(127, 127, 127), std=(128, 128, 128))
"""What the weights were trained on."""
_FOLDED = (  # a convolution and the batch norm behind it, by their names in the package
    ("_conv_stem", "_bn0"),
    ("_expand_conv", "_bn0"),
    ("_depthwise_conv", "_bn1"),
    ("_project_conv", "_bn2"),
    ("_conv_head", "_bn1"),
)


def read_efficientnet(path: Path) -> nn.Module:
    """Returns EfficientNet-Lite0 with a file's weights, for crops in 0..1, ready for inference.

    Each batch norm is folded into the convolution before it: the same function, faster.
    """
    network = EfficientNet.from_name("efficientnet-lite0").eval()
    # Not `from_pretrained`, which prints.
    network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True))
    for module in network.modules():
        for conv, norm in _FOLDED:
            if hasattr(module, conv):
                folded = fuse_conv_bn_eval(getattr(module, conv), getattr(module, norm))
                setattr(module, conv, folded)
                setattr(module, norm, nn.Identity())
    return Fed(network, FEED).eval()


def load_efficientnet(path: Path, device: str = "cpu", dtype: torch.dtype | None = None) -> Runner:
    """Returns the classifier of a file, ready to answer; float32 if left out.

    bfloat16 halves the time, but changed the first choice of 1 crop in 10.
    """
    return Runner(read_efficientnet(path), 1, device, dtype or torch.float32)
