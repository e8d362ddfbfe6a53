"""Counting in words."""

__all__ = ["several"]


def several(count: int, thing: str) -> str:
    """Returns a number of things, as people write it.

    Example:
        >>> several(1, "picture"), several(1200, "picture")
        ('1 picture', '1,200 pictures')
    """
    return f"{count:,} {thing}{'' if count == 1 else 's'}"
