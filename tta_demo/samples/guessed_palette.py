"""The classes of a folder of masks, guessed from the masks themselves, for people to confirm."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from tta_demo.pictures.masks import values_of
from tta_demo.pictures.palettes import IGNORED, MAX_CLASSES, Color, Palette, numbered_palette

__all__ = ["guess_palette"]


def guess_palette(masks: Iterable[Path]) -> tuple[Palette, dict[str, int]]:
    """Returns a palette of what masks hold, with made-up names, and the pixels of each class.

    Greys are class ids, from 0 to the highest, `IGNORED` excepted; 0 and 255 alone are black and
    white. Of files with colours each colour is a class, in the order of the file's own table, else
    the darkest first.

    Raises:
        ValueError: there is no mask, or no palette has so many classes; as `values_of`.

    Example:
        >>> from tta_demo.pictures.assets import ASSETS
        >>> palette, pixels = guess_palette([ASSETS / "examples" / "weeds-4000010-mask.png"])
        >>> palette.names, palette.colors
        (('class 0', 'class 1', 'class 2'), ((0, 0, 0), (128, 0, 0), (0, 128, 0)))
    """
    ids: Counter[int] = Counter()
    colors: Counter[Color] = Counter()
    index: dict[Color, int] = {}
    for path in masks:
        counts, numbers, table = values_of(path)
        if table is None:
            ids.update(dict(zip(numbers.tolist(), counts.tolist(), strict=True)))
            continue
        told = [tuple(color) for color in table.tolist()]
        colors.update(dict(zip(told, counts.tolist(), strict=True)))
        if numbers is not None:
            index |= dict(zip(told, numbers.tolist(), strict=True))
    if not (colors or ids):
        raise ValueError("there is no mask to guess the classes from: give a folder of masks")
    if colors:  # then greys are colours, too
        colors.update({(value, value, value): count for value, count in ids.items()})
        found = sorted(colors, key=lambda color: (index.get(color, IGNORED), sum(color), color))
        pixels = [colors[color] for color in found]
    elif ids.keys() <= {0, IGNORED}:
        found, pixels = [(0, 0, 0), (255, 255, 255)], [ids[0], ids[IGNORED]]
    else:
        most = 1 + max(value for value in ids if value != IGNORED)
        found = numbered_palette(min(most, MAX_CLASSES)).colors
        pixels = [ids[value] for value in range(most)]
    if len(pixels) > MAX_CLASSES:
        told = "smoothed edges make new colours, and photographs are no masks"
        raise ValueError(f"the masks hold {len(pixels):,} classes, {MAX_CLASSES} at most: {told}")
    names = tuple(f"class {number}" for number in range(len(found)))
    return Palette(names, tuple(found)), dict(zip(names, pixels, strict=True))
