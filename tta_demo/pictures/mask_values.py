"""The values of a mask, what they were read as, and what several rules ask and tell of them."""

from dataclasses import dataclass

import numpy as np

from tta_demo.pictures.palettes import IGNORED, Palette
from tta_demo.pictures.words import several

__all__ = ["TOLERANCE", "UNKNOWN", "MaskValues", "Reading", "absent_notes", "all_grey"]
__all__ += ["brightness", "even_steps", "ignored_notes", "nearest", "pair_note", "placed"]
__all__ += ["steps_note", "takes_any_two"]

TOLERANCE = 24
"""Largest channel difference at which a colour still counts as the nearest class colour."""

UNKNOWN = -1
"""The place of a transparent pixel, and the id of a value that is no class."""


@dataclass(frozen=True)
class MaskValues:
    """The different values of a mask; equal pixels have equal classes.

    Attributes:
        places: `(H, W)` which value a pixel has, `UNKNOWN` where it is transparent.
        counts: `(k,)` pixels a value.
        numbers: `(k,)` what may be ids: greys or indices; None in a coloured mask.
        levels: `(k,)` greys, which may be black and white; None where there are colours.
        colors: `(k, 3)` uint8 RGB; None for greys beyond 0..255.
        stored_grey: the file has one number a pixel that is no palette index.
        lossy: the file was compressed with loss.
        objects: whether the world knows objects: one kind of thing, which may be numbered.
    """

    places: np.ndarray
    counts: np.ndarray
    numbers: np.ndarray | None
    levels: np.ndarray | None
    colors: np.ndarray | None
    stored_grey: bool
    lossy: bool
    objects: bool


@dataclass(frozen=True)
class Reading:
    """What values stand for.

    Attributes:
        ids: `(k,)` class ids, `UNKNOWN` where a value is no class.
        notes: what was understood.
        instances: the ids number objects instead of classes.
    """

    ids: np.ndarray
    notes: tuple[str, ...] = ()
    instances: bool = False


def placed(mask: MaskValues, values: np.ndarray) -> np.ndarray:
    """Returns `(H, W)` of values `(k,)`, 0 where the mask is transparent."""
    return np.append(values, 0)[mask.places]


def nearest(colors: np.ndarray, table: np.ndarray, within: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the only nearest row of a table for each colour, and how far away it is.

    Args:
        colors: `(k, 3)` integers in -255..255.
        table: `(C, 3)` the same.
        within: largest channel difference at which a row counts.

    Returns:
        `(k,)` rows, `UNKNOWN` where none or two are nearest; `(k,)` largest channel differences,
        `within + 1` where no row counts.
    """
    ids, least = np.full(len(colors), UNKNOWN), np.full(len(colors), within + 1, np.int16)
    for index, color in enumerate(table.astype(np.int16)):
        away = np.abs(colors.astype(np.int16) - color).max(1)
        ids[away == least] = UNKNOWN
        ids[away < least] = index
        least = np.minimum(least, away)
    return ids, least


def all_grey(colors: np.ndarray | None) -> bool:
    """Returns whether colours `(k, 3)` are greys; those that are not told are."""
    return colors is None or bool((colors == colors[:, :1]).all())


def brightness(colors: np.ndarray) -> np.ndarray:
    """Returns the brightness `(k,)`, in 0..255, of RGB colours `(k, 3)` in 0..255."""
    return colors @ np.array([0.299, 0.587, 0.114])


def takes_any_two(mask: MaskValues, palette: Palette) -> bool:
    """Returns whether only one class can be meant by what is not the background."""
    return len(palette.names) == 2 or (mask.objects and len(palette.names) > 2)


def even_steps(palette: Palette) -> np.ndarray:
    """Returns greys `(C,)` in even steps from 0 to 255 for 3 to 6 classes; none for others."""
    classes = len(palette.names)
    return np.linspace(0, 255, classes).round() if 3 <= classes <= 6 else np.empty(0)


def steps_note(palette: Palette) -> str:
    """Returns a note on the classes of greys in even steps."""
    told = zip(even_steps(palette), palette.names, strict=True)
    text = ", ".join(f"{step:g} as {name}" for step, name in told)
    return f"The greys were read in even steps: {text}."


def pair_note(dark: object, bright: object, palette: Palette) -> str:
    """Returns a note on which of two values, a grey or a colour, was read as which class."""
    return f"The darker {dark} was read as {palette.names[0]}, {bright} as {palette.names[1]}."


def absent_notes(mask: MaskValues, palette: Palette) -> tuple[str, ...]:
    """Returns a note if two values leave out classes; those of objects can be made."""
    absent = "" if mask.objects else ", ".join(palette.names[2:])
    return (f"The mask has no {absent}.",) if absent else ()


def ignored_notes(mask: MaskValues, ids: np.ndarray) -> tuple[str, ...]:
    """Returns a note if values were read as `IGNORED`."""
    count = int(mask.counts[ids == IGNORED].sum())
    verb = "counts" if count == 1 else "count"
    return (f"{several(count, 'pixel')} {verb} nowhere: the mask leaves open what is there.",) * (
        count > 0
    )
