"""The command that writes generated pictures."""

from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from tta_demo.pictures.palettes import index_png, rgb_png
from tta_demo.samples.weeds import DIFFICULTY, SEEDS
from tta_demo.tasks.worlds import world_named

__all__ = ["sample"]


def sample(
    name: Annotated[
        str, typer.Argument(metavar="world", help="A world that generates pictures: weeds.")
    ],
    out: Annotated[Path, typer.Option(help="Folder for images/NAME.png and masks/NAME.png.")],
    count: Annotated[int, typer.Option(min=1, help="How many.")] = 10,
    first: Annotated[int, typer.Option(min=0, help="The first seed.")] = SEEDS["test"].start,
    difficulty: Annotated[
        float, typer.Option(min=0, max=1, help="From easy to hard.")
    ] = DIFFICULTY,
) -> None:
    """Writes generated pictures and their masks (class ids in the world's colours)."""
    world = world_named(name)
    if world.generate is None:
        raise ValueError(f"world {name!r} generates no pictures: use weeds")
    for folder in ("images", "masks"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for seed in tqdm(range(first, first + count), unit="picture"):
        made = world.generate(seed, difficulty)
        (out / "images" / f"{made.name}.png").write_bytes(rgb_png(made.rgb))
        mask = index_png(made.labels, world.record.palette)
        (out / "masks" / f"{made.name}.png").write_bytes(mask)
