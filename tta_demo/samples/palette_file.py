"""Palette files: the colours of classes as JSON, and which of these a mirror exchanges."""

import json
from collections.abc import Sequence
from pathlib import Path

from tta_demo.pictures.palettes import Palette
from tta_demo.samples.folders import blamed

__all__ = ["read_palette", "read_swap"]


def read_palette(path: Path, names: Sequence[str] | None = None) -> Palette:
    """Returns the palette of a JSON file `{"class name": [red, green, blue], ...}`.

    Its classes may stand in any order if `names` are given, in that of the ids; else theirs is it.
    They may also stand under `classes`, beside `swap`, see `read_swap`.

    Raises:
        ValueError: the file is missing or no such JSON, or its classes are not exactly `names`.
    """
    with blamed(path, "is no palette for this model"):
        entries, _ = _colors_and_swap(path)
        return _palette(entries, [name for name, _ in entries] if names is None else names)


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
    # Pairs instead of a dict, which would drop the first of two equal names in silence.
    entries = json.loads(path.read_text("utf-8-sig"), object_pairs_hook=tuple)
    if not isinstance(entries, tuple):
        raise ValueError('write {"class name": [red, green, blue], ...}')
    whole = dict(entries)
    if not isinstance(whole.get("classes"), tuple):  # a list is a class's colour
        return entries, []
    others = set(whole) - {"classes", "swap"}
    if others:
        raise ValueError(f"beside classes only swap may stand, not {', '.join(sorted(others))}")
    return whole["classes"], whole.get("swap", [])


def _is_pair(pair: object) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and all(isinstance(x, str) for x in pair)


def _palette(entries: tuple[tuple[str, object], ...], names: Sequence[str]) -> Palette:
    colors = dict(entries)
    if sorted(name for name, _ in entries) != sorted(names):
        missing = ", ".join(name for name in names if name not in colors)
        unknown = ", ".join(name for name in colors if name not in names)
        raise ValueError(
            f"give each class once (missing: {missing or 'none'}; unknown: {unknown or 'none'})"
        )
    for name, color in entries:
        if not isinstance(color, list) or any(type(channel) is not int for channel in color):
            raise ValueError(f"{name} needs a colour [red, green, blue] of integers in 0..255")
    return Palette(tuple(names), tuple(tuple(colors[name]) for name in names))
