"""Measured results that come with the demo, told on the page, and what to tell without them."""

import json
from collections.abc import Callable
from functools import wraps
from html import escape
from typing import Any, ParamSpec

from tta_demo.pictures.assets import ASSETS

__all__ = ["UNTOLD", "results", "telling"]

P = ParamSpec("P")

UNTOLD = "<p class='small'>What was measured cannot be told: {} is missing or broken.</p>"


class _NoResultsError(ValueError):
    """A file of results is not there, or holds something else."""


def results(name: str) -> dict[str, Any]:
    """Returns the stored results of a name."""
    try:
        return json.loads((ASSETS / "results" / f"{name}.json").read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise _NoResultsError(f"{name}.json") from error


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
