"""What the values of a mask mean: class ids by the first rule that explains all of them.

Exact rules come first: ids, class colours, levels of grey. What still matches no class is refused,
because a smoothed edge read as some class would make a wrong truth. Only in files that were
compressed with loss may a pixel take the nearest colour, and only if nearly all are clear.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from tta_demo.pictures.instances import are_instances
from tta_demo.pictures.palettes import Palette
from tta_demo.pictures.words import several

__all__ = ["TOLERANCE", "MaskValues", "Reading", "meaning"]

TOLERANCE = 24
"""Largest channel difference at which a colour still counts as the nearest class colour."""
WIDE = 96
"""The same for pixels that lossy compression changed at an edge,"""
REACH = 8
"""which have a clear one no more pixels away than this,"""
UNCLEAR = {"grey": 0.25, "coloured": 1.5}
"""and are no more than this many times those of the classes but 0: chroma is stored coarsely."""
FLAT = 10
"""Largest difference from a colour in the areas that a mask fills with it, after compression."""
APART = 64
"""Least difference of two colours that are told apart in a file compressed with loss."""

UNKNOWN = -1


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


def meaning(mask: MaskValues, palette: Palette, name: str) -> Reading:
    """Returns the reading of a mask by the first rule that explains all its values.

    A rule that does not apply to such masks returns None.

    Raises:
        ValueError: no rule explains them; names the file, the values and what was expected.
    """
    first = (_by_instance, _by_number) if mask.stored_grey else ()
    exact = (_by_color, _by_level, _by_step, _by_instance, _by_number, _by_shade)
    for rule in (*first, *exact, *(_NEAR_IN_LOSSY if mask.lossy else (_near_color,))):
        reading = rule(mask, palette)
        if reading and not (reading.ids == UNKNOWN).any():
            return reading
    raise ValueError(_complaint(mask, palette, name))


def _by_color(mask: MaskValues, palette: Palette, within: int = 0) -> Reading | None:
    """Reads colours by the only nearest palette colour, if it is no further than `within`."""
    if mask.colors is None:
        return None
    ids, away = _nearest(mask.colors, palette.table, within)
    changed = mask.counts[away > 0].sum()
    told = f"matched to the nearest class colour, at most {within} away"
    return Reading(ids, (f"{several(changed, 'pixel')} {told}.",) if within else ())


def _nearest(colors: np.ndarray, table: np.ndarray, within: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the only nearest row `(k,)` of a table of colours, and how far it is."""
    ids, nearest = np.full(len(colors), UNKNOWN), np.full(len(colors), within + 1, np.int16)
    for index, color in enumerate(table.astype(np.int16)):
        away = np.abs(colors.astype(np.int16) - color).max(1)
        ids[away == nearest] = UNKNOWN
        ids[away < nearest] = index
        nearest = np.minimum(nearest, away)
    return ids, nearest


def _near_color(mask: MaskValues, palette: Palette) -> Reading | None:
    """Reads colours within the tolerance; a dark grey is an unknown id, not a bad black."""
    return None if all_grey(mask.colors) else _by_color(mask, palette, TOLERANCE)


def all_grey(colors: np.ndarray | None) -> bool:
    """Returns whether colours `(k, 3)` are greys; those that are not told are."""
    return colors is None or bool((colors == colors[:, :1]).all())


def _by_number(mask: MaskValues, palette: Palette) -> Reading | None:
    if mask.numbers is None or (mask.objects and len(mask.numbers) == 2 and mask.numbers.all()):
        return None  # two kinds of pixel, none of them 0: one is the background
    notes = ()
    if mask.levels is None:
        notes += ("The index numbers were read as class ids; the file's colours are others.",)
    if mask.lossy and len(mask.numbers) > 1:
        notes += ("Ids in a JPEG, WebP or AVIF file may have changed at edges: PNG keeps them.",)
    ids = np.full(len(mask.counts), UNKNOWN)
    valid = np.isin(mask.numbers, range(len(palette.names)))
    ids[valid] = mask.numbers[valid]
    return Reading(ids, notes)


def _by_instance(mask: MaskValues, palette: Palette) -> Reading | None:
    """Reads the numbers of objects, in worlds that know objects."""
    numbers = _whole_numbers(mask)
    if not mask.objects or mask.lossy or numbers is None:
        return None
    for rule in (_by_color, _by_step):  # ids below the number of classes are told by shape
        told = rule(mask, palette) if numbers.max() >= len(palette.names) else None
        if told and not (told.ids == UNKNOWN).any():
            return None
    if not are_instances(_placed(mask, numbers), len(palette.names)):
        return None
    count, (_, thing, *rest) = np.count_nonzero(numbers), palette.names
    rim = f" with its own {rest[0]}" if rest else ""
    note = f"The mask numbers its objects ({count}, instance ids): each was read as {thing}{rim}."
    return Reading(np.unique(numbers, return_inverse=True)[1] + (numbers.min() > 0), (note,), True)


