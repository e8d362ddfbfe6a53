"""What a weights file says, checked: each way to be none is a sentence with the value."""

import json
from datetime import date
from pathlib import Path
from typing import Any

__all__ = [
    "EVEN",
    "ByName",
    "has",
    "quoted",
    "read_date",
    "read_fields",
    "read_prior",
    "read_weights",
]

EVEN = "even"
"""What a file calls an infinite prior, for which JSON has no number."""

ByName = dict[str, float] | dict[str, dict[str, float]]
"""Weights by view, or by view and class."""

_KINDS = {str: "a text", dict: "named values", list: "a list"}
_MOST = 1e9
_LONGEST = 200
"""Characters of a text: names of views, classes and models, and how weights were learned."""
_SLACK = 1e-3
"""How far a sum may be from 1: weights are rounded in the file."""


def quoted(value: object, most: int = 60) -> str:
    """Returns a value as a JSON file has it, cut where it is long.

    Example:
        >>> quoted("a"), quoted(None), quoted([1, 2, 3], most=4)
        ('"a"', 'null', '[1, …')
    """
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= most else f"{text[:most]}…"


def read_fields(path: Path, most: int) -> dict[str, Any]:
    """Returns the named values of a JSON file of so many bytes at most.

    Raises:
        ValueError: it has none, or is no JSON.
        OSError: it cannot be read.
    """
    size = path.stat().st_size
    if size > most:
        raise ValueError(f"it has {size:,} bytes, more than {most:,}")
    if not size:
        raise ValueError("it is empty")
    try:
        data = json.loads(path.read_bytes().decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError("it holds no text, perhaps a picture or a zip") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ValueError(f"it is damaged or cut off at {where}") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except ValueError:  # of int(), which refuses more digits
        raise ValueError("it holds a number of more than 4,300 digits") from None
    if not isinstance(data, dict):
        raise ValueError(f"it holds {quoted(data)}, not named values")
    return data


def has(data: dict[str, Any], key: str, kind: type) -> Any:  # noqa: ANN401 (of the kind)
    """Returns the value of a key; a `float` is a share, 0..1, and any other kind a JSON type.

    Raises:
        ValueError: it is missing, or of another kind.
    """
    if key not in data:
        raise ValueError(f"it lacks {quoted(key)}")
    value = data[key]
    if kind is float:
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not (number and 0 <= value <= 1):
            raise ValueError(f"{quoted(key)} is {quoted(value)}, not a number from 0 to 1")
        return float(value)
    if not isinstance(value, kind):
        raise ValueError(f"{quoted(key)} is {quoted(value)}, not {_KINDS[kind]}")
    if kind is str and (len(value) > _LONGEST or not value.isprintable()):
        raise ValueError(f"{quoted(key)} is {quoted(value)}, not a line of {_LONGEST} characters")
    return value


def read_date(data: dict[str, Any]) -> str:
    """Returns the day of a file, or nothing.

    Raises:
        ValueError: it is no day.
    """
    value = has(data, "date", str)
    try:
        return value and date.fromisoformat(value).isoformat()
    except ValueError:
        raise ValueError(f'"date" is {quoted(value)}, not a day such as "2026-02-03"') from None


def read_prior(data: dict[str, Any]) -> float:
    """Returns how many pictures the prior counted; 0 for older files, which have no word of it.

    Raises:
        ValueError: it is no number from 0 on.
    """
    value = data.get("prior", 0.0)
    return float("inf") if value == EVEN else _amount({"prior": value}, "prior")


def _amount(data: dict[str, Any], key: str) -> float:
    """Returns the number of a key, from 0 on."""
    value = has(data, key, object)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (number and 0 <= value <= _MOST):
        raise ValueError(f"{quoted(key)} is {quoted(value)}, not a number from 0 to {_MOST:,.0f}")
    return float(value)


def read_weights(entries: list[Any], shares: bool = True) -> tuple[dict[str, str], ByName]:
    """Returns `model` and `digest`, and the weights, of the entries of a file.

    Weights that are `shares` sum to 1 over the views.

    Raises:
        ValueError: they are no weights of one model, one a view, or one a view and class.
    """
    if not entries:
        raise ValueError("it holds no weight")
    belongs: dict[str, str] = {}
    table: dict[str | None, dict[str, float]] = {}
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            raise ValueError(f"entry {number} is {quoted(entry)}, not named values")
        try:
            model = {key: has(entry, key, str) for key in ("model", "digest")}
            view = has(entry, "view", str)
            weight = has(entry, "weight", float) if shares else _amount(entry, "weight")
            name = None if entry.get("class", "") is None else has(entry, "class", str)
        except ValueError as error:
            raise ValueError(f"in entry {number}, {error}") from None
        if model != (belongs := belongs or model):
            raise ValueError(f"it is for two models, {quoted(belongs)} and {quoted(model)}")
        if view in table.setdefault(name, {}):
            raise ValueError(f"it has two weights for {_of(view, name)}")
        table[name][view] = weight
    _check(table, shares)
    if None in table:
        return belongs, table[None]
    views = next(iter(table.values()))
    return belongs, {view: {name: one[view] for name, one in table.items()} for view in views}


def _check(table: dict[str | None, dict[str, float]], shares: bool) -> None:
    if len(table) > 1 and None in table:
        raise ValueError("it has weights with a class beside weights without one")
    first, views = next(iter(table.items()))
    for name, one in table.items():
        for view in sorted(views.keys() ^ one.keys())[:1]:
            lacking = name if view in views else first
            raise ValueError(f"it lacks a weight for {_of(view, lacking)}")
        total = sum(one.values())
        if shares and abs(total - 1) > _SLACK:
            whose = "" if name is None else f" of the class {quoted(name)}"
            raise ValueError(f"the weights{whose} sum to {total:.4g}, not to 1")


def _of(view: str, name: str | None) -> str:
    return f"the look {quoted(view)}" + ("" if name is None else f", class {quoted(name)}")
