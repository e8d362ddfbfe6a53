"""Files of class names: a list, or names by id."""

import json
from pathlib import Path

from tta_demo.samples.folders import blamed

__all__ = ["read_names"]

_MOST = 2**20
"""Bytes."""


def read_names(path: Path) -> tuple[str, ...]:
    """Returns the names of classes out of a file, in the order of their ids.

    A `.json` holds a list `["cat", "dog"]`, names by id `{"0": "cat", "1": "dog"}`, or ids by
    name `{"cat": 0, "dog": 1}`; any other file is text, one name a line.

    Raises:
        ValueError: the file is missing, too large or none of these.
    """
    with blamed(path, "holds no class names"):
        if path.stat().st_size > _MOST:
            raise ValueError(f"it has {path.stat().st_size:,} bytes, {_MOST:,} are the most")
        text = path.read_text("utf-8-sig")
        if path.suffix.lower() != ".json":
            return tuple(line.strip() for line in text.strip().splitlines())
        return tuple(_listed(json.loads(text)))


def _listed(stored: object) -> list[str]:
    if isinstance(stored, dict):
        ids = all(type(value) is int for value in stored.values())
        by_id = {value: name for name, value in stored.items()} if ids else stored
        wanted = range(len(stored))
        named = {int(key): name for key, name in by_id.items() if str(key).isdecimal()}
        stored = [named.get(number) for number in wanted]
    if not isinstance(stored, list) or not all(isinstance(name, str) for name in stored):
        raise ValueError('write ["cat", "dog"], {"0": "cat", "1": "dog"} or {"cat": 0, "dog": 1}')
    return stored
