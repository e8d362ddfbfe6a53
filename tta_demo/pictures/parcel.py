"""A decoded picture as bytes, on its way from the process that decoded it.

The sender may have been taken over by the file that it decoded. So a parcel is a header of fixed
length, JSON of known names and types, and bare pixels; nothing in it can run, and all is checked.
"""

import json
import struct
from collections.abc import Callable, Iterator
from typing import Any

from PIL import Image

from tta_demo.pictures.decoding import FORMATS, MAX_PIXELS, MODES, Decoded

__all__ = ["Torn", "packed", "received", "refusal"]

_HEADER = struct.Struct("<IQ")
"""Bytes of facts, bytes of pixels."""
_MOST_FACTS = 1 << 16
_MOST_WORDS = 2000
_MOST_BYTES = 4 * MAX_PIXELS
_STRIP = 1 << 16
"""Pixels that are packed at a time: a second whole copy would need too much memory."""


class Torn(Exception):
    """Raised where a parcel breaks off, or is none."""


def refusal(words: str) -> Iterator[bytes]:
    """Yields the bytes of a parcel that holds no picture, but why there is none."""
    facts = json.dumps({"refused": words[:_MOST_WORDS]}).encode()
    yield _HEADER.pack(len(facts), 0) + facts


def packed(decoded: Decoded) -> Iterator[bytes]:
    """Yields the bytes of a picture, piece by piece."""
    image = decoded.image
    see_through = image.info.get("transparency")
    known = {
        "mode": image.mode,
        "width": image.width,
        "height": image.height,
        "format": image.format,
        "palette": _palette_of(image),
        "transparency": list(see_through) if isinstance(see_through, bytes) else see_through,
        "pending": decoded.pending,
        "size": decoded.size,
        "orientation": decoded.orientation,
        "notes": decoded.notes,
    }
    facts = json.dumps(known).encode()
    yield _HEADER.pack(len(facts), _length(image.mode, image.size)) + facts
    rows = max(1, _STRIP // image.width)
    for top in range(0, image.height, rows):
        strip = (0, top, image.width, min(top + rows, image.height))
        yield image.crop(strip).tobytes()


def received(read: Callable[[int], bytes | bytearray]) -> Decoded:
    """Returns the picture of a parcel.

    Args:
        read: returns as many bytes as it is asked for, fewer where there are no more.

    Raises:
        ValueError: the sender refused the file, in its words.
        Torn: it breaks off, or is no parcel.
    """
    try:
        length, size = _HEADER.unpack(read(_HEADER.size))
        if length > _MOST_FACTS or size > _MOST_BYTES:
            raise Torn
        known, pixels = json.loads(bytes(read(length))), read(size)
        words = known.get("refused")
        decoded = None if isinstance(words, str) else _unpacked(known, pixels)
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError,
            struct.error) as error:  # fmt: skip
        raise Torn from error
    if decoded is None:
        raise ValueError(words[:_MOST_WORDS])
    return decoded


def _palette_of(image: Image.Image) -> tuple[str, list[int]] | None:
    """Returns the mode and the values of a palette, as loaded."""
    if image.mode not in ("P", "PA"):
        return None
    mode = image.palette.mode
    return mode, list(image.im.getpalette(mode, mode))


def _length(mode: str, size: tuple[int, int]) -> int:
    """Returns how many bytes bare pixels have."""
    if mode == "1":
        return -(-size[0] // 8) * size[1]
    return len(Image.new(mode, (1, 1)).tobytes()) * size[0] * size[1]


def _unpacked(known: dict[str, Any], pixels: bytes) -> Decoded:
    """Returns the picture of facts and pixels; raises whatever it may where they do not fit."""
    width, height, mode = _whole(known, "width"), _whole(known, "height"), known["mode"]
    if mode not in MODES or width * height > MAX_PIXELS or len(pixels) != _length(
        mode, (width, height)
    ):  # fmt: skip
        raise ValueError("pixels that do not fit")
    image = Image.frombytes(mode, (width, height), pixels)
    if known["format"] not in (*FORMATS, "MPO"):
        raise ValueError("unknown format")
    image.format = known["format"]
    if known["palette"] is not None:
        kind, values = known["palette"]
        image.putpalette(bytes(values), {"RGB": "RGB", "RGBA": "RGBA"}[kind])
        image.load()  # makes the palette that of the pixels
    if known["transparency"] is not None:
        image.info["transparency"] = _transparency(mode, known["transparency"])
    size = tuple(map(int, known["size"]))
    if not all(1 <= side <= MAX_PIXELS for side in size) or len(size) != 2:
        raise ValueError("impossible size")
    pending, orientation = _whole(known, "pending", 8), _whole(known, "orientation", 8)
    notes = tuple(str(note)[:_MOST_WORDS] for note in known["notes"])
    return Decoded(image, pending, size, orientation, notes)


def _transparency(mode: str, told: int | list[int]) -> int | bytes | tuple[int, ...]:
    """Returns what Pillow says of transparency: a value or colour, or the alpha of each index."""
    if isinstance(told, list):
        return bytes(told) if mode == "P" else tuple(map(int, told))
    return int(told)


def _whole(known: dict[str, Any], key: str, most: int = MAX_PIXELS) -> int:
    value = known[key]
    if type(value) is not int or not 1 <= value <= most:
        raise ValueError(f"{key} is {value!r}")
    return value
