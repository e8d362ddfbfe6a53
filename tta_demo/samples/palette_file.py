"""Palette files: the colours of classes as JSON, and which of these a mirror exchanges."""

import json
from collections.abc import Sequence
from pathlib import Path

from tta_demo.pictures.palettes import IGNORED, MAX_CLASSES, Palette, numbered_palette
from tta_demo.samples.folders import blamed

__all__ = ["read_palette", "read_swap"]

WANTED = 'write {"class name": [red, green, blue], ...}'
IGNORE = "ignore"
"""The name of what counts nowhere."""
_MOST = 2**20
"""Bytes."""
_MOST_COLORS = 1000
"""Every pixel of a mask is compared with all of them."""


def read_palette(path: Path, names: Sequence[str] | None = None) -> Palette:
    """Returns the palette of a JSON file `{"class name": [red, green, blue], ...}`.

    A class may have several colours, `[[red, green, blue], ...]`: it is shown in the first one.
    Pixels of a class called `ignore`, where the model has none of this name, count nowhere.

    Its classes may stand in any order if `names` are given, in that of the ids; else theirs is it.
    They may also stand under `classes`, beside `swap`, see `read_swap`; or as categories do in
    files of COCO and Cityscapes, see `_of_categories`.

    Raises:
        ValueError: the file is missing or no such JSON, or its classes are not exactly `names`.
    """
    with blamed(path, "is no palette for this model"):
        entries, _ = _colors_and_swap(path)
        told = [name for name, _ in entries if name != IGNORE]
        return _palette(entries, told if names is None else names)


def read_swap(path: Path) -> tuple[tuple[str, str], ...]:
    """Returns the pairs of classes that a mirror exchanges; none if the palette tells none.

    They stand in `{"classes": {"left lung": [red, green, blue], ...}, "swap": [["left lung",
    "right lung"], ...]}`.

    Raises:
        ValueError: the file is missing, no palette, or `swap` is no list of pairs of names.
    """
    with blamed(path, "is no palette for this model"):
        _, pairs = _colors_and_swap(path)
        if not isinstance(pairs, list) or not all(_is_pair(pair) for pair in pairs):
            raise ValueError('write "swap": [["left name", "right name"], ...]')
        return tuple((one, other) for one, other in pairs)


def _colors_and_swap(path: Path) -> tuple[tuple[tuple[str, object], ...], object]:
    """Returns a palette file's entries, name and colour, and what stands under `swap`."""
    if path.stat().st_size > _MOST:
        raise ValueError(f"it has {path.stat().st_size:,} bytes, {_MOST:,} are the most")
    # Pairs instead of a dict, which would drop the first of two equal names in silence.
    entries = json.loads(path.read_text("utf-8-sig"), object_pairs_hook=tuple)
    whole = dict(entries) if isinstance(entries, tuple) else {"categories": entries}
    if isinstance(whole.get("categories"), list) and not _is_color(whole["categories"]):
        return _of_categories(whole["categories"]), []
    if not isinstance(entries, tuple):
        raise ValueError(WANTED)
    if not isinstance(whole.get("classes"), tuple):  # a list is a class's colour
        return entries, []
    others = set(whole) - {"classes", "swap"}
    if others:
        raise ValueError(f"beside classes only swap may stand, not {_some(sorted(others))}")
    return whole["classes"], whole.get("swap", [])


def _of_categories(listed: list[object]) -> tuple[tuple[str, object], ...]:
    """Returns the entries of `[{"id": 1, "name": "tree", "color": [0, 128, 0]}, ...]`.

    The ids of Cityscapes are those called `trainId`: classes that share one are one class, and
    those of 255 or below 0 count nowhere. Classes without colours get those of `numbered_palette`.
    """
    objects = [dict(one) for one in listed if isinstance(one, tuple)]
    if len(objects) < len(listed) or not all(isinstance(o.get("name"), str) for o in objects):
        raise ValueError(WANTED)
    known = sorted(objects, key=_id_of)
    plain = numbered_palette(min(len(known), MAX_CLASSES)).colors
    entries: dict[int, tuple[str, list[object]]] = {}
    for number, one in enumerate(known[:MAX_CLASSES]):
        color = one.get("color", list(plain[number]))
        key = _id_of(one)
        name = one["name"] if 0 <= key < IGNORED else IGNORE
        entries.setdefault(key if name != IGNORE else IGNORED, (name, []))[1].append(color)
    return tuple(entries.values())


def _id_of(category: dict[str, object]) -> int:
    found = category.get("trainId", category.get("id", 0))
    if type(found) is not int:
        raise ValueError(f"{_some([category['name']])} has no id that is an integer")
    return found


def _is_color(value: object) -> bool:
    return isinstance(value, list) and all(type(channel) is int for channel in value)


def _is_pair(pair: object) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and all(isinstance(x, str) for x in pair)


def _palette(entries: tuple[tuple[str, object], ...], names: Sequence[str]) -> Palette:
    told = [name for name, _ in entries]
    open_ends = {IGNORE} - set(names)
    if sorted(name for name in told if name not in open_ends) != sorted(names):
        missing, unknown = (set(names) - set(told)), set(told) - set(names) - open_ends
        missing = _some([name for name in names if name in missing])
        unknown = _some([name for name in told if name in unknown])
        raise ValueError(f"give each class once (missing: {missing}; unknown: {unknown})")
    colors = {name: _colors(name, color) for name, color in entries}
    count = sum(len(all_of) for all_of in colors.values())
    if count > _MOST_COLORS:
        raise ValueError(f"it has {count:,} colours, {_MOST_COLORS:,} are the most")
    ids = {name: number for number, name in enumerate(names)}
    also = [
        (color, ids.get(name, IGNORED))
        for name, all_of in colors.items()
        for color in all_of[name in ids :]
    ]
    return Palette(tuple(names), tuple(colors[name][0] for name in names), tuple(also))


def _colors(name: str, told: object) -> list[tuple[int, int, int]]:
    """Returns the colours of a class, at least one: of a colour, or of a list of them."""
    several = told if isinstance(told, list) and told and isinstance(told[0], list) else [told]
    for color in several:
        if not isinstance(color, list) or any(type(channel) is not int for channel in color):
            raise ValueError(
                f"{_some([name])} needs a colour [red, green, blue] of integers in 0..255"
            )
    return [tuple(color) for color in several]


def _some(names: list[str]) -> str:
    """Returns the first of some names, each cut where it is long."""
    shown = [name if len(name) <= 40 else f"{name[:39]}…" for name in names[:5]]
    return ", ".join(shown + ["..."] * (len(names) > 5)) or "none"
