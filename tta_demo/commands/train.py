"""The command that trains the package's own models."""

from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from tta_demo.commands import arguments
from tta_demo.tasks.worlds import MEASURED, world_named

__all__ = ["train"]

TRAINED = (*MEASURED, *arguments.DETECTORS)


def train(
    name: Annotated[str, typer.Argument(metavar="world", help=f"One of {', '.join(TRAINED)}.")],
    out: Annotated[Path, typer.Option(help="Weights file to write (safetensors).")],
    data: arguments.SplitFolder = None,
) -> None:
    """Trains the world's model, or a detector, with its recipe; writes weights and model card."""
    arguments.one_of("world", name, TRAINED)
    from tta_demo.training import centernet, unet  # other commands need not wait for these
    from tta_demo.training.card import write_card

    command = f"python -m tta_demo train {name} --out {out}" + (f" --data {data}" if data else "")
    if name in arguments.DETECTORS:
        if data is not None:
            raise ValueError(f"--data {data}: weed fields are generated, leave --data out")
        record, recipe = arguments.DETECTORS[name], centernet.RECIPE
        history = centernet.train(out)
        scores = centernet.scores_of(out, record.classes)
    else:
        world = world_named(name)
        record, recipe = world.record, unet.RECIPES[name]
        pictures, validation = (
            list(tqdm(world.pictures(split, data), desc=f"{split} pictures", unit=""))
            for split in ("train", "val")
        )
        classes = len(record.classes)
        history = unet.train(recipe, classes, pictures, validation, out, progress=tqdm)
        scores = unet.scores_of(out, record.classes, list(world.pictures("test", data)))
    write_card(out, record, recipe, history, scores, command)
