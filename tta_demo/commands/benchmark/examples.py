"""Choosing the page's examples by a rule, so that nobody picks them by what they show."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from tqdm import tqdm

from tta_demo.commands import arguments
from tta_demo.commands.benchmark.measuring import RESULTS, about
from tta_demo.evaluation.run import write_json
from tta_demo.models.domains import DOMAINS
from tta_demo.models.portable import portable
from tta_demo.pictures.assets import ASSETS
from tta_demo.pictures.reading import read_picture
from tta_demo.samples.labelled import LabelledPicture
from tta_demo.scoring.metrics import iou
from tta_demo.scoring.score import Score, evaluate, gain
from tta_demo.tasks.choice import SHARES
from tta_demo.tasks.worlds import WORLDS, World, world_named
from tta_demo.tta.plan import ONE_LOOK, Plan

__all__ = ["choose", "choose_examples"]


def choose_examples(
    name: Annotated[str, typer.Argument(metavar="world", help=f"One of {', '.join(WORLDS)}.")],
    data: arguments.SplitFolder = None,
    out: Annotated[Path, typer.Option(help="Folder for examples-WORLD.json.")] = RESULTS,
    ray: arguments.OnRay = False,
) -> None:
    """Chooses the page's examples by what its looks gain on each picture; saves the choice.

    From the test set where pictures are generated, else from the pictures in assets/examples.
    """
    world = world_named(name)
    views = DOMAINS[world.record.domain].views
    plans = {"one": ONE_LOOK, "all": Plan(views)}
    model = portable(world.record)
    tested = list(world.pictures("test", data))
    over = evaluate(model, tqdm(tested, unit="picture"), plans, arguments.spread(ray))
    files, scores = [f"{picture.name}.png" for picture in tested], over
    if not world.generate:
        shipped = dict(_shipped(world))
        files, scores = list(shipped), evaluate(model, shipped.values(), plans)
    gains = _gains(scores["one"], scores["all"])
    difference = gain(over["all"], over["one"], world.record.classes, ("miou",))["miou"]
    result = about(
        f"examples {name}" + (" --data BBBC038" if data else ""),
        digest=world.record.digest,
        views=list(views),
        rule="the pictures at these shares of all, in the order of the mIoU that looking again "
        "gains over the classes that are there; the first is shown first",
        pool=len(files),
        pictures=len(tested),
        gain=difference.rounded(),
        examples=[
            {"file": files[i], "share": share, "gain": round(float(gains[i]), 6)}
            for share, i in zip(SHARES, choose(gains), strict=True)
        ],
    )
    for one in result["examples"]:
        typer.echo(f"{one['share']:.0%}  {one['file']}  {100 * one['gain']:+.2f} points")
    write_json(out / f"examples-{name}.json", result)


def choose(gains: np.ndarray) -> list[int]:
    """Returns the indices of the pictures at `SHARES` of the way from least to greatest gain.

    Example:
        >>> choose(np.array([0.3, -0.1, 0.0, 0.2, 0.1]))
        [0, 4, 1]
    """
    order = np.argsort(gains, kind="stable")
    return [int(order[round(share * (len(order) - 1))]) for share in SHARES]


def _gains(one: Score, fused: Score) -> np.ndarray:
    """Returns what each picture's mIoU gains over the classes that its truth has."""
    pairs = zip(one.matrices, fused.matrices, strict=True)
    return np.array(
        [(iou(after) - iou(before))[before.sum(1) > 0].mean() for before, after in pairs]
    )


def _shipped(world: World) -> Iterator[tuple[str, LabelledPicture]]:
    """Yields the world's pictures in assets/examples, by the name of their file."""
    for mask in sorted((ASSETS / "examples").glob(f"{world.name}-*-mask.png")):
        (path,) = mask.parent.glob(f"{mask.stem.removesuffix('-mask')}.*")
        picture = read_picture(path)
        truth, _ = world.read_truth(mask, picture)
        yield path.name, LabelledPicture(path.stem, picture.rgb, truth)
