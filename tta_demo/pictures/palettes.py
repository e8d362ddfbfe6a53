"""Palettes: the names and colours of the classes, and labels shown or written in them."""

import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

__all__ = ["NUCLEI", "SUBJECT", "WEEDS", "Palette", "class_ids", "color_png", "index_png"]
__all__ += ["numbered_palette", "rgb_png"]


@dataclass(frozen=True)
class Palette:
    """Class names and their colours; the index is the class id.

    Attributes:
        names: 1 to 256 class names.
        colors: as many RGB colours 0..255, all different.

    Raises:
        ValueError: lengths differ, a colour is not RGB 0..255, or two are equal.

    Example:
        >>> palette = Palette(("ground", "cell"), ((0, 0, 0), (255, 0, 0)))
        >>> palette.colorize(np.array([[0, 1]])).tolist()
        [[[0, 0, 0], [255, 0, 0]]]
    """

    names: tuple[str, ...]
    colors: tuple[tuple[int, int, int], ...]

    def __post_init__(self) -> None:
        count = len(self.names)
        if len(self.colors) != count or not 1 <= count <= 256:
            raise ValueError(f"{count} names and {len(self.colors)} colours: give 1 to 256 pairs")
        for color in self.colors:
            if len(color) != 3 or not all(0 <= channel <= 255 for channel in color):
                raise ValueError(f"{color} is no colour: give red, green and blue in 0..255")
            if self.colors.count(color) > 1:
                raise ValueError(f"{color} stands for two classes: give each its own colour")

    @property
    def table(self) -> np.ndarray:
        """The colours as `(C, 3)` uint8."""
        return np.array(self.colors, np.uint8)

    def colorize(self, labels: np.ndarray) -> np.ndarray:
        """Returns `(H, W, 3)` uint8 RGB for labels `(H, W)`.

        Raises:
            ValueError: labels are not `(H, W)` integers in 0..C-1.
        """
        return self.table[class_ids(labels, len(self.names))]


WEEDS = Palette(("background", "Weed-1", "Weed-2"), ((0, 0, 0), (128, 0, 0), (0, 128, 0)))
"""Of generated fields."""

NUCLEI = Palette(("background", "nucleus", "border"), ((0, 0, 0), (0, 158, 115), (240, 228, 66)))
"""Of cell nuclei; the border is the inner rim of each."""

SUBJECT = Palette(("background", "subject"), ((0, 0, 0), (213, 94, 0)))
"""Of photographs: what a photograph is about, and all the rest."""


def numbered_palette(classes: int) -> Palette:
    """Returns a palette of 1 to 256 classes without names, always the same; the first is black.

    The bits of each number are dealt out to red, green and blue, highest first, as PASCAL VOC's
    masks do, so that numbers near each other look different.

    Example:
        >>> numbered_palette(3).colors
        ((0, 0, 0), (128, 0, 0), (0, 128, 0))
    """
    numbers = np.arange(classes)
    table = np.zeros((classes, 3), int)
    for bit in range(8):
        table[:, bit % 3] |= (numbers >> bit & 1) << 7 - bit // 3
    names = tuple(f"class {number}" for number in numbers)
    return Palette(names, tuple(tuple(color) for color in table.tolist()))


def index_png(labels: np.ndarray, palette: Palette) -> bytes:
    """Returns labels as an index PNG file: exact ids, shown in colours; see `class_ids`."""
    image = Image.fromarray(class_ids(labels, len(palette.names)))
    image.putpalette(palette.table.tobytes())
    return _png(image)


def color_png(labels: np.ndarray, palette: Palette) -> bytes:
    """Returns labels `(H, W)` as an RGB PNG file, see `Palette.colorize`."""
    return rgb_png(palette.colorize(labels))


def rgb_png(rgb: np.ndarray) -> bytes:
    """Returns pixels `(H, W, 3)` or greys `(H, W)`, uint8, as a PNG file."""
    # a photograph gains a tenth from more effort, which takes five times as long
    return _png(Image.fromarray(rgb), effort=2)


def _png(image: Image.Image, effort: int = 6) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=effort)
    return buffer.getvalue()


def class_ids(labels: np.ndarray, classes: int) -> np.ndarray:
    """Returns labels `(H, W)` as contiguous uint8.

    Raises:
        ValueError: labels are not `(H, W)` integers in 0..classes-1.
    """
    labels = np.asarray(labels)
    if labels.ndim != 2 or labels.dtype.kind not in "biu" or not labels.size:
        raise ValueError(f"labels are {labels.dtype} {labels.shape}: give integers (H, W)")
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= classes:
        raise ValueError(f"labels go from {low} to {high}: class ids are 0..{classes - 1}")
    return np.ascontiguousarray(labels, dtype=np.uint8)
