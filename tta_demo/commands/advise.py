"""The command that tells whether looking again helps, which looks, and at what cost."""

import shlex
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from tta_demo.commands import arguments
from tta_demo.commands.failing import tell_left_out, tell_understood
from tta_demo.evaluation.failures import Failures
from tta_demo.evaluation.spread import Spread
from tta_demo.evidence.files import all_files
from tta_demo.evidence.findings import Evidence, sets_for, weigh
from tta_demo.evidence.gather import gather
from tta_demo.evidence.job import Job, classifying, segmenting
from tta_demo.evidence.words import summary
from tta_demo.samples.imagenet import labelled_photos
from tta_demo.tta.crops import CROP_SETS, CROP_VIEWS

__all__ = ["advise", "looked_into"]


def advise(
    out: arguments.Results,
    name: arguments.AnyWorld = None,
    model: arguments.ModelNames = None,
    feed: arguments.FeedName = None,
    data: arguments.Data = None,
    masks: arguments.Masks = None,
    palette: arguments.Colors = None,
    swap: arguments.Swaps = None,
    count: arguments.Count = None,
    views: arguments.ViewNames = "all",
    task: Annotated[
        str, typer.Option(help="segment; or classify, with --data as for benchmark imagenet.")
    ] = "segment",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the split of the pictures.")] = 0,
    ray: arguments.OnRay = False,
) -> None:
    """Tells whether looking again helps, which looks, how many and how sure; resumes its looks.

    Every look runs once over labelled pictures; half of them choose and teach, the others measure.
    Writes report.html, evidence.json, plan.json (for `predict --plan`) and the others in plans/,
    and for every table NAME.csv, for every figure NAME.png. Boxes are not weighed.
    """
    arguments.refuse_among_pictures(out, data, masks)
    if task == "classify":
        job, about = _photos(model, data, count, views)
    else:
        arguments.one_of("--task", task, ("segment", "classify"))
        world = arguments.chosen_models(name, model, feed, palette, swap)
        sources = arguments.labelled_pictures(world, "test", data, masks, palette, count)
        job = segmenting(world.record, sources, arguments.chosen_views(views))
        where = world.label if data is None else data.resolve().name
        about = f"{where}, test split" if arguments.are_own(data, masks) else where
    command = shlex.join(["python", "-m", "tta_demo", *sys.argv[1:]])
    where = arguments.spread(ray)
    evidence, failures, notes = looked_into(job, out, about, command, seed, where)
    for file, content in all_files(evidence, job.record).items():
        (out / file).parent.mkdir(exist_ok=True)
        (out / file).write_bytes(content)
    tell_understood(notes)
    for sentence in summary(evidence):
        typer.echo(sentence)
    typer.echo(f"The report is {out / 'report.html'}; to look so: --plan {out / 'plan.json'}")
    tell_left_out(failures)


def looked_into(
    job: Job, folder: Path, data: str, command: str, seed: int = 0, spread: Spread = map
) -> tuple[Evidence, Failures, dict[str, Sequence[str]]]:
    """Returns all evidence about a job's model, why pictures are left out, and notes on truths.

    Args:
        job: the looks to make.
        folder: where they are kept, to go on from.
        data: the pictures, in plain words.
        command: what repeats it.
        seed: of the split.
        spread: where the looks are made.
    """
    wait = partial(tqdm, unit="picture")
    stacks, failures, notes = gather(job, folder, wait, spread)
    belongs = (job.record.name, job.record.digest)
    return weigh(stacks, sets_for(job.record), data, *belongs, command, seed), failures, notes


def _photos(
    models: list[str] | None, folder: Path | None, count: int | None, views: str
) -> tuple[Job, str]:
    """Returns the job of a classifier on labelled photographs, and what these are."""
    if folder is None:
        raise ValueError("--task classify needs --data: a folder of photographs by class")
    if len(models or ()) > 1:
        raise ValueError(f"--model is given {len(models)} times: classifiers look one at a time")
    named = models[0] if models else arguments.CLASSIFIER
    record = arguments.chosen_model(named, arguments.CLASSIFIERS)
    photos = labelled_photos(folder, record.synsets, record.classes, count)
    crops = arguments.chosen_views(views, CROP_SETS, CROP_VIEWS)
    return classifying(record, photos, folder, crops), folder.resolve().name
