"""What the commands do about pictures that cannot be read: go on, tell it, and exit with 2."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import typer
from tqdm import tqdm

from tta_demo.evaluation.failures import Failures
from tta_demo.pictures.words import several
from tta_demo.samples.labelled import understood

__all__ = ["for_each", "tell", "tell_left_out", "tell_understood"]


def for_each(pictures: list[Path], work: Callable[[Path], None]) -> None:
    """Does the work on every picture; tells those that fail, and lets the exit code say so."""
    failures = Failures()
    for path in tqdm(pictures, unit="picture", disable=len(pictures) < 2):
        with failures.of(str(path)):
            work(path)
    tell(failures.values())


def tell_left_out(failures: Failures) -> None:
    """Tells what was left out of a common result, and lets the exit code say so."""
    were = "was" if len(failures) == 1 else "were"
    left_out = [f"{several(len(failures), 'picture')} {were} left out"] if failures else []
    tell([*failures.values(), *left_out])


def tell(messages: Iterable[str]) -> None:
    """Prints what went wrong, and ends the command with code 2 if anything did."""
    messages = list(messages)
    for message in messages:
        typer.echo(message, err=True)
    if messages:
        raise typer.Exit(2)


def tell_understood(notes: Mapping[str, Sequence[str]]) -> None:
    """Prints how the masks of pictures were understood, by their names."""
    for note in understood(notes):
        typer.echo(note, err=True)
