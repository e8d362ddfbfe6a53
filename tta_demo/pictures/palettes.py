"""Palettes: the names and colours of the classes, and labels shown or written in them."""

import io
from colorsys import hls_to_rgb
from dataclasses import dataclass

import numpy as np
from PIL import Image

__all__ = ["COCO", "IGNORED", "MAX_CLASSES", "NUCLEI", "SUBJECT", "WEEDS"]
__all__ += ["Color", "Palette", "class_ids", "color_png", "index_png"]
__all__ += ["display_colors", "numbered_palette", "rgb_png"]

IGNORED = 255
"""The id of pixels that count nowhere, neither in learning nor in scores (as PASCAL VOC's)."""
VOID = (224, 224, 192)
"""Their colour, as there."""
MAX_CLASSES = IGNORED
"""Labels are bytes, and one of them is taken."""

Color = tuple[int, int, int]
"""Red, green and blue, 0..255."""


@dataclass(frozen=True)
class Palette:
    """Class names and their colours; the index is the class id.

    Attributes:
        names: 1 to 255 class names.
        colors: as many RGB colours 0..255.
        also: further colours in masks, each with its class id, or `IGNORED`; all are different.

    Raises:
        ValueError: lengths differ, a colour is not RGB 0..255, or two are equal.

    Example:
        >>> palette = Palette(("ground", "cell"), ((0, 0, 0), (255, 0, 0)))
        >>> palette.colorize(np.array([[0, 1]])).tolist()
        [[[0, 0, 0], [255, 0, 0]]]
    """

    names: tuple[str, ...]
    colors: tuple[Color, ...]
    also: tuple[tuple[Color, int], ...] = ()

    def __post_init__(self) -> None:
        count = len(self.names)
        if len(self.colors) != count or not 1 <= count <= MAX_CLASSES:
            told = f"{count} names and {len(self.colors)} colours"
            raise ValueError(f"{told}: give 1 to {MAX_CLASSES} pairs")
        seen: set[Color] = set()
        for color in (*self.colors, *(color for color, _ in self.also)):
            if len(color) != 3 or not all(0 <= channel <= 255 for channel in color):
                raise ValueError(f"{color} is no colour: give red, green and blue in 0..255")
            if color in seen:
                raise ValueError(f"{color} stands for two classes: give each its own colour")
            seen.add(color)

    @property
    def bright(self) -> "Palette":
        """The same classes in colours that one sees on pictures, see `display_colors`."""
        return Palette(self.names, display_colors(len(self.names)))

    @property
    def table(self) -> np.ndarray:
        """The colours as `(C, 3)` uint8."""
        return np.array(self.colors, np.uint8)

    @property
    def in_masks(self) -> tuple[np.ndarray, np.ndarray]:
        """All colours `(k, 3)` uint8 that a mask may have, and the class ids `(k,)` they mean."""
        pairs = [*zip(self.colors, range(len(self.names)), strict=True), *self.also]
        colors, ids = zip(*pairs, strict=True)
        return np.array(colors, np.uint8), np.array(ids)

    def colorize(self, labels: np.ndarray) -> np.ndarray:
        """Returns `(H, W, 3)` uint8 RGB for labels `(H, W)`; `IGNORED` has a colour of its own.

        Raises:
            ValueError: labels are not `(H, W)` class ids, see `class_ids`.
        """
        return self._of_all_ids[class_ids(labels, len(self.names))]

    @property
    def _of_all_ids(self) -> np.ndarray:
        """Colours `(256, 3)` uint8."""
        others = np.full((IGNORED + 1 - len(self.names), 3), VOID, np.uint8)
        return np.vstack([self.table, others])


WEEDS = Palette(("background", "Weed-1", "Weed-2"), ((0, 0, 0), (128, 0, 0), (0, 128, 0)))
"""Of generated fields."""

NUCLEI = Palette(("background", "nucleus", "border"), ((0, 0, 0), (0, 158, 115), (240, 228, 66)))
"""Of cell nuclei; the border is the inner rim of each."""

