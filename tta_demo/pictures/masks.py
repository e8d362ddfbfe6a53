"""Masks: class ids from any picture file, at the size of its picture.

A mask may hold ids, palette colours or black and white. It is matched exactly first, then within
`TOLERANCE`; what still matches no class is refused, because a smoothed edge read as some class
would make a wrong truth. Sizes change by nearest neighbour only.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from tta_demo.pictures.palettes import Palette, class_ids
from tta_demo.pictures.reading import Decoded, Picture, decode, turn

__all__ = ["TOLERANCE", "read_mask", "restore"]

TOLERANCE = 24
"""Largest channel difference at which a colour still counts as the nearest class colour."""

MOST_COLORS = 100_000
"""More different colours than any mask has, even after lossy compression: a photo."""

LOSSY = ("JPEG", "MPO", "WEBP", "AVIF")
UNKNOWN = -1


@dataclass(frozen=True)
class _Values:
    """The different values of a mask; equal pixels have equal classes.

    Attributes:
        counts: `(k,)` pixels a value.
        numbers: `(k,)` what may be class ids: greys or indices; None in a coloured mask.
        levels: `(k,)` greys, which may be black and white; None where there are colours.
        colors: `(k, 3)` uint8 RGB; None for greys beyond 0..255.
        stored_grey: the file has one number a pixel that is no palette index.
        lossy: the file was compressed with loss.
    """

    counts: np.ndarray
    numbers: np.ndarray | None
    levels: np.ndarray | None
    colors: np.ndarray | None
    stored_grey: bool
    lossy: bool


_Reading = tuple[np.ndarray, tuple[str, ...]]
"""Class ids, `UNKNOWN` where a value is no class, and notes."""


def restore(labels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Returns labels `(h, w)` at `size` `(H, W)` as uint8, by nearest neighbour.

    Raises:
        ValueError: labels are not `(h, w)` integers in 0..255.

    Example:
        >>> restore(np.array([[0, 3]]), (1, 4)).tolist()
        [[0, 0, 3, 3]]
    """
    ids = class_ids(labels, 256)
    if ids.shape == tuple(size):
        return ids
    return cv2.resize(ids, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT)


