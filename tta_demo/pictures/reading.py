"""Pictures from unknown files: one careful decoder for photos, scans and masks.

The header decides before any pixel is decoded: format and size are checked first, so a huge file
costs no memory. What was changed on the way (reduced, stretched, put on white) is told in notes.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

__all__ = ["MAX_PIXELS", "WORKING_PIXELS", "Decoded", "Picture", "decode", "read_picture"]
__all__ += ["turn", "working_size"]

WORKING_PIXELS = 1024 * 1024
"""Larger pictures are reduced to this many pixels."""

MAX_PIXELS = 24_000_000
"""Larger pictures are refused from their header."""

_OVER = f"over the limit of {MAX_PIXELS / 1e6:.0f} megapixels: reduce it and upload it again"
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "AVIF")
READABLE = "PNG, JPEG, WebP, TIFF, GIF or BMP"
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
MAGICS = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*", b"BM")
MODES = {"1", "L", "LA", "La", "I", "I;16", "I;16L", "I;16B", "I;16N", "F"}
MODES |= {"P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr"}


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


@dataclass(frozen=True)
class Decoded:
    """The first frame of a file, in the mode of the file.

    Attributes:
        image: the loaded pixels; `turn` them by `pending` to stand upright.
        pending: EXIF orientation 1..8 that `image` still needs.
        size: `(H, W)` of the file, upright.
        orientation: EXIF orientation 1..8 of the file.
        notes: what was left out.
    """

    image: Image.Image
    pending: int
    size: tuple[int, int]
    orientation: int
    notes: tuple[str, ...]


def working_size(size: tuple[int, int], most: int = WORKING_PIXELS) -> tuple[int, int]:
    """Returns the largest `(h, w)` of the same aspect with at most so many pixels.

    Example:
        >>> working_size((3000, 4000)), working_size((20, 30))
        ((887, 1182), (20, 30))
    """
    height, width = size
    if height * width <= most:
        return size
    scale = (most / (height * width)) ** 0.5
    h, w = max(1, round(height * scale)), max(1, round(width * scale))
    if h * w > most:
        h, w = max(1, int(height * scale)), max(1, int(width * scale))
    # Only a picture a few pixels thin can still be too large here: its long side gives way.
    return max(1, min(h, most // w)), max(1, min(w, most // h))


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
    """Returns the first frame of a picture file, after checking format and size in its header.

    It is PNG, JPEG, GIF, WebP, TIFF or BMP (AVIF where Pillow can read it). With `draft`, a JPEG
    may decode smaller, but not below its working size, to save memory.

    Raises:
        ValueError: no such file, not a picture, over `MAX_PIXELS`, cut off, or its colours are
            none of grey, RGB, CMYK and palette.
    """
    name = Path(path).name
    try:
        # Pillow gets the open file: from a path it maps some TIFF files and turns them wrong.
        with Path(path).open("rb") as file, _identify(file, name) as image:
            return _load(image, draft, name)
    except OSError as error:
        raise ValueError(f"{name} cannot be opened: choose the file again") from error


def read_picture(path: str | Path) -> Picture:
    """Returns a picture file as RGB, upright, within `WORKING_PIXELS`.

    Transparency is put on white; 16-bit and float greys are stretched to 0..255.

    Raises:
        ValueError: as `decode`.
    """
    decoded = decode(path, draft=True)
    pixels, note = _eight_bit(decoded.image)
    notes = [*decoded.notes, *note]
    (height, width), (h, w) = decoded.size, working_size(decoded.size)
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


def _identify(file: BinaryIO, name: str) -> Image.Image:
    """Returns the picture in an open file, with only its header read and found within bounds."""
    head = file.read(4096)
    file.seek(0)
    if refusal := _refusal(head):
        raise ValueError(f"{name} {refusal}")
    try:
        image = Image.open(file, formats=FORMATS)
    except Image.DecompressionBombError as error:  # Pillow's own limit, far above ours
        raise ValueError(f"{name} is {_OVER}") from error
    except UnidentifiedImageError as error:
        raise ValueError(f"{name} {_unreadable(head)}") from error
    except Exception as error:  # a few plugins parse so much at once that damage surfaces here
        raise ValueError(f"{name} is cut off or damaged: export it again") from error
    width, height = image.size
    if width * height > MAX_PIXELS:
        told = f"{width} x {height} pixels ({width * height / 1e6:.0f} megapixels)"
        raise ValueError(f"{name} has {told}, {_OVER}")
    if image.mode not in MODES:
        raise ValueError(f"{name} has the colour mode {image.mode}: export it as RGB")
    return image


def _refusal(head: bytes) -> str:
    """Returns why a file that starts with `head` is refused by its kind, or an empty string."""
    if not head:
        return "is an empty file: export or download it again"
    brands = _brands(head)
    if brands & HEIC_BRANDS and b"avif" not in brands:
        return "is a HEIC/HEIF photo, which cannot be read here: export it as JPEG or PNG"
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if text.startswith((b"<svg", b"<?xml", b"<!--", b"<!DOCTYPE svg")) and b"<svg" in text:
        return "is an SVG drawing, not a grid of pixels: export it as PNG"
    return ""


def _unreadable(head: bytes) -> str:
    """Returns why no decoder took a file that starts with `head`."""
    if _brands(head) & {b"avif", b"avis"}:
        return "is an AVIF picture, which cannot be read here: export it as PNG or JPEG"
    if head.startswith(MAGICS) or head[8:12] == b"WEBP":
        return f"is cut off or of a rare kind: export it again as plain {READABLE}"
    return f"is not a picture: upload {READABLE}"


def _brands(head: bytes) -> set[bytes]:
    """Returns the brands of an ISO media file (HEIC, AVIF), empty for any other file."""
    if head[4:8] != b"ftyp":
        return set()
    end = min(len(head), int.from_bytes(head[:4], "big"))
    return {head[8:12], *(head[i : i + 4] for i in range(16, end, 4))}


def _load(image: Image.Image, draft: bool, name: str) -> Decoded:
    """Returns the first frame of an identified file, decoded."""
    try:
        size, notes = image.size[::-1], _left_out(image)
        # Pillow turns TIFF while loading, and forgets; PNG may keep its EXIF behind the pixels.
        turned = _orientation(image) if image.format == "TIFF" else None
        if draft:
            image.draft(None, working_size(size)[::-1])
        image.load()
        if turned is not None:
            return Decoded(image, 1, image.size[::-1], turned, notes)
        pending = _orientation(image)
        return Decoded(image, pending, size[::-1] if pending >= 5 else size, pending, notes)
    except Exception as error:  # each Pillow plugin fails in its own way on damaged data
        raise ValueError(f"{name} is cut off or damaged: download or export it again") from error


def _left_out(image: Image.Image) -> tuple[str, ...]:
    """Returns a note where the file holds more than the first frame or page."""
    # Phones store a JPEG with a small second picture (MPO): nobody misses that one.
    if image.format == "MPO" or not getattr(image, "is_animated", False):
        return ()
    part = "page of the TIFF" if image.format == "TIFF" else "frame of the animation"
    return (f"Only the first {part} is used.",)


def _orientation(image: Image.Image) -> int:
    """Returns the EXIF orientation 1..8, and 1 where it is missing or nonsense."""
    try:
        value = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # broken EXIF is no reason to refuse good pixels
        return 1
    return value if value in range(1, 9) else 1


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
