"""Masks: class ids from any picture file, at the size of its picture.

What the values in the file mean is told by `mask_meaning`. Sizes change by nearest neighbour only.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from tta_demo.pictures.decoding import Decoded
from tta_demo.pictures.mask_meaning import meaning
from tta_demo.pictures.mask_values import MaskValues, Reading, all_grey
from tta_demo.pictures.palettes import MAX_CLASSES, Palette, class_ids
from tta_demo.pictures.reading import Picture, decode, turn
from tta_demo.pictures.words import several

__all__ = ["read_mask", "restore", "values_of"]

MOST_COLORS = 100_000
"""More different colours than any mask has, even after lossy compression: a photo."""

LOSSY = ("JPEG", "MPO", "WEBP", "AVIF")


def restore(labels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Returns labels `(h, w)` at `size` `(H, W)` as uint8, by nearest neighbour.

    Raises:
        ValueError: labels are not `(h, w)` integers in 0..255.

    Example:
        >>> restore(np.array([[0, 3]]), (1, 4)).tolist()
        [[0, 0, 3, 3]]
    """
    return _resized(class_ids(labels, MAX_CLASSES), size)


def _resized(ids: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    if ids.shape == tuple(size):
        return ids
    return cv2.resize(ids, size[::-1], interpolation=cv2.INTER_NEAREST_EXACT)


def read_mask(
    path: str | Path,
    palette: Palette,
    picture: Picture,
    from_instances: Callable[[np.ndarray], np.ndarray] | None = None,
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Returns labels `(h, w)` uint8 at the working size of `picture`, and notes.

    Palette files count by colour where their colours are the palette's, else by index. Greys count
    by id, or as black and white. Transparent pixels are class 0; id 255 is `IGNORED`.

    Args:
        path: any picture file.
        palette: of the mask.
        picture: what the mask belongs to.
        from_instances: labels from instances `(h, w)` uint16, where the classes are those of one
            kind of object: then objects may be numbered, and any two values are 0 and 1.

    Raises:
        ValueError: as `decode`; a value or colour is no class, or the size does not fit the
            picture.
    """
    decoded = decode(path)
    name = Path(path).name
    pending, notes = _placement(decoded, picture, name)
    ids, read = _ids(decoded.image, palette, name, from_instances is not None)
    ids = _resized(turn(ids, pending), picture.rgb.shape[:2])
    labels = from_instances(ids) if read.instances else ids.astype(np.uint8)
    return labels, (*decoded.notes, *read.notes, *notes)


def values_of(path: str | Path) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """Returns what a mask's pixels are, whatever that means, and how many have each value.

    Returns:
        `(k,)` pixels; `(k,)` greys or indices, None where the file has colours alone; `(k, 3)`
        uint8 colours, None for greys.

    Raises:
        ValueError: as `decode`.
    """
    image = decode(path).image
    values, counts = np.unique(_packed(image), return_counts=True)
    if _is_grey(image):
        return counts, values, None
    colors = _describe(values, counts, values, image, False).colors
    return counts, values if image.mode == "P" else None, colors


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


def _ids(
    image: Image.Image, palette: Palette, name: str, objects: bool
) -> tuple[np.ndarray, Reading]:
    """Returns ids `(H, W)` uint16 at the size of the image, and how they were read."""
    clear, pixels = _transparent(image), _packed(image)
    seen = pixels if clear is None else pixels[~clear]
    values, counts = np.unique(seen, return_counts=True)
    if len(values) > MOST_COLORS:
        raise ValueError(
            f"{name} has {len(values)} different colours, like a photo: choose a mask, "
            "which has one colour a class"
        )
    places = np.full(pixels.shape, -1)
    places[... if clear is None else ~clear] = np.searchsorted(values, seen)
    read = meaning(_describe(values, counts, places, image, objects), palette, name)
    ids = np.append(read.ids, 0).astype(np.uint16)[places]
    if clear is not None:
        count = several(int(clear.sum()), "transparent pixel")
        told = f"Read as {palette.names[0]}: {count}."
        read = replace(read, notes=(*read.notes, told))
    return ids, read


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


def _describe(
    values: np.ndarray, counts: np.ndarray, places: np.ndarray, image: Image.Image, objects: bool
) -> MaskValues:
    """Returns what the values `(k,)` of `_packed` stand for; see `MaskValues`."""
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
        levels = colors[:, 0] if plain and all_grey(colors) else None
    else:
        colors = np.stack([values >> 16, values >> 8 & 255, values & 255], -1).astype(np.uint8)
        numbers = levels = colors[:, 0] if all_grey(colors) else None
    lossy = image.format in LOSSY
    return MaskValues(places, counts, numbers, levels, colors, grey, lossy, objects)
