"""Damaged files of every kind that strangers bring, and who reads them."""

import io
import json
import random
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import torch
from bombs import greedy_exif, saved, with_jpeg_exif, with_png_exif, with_webp_exif
from onnx_models import classifier, mixing, node
from PIL import Image
from safetensors.torch import save as save_tensors

from tta_demo.learning.weight_file import WeightFile
from tta_demo.models.own import own_model
from tta_demo.models.unet import UNet
from tta_demo.pictures.assets import ASSETS
from tta_demo.pictures.masks import read_mask, values_of
from tta_demo.pictures.palettes import WEEDS
from tta_demo.pictures.reading import Picture, read_picture
from tta_demo.samples.archives import unpack
from tta_demo.samples.names_file import read_names
from tta_demo.samples.palette_file import read_palette, read_swap

SIZE = (24, 32)
NASTY = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]
DEEP = "deep"
VALUES = [None, True, -1, 1e308, float("nan"), 2**70, "", "x" * 5000, DEEP, [], {}, [[]] * 50]


def corpus():
    """Returns sound files, as lists of bytes by ending."""
    grey = Image.fromarray(np.random.default_rng(1).integers(0, 3, SIZE, np.uint8))
    deep = Image.fromarray(np.asarray(grey).astype(np.uint16) * 9000)
    exif = greedy_exif(5, 40)
    torch.manual_seed(0)
    state = UNet(2, 2).state_dict()
    checkpoint, archive = io.BytesIO(), io.BytesIO()
    torch.save({"model_state_dict": state}, checkpoint)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in ("images/a.png", "masks/a.png", "images/b.jpg"):
            packed.writestr(name, saved("PNG"))
    return {
        ".png": [
            *(saved("PNG"), with_png_exif(exif), _file(grey, "PNG"), _file(deep, "PNG")),
            _file(_indexed(grey), "PNG", transparency=1),
        ],
        ".jpg": [saved("JPEG"), saved("JPEG", progressive=True), with_jpeg_exif(exif)],
        ".webp": [saved("WEBP"), saved("WEBP", lossless=True), with_webp_exif(exif)],
        ".tif": [
            *(saved("TIFF", compression=one) for one in (None, "tiff_lzw", "tiff_deflate")),
            *(_file(deep, "TIFF"), _file(_indexed(grey), "TIFF", compression="packbits")),
        ],
        ".gif": [saved("GIF"), _file(_indexed(grey), "GIF", save_all=True, append_images=[grey])],
        ".bmp": [saved("BMP"), _file(_indexed(grey), "BMP"), _file(grey.convert("1"), "BMP")],
        ".zip": [archive.getvalue()],
        ".onnx": [mixing(), classifier(), mixing((1, 3, 32, 32), last=node("Sigmoid", ["z"]))],
        ".safetensors": [save_tensors(state)],
        ".pth": [checkpoint.getvalue()],
        ".weights.json": [(ASSETS / "weights" / "weeds-flips.json").read_bytes()],
        ".palette.json": [
            b'{"ground": [0, 0, 0], "a": [[128, 0, 0], [9, 9, 9]], "ignore": [1, 1, 1]}',
            b'{"classes": {"L": [1, 2, 3], "R": [4, 5, 6]}, "swap": [["L", "R"]]}',
            b'{"categories": [{"id": 1, "name": "tree", "color": [0, 128, 0], "trainId": 255}]}',
        ],
        ".names.json": [b'["cat", "dog"]', b'{"0": "cat", "1": "dog"}', b'{"cat": 0, "dog": 1}'],
    }


def _file(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _indexed(grey):
    image = grey.copy()
    image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
    return image


def mutants(files, seed):
    """Yields (ending, bytes) without end, the endings in turn."""
    draw = random.Random(seed)
    pool = [data for several in files.values() for data in several]
    while True:
        for ending, several in files.items():
            data = draw.choice(several)
            if ending.endswith(".json") and draw.random() < 0.5:
                yield ending, _rewritten(json.loads(data), draw)
                continue
            if ending == ".pth" and draw.random() < 0.7:
                yield ending, _inside(data, draw, pool)
                continue
            mutant = _damaged(data, draw, pool)
            yield ending, _checked(mutant, draw) if ending == ".png" else mutant


def _damaged(data, draw, pool):
    mutant = bytearray(data)
    for _ in range(draw.choice((1, 1, 2, 4, 8))):
        _damage(mutant, draw, pool)
    return bytes(mutant)


def _inside(data, draw, pool):
    """Returns an archive in which what describes the tensors is damaged, with the right sums."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            new.writestr(name, _damaged(part, draw, pool) if name.endswith("data.pkl") else part)
    return buffer.getvalue()


def _damage(data, draw, pool):
    """Changes some bytes in one of the usual ways."""
    start = draw.randrange(len(data) + 1)
    if draw.random() < 0.5:
        start = min(start, draw.randrange(200))  # headers decide the most
    length = draw.choice((1, 2, 4, 8, 64, 500))
    way = draw.randrange(7)
    if way == 0:
        data[start : start + 1] = bytes([draw.randrange(256)])
    elif way == 1:
        form = draw.choice(("<I", ">I", "<H", ">H", "B"))
        value = draw.choice(NASTY) & (1 << 8 * struct.calcsize(form)) - 1
        data[start : start + struct.calcsize(form)] = struct.pack(form, value)
    elif way == 2:
        del data[start : start + length]
    elif way == 3:
        data[start:start] = data[start : start + length] * draw.choice((1, 3, 200))
    elif way == 4:
        data[start:start] = draw.randbytes(length)
    elif way == 5:
        del data[start:]
    else:
        other = draw.choice(pool)
        place = draw.randrange(len(other))
        data[start : start + length] = other[place : place + length]


def _checked(data, draw):
    """Returns a PNG whose parts mostly have the right sums again: else none is looked at."""
    if draw.random() < 0.2:
        return data
    parts, place = [data[:8]], 8
    while place + 12 <= len(data):
        length = min(int.from_bytes(data[place : place + 4], "big"), len(data) - place - 12)
        body = data[place + 4 : place + 8 + length]
        parts.append(struct.pack(">I", length) + body + struct.pack(">I", zlib.crc32(body)))
        place += 12 + length
    return b"".join(parts)


def _rewritten(stored, draw):
    """Returns JSON with a value replaced by one that nobody expects."""
    places = []

    def walk(value):
        keys = value if isinstance(value, dict) else range(len(value))
        for key in list(keys):
            places.append((value, key))
            if isinstance(value[key], dict | list):
                walk(value[key])

    walk(stored)
    for _ in range(draw.choice((1, 2, 5))):
        holder, key = draw.choice(places)
        holder[key] = draw.choice(VALUES)
    return json.dumps(stored).replace(f'"{DEEP}"', "[" * 5000 + "]" * 5000).encode()


def read(path: Path):
    """Yields what each reader of a file makes of it, to be called."""
    kinds = {
        ".zip": [lambda: unpack(path, path.parent / "into")],
        ".onnx": [lambda: own_model(path)],
        ".safetensors": [lambda: own_model(path)],
        ".pth": [lambda: own_model(path)],
        ".weights.json": [lambda: WeightFile.load(path)],
        ".palette.json": [lambda: read_palette(path), lambda: read_swap(path)],
        ".names.json": [lambda: read_names(path)],
    }
    shown = Picture.of(np.zeros((*SIZE, 3), np.uint8))
    pictures = [lambda: read_picture(path), lambda: read_mask(path, WEEDS, shown)]
    return kinds.get("".join(path.suffixes), [*pictures, lambda: values_of(path)])
