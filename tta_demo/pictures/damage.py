"""Damage: what goes wrong with pictures, by amounts, so that looking again can show its worth."""

from dataclasses import dataclass, fields

import cv2
import numpy as np

__all__ = ["AMOUNTS", "WORDS", "Damage", "damage"]


@dataclass(frozen=True)
class Damage:
    """How much is wrong with a picture; every amount is 0 (nothing) to 1 (hardly to be seen).

    Attributes:
        noise: Gaussian noise; its standard deviation over 0..1.
        darkness: the share of the light that is missing, .95 of it at 1.
        blur: a Gaussian; its standard deviation is .02 of the longer side at 1.
        jpeg: lossy compression, from quality 100 at hardly any to 1 at 1.
        low_contrast: how far values are drawn to their mean, .95 of the way at 1.
        seed: of the noise.

    Raises:
        ValueError: an amount is not in 0..1.
    """

    noise: float = 0.0
    darkness: float = 0.0
    blur: float = 0.0
    jpeg: float = 0.0
    low_contrast: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in AMOUNTS:
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} is {getattr(self, name)!r}: give 0 to 1")

    @property
    def amounts(self) -> dict[str, float]:
        """What there is of it: the amounts above 0, by name."""
        return {name: getattr(self, name) for name in AMOUNTS if getattr(self, name)}

    @property
    def told(self) -> str:
        """What there is of it, in words.

        Example:
            >>> Damage(noise=0.25, low_contrast=1).told
            'noise 0.25, low contrast 1'
        """
        return ", ".join(f"{WORDS[name]} {amount:g}" for name, amount in self.amounts.items())


AMOUNTS = tuple(field.name for field in fields(Damage) if field.type is float)
"""The names of the amounts."""

WORDS = {name: name.replace("_", " ") for name in AMOUNTS} | {"jpeg": "JPEG"}
"""What people call the amounts."""

_MOST = 0.95
"""Of darkness and low contrast, so that something is left to be found."""


def damage(rgb: np.ndarray, how: Damage) -> np.ndarray:
    """Returns a damaged copy `(H, W, 3)` uint8 of a picture; the same at every time.

    As a camera does it: the light is missing first, the lens blurs, the air takes contrast, the
    sensor adds noise, and the file is compressed last.

    Example:
        >>> grey = np.full((1, 2, 3), 100, np.uint8)
        >>> damage(grey, Damage(darkness=0.5))[0, 0].tolist(), damage(grey, Damage()) is grey
        ([52, 52, 52], False)
    """
    x = rgb.astype(np.float32) * (1 - _MOST * how.darkness)
    if how.blur:
        x = cv2.GaussianBlur(x, (0, 0), 0.02 * how.blur * max(rgb.shape[:2]))
    if how.low_contrast:
        x += _MOST * how.low_contrast * (x.mean() - x)
    if how.noise:
        drawn = np.random.default_rng(how.seed).standard_normal(x.shape, np.float32)
        x += 255 * how.noise * drawn
    pixels = np.rint(np.clip(x, 0, 255)).astype(np.uint8)
    return _compressed(pixels, round(100 - 99 * how.jpeg)) if how.jpeg else pixels


def _compressed(rgb: np.ndarray, quality: int) -> np.ndarray:
    """Returns what is left of a picture in a JPEG file of this quality, 1..100."""
    _, file = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.ascontiguousarray(cv2.imdecode(file, cv2.IMREAD_COLOR)[..., ::-1])
