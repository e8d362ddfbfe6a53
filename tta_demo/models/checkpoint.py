"""A U-Net out of somebody's checkpoint: the same parameter names, any width, any classes.

What does not fit is told by name and shape.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from tta_demo.models.feed import Fed, Feed
from tta_demo.models.runner import Runner, TwoClasses
from tta_demo.models.tensor_files import read_tensors, some
from tta_demo.models.unet import UNet

__all__ = ["ENDINGS", "FEED", "load_checkpoint", "read_checkpoint"]

ENDINGS = (".pth", ".pt", ".safetensors")
FEED = Feed(order="BGR")
"""Tutorials read pictures with OpenCV, blue first, and divide by 255."""


def read_checkpoint(path: Path) -> UNet:
    """Returns the network of a checkpoint in float32, ready for inference.

    Raises:
        ValueError: in a sentence, the file holds more than tensors, is damaged, or its names or
            shapes are not those of our U-Net.
    """
    tensors = read_tensors(path)
    first, last = tensors.get("e1.conv.conv.0.weight"), tensors.get("outputs.weight")
    fits = all(one is not None and one.ndim == 4 and one.numel() for one in (first, last))
    classes, width = (len(last), len(first)) if fits else (2, 64)
    with torch.device("meta"):
        shapes = {k: v.shape for k, v in UNet(classes, width).state_dict().items()}
    counters = {name for name in shapes if name.endswith("num_batches_tracked")}
    wanted = {name: shape for name, shape in shapes.items() if name not in counters}
    _refuse_unfit(tensors, wanted, path.name)
    network = UNet(classes, width)
    kept = {k: v for k, v in network.state_dict().items() if k in counters}
    network.load_state_dict(kept | {name: tensors[name].float() for name in wanted})
    return network.eval()


def load_checkpoint(
    path: Path, device: str = "cpu", dtype: torch.dtype | None = None, feed: Feed = FEED
) -> Runner:
    """Returns the model of a checkpoint, ready to answer; float32 if left out.

    `feed` tells how the pictures of its training were read. A single score counts as two classes.
    """
    network: nn.Module = Fed(read_checkpoint(path).fold(), feed)
    if network.network.outputs.out_channels == 1:
        network = TwoClasses(network)
    return Runner(network, UNet.STRIDE, device, dtype or torch.float32)


def _refuse_unfit(
    tensors: Mapping[str, Tensor], shapes: Mapping[str, torch.Size], file: str
) -> None:
    """Raises a `ValueError` that names what is missing, unknown, or of another shape."""
    found = {name for name in tensors if not name.endswith("num_batches_tracked")}
    missing = [name for name in shapes if name not in found]
    unknown = [name for name in tensors if name in found and name not in shapes]
    if missing or unknown:
        told = []
        if missing:
            told.append(f"{len(missing)} of {len(shapes)} names are missing ({some(missing)})")
        if unknown:
            told.append(f"{len(unknown)} are unknown ({some(unknown)})")
        raise ValueError(f"{file} is no U-Net of this kind: {', '.join(told)}")
    wrong = [name for name, shape in shapes.items() if tensors[name].shape != shape]
    if wrong:
        told = (
            f"{n} is {_text(tensors[n].shape)}, expected {_text(shapes[n])}" for n in wrong[:3]
        )
        more = ", ..." * (len(wrong) > 3)
        raise ValueError(f"{file} is no U-Net of this kind: {', '.join(told)}{more}")
    if not all(tensor.isfinite().all() for tensor in tensors.values()):
        raise ValueError(f"{file} holds NaN or infinite weights: training went wrong")


def _text(shape: torch.Size) -> str:
    return " x ".join(map(str, shape)) or "a single number"
