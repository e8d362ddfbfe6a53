"""What training shows a model: crops, moved and recoloured."""

import cv2
import numpy as np

from tta_demo.models.record import Augmentation
from tta_demo.samples.labelled import LabelledPicture

__all__ = ["crop"]


def crop(
    shown: Augmentation, picture: LabelledPicture, size: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Returns one augmented crop: pixels `(size, size, 3)` float32 in 0..1, labels `(size, size)`.

    The far edges of a picture that is too small are mirrored.
    """
    source = round(size / _log_uniform(shown.zoom, rng))
    rgb, labels = (_pad(a, source) for a in (picture.rgb, picture.labels))
    top, left = (int(rng.integers(n - source + 1)) for n in labels.shape)
    window = np.s_[top : top + source, left : left + source]
    smooth = cv2.INTER_AREA if source > size else cv2.INTER_LINEAR
    x = cv2.resize(rgb[window], (size, size), interpolation=smooth).astype(np.float32)
    y = cv2.resize(labels[window], (size, size), interpolation=cv2.INTER_NEAREST_EXACT)
    if shown.d4:
        turns, flip = int(rng.integers(4)), bool(rng.integers(2))
        x, y = np.rot90(x, turns), np.rot90(y, turns)
        if flip:
            x, y = x[:, ::-1], y[:, ::-1]
    tint = 1 + rng.uniform(-shown.tint, shown.tint, 3)
    x = np.clip(x / 255 * (_log_uniform(shown.gain, rng) * tint), 0, 1)
    x = x ** _log_uniform(shown.gamma, rng)
    x = x + rng.normal(0, rng.uniform(0, shown.noise), x.shape)
    return np.clip(x, 0, 1).astype(np.float32), np.ascontiguousarray(y)


def _pad(array: np.ndarray, size: int) -> np.ndarray:
    """Mirrors the far edges until both sides have `size` pixels at least."""
    bottom, right = (max(0, size - n) for n in array.shape[:2])
    return cv2.copyMakeBorder(array, 0, bottom, 0, right, cv2.BORDER_REFLECT_101)


def _log_uniform(bounds: tuple[float, float], rng: np.random.Generator) -> float:
    return float(np.exp(rng.uniform(*np.log(bounds))))
