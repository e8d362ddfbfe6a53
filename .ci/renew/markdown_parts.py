"""What the generated parts of the READMEs are made of: tables, stored results, intervals."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "assets" / "results"


def table(head: list[str], rows: Iterable[list[Any]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def stored(name: str) -> dict[str, Any]:
    """What a benchmark measured."""
    return json.loads((RESULTS / f"{name}.json").read_text())


def interval(found: dict[str, float], factor: float = 1, digits: int = 4) -> str:
    """A difference with its 95 % interval, where there is one."""
    if found["low"] is None:
        return f"{factor * found['value']:+.{digits}f}"
    value, low, high = (factor * found[key] for key in ("value", "low", "high"))
    return f"{value:+.{digits}f} ({low:+.{digits}f} to {high:+.{digits}f})"
