"""The command that makes the page's examples."""

from pathlib import Path
from typing import Annotated

import typer

from tta_demo.pictures.palettes import WEEDS, index_png, rgb_png
from tta_demo.samples.nuclei import cut_examples
from tta_demo.samples.weeds import sample
from tta_demo.tasks.worlds import WORLDS

__all__ = ["examples"]


def examples(
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    data: Annotated[
        Path | None, typer.Option(help="Folder with img2d.tif and mask2d.tif of stardist.")
    ] = None,
) -> None:
    """Makes the page's examples: the fields that were chosen, or, with --data, the nuclei's."""
    if data is not None:
        cut_examples(data, out)
        return
    out.mkdir(parents=True, exist_ok=True)
    for path in WORLDS["weeds"].examples:
        made = sample(int(path.stem.removeprefix("weeds-")))
        (out / f"{made.name}.png").write_bytes(rgb_png(made.rgb))
        (out / f"{made.name}-mask.png").write_bytes(index_png(made.labels, WEEDS))
