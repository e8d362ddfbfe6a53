"""Cell nuclei: the labelled microscope pictures of BBBC038, for training and measuring.

Source: 2018 Data Science Bowl, Broad Bioimage Benchmark Collection BBBC038v1 (CC0 1.0);
Caicedo et al., Nature Methods 2019.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from tta_demo.pictures.palettes import NUCLEI, index_png, rgb_png
from tta_demo.pictures.reading import read_picture
from tta_demo.samples.labelled import LabelledPicture

__all__ = [
    "RIM", "cut_examples", "instances_to_labels", "labelled", "read_split", "with_border",
]  # fmt: skip

RIM = 2
"""Width in pixels of the border class, the inner rim of every nucleus."""


def instances_to_labels(instances: np.ndarray) -> np.ndarray:
    """Returns 0 background, 1 nucleus, 2 border for an instance map; 1 + 2 is the whole nucleus.

    Args:
        instances: `(H, W)` uint16, 0 = background, k = nucleus k.

    Example:
        >>> instances_to_labels(np.full((1, 6), 7, np.uint16))  # the picture's edge is no rim
        array([[1, 1, 1, 1, 1, 1]], dtype=uint8)
        >>> instances_to_labels(np.uint16([[7, 7, 7, 7, 8, 8, 8, 0]]))
        array([[1, 1, 2, 2, 2, 2, 2, 0]], dtype=uint8)
    """
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * RIM + 1, 2 * RIM + 1))
    lowest = cv2.erode(instances, disc, borderType=cv2.BORDER_REPLICATE)
    highest = cv2.dilate(instances, disc, borderType=cv2.BORDER_REPLICATE)
    labels = np.where(lowest == highest, 1, 2).astype(np.uint8)
    labels[instances == 0] = 0
    return labels


def with_border(labels: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Returns labels `(H, W)` uint8 with the border class, and a note if it had to be made.

    Most masks of nuclei tell only nucleus from background; without this their rims, which the
    model calls border, would count as wrong. Nuclei that touch become one.

    Example:
        >>> with_border(np.uint8([[0, 0, 1, 1, 1, 1]]))[0]
        array([[0, 0, 2, 2, 1, 1]], dtype=uint8)
    """
    if (labels == 2).any() or not labels.any():
        return labels, ()
    _, instances = cv2.connectedComponents(labels, connectivity=4, ltype=cv2.CV_16U)
    note = f"The mask has no border: the inner rim of {RIM} pixels of every nucleus was taken."
    return instances_to_labels(instances), (note,)


def read_split(folder: Path, split: str) -> Iterator[LabelledPicture]:
    """Yields the pictures of one split, in the order of `split.csv`.

    Args:
        folder: holds `images/ID.png` (8-bit RGB), `instances/ID.png` (16-bit, 0 = background,
            k = nucleus k) and `split.csv` with the columns id, split, modality.
        split: `train`, `val` or `test`.

    Raises:
        FileNotFoundError: a file is missing; says which.
        ValueError: `split.csv` lacks a column, or pictures of this split.
    """
    index = Path(folder) / "split.csv"
    if not index.is_file():
        raise FileNotFoundError(
            f"{index} not found: --data must name a folder with images/, instances/ and split.csv"
        )
    with index.open(newline="") as file:
        reader = csv.DictReader(file)
        if not {"id", "split", "modality"} <= set(reader.fieldnames or ()):
            raise ValueError(f"{index} has columns {reader.fieldnames}: id, split, modality")
        rows = [row for row in reader if row["split"] == split]
    if not rows:
        raise ValueError(f"{index} has no picture of the split {split!r}")
    for row in rows:
        rgb, instances = (
            cv2.imread(str(Path(folder) / kind / f"{row['id']}.png"), flags)
            for kind, flags in (("images", cv2.IMREAD_COLOR_RGB), ("instances", -1))
        )
        if rgb is None or instances is None:
            raise FileNotFoundError(f"{row['id']}.png is missing in {folder}/images or instances")
        yield LabelledPicture(row["id"], rgb, instances_to_labels(instances), row["modality"])


def labelled(split: str, data: Path | None = None) -> Iterator[LabelledPicture]:
    """Yields the pictures of a split; calibration happens on `val`.

    Raises:
        ValueError: no folder was given.
    """
    if data is None:
        raise ValueError("--data is missing: name the folder of BBBC038 with its split.csv")
    return read_split(data, "val" if split == "calibration" else split)


def cut_examples(folder: Path, out: Path) -> None:
    """Writes a picture's quarters and their index masks: `nuclei-1.png`, `nuclei-1-mask.png`, ...

    The folder holds `img2d.tif` and `mask2d.tif` of the PyPI package stardist (BSD-3-Clause).
    """
    rgb = read_picture(folder / "img2d.tif").rgb
    labels = instances_to_labels(cv2.imread(str(folder / "mask2d.tif"), -1))
    half = rgb.shape[0] // 2
    out.mkdir(parents=True, exist_ok=True)
    for number, (top, left) in enumerate(((0, 0), (0, half), (half, 0), (half, half)), start=1):
        window = np.s_[top : top + half, left : left + half]
        (out / f"nuclei-{number}.png").write_bytes(rgb_png(rgb[window][..., 0]))
        (out / f"nuclei-{number}-mask.png").write_bytes(index_png(labels[window], NUCLEI))