def _whole_numbers(mask: MaskValues) -> np.ndarray | None:
    """Returns the numbers `(k,)` as int64 if all are whole and could be ids."""
    if mask.numbers is None or not len(mask.numbers):
        return None
    valid = np.isfinite(mask.numbers).all() and (mask.numbers % 1 == 0).all()
    return mask.numbers.astype(np.int64) if valid and mask.numbers.min() >= 0 else None


def _placed(mask: MaskValues, values: np.ndarray) -> np.ndarray:
    """Returns `(H, W)` of values `(k,)`, 0 where the mask is transparent."""
    return np.append(values, 0)[mask.places]


def _by_level(mask: MaskValues, palette: Palette) -> Reading | None:
    """Reads two greys as classes 0 and 1; where it could be another class, only black and white.

    A single grey other than 0 is all of class 1.
    """
    classes = len(palette.names)
    shades = np.unique(mask.levels) if mask.levels is not None else ()
    if classes < 2 or not 1 <= len(shades) <= 2 or not np.isfinite(shades).all():
        return None
    dark, bright = (0, *shades) if len(shades) == 1 else shades
    white = dark == 0 and bright in (255, 65535)
    free = classes == 2 or mask.objects
    if not (white or free) or (dark == 0 and bright < classes):
        return None
    plain = classes == 2 and white and bright == 255
    notes = () if plain else (_two(f"{dark:g}", f"{bright:g}", palette),)
    return Reading((mask.levels == bright).astype(int), notes + _without(mask, palette))


def _by_step(mask: MaskValues, palette: Palette) -> Reading | None:
    """Reads greys in even steps from black to white, as 0, 128 and 255, as the classes' ids."""
    if mask.levels is None or not len(steps := _steps(palette)) or mask.levels.min() != 0:
        return None
    away = np.abs(mask.levels[:, None].astype(float) - steps)
    return Reading(np.where(away.min(1) <= 1, away.argmin(1), UNKNOWN), _in_steps(palette))


def _steps(palette: Palette) -> np.ndarray:
    """Returns greys in even steps for 3 to 6 classes; none for others."""
    classes = len(palette.names)
    return np.linspace(0, 255, classes).round() if 3 <= classes <= 6 else np.empty(0)


def _in_steps(palette: Palette) -> tuple[str, ...]:
    told = zip(_steps(palette), palette.names, strict=True)
    text = ", ".join(f"{step:g} as {name}" for step, name in told)
    return (f"The greys were read in even steps: {text}.",)


def _by_shade(mask: MaskValues, palette: Palette) -> Reading | None:
    """Reads two colours as classes 0 and 1, the darker one as 0."""
    if mask.colors is None or len(mask.colors) != 2 or not _takes_any_two(mask, palette):
        return None
    dark, bright = mask.colors[np.argsort(_brightness(mask.colors))].tolist()
    ids = (mask.colors == bright).all(1).astype(int)
    return Reading(ids, (_two(tuple(dark), tuple(bright), palette), *_without(mask, palette)))


def _takes_any_two(mask: MaskValues, palette: Palette) -> bool:
    """Returns whether only one class can be meant by what is not the background."""
    return len(palette.names) == 2 or (mask.objects and len(palette.names) > 2)


def _light_first(colors: np.ndarray) -> np.ndarray:
    """Returns colours `(k, 3)` as Y and half of Cb and Cr, which such files blur at edges."""
    y, (red, _, blue) = _brightness(colors), colors.T.astype(float)
    return np.stack([y, (blue - y) * 0.282, (red - y) * 0.357], 1).round().astype(np.int16)


def _brightness(colors: np.ndarray) -> np.ndarray:
    return colors @ np.array([0.299, 0.587, 0.114])


def _two(dark: object, bright: object, palette: Palette) -> str:
    return f"The darker {dark} was read as {palette.names[0]}, {bright} as {palette.names[1]}."


def _without(mask: MaskValues, palette: Palette) -> tuple[str, ...]:
    """Returns a note on the classes that two values leave out; those of objects can be made."""
    absent = "" if mask.objects else ", ".join(palette.names[2:])
    return (f"The mask has no {absent}.",) if absent else ()


