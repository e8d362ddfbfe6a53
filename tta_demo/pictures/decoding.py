"""One careful decoder for every picture file: photos, scans and masks.

The header decides before any pixel is decoded: kind, size and shape are checked first, so a huge
file costs no memory. It needs Pillow alone, so that it starts quickly in a process of its own.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from PIL import ExifTags, Image, UnidentifiedImageError

__all__ = ["FORMATS", "MAX_ASPECT", "MAX_PIXELS", "MODES", "WORKING_PIXELS", "Decoded"]
__all__ += ["decode_here", "working_size"]

WORKING_PIXELS = 1024 * 1024
"""Larger pictures are reduced to this many pixels."""

MAX_PIXELS = 24_000_000
"""Larger pictures are refused from their header."""

MAX_ASPECT = 50
"""Pictures more times as long as wide are refused too: whoever pads them to a square pays."""

_OVER = f"over the limit of {MAX_PIXELS / 1e6:.0f} megapixels: reduce it and upload it again"
TOO_LARGE = "takes more memory than a picture of its size should: export it again as PNG"
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "AVIF")
READABLE = "PNG, JPEG, WebP, TIFF, GIF or BMP"
HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
MAGICS = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*", b"BM")
MODES = {"1", "L", "LA", "La", "I", "I;16", "I;16L", "I;16B", "I;16N", "F"}
MODES |= {"P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr"}


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


def decode_here(path: str | Path, draft: bool = False) -> Decoded:
    """Returns the first frame of a picture file, after checking format and size in its header.

    It decodes in this process, which a malicious file can fill or stop: see `workers`.

    It is PNG, JPEG, GIF, WebP, TIFF or BMP (AVIF where Pillow can read it). With `draft`, a JPEG
    may decode smaller, but not below its working size, to save memory.

    Raises:
        ValueError: no such file, not a picture, over `MAX_PIXELS` or `MAX_ASPECT`, cut off, or
            its colours are none of grey, RGB, CMYK and palette.
    """
    name = Path(path).name
    try:
        # Pillow gets the open file: from a path it maps some TIFF files and turns them wrong.
        with Path(path).open("rb") as file, _identify(file, name) as image:
            return _load(image, draft, name)
    except OSError as error:
        raise ValueError(f"{name} cannot be opened: choose the file again") from error


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
    except MemoryError as error:
        raise ValueError(f"{name} {TOO_LARGE}") from error
    except Exception as error:  # a few plugins parse so much at once that damage surfaces here
        raise ValueError(f"{name} is cut off or damaged: export it again") from error
    width, height = image.size
    if width * height > MAX_PIXELS:
        told = f"{width} x {height} pixels ({width * height / 1e6:.0f} megapixels)"
        raise ValueError(f"{name} has {told}, {_OVER}")
    if max(width, height) > MAX_ASPECT * min(width, height):
        told = f"{width} x {height} pixels, more than {MAX_ASPECT} times as long as wide"
        raise ValueError(f"{name} has {told}: cut it into shorter pieces")
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
    except MemoryError as error:
        raise ValueError(f"{name} {TOO_LARGE}") from error
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
