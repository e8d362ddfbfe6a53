"""The command that trains the package's own models."""

from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from tta_demo.commands import arguments
from tta_demo.tasks.worlds import WORLDS, world_named

__all__ = ["train"]

TRAINED = (*WORLDS, *arguments.DETECTORS)


def train(
    name: Annotated[str, typer.Argument(metavar="world", help=f"One of {', '.join(TRAINED)}.")],
    out: Annotated[Path, typer.Option(help="Weights file to write (safetensors).")],
    data: arguments.SplitFolder = None,
) -> None:
    """Trains the world's model, or a detector, with its recipe; writes weights and model card."""
    from tta_demo.training import centernet, unet  # other commands need not wait for these
    from tta_demo.training.centernet_card import write_detector_card
    from tta_demo.training.unet_card import write_card

    command = f"python -m tta_demo train {name} --out {out}" + (f" --data {data}" if data else "")
    if name in arguments.DETECTORS:
        if data is not None:
            raise ValueError(f"--data {data}: weed fields are generated, leave --data out")
        write_detector_card(out, name, centernet.train(out), command)
        return
    world = world_named(name)
    pictures, validation = (
        list(tqdm(world.pictures(split, data), desc=f"{split} pictures", unit=""))
        for split in ("train", "val")
    )
    classes = len(world.record.classes)
    history = unet.train(unet.RECIPES[name], classes, pictures, validation, out, progress=tqdm)
    write_card(out, name, history, world.pictures("test", data), command)
