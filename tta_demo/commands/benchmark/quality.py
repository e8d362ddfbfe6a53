"""Measuring what views and learned weights are worth to the segmentation models."""

from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from tta_demo.commands import arguments
from tta_demo.commands.benchmark.measuring import RESULTS, about
from tta_demo.evaluation.run import write_json
from tta_demo.models.portable import portable
from tta_demo.scoring.score import evaluate, gain
from tta_demo.tasks.worlds import WORLDS, world_named
from tta_demo.tta.plan import ONE_LOOK, Plan
from tta_demo.tta.views import VIEW_SETS

__all__ = ["measure_quality"]

SETS = ("flips", "d4", "all")


def measure_quality(
    name: Annotated[str, typer.Argument(metavar="world", help=f"One of {', '.join(WORLDS)}.")],
    data: arguments.SplitFolder = None,
    out: Annotated[Path, typer.Option(help="Folder for WORLD.json.")] = RESULTS,
    ray: arguments.OnRay = False,
) -> None:
    """Scores no TTA, even mean and learned weights on the test split; saves the table."""
    world = world_named(name)
    plans = {"none": ONE_LOOK}
    for key in SETS:
        plans[f"{key}, mean"] = Plan(VIEW_SETS[key])
        plans[f"{key}, learned"], _ = world.plan(VIEW_SETS[key], "learned")
    pictures = list(world.pictures("test", data))
    waiting = tqdm(pictures, unit="picture")
    scores = evaluate(portable(world.record), waiting, plans, arguments.spread(ray))
    classes = world.record.classes
    rows = {key: score.row(classes) for key, score in scores.items()}
    gains = {}
    for key in SETS:
        found = gain(scores[f"{key}, learned"], scores[f"{key}, mean"], classes)
        gains[key] = {score: difference.rounded() for score, difference in found.items()}
    for key, row in rows.items():
        shown = "".join(f" {score} {row[score]:.4f}" for score in ("miou", "nll", "ece"))
        typer.echo(f"{key:16}{shown}")
    result = about(
        f"quality {name}" + (" --data BBBC038" if data else ""),
        first=pictures[0].name,
        digest=world.record.digest,
        pictures=len(pictures),
        scores=rows,
        learned_minus_mean=gains,
    )
    write_json(out / f"{name}.json", result)
