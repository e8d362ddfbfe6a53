"""The command that measures on labelled pictures what views and weights are worth."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from tta_demo.commands import arguments
from tta_demo.commands.failing import tell_left_out, tell_understood
from tta_demo.evaluation.segment import Outcome, evaluate_segmentation
from tta_demo.learning.weight_file import WeightFile
from tta_demo.models.ensemble import whose
from tta_demo.models.portable import portable
from tta_demo.pictures.words import several
from tta_demo.samples.labelled import Source
from tta_demo.scoring.interval import LEAST
from tta_demo.tta.views import VIEW_SETS

__all__ = ["evaluate"]

GAINS = {"miou": ("mean IoU with background, in points,", 100), "nll": ("loss (NLL)", 1)}
"""How the gains of `Outcome` are told, and what they are multiplied by."""


def evaluate(
    out: arguments.Results,
    weights: Annotated[Path | None, typer.Option(help="Weights file to compare with.")] = None,
    name: arguments.AnyWorld = None,
    model: arguments.ModelNames = None,
    feed: arguments.FeedName = None,
    data: arguments.Data = None,
    masks: arguments.Masks = None,
    palette: arguments.Colors = None,
    swap: arguments.Swaps = None,
    count: arguments.Count = None,
    views: Annotated[
        str | None, typer.Option(help="As for learn; those of the weights, else d4.")
    ] = None,
    background: Annotated[str, typer.Option(help="in or out of the means.")] = "in",
    mean: Annotated[str, typer.Option(help="pooled or per-image.")] = "pooled",
    ray: arguments.OnRay = False,
) -> None:
    """Compares no TTA, even mean and learned weights on labelled pictures; resumes where it was.

    Writes scores_none.csv, scores_mean.csv, scores_learned.csv, summary.json, summary.png,
    joint/NAME.png (picture, truth, prediction) and mask/NAME.png.
    """
    arguments.one_of("--background", background, ("in", "out"))
    arguments.one_of("--mean", mean, ("pooled", "per-image"))
    file = None if weights is None else WeightFile.load(weights)
    named = name or (file.world if file and not model else None)
    world = arguments.chosen_models(named, model, feed, palette, swap)
    learned = tuple(dict.fromkeys(whose(row)[1] for row in file.views)) if file else ()
    names = arguments.chosen_views(views) if views else learned or VIEW_SETS["d4"]
    plans = {name: world.plan(names, name)[0] for name in ("none", "mean")}
    if file:
        plans["learned"], _ = world.plan(names, "learned", file)
    arguments.refuse_among_pictures(out, data, masks)
    sources = arguments.labelled_pictures(world, "test", data, masks, palette, count)
    record = world.record
    stamp = {
        "world": world.name,
        "model": record.digest,
        "views": names,
        "weights": file and asdict(file),
    }
    how = {"background": background == "in", "per_image": mean == "per-image"}
    how["spread"] = arguments.spread(ray)
    outcome = evaluate_segmentation(
        portable(record), sources, plans, record.palette, out, stamp, **how
    )
    _warn_of_known(file, sources)
    tell_understood(outcome.notes)
    _tell(outcome, record.classes)
    tell_left_out(outcome.failures)


def _warn_of_known(file: WeightFile | None, sources: Mapping[str, Source]) -> None:
    known = set(file.calibration.get("names", ())) & set(sources) if file else ()
    if known:
        these = several(len(sources), "picture")
        told = f"The weights were learned on {len(known)} of these {these}"
        typer.echo(f"{told}: the scores flatter them", err=True)


def _tell(outcome: Outcome, classes: tuple[str, ...]) -> None:
    typer.echo(f"{'IoU':10}" + "".join(f"{name:>12}" for name in (*classes, "Mean", "frames/s")))
    for name, score in outcome.scores.items():
        cells = "".join(f"{value:12.4f}" for value in outcome.tables[name][:, 1])
        speed = len(score.matrices) / score.seconds
        typer.echo(f"{name:10}{cells}{speed:12.1f}")
    for key, (words, factor) in GAINS.items():
        if key in outcome.gains:
            value, low, high = (f"{factor * x:+.4f}" for x in outcome.gains[key])
            sure = f"95 % interval {low} to {high}"
            if not outcome.gains[key].known:
                sure = f"no interval with fewer than {LEAST} pictures"
            typer.echo(f"{name} - mean: {words} {value}, {sure}")
