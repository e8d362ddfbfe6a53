"""Classes of a visitor's model as text to edit: names, colours, and pairs of left and right."""

import re
from collections.abc import Sequence
from dataclasses import replace

from tta_demo.models.record import ModelRecord
from tta_demo.models.swap import Pairs, likely_pairs
from tta_demo.pictures.palettes import Palette

__all__ = ["lines_of", "names_of", "offered_pairs", "pairs_of", "palette_of", "text_of"]

_COLORED = re.compile(r"(.*?)\s*(#[0-9a-fA-F]{6})?")
_LONGEST = 60
"""Letters of a class name."""
_LINE = 1000
"""Letters of a pair: names that come with a model may be longer."""


def text_of(record: ModelRecord) -> str:
    """Returns a model's classes a line each: the name, and its colour if there are colours."""
    if record.palette is None:
        return "\n".join(record.classes)
    lines = zip(record.palette.names, record.palette.colors, strict=True)
    return "\n".join(f"{name} #{bytes(color).hex()}" for name, color in lines)


def names_of(text: str, before: Sequence[str]) -> tuple[str, ...]:
    r"""Returns the names of such a text without colours.

    Raises:
        ValueError: there are more or fewer lines than classes before, or a name is missing, too
            long or there twice.

    Example:
        >>> names_of("cat\n dog", ["class 0", "class 1"])
        ('cat', 'dog')
    """
    return _checked([line.strip() for line in text.strip().splitlines()], len(before))


def palette_of(text: str, before: Palette) -> Palette:
    r"""Returns the classes of such a text; a line without a colour keeps the one before.

    Raises:
        ValueError: as `names_of`.

    Example:
        >>> before = Palette(("class 0", "class 1"), ((0, 0, 0), (128, 0, 0)))
        >>> palette_of("class 0 #000000\nweed", before).names
        ('class 0', 'weed')
    """
    lines = text.strip().splitlines()
    found = [_name_and_color(line.strip()) for line in lines]
    names = _checked([name for name, _ in found], len(before.names))
    colors = tuple(
        tuple(bytes.fromhex(color[1:])) if color else old
        for (_, color), old in zip(found, before.colors, strict=True)
    )
    return replace(before, names=names, colors=colors)


def _name_and_color(line: str) -> tuple[str, str | None]:
    if len(line) > 2 * _LONGEST:  # no name, and it could take long to part
        return line, None
    return _COLORED.fullmatch(line).groups()


def lines_of(pairs: Pairs) -> str:
    """Returns pairs as text, a line each.

    Example:
        >>> lines_of((("left lung", "right lung"),))
        'left lung = right lung'
    """
    return "\n".join(f"{one} = {other}" for one, other in pairs)


def pairs_of(text: str, classes: Sequence[str]) -> Pairs:
    r"""Returns the pairs of such a text; empty lines do not count.

    Names may have a `=` themselves where only one way to part a line gives two of the classes.

    Raises:
        ValueError: a line is no pair.

    Example:
        >>> pairs_of("left lung = right lung\n", ["left lung", "right lung"])
        (('left lung', 'right lung'),)
    """
    return tuple(_pair(line.strip(), classes) for line in text.splitlines() if line.strip())


def offered_pairs(record: ModelRecord) -> Pairs:
    """Returns the pairs that a model's names suggest, if it has none yet."""
    return () if record.swap else likely_pairs(record.classes)


def _pair(line: str, classes: Sequence[str]) -> tuple[str, str]:
    if len(line) > _LINE:  # each `=` may part it
        raise ValueError(f"a line has {len(line)} letters: write one pair of classes a line")
    signs = [place for place, letter in enumerate(line) if letter == "="]
    parted = [(line[:place].strip(), line[place + 1 :].strip()) for place in signs]
    if not parted:
        raise ValueError(f"{line!r} is no pair: write left_lung = right_lung, one pair a line")
    return next((pair for pair in parted if set(pair) <= set(classes)), parted[0])


def _checked(names: Sequence[str], count: int) -> tuple[str, ...]:
    if len(names) != count:
        raise ValueError(f"{len(names)} lines for {count} classes: write one a line")
    seen = set()
    for number, name in enumerate(names):
        if not name or len(name) > _LONGEST or not name.isprintable():
            raise ValueError(
                f"line {number + 1} has no name of 1 to {_LONGEST} letters: {name[:80]!r}"
            )
        if name in seen:
            raise ValueError(f"two classes are called {name!r}: give each its own name")
        seen.add(name)
    return tuple(names)
