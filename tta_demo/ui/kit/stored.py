"""Measured results that come with the demo, told on the page, and what to tell without them."""

import json
from collections.abc import Callable
from functools import cache, wraps
from html import escape
from pathlib import Path
from typing import Any, ParamSpec

from tta_demo.pictures.assets import ASSETS

__all__ = ["UNTOLD", "results", "sources", "telling"]

P = ParamSpec("P")

UNTOLD = "<p class='small'>What was measured cannot be told: {} is missing or broken.</p>"


class _NoResultsError(ValueError):
    """A file of results is not there, or holds something else."""


def results(name: str) -> dict[str, Any]:
    """Returns the stored results of a name."""
    path = ASSETS / "results" / f"{name}.json"
    try:
        return _read(path, path.stat().st_mtime_ns)
    except (OSError, ValueError) as error:
        raise _NoResultsError(f"{name}.json") from error


@cache
def _read(path: Path, _: int) -> dict[str, Any]:
    """Returns what a file holds since it was last written; read once, not at every answer."""
    return json.loads(path.read_text("utf-8"))


def sources(*names: str) -> str:
    """Returns what stored results were measured on, and when."""
    each = ((name, results(name)) for name in names)
    return "; ".join(
        f"{n}: {found['pictures']} test pictures, {found['date']}" for n, found in each
    )


def telling(tell: Callable[P, str]) -> Callable[P, str]:
    """Lets a function that makes HTML of results say so where they are not there: all else is.

    Example:
        >>> telling(lambda: str(results("gone")))()
        "<p class='small'>What was measured cannot be told: gone.json is missing or broken.</p>"
    """

    @wraps(tell)
    def told(*args: P.args, **known: P.kwargs) -> str:
        try:
            return tell(*args, **known)
        except _NoResultsError as error:
            return UNTOLD.format(escape(str(error)))

    return told
