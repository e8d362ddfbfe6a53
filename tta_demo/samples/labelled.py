"""A picture with its truth, whatever it comes from."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path

import numpy as np

__all__ = ["LabelledPicture", "Source", "understood"]


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
        """What tells its files from others, or from these before a change; copies are alike."""
        known = blake2b(digest_size=8)
        for path in self.files:
            known.update(path.read_bytes())
        return known.hexdigest()


def understood(notes: Mapping[str, Sequence[str]]) -> list[str]:
    """Returns how the truths of pictures were understood: each kind of note once.

    Notes of one kind differ in nothing but numbers.

    Example:
        >>> understood({"a": ["3 nuclei."], "b": ["9 nuclei."], "c": ["Resized."]})
        ['a and 1 more: 3 nuclei.', 'c: Resized.']
    """
    kinds: dict[str, list[tuple[str, str]]] = {}
    for name, told in notes.items():
        for note in told:
            kinds.setdefault(re.sub(r"[\d.,]+", "0", note), []).append((name, note))
    return [
        f"{all_of[0][0]}{f' and {len(all_of) - 1} more' if all_of[1:] else ''}: {all_of[0][1]}"
        for all_of in kinds.values()
    ]
