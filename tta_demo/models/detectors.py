"""The detectors that the page and the commands offer by name."""

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from tta_demo.models.centernet import Detector, read_detector
from tta_demo.models.registry import ASSETS, digest_of
from tta_demo.models.runner import device_named
from tta_demo.pictures.palettes import Palette
from tta_demo.samples import weeds
from tta_demo.training.centernet import RECIPE
from tta_demo.training.unet import Augmentation

__all__ = ["DETECTORS", "DetectorRecord", "load_detector"]


@dataclass(frozen=True)
class DetectorRecord:
    """A detector that can be loaded by name.

    Attributes:
        label: plain words for people.
        summary: what it knows, in a sentence.
        source: where it comes from, and under what licence.
        palette: its classes and their colours; boxes have the labels 1..C-1.
        path: its weights, safetensors.
        augmentation: what training showed it.
    """

    label: str
    summary: str
    source: str
    palette: Palette
    path: Path
    augmentation: Augmentation

    @cached_property
    def digest(self) -> str:
        """Tells these weights from all others, see `digest_of`."""
        return digest_of(self.path)


DETECTORS: dict[str, DetectorRecord] = {
    "weed-detector": DetectorRecord(
        label="CenterNet for weeds in a field",
        summary="This model has only seen generated fields with two kinds of weeds: Weed-1 with "
        "feathery leaves, Weed-2 with broad leaves.",
        source="trained by `python -m tta_demo train weed-detector` on generated fields (MIT)",
        palette=weeds.PALETTE,
        path=ASSETS / "weights" / "weed-detector.safetensors",
        augmentation=RECIPE.augmentation,
    ),
}


def load_detector(name: str, device: str = "auto") -> Detector:
    """Returns a detector of the registry, ready to answer; loaded once.

    Args:
        name: a key of `DETECTORS`.
        device: `cuda`, `mps`, `cpu`, or `auto` for the fastest that is there.

    Raises:
        ValueError: the name is unknown, or the device is not there.
    """
    if name not in DETECTORS:
        raise ValueError(f"detector {name!r} is unknown: choose one of {', '.join(DETECTORS)}")
    return _load(name, device_named(device))


@cache
def _load(name: str, device: str) -> Detector:
    return Detector(read_detector(DETECTORS[name].path), device)
