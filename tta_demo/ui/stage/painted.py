"""Reads what was painted on the stage."""

import base64
import zlib
from typing import Any

import numpy as np

from tta_demo.pictures.palettes import IGNORED
from tta_demo.ui.stage.sent import grid_of, nearest

__all__ = ["painted"]


def painted(payload: dict[str, Any], size: tuple[int, int], classes: int) -> np.ndarray:
    """Returns the mask of a `painted` event at a picture's full size, `(H, W)` uint8.

    Args:
        payload: what the event carries; comes from the network, so nothing in it is trusted.
        size: `(H, W)` of the picture that was painted on.
        classes: C.

    Raises:
        ValueError: it is no mask, is not of this picture's shape, or has an unknown class.

    Example:
        >>> data = base64.b64encode(zlib.compress(bytes([0, 1]))).decode()
        >>> painted({"width": 2, "height": 1, "data": data}, (1, 2), 3).tolist()
        [[0, 1]]
    """
    rows, columns = grid_of(*size)
    expected = len(rows) * len(columns)
    try:
        shape = int(payload["height"]), int(payload["width"])
        stream = base64.b64decode(payload["data"], validate=True)
        # a short stream can inflate to any size: stop one byte after what is right
        raw = zlib.decompressobj().decompress(stream, expected + 1)
    except (LookupError, TypeError, ValueError, OverflowError, zlib.error) as error:
        raise ValueError(f"the painting cannot be read ({error}): paint it again") from error
    if shape != (len(rows), len(columns)) or len(raw) != expected:
        raise ValueError(f"the painting is {shape}, not {(len(rows), len(columns))}: paint again")
    small = np.frombuffer(raw, np.uint8).reshape(shape)
    unknown = small[(small >= classes) & (small != IGNORED)]
    if unknown.size:
        raise ValueError(f"the painting has class {unknown[0]}: the classes are 0..{classes - 1}")
    back = np.ix_(nearest(size[0], shape[0]), nearest(size[1], shape[1]))
    return np.ascontiguousarray(small[back])
