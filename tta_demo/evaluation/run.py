"""A journal that a long run can go on from: its settings, then an entry a line, as JSON."""

import json
from pathlib import Path
from typing import Any

__all__ = ["Journal"]


class Journal:
    """What a run found so far.

    Args:
        path: the file; it and its folder are made if they are missing.
        settings: what must be equal for a run to go on; JSON.

    Attributes:
        entries: of this run and those before, in order. Half a line at the end, of a process that
            was killed, is dropped.

    Raises:
        ValueError: the file is of other settings; says which differ.
    """

    def __init__(self, path: Path, settings: dict[str, Any]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        settings = json.loads(json.dumps(settings))  # as it will be read again
        content = path.read_bytes() if path.exists() else b""
        *lines, half = content.split(b"\n")
        if lines:
            self._refuse_others(json.loads(lines[0]), settings)
        if half:  # what comes next must not be glued to it
            with path.open("r+b") as file:
                file.truncate(len(content) - len(half))
        if not lines:
            self._write(settings)
        self.entries: list[dict[str, Any]] = [json.loads(line) for line in lines[1:]]

    def add(self, entry: dict[str, Any]) -> None:
        """Adds an entry, at once on the disk."""
        self._write(entry)
        self.entries.append(entry)

    def _write(self, entry: dict[str, Any]) -> None:
        with self._path.open("a") as file:
            file.write(json.dumps(entry) + "\n")

    def _refuse_others(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        keys = [key for key in dict.fromkeys([*new, *old]) if old.get(key) != new.get(key)]
        if keys:
            told = "; ".join(
                f"{key} was {str(old.get(key))[:60]}, is {str(new.get(key))[:60]}" for key in keys
            )
            raise ValueError(
                f"{self._path.parent} holds results of other settings ({told}): choose another "
                "--out"
            )
