"""Weighing the evidence on a world's whole test set, for the page to show at once."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from tta_demo.commands import arguments
from tta_demo.commands.advise import box_job, looked_into
from tta_demo.commands.benchmark.measuring import RESULTS
from tta_demo.commands.failing import tell_left_out
from tta_demo.evaluation.run import write_json
from tta_demo.evidence.job import Job, segmenting
from tta_demo.evidence.stored import as_json
from tta_demo.evidence.words import summary
from tta_demo.models.registry import MODELS
from tta_demo.tasks.worlds import MEASURED, world_named
from tta_demo.tta.views import VIEW_SETS

__all__ = ["measure_evidence"]

NAMES = (*MEASURED, arguments.DETECTOR)


def measure_evidence(
    name: Annotated[str, typer.Argument(metavar="world", help=f"One of {', '.join(NAMES)}.")],
    data: arguments.SplitFolder = None,
    count: arguments.Count = None,
    out: Annotated[Path, typer.Option(help="Folder for evidence-WORLD.json.")] = RESULTS,
    looks: Annotated[
        Path | None, typer.Option(help="Folder to keep the looks in, to go on from.")
    ] = None,
    ray: arguments.OnRay = False,
) -> None:
    """Weighs all evidence for looking again on a world's test split, with all 15 looks.

    Of the detector's, boxes are weighed.
    """
    job, about = _job(name, data, count)
    command = f"python -m tta_demo benchmark evidence {name}"
    command += " --data BBBC038" if data else ""
    command += f" --count {count}" if count else ""
    with TemporaryDirectory() as folder:
        place, where = looks or Path(folder), arguments.spread(ray)
        evidence, failures, _ = looked_into(job, place, about, command, spread=where)
    write_json(out / f"evidence-{name}.json", as_json(evidence))
    for sentence in summary(evidence):
        typer.echo(sentence)
    tell_left_out(failures)


def _job(name: str, data: Path | None, count: int | None) -> tuple[Job, str]:
    """Returns what is to be looked at, and what that is in plain words."""
    if name == arguments.DETECTOR:
        if data is not None:
            raise ValueError(f"--data {data}: fields with true boxes are made, leave --data out")
        job, about, _ = box_job(MODELS[name], None, count, VIEW_SETS["all"])
        return job, about
    world = world_named(name)
    sources = arguments.labelled_pictures(world, "test", data, count=count)
    return segmenting(world.record, sources, VIEW_SETS["all"]), f"{world.label}, test split"
