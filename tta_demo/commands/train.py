"""The command that trains the package's own models."""

from itertools import islice
from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from tta_demo.commands import arguments
from tta_demo.models.registry import MODELS
from tta_demo.tasks.worlds import WORLDS

__all__ = ["train"]

NETWORKS = ("weeds", "nuclei", "weeds-small", "weeds-novice")
"""The U-Nets that there are recipes for."""
TRAINED = (*NETWORKS, *arguments.DETECTORS)


def train(
    name: Annotated[str, typer.Argument(metavar="model", help=f"One of {', '.join(TRAINED)}.")],
    out: Annotated[Path, typer.Option(help="Weights file to write (safetensors).")],
    data: arguments.SplitFolder = None,
) -> None:
    """Trains one of the demo's own models with its recipe; writes weights and model card."""
    arguments.one_of("model", name, TRAINED)
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
        recipe = unet.RECIPES[name]
        record, world = MODELS[recipe.model], WORLDS[recipe.world]
        counts = {"train": recipe.pictures, "val": None}
        pictures, validation = (
            list(tqdm(islice(world.pictures(split, data), count), desc=split, unit="picture"))
            for split, count in counts.items()
        )
        classes = len(record.classes)
        history = unet.train(recipe, classes, pictures, validation, out, progress=tqdm)
        scores = unet.scores_of(out, record.classes, list(world.pictures("test", data)))
    write_card(out, record, recipe, history, scores, command)