def read_mask(
    path: str | Path, palette: Palette, picture: Picture
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Returns labels `(h, w)` uint8 at the working size of `picture`, and notes.

    Palette files count by colour where their colours are the palette's, else by index. Greys count
    by id, or as black and white. Transparent pixels are class 0.

    Raises:
        ValueError: as `decode`; a value or colour is no class, or the size does not fit the
            picture.
    """
    decoded = decode(path)
    name = Path(path).name
    pending, notes = _placement(decoded, picture, name)
    labels, read = _labels(decoded.image, palette, name)
    labels = restore(turn(labels, pending), picture.rgb.shape[:2])
    return labels, (*decoded.notes, *read, *notes)


def _placement(decoded: Decoded, picture: Picture, name: str) -> tuple[int, tuple[str, ...]]:
    """Returns the EXIF orientation that puts the mask's pixels onto the picture, and notes."""
    size, full, stored = decoded.size, picture.size, picture.stored_size
    pending, notes = decoded.pending, []
    if picture.orientation != 1 and decoded.orientation == 1:
        alike = _same_aspect(size, stored) and not _same_aspect(size, full)
        if size != full and (size == stored or alike):
            size, pending = size[::-1], picture.orientation
            notes.append("The mask was turned with the photo.")
        elif size == full == stored:
            notes.append("The photo was turned as its EXIF data asks; the mask counts as upright.")
    if not _same_aspect(size, full):
        raise ValueError(
            f"{name} has {_text(size)} pixels and the picture {_text(full)}: "
            "export the mask at the size of the picture"
        )
    if size != full:
        notes.append(f"The mask was resized from {_text(size)} to {_text(full)}.")
    return pending, tuple(notes)


def _same_aspect(size: tuple[int, int], other: tuple[int, int]) -> bool:
    one, two = size[0] * other[1], size[1] * other[0]
    return abs(one - two) <= 0.01 * max(one, two)


def _text(size: tuple[int, int]) -> str:
    """Returns `(H, W)` as people write it, width first."""
    return f"{size[1]} x {size[0]}"


def _labels(image: Image.Image, palette: Palette, name: str) -> _Reading:
    """Returns class ids `(H, W)` uint8 at the size of the image, and notes."""
    clear = _transparent(image)
    pixels = _packed(image)
    seen = pixels if clear is None else pixels[~clear]
    values, counts = np.unique(seen, return_counts=True)
    if len(values) > MOST_COLORS:
        raise ValueError(
            f"{name} has {len(values)} different colours, like a photo: choose a mask, "
            "which has one colour a class"
        )
    ids, notes = _classes(_describe(values, counts, image), palette, name)
    found = ids.astype(np.uint8)[np.searchsorted(values, seen)]
    if clear is None:
        return found, notes
    labels = np.zeros(pixels.shape, np.uint8)
    labels[~clear] = found
    return labels, (*notes, f"{clear.sum()} transparent pixels count as {palette.names[0]}.")


def _is_grey(image: Image.Image) -> bool:
    """Returns whether the image stores one number a pixel that is no palette index."""
    return image.mode in ("1", "L", "LA", "F") or image.mode.startswith("I")


def _transparent(image: Image.Image) -> np.ndarray | None:
    """Returns `(H, W)` bool, true where alpha is below one half; None if it is so nowhere."""
    if image.mode[0] in "IF" or not image.has_transparency_data:
        return None
    clear = np.asarray(image.convert("RGBA").getchannel("A")) < 128
    return clear if clear.any() else None


def _packed(image: Image.Image) -> np.ndarray:
    """Returns one number a pixel `(H, W)`: grey or index as stored, or the colour 0xRRGGBB."""
    if image.mode == "1":
        return np.asarray(image).astype(np.uint8)
    if image.mode == "LA":
        return np.asarray(image.getchannel("L"))
    if image.mode == "P" or _is_grey(image):
        return np.asarray(image)
    rgb = np.asarray(image if image.mode in ("RGB", "RGBA") else image.convert("RGB"))
    packed = rgb[..., 0].astype(np.uint32) << 8 | rgb[..., 1]
    return packed << 8 | rgb[..., 2]


def _describe(values: np.ndarray, counts: np.ndarray, image: Image.Image) -> _Values:
    """Returns what the values `(k,)` of `_packed` stand for."""
    grey = _is_grey(image)
    if grey:
        numbers = levels = values
        colors = np.stack([values] * 3, -1) if values.dtype == np.uint8 else None
    elif image.mode == "P":
        table = np.reshape(image.getpalette("RGB"), (-1, 3)).astype(np.uint8)
        table = np.vstack([table, np.zeros((256 - len(table), 3), np.uint8)])
        numbers, colors = values, table[values]
        # levels only where the file shows black and white, or every index as its own grey
        plain = np.isin(colors[:, 0], (0, 255)).all() or (colors[:, 0] == values).all()
        levels = colors[:, 0] if plain and _all_grey(colors) else None
    else:
        colors = np.stack([values >> 16, values >> 8 & 255, values & 255], -1).astype(np.uint8)
        numbers = levels = colors[:, 0] if _all_grey(colors) else None
    return _Values(counts, numbers, levels, colors, grey, image.format in LOSSY)


def _all_grey(colors: np.ndarray | None) -> bool:
    return colors is None or bool((colors == colors[:, :1]).all())


def _classes(mask: _Values, palette: Palette, name: str) -> _Reading:
    """Returns the class ids `(k,)` of the values by the first rule that explains them all.

    A rule that does not apply to such masks returns None.
    """
    first = (_by_number,) if mask.stored_grey else ()
    for rule in (*first, _by_color, _by_level, _by_number, _near_color, _near_level):
        reading = rule(mask, palette)
        if reading and not (reading[0] == UNKNOWN).any():
            return reading
    raise ValueError(_complaint(mask, palette, name))


def _by_color(mask: _Values, palette: Palette, within: int = 0) -> _Reading | None:
    """Reads colours by the only nearest palette colour, if it is no further than `within`."""
    if mask.colors is None:
        return None
    colors, ids = mask.colors.astype(np.int16), np.full(len(mask.counts), UNKNOWN)
    nearest = np.full(len(colors), within + 1, np.int16)
    for index, color in enumerate(palette.table.astype(np.int16)):
        away = np.abs(colors - color).max(1)
        ids[away == nearest] = UNKNOWN
        ids[away < nearest] = index
        nearest = np.minimum(nearest, away)
    return ids, _approximately(mask.counts[nearest > 0]) if within else ()


def _near_color(mask: _Values, palette: Palette) -> _Reading | None:
    """Reads colours within the tolerance, and greys if the file is lossy.

    Elsewhere a dark grey is an unknown id, not a bad black.
    """
    near = mask.lossy or not _all_grey(mask.colors)
    return _by_color(mask, palette, TOLERANCE if near else 0)


def _by_number(mask: _Values, palette: Palette) -> _Reading | None:
    if mask.numbers is None:
        return None
    notes = ()
    if mask.levels is None:
        notes += ("The index numbers were read as class ids; the file's colours are others.",)
    if mask.lossy and len(mask.numbers) > 1:
        notes += ("Ids in a JPEG, WebP or AVIF file may have changed at edges: PNG keeps them.",)
    ids = np.full(len(mask.counts), UNKNOWN)
    valid = np.isin(mask.numbers, range(len(palette.names)))
    ids[valid] = mask.numbers[valid]
    return ids, notes


def _by_level(mask: _Values, palette: Palette) -> _Reading | None:
    """Reads 0 and one other grey as classes 0 and 1; beyond two classes only white will do."""
    classes = len(palette.names)
    if mask.levels is None or classes < 2:
        return None
    other = mask.levels[mask.levels != 0]
    white = np.isin(other, (255, 65535)).all()
    if len(np.unique(other)) != 1 or other[0] < classes or not (white or classes == 2):
        return None
    plain = classes == 2 and other[0] == 255
    notes = () if plain else (f"{other[0]:g} was read as {palette.names[1]}.",)
    if classes > 2:
        absent = ", ".join(palette.names[2:])
        notes += (f"The mask has no {absent}.",)
    return (mask.levels != 0).astype(int), notes


def _near_level(mask: _Values, palette: Palette) -> _Reading | None:
    """Reads nearly black and nearly white as classes 0 and 1, in lossy files only."""
    if mask.levels is None or not mask.lossy or len(palette.names) < 2:
        return None
    dark, bright = mask.levels <= TOLERANCE, mask.levels >= 255 - TOLERANCE
    ids = np.where(dark | bright, bright, UNKNOWN)
    notes = _approximately(mask.counts[~np.isin(mask.levels, (0, 255))])
    return ids, (f"White was read as {palette.names[1]}.", *notes)


def _approximately(counts: np.ndarray) -> tuple[str, ...]:
    """Returns a note on pixels that matched within the tolerance."""
    told = f"matched to the nearest class colour (at most {TOLERANCE} away)"
    return (f"{counts.sum()} pixels were {told}.",)


def _complaint(mask: _Values, palette: Palette, name: str) -> str:
    """Returns what the most frequent unknown values are, and what was expected."""
    coloured = mask.levels is None
    ids, _ = (_near_color if coloured else _by_number)(mask, palette)
    unknown = np.flatnonzero(ids == UNKNOWN)
    frequent = unknown[np.argsort(-mask.counts[unknown], kind="stable")][:5]
    shown = [*map(tuple, mask.colors.tolist())] if coloured else mask.levels.tolist()
    found = ", ".join(f"{shown[i]} in {mask.counts[i]} pixels" for i in frequent)
    classes = [f"{i} {n} {palette.colors[i]}" for i, n in enumerate(palette.names)]
    return (
        f"{name} has {len(unknown)} {'colours' if coloured else 'values'} that are no class: "
        f"{found}{', ...' if len(unknown) > len(frequent) else ''}; expected "
        f"{', '.join(classes[:10])}{', ...' if len(classes) > 10 else ''}: "
        "save the mask as PNG without smoothing, in these colours or ids"
    )
