"""A long run over pictures that can be cut off and goes on from its log; and what it writes."""

import csv
import json
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from functools import partial
from math import isnan
from pathlib import Path
from typing import Any

from tqdm import tqdm

from tta_demo.evaluation.failures import Failures
from tta_demo.evaluation.spread import Spread

__all__ = ["Entry", "Progress", "Run", "write_json", "write_table"]

Entry = dict[str, Any]
"""What is kept, ready for JSON; that of a picture has its `name`."""
Progress = Callable[[Sequence[str]], Iterable[str]]
"""Wraps the names of the pictures that are still to do."""


class Run:
    """What this run and those before it found, in a log: the settings, then an entry a line.

    A line that cannot be read, of a process that was killed for instance, is dropped: its picture
    is done again.

    Args:
        log: the file; it and its folder are made if they are missing.
        settings: what must be equal for a run to go on; JSON.
        complete: tells whether an entry of a picture still holds, and all else that belongs to it
            is there; if not, the picture is done again.

    Attributes:
        facts: what is known of all pictures together.
        done: the entry of each picture, by its name.
        failures: why other pictures could not be read this time.

    Raises:
        ValueError: the log is of other settings, and says which differ; or they cannot be read.
    """

    def __init__(
        self,
        log: Path,
        settings: dict[str, Any],
        complete: Callable[[Entry], bool] = lambda entry: True,
    ) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log
        self.facts: dict[str, Any] = {}
        self.done: dict[str, Entry] = {}
        self.failures = Failures()
        for entry in self._opened(json.loads(json.dumps(settings))):  # as it will be read again
            if "name" not in entry or complete(entry):
                self._take(entry)

    def over(
        self,
        names: Collection[str],
        work: Callable[[str], Any],
        progress: Progress = tqdm,
        spread: Spread = map,
        keep: Callable[[str, Any], Entry] = lambda name, found: found,
    ) -> list[Entry]:
        """Does what is missing, and returns the entries of all that could be read, in this order.

        Args:
            names: of the pictures; they are known by these alone.
            work: from a name to what was found, the entry for instance; one that raises
                `ValueError` or `OSError` is tried again the next time.
            progress: wraps the names that are still to do, if there are some.
            spread: where the work is done.
            keep: makes the entry of it, here, and may write what else belongs to it.

        Raises:
            ValueError: none of them can be read.
        """
        self.do(names, work, progress, spread, keep)
        self.failures.refuse_if_nothing_read(names)
        return [self.done[name] for name in names if name in self.done]

    def do(
        self,
        names: Collection[str],
        work: Callable[[str], Any],
        progress: Progress = tqdm,
        spread: Spread = map,
        keep: Callable[[str, Any], Entry] = lambda name, found: found,
    ) -> None:
        """Does what is missing, as `over`, be it that none can be read."""
        missing = [name for name in names if name not in self.done]
        if not missing:
            return
        outcomes = spread(partial(_tried, work), missing)
        for name, (found, error) in zip(progress(missing), outcomes, strict=True):
            entry = None
            with self.failures.of(name):
                if error:
                    raise error
                entry = {"name": name} | keep(name, found)
            if entry:
                self.add(entry)

    def add(self, entry: Entry) -> None:
        """Adds facts, or what was found out about a picture, at once on the disk."""
        self._write(entry)
        self._take(entry)

    def _take(self, entry: Entry) -> None:
        if "name" in entry:
            self.done[entry["name"]] = entry
        else:
            self.facts |= entry

    def _opened(self, settings: dict[str, Any]) -> list[Entry]:
        """Returns the entries so far, once it is sure that they are of these settings."""
        content = self._log.read_bytes() if self._log.exists() else b""
        *lines, half = content.split(b"\n")
        if lines:
            first = _read(lines[0])
            if first is None:
                told = f"{self._log} is damaged in its first line, the settings"
                raise ValueError(f"{told}: choose another --out, or remove it")
            self._refuse_others(first, settings)
        if half:  # what comes next must not be glued to it
            with self._log.open("r+b") as file:
                file.truncate(len(content) - len(half))
        if not lines:
            self._write(settings)
        return [entry for entry in map(_read, lines[1:]) if entry is not None]

    def _write(self, entry: Entry) -> None:
        with self._log.open("a") as file:
            file.write(json.dumps(entry) + "\n")

    def _refuse_others(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        pairs = {key: (old.get(key), new.get(key)) for key in [*new, *old]}
        told = "; ".join(
            f"{key} was {str(was)[:60]}, is {str(now)[:60]}"
            for key, (was, now) in pairs.items()
            if was != now
        )
        if told:
            where = f"{self._log.parent} holds results of other settings"
            raise ValueError(f"{where} ({told}): choose another --out")


def _tried(work: Callable[[str], Any], name: str) -> tuple[Any, Exception | None]:
    """Returns what the work found, or else why the picture could not be read."""
    try:
        return work(name), None
    except (ValueError, OSError) as error:
        return None, error


def _read(line: bytes) -> Entry | None:
    """Returns what a line of the log holds; None if it is damaged."""
    with suppress(ValueError):  # json's and that of bytes that are no text
        entry = json.loads(line)
        return entry if isinstance(entry, dict) else None


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Writes a JSON file, into a folder that is made if it is missing; NaN becomes null."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(_without_nan(content), indent=1) + "\n")


def _without_nan(value: Any) -> Any:  # noqa: ANN401 (JSON)
    """Returns null for NaN, which JSON does not know, anywhere in nested dicts."""
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    return None if isinstance(value, float) and isnan(value) else value


def write_table(
    path: Path, head: Sequence[str], rows: Iterable[tuple[str, Sequence[float]]]
) -> None:
    """Writes a CSV file of names and numbers with 6 digits; a cell without a number is empty."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(head)
        for name, numbers in rows:
            writer.writerow((name, *("" if isnan(x) else f"{x:.6f}" for x in numbers)))
