"""What the values of a mask mean: class ids by the first rule that explains all of them.

Exact rules come first: ids, class colours, levels of grey. What still matches no class is refused,
because a smoothed edge read as some class would make a wrong truth. Only in files that were
compressed with loss may a pixel take the nearest colour, see `lossy_masks`.
"""

from dataclasses import replace

import numpy as np

from tta_demo.pictures.instances import are_instances
from tta_demo.pictures.lossy_masks import NEAR_IN_LOSSY
from tta_demo.pictures.mask_values import (
    TOLERANCE,
    UNKNOWN,
    MaskValues,
    Reading,
    absent_notes,
    all_grey,
    brightness,
    even_steps,
    ignored_notes,
    nearest,
    pair_note,
    placed,
    steps_note,
    takes_any_two,
)
from tta_demo.pictures.palettes import IGNORED, Palette
from tta_demo.pictures.words import several

__all__ = ["meaning"]


def meaning(mask: MaskValues, palette: Palette, name: str) -> Reading:
    """Returns the reading of a mask by the first rule that explains all its values.

    A rule that does not apply to such masks returns None.

    Raises:
        ValueError: no rule explains them; names the file, the values and what was expected.
    """
    first = (_by_instance, _by_number, _by_number_but_ignored) if mask.stored_grey else ()
    exact = (_by_color, _by_level, _by_step, _by_instance)
    exact += (_by_number, _by_number_but_ignored, _by_shade)
    for rule in (*first, *exact, *(NEAR_IN_LOSSY if mask.lossy else (_near_color,))):
        reading = rule(mask, palette)
        if reading and not (reading.ids == UNKNOWN).any():
            return reading
    raise ValueError(_complaint(mask, palette, name))


def _by_color(mask: MaskValues, palette: Palette, within: int = 0) -> Reading | None:
    """Reads colours by the only nearest palette colour, if it is no further than `within`."""
    if mask.colors is None:
        return None
    table, meant = palette.in_masks
    ids, away = nearest(mask.colors, table, within)
    ids = np.append(meant, UNKNOWN)[ids]  # the last place is that of `UNKNOWN`
    changed = mask.counts[away > 0].sum()
    told = f"matched to the nearest class colour, at most {within} away"
    notes = (f"{several(changed, 'pixel')} {told}.",) if within else ()
    return Reading(ids, (*notes, *ignored_notes(mask, ids)))


def _near_color(mask: MaskValues, palette: Palette) -> Reading | None:
    """Reads colours within the tolerance; a dark grey is an unknown id, not a bad black."""
    return None if all_grey(mask.colors) else _by_color(mask, palette, TOLERANCE)


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


def _by_number_but_ignored(mask: MaskValues, palette: Palette) -> Reading | None:
    """Reads ids beside `IGNORED`; white beside black alone is a class, see `_by_level`."""
    if mask.numbers is None or not (np.isin(mask.numbers, (0, IGNORED), invert=True)).any():
        return None
    void = mask.numbers == IGNORED
    told = _by_number(replace(mask, numbers=np.where(void, 0, mask.numbers)), palette)
    if told is None or not void.any():
        return None
    ids = np.where(void, IGNORED, told.ids)
    return Reading(ids, (*told.notes, *ignored_notes(mask, ids)))


def _by_instance(mask: MaskValues, palette: Palette) -> Reading | None:
    """Reads the numbers of objects, in worlds that know objects."""
    numbers = _whole_numbers(mask)
    if not mask.objects or mask.lossy or numbers is None:
        return None
    for rule in (_by_color, _by_step):  # ids below the number of classes are told by shape
        told = rule(mask, palette) if numbers.max() >= len(palette.names) else None
        if told and not (told.ids == UNKNOWN).any():
            return None
    if not are_instances(placed(mask, numbers), len(palette.names)):
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
    notes = () if plain else (pair_note(f"{dark:g}", f"{bright:g}", palette),)
    return Reading((mask.levels == bright).astype(int), notes + absent_notes(mask, palette))


def _by_step(mask: MaskValues, palette: Palette) -> Reading | None:
    """Reads greys in even steps from black to white, as 0, 128 and 255, as the classes' ids."""
    if mask.levels is None or not len(steps := even_steps(palette)) or mask.levels.min() != 0:
        return None
    away = np.abs(mask.levels[:, None].astype(float) - steps)
    return Reading(np.where(away.min(1) <= 1, away.argmin(1), UNKNOWN), (steps_note(palette),))


def _by_shade(mask: MaskValues, palette: Palette) -> Reading | None:
    """Reads two colours as classes 0 and 1, the darker one as 0."""
    if mask.colors is None or len(mask.colors) != 2 or not takes_any_two(mask, palette):
        return None
    dark, bright = mask.colors[np.argsort(brightness(mask.colors))].tolist()
    ids = (mask.colors == bright).all(1).astype(int)
    note = pair_note(tuple(dark), tuple(bright), palette)
    return Reading(ids, (note, *absent_notes(mask, palette)))


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
    if numbers is not None and are_instances(placed(mask, numbers), len(palette.names)):
        return (
            "these look like numbers of objects (instance ids), which do not say of which class "
            "each is; give every object the id or colour of its class"
        )
    if mask.lossy:
        return "too many pixels lie between colours to tell which class they are; save it as PNG"
    return "save the mask as PNG without smoothing, in these colours or ids"
