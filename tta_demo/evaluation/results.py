"""Writing results: tables for a spreadsheet, and everything else as JSON."""

import csv
import json
from collections.abc import Iterable, Sequence
from math import isnan
from pathlib import Path
from typing import Any

__all__ = ["write_json", "write_table"]


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Writes a JSON file, into a folder that is made if it is missing; NaN becomes null."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(_without_nan(content), indent=1) + "\n")


def write_table(
    path: Path, head: Sequence[str], rows: Iterable[tuple[str, Sequence[float]]]
) -> None:
    """Writes a CSV file of names and numbers with 6 digits; a cell without a number is empty.

    Args:
        path: the file.
        head: what the columns are called, the names' first.
        rows: a name, then its numbers.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        for name, numbers in rows:
            writer.writerow((name, *("" if isnan(x) else f"{x:.6f}" for x in numbers)))


def _without_nan(value: Any) -> Any:  # noqa: ANN401 (JSON)
    """Returns null for NaN, which JSON does not know, anywhere in nested dicts."""
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    return None if isinstance(value, float) and isnan(value) else value
