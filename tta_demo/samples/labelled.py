"""A picture with its truth, whatever it comes from."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

__all__ = ["LabelledPicture", "Source"]


@dataclass(frozen=True)
class LabelledPicture:
    """A picture with its truth.

    Attributes:
        name: what it is called in logs and reports.
        rgb: `(H, W, 3)` uint8.
        labels: `(H, W)` uint8 class ids.
        group: the kind of picture, for balanced sampling.
        notes: how its truth was understood.
    """

    name: str
    rgb: np.ndarray
    labels: np.ndarray
    group: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """Where a labelled picture comes from.

    Attributes:
        read: reads or generates it.
        files: what it is read from, if anything.
    """

    read: Callable[[], LabelledPicture]
    files: tuple[Path, ...] = ()

    @cached_property
    def stamp(self) -> str:
        """What tells its files from others, or from these before a change."""
        facts = ((path.name, path.stat()) for path in self.files)
        return " ".join(f"{name}:{at.st_size}:{at.st_mtime_ns}" for name, at in facts)
