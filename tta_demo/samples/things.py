"""The photographs among the examples with boxes around what they are about.

What it is was written down before any model had looked. Where it is, the masks drawn by hand tell,
or a box drawn by hand.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from tta_demo.pictures.masks import read_mask
from tta_demo.pictures.palettes import COCO, SUBJECT
from tta_demo.pictures.reading import Picture, read_picture
from tta_demo.tta.boxes import Boxes

__all__ = ["photo_of_thing"]

_SUBJECTS = {"astronaut": "person", "chelsea": "cat", "coffee": "cup"}
"""The names that COCO has for them; it has none for a rocket."""

_BOXES = {"astronaut": (18, 16, 364, 512), "coffee": (147, 15, 349, 264)}
"""Drawn by hand where the mask holds more: the helmet in her lap; saucer and spoon."""


def photo_of_thing(path: Path) -> tuple[Picture, Boxes | None]:
    """Returns an example photograph and the true box of its subject, labels as those of `COCO`.

    None if the subject is none of COCO's things. A note of the picture tells what is known.
    """
    picture, name = read_picture(path), _SUBJECTS.get(path.stem)
    if name is None:
        note = "Its subject is none of the 80 things: there is no truth to score against."
        return _noted(picture, note), None
    box = _BOXES.get(path.stem) or _around(path.with_name(f"{path.stem}-mask.png"), picture)
    note = f"The truth is one box, around the {name}; boxes of other things are not scored."
    return _noted(picture, note), Boxes([box], [1.0], [COCO.names.index(name)])


def _noted(picture: Picture, note: str) -> Picture:
    return replace(picture, notes=(*picture.notes, note))


def _around(mask: Path, picture: Picture) -> tuple[int, int, int, int]:
    """Returns the corners of what a mask marks, pixel edges."""
    labels, _ = read_mask(mask, SUBJECT, picture)
    rows, columns = np.nonzero(labels)
    return columns.min(), rows.min(), columns.max() + 1, rows.max() + 1
