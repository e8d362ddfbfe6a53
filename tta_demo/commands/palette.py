"""The command that guesses the classes of masks."""

import json
from pathlib import Path
from typing import Annotated

import typer

from tta_demo.commands import arguments
from tta_demo.samples.folders import files_below, find, is_picture
from tta_demo.samples.guessed_palette import guess_palette

__all__ = ["palette"]


def palette(
    data: Annotated[Path, typer.Option(help="Folder with images/ and masks/, or of masks alone.")],
    out: Annotated[Path, typer.Option(help="Palette file to write (JSON).")],
    count: arguments.Count = None,
) -> None:
    """Guesses the classes of masks from their colours or ids; check the file, and name them.

    The classes must come in the order of the model's: move the lines where they do not.
    """
    if out.exists():
        raise ValueError(f"--out {out} is there already: choose another name, or remove it")
    guessed, pixels = guess_palette(_masks(data)[:count])
    total = max(1, sum(pixels.values()))
    for name, color in zip(guessed.names, guessed.colors, strict=True):
        typer.echo(f"{name}: {color}, {pixels[name] / total:.1%} of the pixels")
    colors = dict(zip(guessed.names, map(list, guessed.colors), strict=True))
    lines = ",\n".join(f" {json.dumps(name)}: {color}" for name, color in colors.items())
    out.write_text(f"{{\n{lines}\n}}\n", "utf-8")


def _masks(data: Path) -> list[Path]:
    """Returns the masks of the pairs in a folder, or all pictures where there are no pairs."""
    files = files_below(data)
    try:
        return [mask for _, mask in find(data).pairs.values()]
    except ValueError:
        return [path for name, path in files.items() if is_picture(path)]
