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
from tta_demo.evidence.job import Job, classifying, detecting, segmenting
from tta_demo.evidence.words import summary
from tta_demo.models.record import ModelRecord, digest_of
from tta_demo.pictures.palettes import WEEDS
from tta_demo.samples import weeds
from tta_demo.samples.coco import CocoPicture, coco_pictures
from tta_demo.samples.imagenet import labelled_photos
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.crops import CROP_SETS, CROP_VIEWS

__all__ = ["advise", "box_job", "looked_into"]

TASKS = ("segment", "classify", "detect")


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
        str,
        typer.Option(
            help="segment; classify, with --data as for benchmark imagenet; or detect, with "
            "--data as for evaluate-boxes."
        ),
    ] = "segment",
    seed: Annotated[int, typer.Option(min=0, help="Seed of the split of the pictures.")] = 0,
    ray: arguments.OnRay = False,
) -> None:
    """Tells whether looking again helps, which looks, how many and how sure; resumes its looks.

    Every look runs once over labelled pictures; half of them choose and teach, the others measure.
    Writes report.html, evidence.json, plan.json (for --plan of predict, classify and detect) and
    the others in plans/, and for every table NAME.csv, for every figure NAME.png.
    """
    arguments.refuse_among_pictures(out, data, masks)
    if task == "classify":
        job, about = _photos(model, data, count, views)
    elif task == "detect":
        named = _only(model, arguments.DETECTOR)
        record = arguments.chosen_model(named, arguments.DETECTORS, swap)
        job, about, told = box_job(record, data, count, arguments.chosen_views(views))
        for note in told:
            typer.echo(note)
    else:
        arguments.one_of("--task", task, TASKS)
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
    named = _only(models, arguments.CLASSIFIER)
    record = arguments.chosen_model(named, arguments.CLASSIFIERS)
    photos = labelled_photos(folder, record.synsets, record.classes, count)
    crops = arguments.chosen_views(views, CROP_SETS, CROP_VIEWS)
    return classifying(record, photos, folder, crops), folder.resolve().name


def box_job(
    record: ModelRecord, folder: Path | None, count: int | None, views: Sequence[str]
) -> tuple[Job, str, tuple[str, ...]]:
    """Returns the job of a detector on pictures with true boxes, what these are, and notes.

    Args:
        record: of the detector.
        folder: of pictures with one COCO JSON; for weeds, None makes test fields.
        count: how many pictures; all if None.
        views: keys of `VIEWS`.
    """
    if folder is None and record.palette is not WEEDS:
        told = f"--task detect with {record.name} needs --data"
        raise ValueError(f"{told}: a folder of pictures with one COCO JSON")
    if folder is None:
        seeds = weeds.SEEDS["test"][: count or weeds.COUNTS["test"]]
        fields = {f"weeds-{seed}": partial(weeds.boxed, seed) for seed in seeds}
        about = f"{WORLDS['weeds'].label}, boxes of plants, test split"
        return detecting(record, fields, dict.fromkeys(fields, ""), views), about, ()
    found = coco_pictures(folder, record.classes[1:])
    pictures = dict([*found.pictures.items()][:count])
    sources = {name: one.read for name, one in pictures.items()}
    stamps = {name: _stamp(one) for name, one in pictures.items()}
    return detecting(record, sources, stamps, views), folder.resolve().name, found.notes


def _stamp(one: CocoPicture) -> str:
    """Returns what tells a picture and its boxes from others; a lost file is told of later."""
    file = digest_of(one.path) if one.path.is_file() else "lost"
    return f"{file} {one.boxes.xyxy.tolist()} {one.boxes.labels.tolist()}"


def _only(models: list[str] | None, usual: str) -> str:
    if len(models or ()) > 1:
        raise ValueError(f"--model is given {len(models)} times: only those that segment look so")
    return models[0] if models else usual
