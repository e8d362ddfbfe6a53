"""The models that the page and the commands offer by name."""

from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import blake2b
from pathlib import Path

import torch
from safetensors.torch import load_file

from tta_demo.models.runner import Runner, device_named, pick_dtype
from tta_demo.models.unet import UNet
from tta_demo.pictures.palettes import Palette
from tta_demo.samples import nuclei, weeds
from tta_demo.training.unet import RECIPES, Augmentation

__all__ = ["ASSETS", "MODELS", "ModelRecord", "digest_of", "load_model", "read_unet"]

_INSTALLED = Path(__file__).parents[1] / "assets"
ASSETS = _INSTALLED if _INSTALLED.is_dir() else Path(__file__).parents[2] / "assets"
"""Weights, examples and stored results: within an installed package, beside it in a checkout."""


@dataclass(frozen=True)
class ModelRecord:
    """A model that can be loaded by name.

    Attributes:
        label: plain words for people.
        summary: what it knows, in a sentence.
        source: where it comes from, and under what licence.
        palette: its classes and their colours.
        path: its weights, safetensors.
        augmentation: what training showed it.
        data: what it was trained on, and what is special about that.
    """

    label: str
    summary: str
    source: str
    palette: Palette
    path: Path
    augmentation: Augmentation
    data: str

    @cached_property
    def digest(self) -> str:
        """Tells these weights from all others, see `digest_of`."""
        return digest_of(self.path)


def digest_of(path: Path) -> str:
    """Returns 16 hexadecimal digits that tell a file from all others (BLAKE2b)."""
    return blake2b(path.read_bytes(), digest_size=8).hexdigest()


def read_unet(path: Path) -> UNet:
    """Returns the network of a safetensors file in float32, ready for inference."""
    tensors = load_file(path)
    classes, width = tensors["outputs.weight"].shape[:2]
    model = UNet(classes, width)
    # Batch norm's step counters are not stored: inference does not need them.
    counters = {k: v for k, v in model.state_dict().items() if k.endswith("batches_tracked")}
    model.load_state_dict({k: v.float() for k, v in tensors.items()} | counters)
    return model.eval()


MODELS: dict[str, ModelRecord] = {
    "unet-weeds": ModelRecord(
        label="U-Net for weeds in a field",
        summary="This model has only seen generated fields with two kinds of weeds: Weed-1 with "
        "feathery leaves, Weed-2 with broad leaves.",
        source="trained by `python -m tta_demo train weeds` on fields of this package (MIT)",
        palette=weeds.PALETTE,
        path=ASSETS / "weights" / "weeds.safetensors",
        augmentation=RECIPES["weeds"].augmentation,
        data=f"The first {weeds.COUNTS['train']} training seeds of the field generator at "
        "difficulties from 0 to 1. The sun stands in one quarter of the sky, as in one flight: "
        "shadows fall to the lower right. A model may learn that, and views that move the "
        "shadows may be worth less.",
    ),
    "unet-nuclei": ModelRecord(
        label="U-Net for cell nuclei",
        summary="This model has only seen cell nuclei under a microscope.",
        source="trained on BBBC038 (CC0) by `python -m tta_demo train nuclei`",
        palette=nuclei.PALETTE,
        path=ASSETS / "weights" / "nuclei.safetensors",
        augmentation=RECIPES["nuclei"].augmentation,
        data="BBBC038v1 (2018 Data Science Bowl, stage 1, CC0 1.0), its training split: 464 "
        "microscope pictures, fluorescence and stained tissue. Classes: background, nucleus, and "
        "border, the inner rim (2 px) of every nucleus.",
    ),
}


def load_model(name: str, device: str = "auto", dtype: torch.dtype | None = None) -> Runner:
    """Returns a model of the registry, ready to answer; loaded once.

    Args:
        name: a key of `MODELS`.
        device: `cuda`, `mps`, `cpu`, or `auto` for the fastest that is there.
        dtype: what to compute in; the fastest that is exact enough if left out.

    Raises:
        ValueError: the name is unknown, or the device is not there.
    """
    if name not in MODELS:
        raise ValueError(f"model {name!r} is unknown: choose one of {', '.join(MODELS)}")
    device = device_named(device)
    return _load(name, device, dtype or pick_dtype(device))


@cache
def _load(name: str, device: str, dtype: torch.dtype) -> Runner:
    return Runner(read_unet(MODELS[name].path).fold(), UNet.STRIDE, device, dtype)
