"""A Space on ZeroGPU: a graphics card is lent for the looks at one picture, and given back."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from tta_demo.models.record import ModelRecord
from tta_demo.models.registry import MODELS
from tta_demo.tasks.looking import hand_over, look_here

__all__ = ["borrow_gpu"]

SECONDS = 30
"""The longest that a card is lent for; a look takes some milliseconds there."""


def borrow_gpu() -> None:
    """Has all looks at a picture made on a lent card, where the package `spaces` lends one.

    Elsewhere nothing changes: without the package, and where its decorator does nothing. It has
    to be imported before torch.
    """
    try:
        import spaces
    except ImportError:
        return
    lent = spaces.GPU(duration=SECONDS)(_looks)
    if lent is not _looks:
        hand_over(_on(lent))


def _on(lent: Callable[..., list[Any]]) -> Callable[..., Iterator[Any]]:
    """Returns what stands for `look_here`; a model of somebody's own looks on the processor.

    With the card another process does the work: what travels is names, pixels and looks.
    """

    def look(
        model: ModelRecord, rgb: np.ndarray, views: Sequence[str], device: str = "auto"
    ) -> Iterator[Any]:
        if MODELS.get(model.name) == model:
            yield from lent(model.name, rgb, list(views))
        else:
            yield from look_here(model, rgb, views, "cpu")

    return look


def _looks(name: str, rgb: np.ndarray, views: list[str]) -> list[Any]:
    """Returns the looks of a model of `MODELS` in the memory of the processor."""
    return [*look_here(MODELS[name], rgb, views)]
