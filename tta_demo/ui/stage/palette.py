"""Colours that classes are shown in: bright on earth, leaves and tissue, and told apart."""

from colorsys import hls_to_rgb

__all__ = ["display_colors"]

_FIRST = (
    (120, 113, 108),
    (244, 63, 180),
    (250, 204, 21),
    (45, 212, 160),
    (139, 92, 246),
    (241, 245, 249),
    (163, 92, 40),
)
_GOLDEN_ANGLE = 0.381966
_LIGHTNESS = (0.62, 0.78, 0.46)


def display_colors(count: int) -> tuple[tuple[int, int, int], ...]:
    """Returns RGB colours 0..255 for this many classes; the first is a quiet one.

    They differ from the colours of mask files, which nobody chose to be seen on a photograph.
    Colour-blind people tell the first seven apart; the blue of a mended pixel and the orange of
    a broken one are not among them.

    Args:
        count: classes, at least 1.

    Example:
        >>> display_colors(3)
        ((120, 113, 108), (244, 63, 180), (250, 204, 21))
        >>> len(set(display_colors(150)))
        150
    """
    return _FIRST[:count] + tuple(_spread(i) for i in range(count - len(_FIRST)))


def _spread(index: int) -> tuple[int, int, int]:
    light = _LIGHTNESS[index % len(_LIGHTNESS)]
    rgb = hls_to_rgb(index * _GOLDEN_ANGLE % 1, light, 0.72)
    return (round(255 * rgb[0]), round(255 * rgb[1]), round(255 * rgb[2]))
