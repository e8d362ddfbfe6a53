"""What a model of `transformers` wants to be shown, read from its preprocessor_config.json."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tta_demo.models.feed import IMAGENET, Feed

__all__ = ["Size", "feed_of", "size_of"]

_LONGEST = 4
"""A long side is at most so many short ones, where nothing is said: it would fill the memory."""


@dataclass(frozen=True)
class Size:
    """How large a model wants pictures.

    Attributes:
        exact: `(H, W)`, pixels; or None.
        short: instead, the short side, pixels.
        long: the most that the long side may be, pixels.

    Example:
        >>> Size(short=100, long=150).scale((50, 100)), Size(exact=(512, 512)).scale((1024, 256))
        (1.5, 1.0)
    """

    exact: tuple[int, int] | None = None
    short: int | None = None
    long: int | None = None

    @property
    def frame(self) -> tuple[int, int]:
        """`(H, W)` for a model that takes nothing else."""
        return self.exact or (self.short or self.long,) * 2

    def scale(self, size: tuple[int, int]) -> float:
        """Returns the factor for pictures of `(H, W)` pixels, their aspect kept.

        An exact size stands for as many pixels.
        """
        short, long = min(size), max(size)
        if self.exact:
            return (self.exact[0] * self.exact[1] / (short * long)) ** 0.5
        most = (self.long or _LONGEST * self.short) / long
        return most if self.short is None else min(self.short / short, most)

    @property
    def sentence(self) -> str:
        """The size in words."""
        if self.exact:
            return f"{self.exact[1]}x{self.exact[0]} pixels"
        told = [f"a short side of {self.short} pixels"] if self.short else []
        return ", ".join(told + ([f"a long side of at most {self.long}"] if self.long else []))


def feed_of(stored: Mapping[str, Any]) -> Feed:
    """Returns how pictures are brought to the model's range.

    Example:
        >>> feed_of({"image_mean": [0.5] * 3, "image_std": [0.5] * 3}).sentence
        'RGB, 0..1, less 0.5 0.5 0.5, over 0.5 0.5 0.5'

    Raises:
        ValueError: mean or deviation are not three numbers.
    """
    mean, std = (0.0,) * 3, (1.0,) * 3
    if stored.get("do_normalize", "image_mean" in stored):
        mean = _three(stored.get("image_mean", IMAGENET.mean))
        std = _three(stored.get("image_std", IMAGENET.std))
    factor = float(stored.get("rescale_factor", 1 / 255)) if stored.get("do_rescale", True) else 1
    order = "BGR" if stored.get("do_flip_channel_order") else "RGB"
    if abs(255 * factor - 1) < 1e-3 and not stored.get("rescale_offset"):
        return Feed(1, mean, std, order)
    less = 1 if stored.get("rescale_offset") else 0  # some reach -1..1 in this way
    raised = tuple((m + less) / factor for m in mean)
    return Feed(255, raised, tuple(s / factor for s in std), order)


def size_of(stored: Mapping[str, Any], task: str) -> Size:
    """Returns how large the model wants pictures; for `classify`, the square that is cut out.

    Raises:
        ValueError: the size is none that is known, with its value.
    """
    told = stored.get("size")
    if task == "classify" and stored.get("crop_size") and stored.get("do_center_crop", True):
        told = stored["crop_size"]
    try:
        if isinstance(told, Mapping):
            if "height" in told:
                return Size(exact=(_side(told["height"]), _side(told["width"])))
            short, long = (told.get(f"{which}est_edge") for which in ("short", "long"))
            if short or long:
                return Size(short=short and _side(short), long=long and _side(long))
        elif told and task == "detect":
            most = stored.get("max_size")
            return Size(short=_side(told), long=most and _side(most))
        elif told:
            return Size(exact=(_side(told),) * 2)
    except (KeyError, TypeError, ValueError):
        pass
    raise ValueError(f"its preprocessor_config.json has the size {told!r}, which is not known")


def _side(value: object) -> int:
    side = int(value)
    if not 8 <= side <= 4096:
        raise ValueError(f"{side} pixels")
    return side


def _three(values: object) -> tuple[float, float, float]:
    try:
        three = tuple(float(value) for value in values)
    except (TypeError, ValueError) as error:
        raise ValueError(f"its mean or deviation is {values!r}: three numbers") from error
    return three
