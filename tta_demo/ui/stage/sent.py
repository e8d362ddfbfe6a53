"""Pictures at the size that is sent to the stage."""

import base64
import io

import numpy as np
from PIL import Image

__all__ = ["Grid", "grid_of", "nearest", "small", "webp"]

LONGEST = 512
"""Pixels on the longer side of what is sent."""

Grid = tuple[np.ndarray, np.ndarray]
"""Rows and columns of the full size that are sent."""


def grid_of(height: int, width: int) -> Grid:
    """Returns the rows and columns of the full size that are sent."""
    scale = min(1, LONGEST / max(height, width))
    short, narrow = max(1, round(scale * height)), max(1, round(scale * width))
    return nearest(short, height), nearest(narrow, width)


def nearest(count: int, length: int) -> np.ndarray:
    """Returns, for the centres of `count` cells, the index of the cell among `length`."""
    return (np.arange(count) * 2 + 1) * length // (2 * count)


def small(plane: np.ndarray, grid: Grid) -> np.ndarray:
    """Returns `(..., h, w)` at the sent size."""
    if plane.shape[-2:] == (len(grid[0]), len(grid[1])):
        return plane
    return plane[..., grid[0][:, None], grid[1][None, :]]


def webp(rgb: np.ndarray, grid: Grid) -> str:
    """Returns a picture `(H, W, 3)` uint8 at the sent size, as a `data:` URL."""
    image = Image.fromarray(rgb)
    size = len(grid[1]), len(grid[0])
    if image.size != size:
        image = image.resize(size, Image.Resampling.LANCZOS)
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=88, method=2)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()
