"""Classes that mean left and right: a mirror makes one of the other."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from tta_demo.tta.predict import for_picture

__all__ = ["Pairs", "WithSwap", "likely_pairs", "pair_ids"]

Pairs = tuple[tuple[str, str], ...]
"""Names of classes that change places in a mirror."""

_SIDES = re.compile(r"(?<![a-z])(left|right|l|r|lh|rh)(?![a-z])", re.IGNORECASE)
_OTHER = {"left": "right", "l": "r", "lh": "rh"}
_OTHER |= {other: one for one, other in _OTHER.items()}


def pair_ids(pairs: Pairs, classes: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Returns the ids of the classes that change places.

    Raises:
        ValueError: a class is unknown, or stands in the pairs twice.

    Example:
        >>> pair_ids((("left lung", "right lung"),), ["body", "left lung", "right lung"])
        ((1, 2),)
    """
    names = [name for pair in pairs for name in pair]
    for name in names:
        if name not in classes:
            raise ValueError(f"swap of {name!r}: the classes are {', '.join(classes)}")
        if names.count(name) > 1:
            raise ValueError(f"swap of {name!r}: it stands there twice, give each class once")
    return tuple((classes.index(one), classes.index(other)) for one, other in pairs)


def likely_pairs(classes: Sequence[str]) -> Pairs:
    """Returns pairs of classes whose names differ in nothing but left and right, or L and R.

    Example:
        >>> likely_pairs(["body", "left_lung", "right_lung", "Kidney L", "Kidney R", "leftover"])
        (('left_lung', 'right_lung'), ('Kidney L', 'Kidney R'))
    """
    by_name = {name.casefold(): name for name in classes}
    pairs = []
    for name in classes:
        other = by_name.get(_SIDES.sub(_turned, name).casefold())
        if other not in (None, name) and (other, name) not in pairs:
            pairs.append((name, other))
    return tuple(pairs)


class WithSwap:
    """A model that says which of its class ids a mirror exchanges.

    Args:
        model: any, with `for_picture` or without.
        swap: pairs of ids.
    """

    def __init__(self, model: Callable[..., Any], swap: Sequence[tuple[int, int]]) -> None:
        self._model = model
        self.swap = tuple(swap)
        self.own_size = getattr(model, "own_size", None)
        self.reduces = getattr(model, "reduces", False)

    def for_picture(self, size: tuple[int, int]) -> Callable[..., Any]:
        """Returns the model for views of a picture of `(H, W)` pixels, if it is made for sizes."""
        return for_picture(self._model, size)

    def __call__(self, images: Tensor) -> Any:  # noqa: ANN401 (whatever the model answers)
        """Returns the model's own answer to pictures `(B, 3, H, W)`."""
        return self._model(images)


def _turned(side: re.Match[str]) -> str:
    return _OTHER[side[0].lower()]