def _near_edge_color(mask: MaskValues, palette: Palette) -> Reading | None:
    return _snapped(mask, palette.table)


def _near_level(mask: MaskValues, palette: Palette) -> Reading | None:
    if mask.levels is None or len(palette.names) < 2:
        return None
    told = (f"White was read as {palette.names[1]}.", *_without(mask, palette))
    return _snapped(mask, np.array([[0] * 3, [255] * 3]), told)


def _near_step(mask: MaskValues, palette: Palette) -> Reading | None:
    if mask.levels is None or not len(steps := _steps(palette)):
        return None
    return _snapped(mask, np.stack([steps] * 3, 1), _in_steps(palette))


def _near_shade(mask: MaskValues, palette: Palette) -> Reading | None:
    """Reads the two most frequent colours that lie apart, the darker one as class 0."""
    if mask.colors is None or not _takes_any_two(mask, palette):
        return None
    first = mask.colors[mask.counts.argmax()].astype(int)
    others = np.where(np.abs(mask.colors - first).max(1) > APART, mask.counts, 0)
    pair = np.stack([first, mask.colors[others.argmax()]])
    pair = pair[np.argsort(_brightness(pair))]
    dark, bright = map(tuple, pair.tolist())
    told = (_two(dark, bright, palette), *_without(mask, palette))
    found = _snapped(mask, pair, told) if others.any() else None
    return found if found and _are_flat(mask, found.ids, pair) else None


def _are_flat(mask: MaskValues, ids: np.ndarray, pair: np.ndarray) -> bool:
    """Returns whether half of each of two colours' pixels have nearly that colour; no photo's."""
    _, away = _nearest(_light_first(mask.colors), _light_first(pair), FLAT)
    flat = mask.counts * (away <= FLAT)
    return all(2 * flat[ids == one].sum() >= mask.counts[ids == one].sum() for one in (0, 1))


_NEAR_IN_LOSSY = (_near_edge_color, _near_level, _near_step, _near_shade)


def _snapped(mask: MaskValues, table: np.ndarray, notes: tuple[str, ...] = ()) -> Reading | None:
    """Reads a file compressed with loss by the nearest of some colours `(C, 3)`.

    Pixels between them are right only at edges: near clear ones, and few.
    """
    if mask.colors is None:
        return None
    ids, away = _nearest(_light_first(mask.colors), _light_first(table), WIDE)
    unclear = _placed(mask, away > TOLERANCE).astype(np.uint8)
    most = UNCLEAR["grey" if all_grey(mask.colors) else "coloured"]
    if (ids == UNKNOWN).any() or unclear.sum() > most * mask.counts[ids > 0].sum():
        return None
    if cv2.distanceTransform(unclear, cv2.DIST_L2, 5).max() > REACH:
        return None
    changed = mask.counts[away > 0].sum()
    note = f"{several(changed, 'pixel')} that the compression changed took the nearest colour."
    return Reading(ids, (*notes, note))


def _complaint(mask: MaskValues, palette: Palette, name: str) -> str:
    """Returns what the most frequent unknown values are, and what was expected."""
    coloured = mask.levels is None
    told = _by_color(mask, palette, TOLERANCE) if coloured else _by_number(mask, palette)
    unknown = np.flatnonzero(told.ids == UNKNOWN)
    frequent = unknown[np.argsort(-mask.counts[unknown], kind="stable")][:5]
    shown = [*map(tuple, mask.colors.tolist())] if coloured else mask.levels.tolist()
    found = ", ".join(f"{shown[i]} in {several(mask.counts[i], 'pixel')}" for i in frequent)
    classes = [f"{i} {n} {palette.colors[i]}" for i, n in enumerate(palette.names)]
    return (
        f"{name} has {several(len(unknown), 'colour' if coloured else 'value')} "
        f"of no class: "
        f"{found}{', ...' if len(unknown) > len(frequent) else ''}; expected "
        f"{', '.join(classes[:10])}{', ...' if len(classes) > 10 else ''}: "
        f"{_advice(mask, palette)}"
    )


def _advice(mask: MaskValues, palette: Palette) -> str:
    numbers = _whole_numbers(mask)
    if numbers is not None and are_instances(_placed(mask, numbers), len(palette.names)):
        return (
            "these look like numbers of objects (instance ids), which do not say of which class "
            "each is; give every object the id or colour of its class"
        )
    if mask.lossy:
        return "too many pixels lie between colours to tell which class they are; save it as PNG"
    return "save the mask as PNG without smoothing, in these colours or ids"
