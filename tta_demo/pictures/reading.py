"""Pictures from unknown files: one careful decoder for photos, scans and masks.

Files that strangers left are decoded in a process of their own, see `workers`. What was changed on
the way (reduced, stretched, put on white) is told in notes.
"""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from tta_demo.pictures import workers
from tta_demo.pictures.decoding import WORKING_PIXELS, Decoded, decode_here, working_size

__all__ = ["Picture", "decode", "read_picture", "turn", "working_size"]


@dataclass(frozen=True)
class Picture:
    """A picture ready for a model.

    Attributes:
        rgb: `(h, w, 3)` uint8 at the working size, upright.
        size: `(H, W)` of the file, upright, before any reduction.
        stored_size: `(H, W)` as stored, before turning.
        orientation: EXIF orientation 1..8; 1 is upright.
        notes: plain sentences on what was changed; empty if nothing.
    """

    rgb: np.ndarray
    size: tuple[int, int]
    stored_size: tuple[int, int]
    orientation: int
    notes: tuple[str, ...]

    @classmethod
    def of(cls, rgb: np.ndarray, *notes: str) -> "Picture":
        """Returns pixels `(h, w, 3)` uint8 that come from no file."""
        size = (rgb.shape[0], rgb.shape[1])
        return cls(rgb, size, size, 1, notes)


def turn(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Returns stored pixels `(H, W, ...)` upright, as EXIF orientation 1..8 asks.

    Example:
        >>> turn(np.array([[1, 2, 3]]), 6).tolist()
        [[1], [2], [3]]
    """
    if orientation >= 5:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def decode(path: str | Path, draft: bool = False) -> Decoded:
    """Returns the first frame of a picture file; in a process of its own where it is a stranger's.

    Raises:
        ValueError: as `decode_here`, and as `workers.decode_apart`.
    """
    apart = workers.is_strangers(path)
    return workers.decode_apart(path, draft) if apart else decode_here(path, draft)


def read_picture(path: str | Path, most: int = WORKING_PIXELS) -> Picture:
    """Returns a picture file as RGB, upright, reduced to so many pixels at most.

    Transparency is put on white; 16-bit and float greys are stretched to 0..255.

    Raises:
        ValueError: as `decode`.
    """
    decoded = decode(path, draft=most <= WORKING_PIXELS)
    pixels, note = _eight_bit(decoded.image)
    notes = [*decoded.notes, *note]
    (height, width), (h, w) = decoded.size, working_size(decoded.size, most)
    if (h, w) != decoded.size:
        stored = (h, w) if decoded.pending >= 5 else (w, h)
        pixels = cv2.resize(pixels, stored, interpolation=cv2.INTER_AREA)
        notes.append(
            f"Reduced from {width} x {height} to {w} x {h} for speed; "
            "the downloaded mask has the full size."
        )
    if pixels.ndim == 2:
        pixels = np.stack([pixels] * 3, axis=-1)
    rgb = np.array(turn(pixels, decoded.pending))  # a copy: Pillow's pixels are read-only
    stored_size = decoded.size[::-1] if decoded.orientation >= 5 else decoded.size
    return Picture(rgb, decoded.size, stored_size, decoded.orientation, tuple(notes))


def _eight_bit(image: Image.Image) -> tuple[np.ndarray, tuple[str, ...]]:
    """Returns `(H, W)` or `(H, W, 3)` uint8 pixels, and notes."""
    if image.mode[0] in "IF":
        return _stretch(np.asarray(image).astype(np.float32))
    if not image.has_transparency_data:
        return np.asarray(image.convert("L" if image.mode in ("1", "L") else "RGB")), ()
    image = image.convert("RGBA")
    alpha = image.getchannel("A")
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=alpha)
    note = ("Transparent parts were put on white.",) if alpha.getextrema()[0] < 255 else ()
    return np.asarray(white), note


def _stretch(values: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Returns grey values `(H, W)` of any range as uint8, lowest to 99.9th percentile, and a note.

    Example:
        >>> _stretch(np.array([[0.0, 235.0]], np.float32))[0].tolist()
        [[0, 255]]
    """
    finite = values[np.isfinite(values)]
    low, high = (finite.min(), np.percentile(finite, 99.9)) if finite.size else (0.0, 0.0)
    if high <= low and finite.size:
        high = finite.max()  # a few bright spots on an even ground
    span = float(high) - float(low)
    within = np.nan_to_num(np.clip(values, low, high), nan=low)
    scaled = (within - low) * (255 / span if span else 0.0)
    note = f"Grey values {low:.6g} to {high:.6g} were stretched to 0 to 255."
    return np.rint(scaled).astype(np.uint8), (note,)
