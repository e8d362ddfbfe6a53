"""Evidence as a JSON file, and back."""

import json
from dataclasses import MISSING, asdict, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

from tta_demo.evidence.findings import Evidence
from tta_demo.pictures.assets import ASSETS

__all__ = ["as_json", "read_evidence", "stored_evidence", "stored_path"]

DIGITS = 6


def as_json(evidence: Evidence) -> dict[str, Any]:
    """Returns evidence as named values, ready for JSON; numbers have 6 digits."""
    return _rounded(asdict(evidence))


def read_evidence(path: Path) -> Evidence:
    """Returns the evidence that a file holds.

    Raises:
        ValueError: it holds something else.
    """
    try:
        return _read(Evidence, json.loads(path.read_text("utf-8")))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path.name} holds no evidence that can be read: {error}") from error


def stored_path(world: str) -> Path:
    """Returns where the evidence about a world is kept, be it there or not."""
    return ASSETS / "results" / f"evidence-{world}.json"


def stored_evidence(world: str) -> Evidence | None:
    """Returns what `benchmark evidence` found for a world, by its name; None if it has not run."""
    path = stored_path(world)
    return read_evidence(path) if path.is_file() else None


def _rounded(value: Any) -> Any:  # noqa: ANN401 (JSON)
    if isinstance(value, float):
        return round(value, DIGITS)
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return [_rounded(inner) for inner in value] if isinstance(value, tuple | list) else value


def _read(kind: Any, value: Any) -> Any:  # noqa: ANN401 (of the kind)
    """Returns a value of JSON as a dataclass, a tuple, or None where the kind allows it."""
    if is_dataclass(kind):
        hints = get_type_hints(kind)
        known = [one for one in fields(kind) if one.default is MISSING or one.name in value]
        return kind(**{one.name: _read(hints[one.name], value[one.name]) for one in known})
    if get_origin(kind) is UnionType:
        kinds = [one for one in get_args(kind) if one is not NoneType]
        return None if value is None else _read(kinds[0], value)
    if get_origin(kind) is tuple:
        parts = get_args(kind)
        each = parts[:1] * len(value) if parts[-1] is Ellipsis else parts
        return tuple(_read(one, part) for one, part in zip(each, value, strict=True))
    return kind(value)