SUBJECT = Palette(("background", "subject"), ((0, 0, 0), (213, 94, 0)))
"""Of photographs: what a photograph is about, and all the rest."""


def numbered_palette(classes: int) -> Palette:
    """Returns a palette of 1 to 255 classes without names, always the same; the first is black.

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


_FIRST = (
    (120, 113, 108),
    (244, 63, 180),
    (250, 204, 21),
    (45, 212, 160),
    (139, 92, 246),
    (241, 245, 249),
    (163, 92, 40),
)
_GOLDEN_ANGLE = 0.381966
_LIGHTNESS = (0.62, 0.78, 0.46)


def display_colors(count: int) -> tuple[tuple[int, int, int], ...]:
    """Returns RGB colours 0..255 for this many classes; the first is a quiet one.

    They differ from the colours of mask files, which nobody chose to be seen on a photograph.
    Colour-blind people tell the first seven apart; the blue of a mended pixel and the orange of
    a broken one are not among them.

    Args:
        count: classes, at least 1.

    Example:
        >>> display_colors(3)
        ((120, 113, 108), (244, 63, 180), (250, 204, 21))
        >>> len(set(display_colors(150)))
        150
    """
    return _FIRST[:count] + tuple(_spread(i) for i in range(count - len(_FIRST)))


def _spread(index: int) -> tuple[int, int, int]:
    light = _LIGHTNESS[index % len(_LIGHTNESS)]
    rgb = hls_to_rgb(index * _GOLDEN_ANGLE % 1, light, 0.72)
    return (round(255 * rgb[0]), round(255 * rgb[1]), round(255 * rgb[2]))


_THINGS = """
person, bicycle, car, motorcycle, airplane, bus, train, truck, boat, traffic light, fire hydrant,
stop sign, parking meter, bench, bird, cat, dog, horse, sheep, cow, elephant, bear, zebra, giraffe,
backpack, umbrella, handbag, tie, suitcase, frisbee, skis, snowboard, sports ball, kite,
baseball bat, baseball glove, skateboard, surfboard, tennis racket, bottle, wine glass, cup, fork,
knife, spoon, bowl, banana, apple, sandwich, orange, broccoli, carrot, hot dog, pizza, donut, cake,
chair, couch, potted plant, bed, dining table, toilet, tv, laptop, mouse, remote, keyboard,
cell phone, microwave, oven, toaster, sink, refrigerator, book, clock, vase, scissors, teddy bear,
hair drier, toothbrush
"""

COCO = Palette(
    ("background", *(name.strip() for name in _THINGS.split(","))), numbered_palette(81).colors
)
"""Of everyday photographs: after the rest, COCO's 80 things in its order (Lin et al., 2014)."""


def index_png(labels: np.ndarray, palette: Palette) -> bytes:
    """Returns labels as an index PNG file: exact ids, shown in colours; see `class_ids`."""
    ids = class_ids(labels, len(palette.names))
    image = Image.fromarray(ids)
    # black, the colour of what is not in the table, could be a class
    image.putpalette((palette._of_all_ids if IGNORED in ids else palette.table).tobytes())
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
        ValueError: labels are not `(H, W)` integers in 0..classes-1, or `IGNORED`; names others.
    """
    labels = np.asarray(labels)
    if labels.ndim != 2 or labels.dtype.kind not in "biu" or not labels.size:
        raise ValueError(f"labels are {labels.dtype} {labels.shape}: give integers (H, W)")
    if labels.min() < 0 or labels.max() >= classes:
        ids = np.unique(labels)
        unknown = ids[((ids < 0) | (ids >= classes)) & (ids != IGNORED)].tolist()
        if unknown:
            shown = ", ".join(map(str, unknown[:5])) + ", ..." * (len(unknown) > 5)
            told = f"class ids are 0..{classes - 1}, and {IGNORED} for what counts nowhere"
            raise ValueError(f"labels have {shown}: {told}")
    return np.ascontiguousarray(labels, dtype=np.uint8)
