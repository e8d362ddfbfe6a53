"""Everyday photographs: four examples with masks drawn by hand, and no set to measure on.

Source: `skimage/data` of the PyPI package scikit-image; see `assets/examples/LICENSE-photos.txt`.
"""

from collections.abc import Iterator
from pathlib import Path

from tta_demo.samples.labelled import LabelledPicture

__all__ = ["NAMES", "labelled"]

NAMES = ("chelsea", "coffee", "astronaut", "rocket")


def labelled(split: str, data: Path | None = None) -> Iterator[LabelledPicture]:
    """Refuses, as there is no such set: always a `ValueError`."""
    raise ValueError(
        f"there are no photographs for {split}: --data must name a folder of your own with "
        "images/ and masks/, without split.csv"
    )
