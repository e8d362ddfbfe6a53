"""Numbers as people write them."""

from math import isnan

__all__ = ["figure", "several", "signed"]


def several(count: int, thing: str) -> str:
    """Returns a number of things, as people write it.

    Example:
        >>> several(1, "picture"), several(1200, "picture")
        ('1 picture', '1,200 pictures')
    """
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def figure(value: float, digits: int) -> str:
    """Returns a number with so many digits; a dash for NaN.

    Example:
        >>> figure(99.666, 1), figure(float("nan"), 1)
        ('99.7', '–')
    """
    return "–" if isnan(value) else f"{value:.{digits}f}"


def signed(value: float, digits: int, zero: str = "") -> str:
    """Returns a difference with its sign, `zero` where it rounds to 0; a dash for NaN.

    Example:
        >>> signed(1.25, 2), signed(-1.25, 2), signed(-0.001, 2, zero="±")
        ('+1.25', '−1.25', '±0.00')
    """
    text = figure(abs(value), digits)
    if isnan(value):
        return text
    return (zero if float(text) == 0 else "+" if value > 0 else "−") + text
