"""A long run over pictures that can be cut off: what it found stays, and the next one goes on."""

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from tta_demo.evaluation.failures import Failures

__all__ = ["Entry", "Progress", "Run"]

Entry = dict[str, Any]
"""What is kept, ready for JSON; that of a picture has its `name`."""

Progress = Callable[[Sequence[str]], Iterable[str]]
"""Wraps the names of the pictures that are still to do."""


class Run:
    """What this run and those before it found, in a log: the settings, then an entry a line.

    Half a line at the end of the log, of a process that was killed, is dropped.

    Args:
        log: the file; it and its folder are made if they are missing.
        settings: what must be equal for a run to go on; JSON.
        complete: tells whether all else that belongs to a picture of the log is there; if not,
            the picture is done again.

    Attributes:
        facts: what is known of all pictures together.
        done: the entry of each picture, by its name.
        failures: why other pictures could not be read this time.

    Raises:
        ValueError: the log is of other settings; says which differ.
    """

    def __init__(
        self,
        log: Path,
        settings: dict[str, Any],
        complete: Callable[[str], bool] = lambda name: True,
    ) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log
        self.facts: dict[str, Any] = {}
        self.done: dict[str, Entry] = {}
        self.failures = Failures()
        for entry in self._opened(json.loads(json.dumps(settings))):  # as it will be read again
            if "name" not in entry or complete(entry["name"]):
                self._take(entry)

    def over(
        self,
        names: Collection[str],
        work: Callable[[str], Entry],
        progress: Progress = tqdm,
    ) -> list[Entry]:
        """Does what is missing, and returns the entries of all that could be read, in this order.

        Args:
            names: of the pictures; they are known by these alone.
            work: from a name to what is to be kept; one that raises `ValueError` or `OSError` is
                tried again the next time.
            progress: wraps the names that are still to do, if there are some.

        Raises:
            ValueError: none of them can be read.
        """
        missing = [name for name in names if name not in self.done]
        for name in progress(missing) if missing else ():
            found = None
            with self.failures.of(name):
                found = {"name": name} | work(name)
            if found:
                self.add(found)
        self.failures.refuse_if_nothing_read(names)
        return [self.done[name] for name in names if name in self.done]

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
            self._refuse_others(json.loads(lines[0]), settings)
        if half:  # what comes next must not be glued to it
            with self._log.open("r+b") as file:
                file.truncate(len(content) - len(half))
        if not lines:
            self._write(settings)
        return [json.loads(line) for line in lines[1:]]

    def _write(self, entry: Entry) -> None:
        with self._log.open("a") as file:
            file.write(json.dumps(entry) + "\n")

    def _refuse_others(self, old: dict[str, Any], new: dict[str, Any]) -> None:
        keys = [key for key in dict.fromkeys([*new, *old]) if old.get(key) != new.get(key)]
        if keys:
            told = "; ".join(
                f"{key} was {str(old.get(key))[:60]}, is {str(new.get(key))[:60]}" for key in keys
            )
            raise ValueError(
                f"{self._log.parent} holds results of other settings ({told}): choose another "
                "--out"
            )
