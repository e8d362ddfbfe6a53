"""What there is to know of a model, before it is loaded."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, partial
from hashlib import blake2b, file_digest
from pathlib import Path
from typing import Any

import torch

from tta_demo.models.swap import Pairs, pair_ids
from tta_demo.pictures.palettes import Palette
from tta_demo.tta.symmetry import IDENTITY
from tta_demo.tta.views import View

__all__ = ["Augmentation", "ModelRecord", "digest_of"]


@dataclass(frozen=True)
class Augmentation:
    """What training showed the model beside the pictures; uniform or log-uniform draws.

    Attributes:
        d4: mirrored and turned by quarter turns, all eight alike.
        zoom: lowest and highest magnification.
        gain: brightness factor over 0..1, clipped.
        gamma: exponent.
        tint: largest change of one colour channel's gain.
        noise: largest standard deviation of Gaussian noise over 0..1.
    """

    d4: bool = True
    zoom: tuple[float, float] = (0.7, 1.4)
    gain: tuple[float, float] = (0.5, 2.5)
    gamma: tuple[float, float] = (0.7, 1.4)
    tint: float = 0.1
    noise: float = 0.03

    def covers(self, view: View) -> bool:
        """Tells whether training showed the model what this view shows it."""
        return (
            (self.d4 or view.symmetry == IDENTITY)
            and self.zoom[0] <= view.zoom <= self.zoom[1]
            and self.gain[0] <= view.gain <= self.gain[1]
            and self.gamma[0] <= view.gamma <= self.gamma[1]
            and view.noise <= self.noise
            and view.contrast == 1
            and view.tilt == 0
        )


@dataclass(frozen=True)
class ModelRecord:
    """A model of the registry, or one made at run time from somebody's file.

    Attributes:
        name: what it is called in commands, reports and weights files.
        task: `segment`, `classify` or `detect`.
        label: plain words for people.
        summary: what it knows, in a sentence.
        source: where it comes from, and under what licence.
        domain: a key of `DOMAINS`.
        weights: tells where its weights are; asked when they are needed.
        load: from that path, a device and what to compute in (None for the model's own choice) to
            the model: a `Model`, or a `BoxModel` for `detect`.
        palette: its classes and their colours; boxes have the labels 1..C-1.
        names: of a model without palette, its classes in the order of the logits.
        class_table: instead, a CSV file with a row per class, in that order: synset, name.
        augmentation: what training showed it; None if that is not known.
        role: a word for what it is among models of the same classes; empty without such.
        reading: how its file is read, where that can be corrected; another reading is another
            model.
        swap: pairs of classes that a mirror exchanges, left and right; with others it is another
            model.

    Raises:
        ValueError: `swap` names a class that is not there, or one twice.
    """

    name: str
    task: str
    label: str
    summary: str
    source: str
    domain: str
    weights: Callable[[], Path]
    load: Callable[[Path, str, torch.dtype | None], Callable[..., Any]]
    palette: Palette | None = None
    names: tuple[str, ...] = ()
    class_table: Path | None = None
    augmentation: Augmentation | None = None
    role: str = ""
    reading: str = ""
    swap: Pairs = ()

    def __post_init__(self) -> None:
        if self.swap:
            _ = self.swap_ids

    @property
    def called(self) -> str:
        """What people call it beside others: its role, or else its label."""
        return self.role or self.label

    @cached_property
    def swap_ids(self) -> tuple[tuple[int, int], ...]:
        """The ids of the classes that a mirror exchanges."""
        return pair_ids(self.swap, self.classes)

    @cached_property
    def digest(self) -> str:
        """Tells these weights from all others, see `digest_of`."""
        swap = str(sorted(map(sorted, self.swap_ids))) if self.swap else ""
        return digest_of(self.weights(), self.reading + swap)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """C names in plain words, all different."""
        if self.palette:
            return self.palette.names
        return self.names or tuple(row["name"] for row in self._table)

    @cached_property
    def synsets(self) -> tuple[str, ...]:
        """C WordNet ids, `n01440764`; none for a model without a table of classes."""
        return tuple(row["synset"] for row in self._table)

    @cached_property
    def _table(self) -> list[dict[str, str]]:
        if self.class_table is None:
            return []
        with self.class_table.open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))


def digest_of(path: Path, reading: str = "") -> str:
    """Returns 16 hexadecimal digits that tell a file, read this way, from all others (BLAKE2b)."""
    with path.open("rb") as file:  # in pieces: some are large
        digest = file_digest(file, partial(blake2b, digest_size=8))
    digest.update(reading.encode())
    return digest.hexdigest()
