"""Measuring what a picture costs, and from that what many pictures need."""

import time
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import cv2
import numpy as np
import torch
import typer
from tqdm import trange

from tta_demo.commands import arguments
from tta_demo.commands.benchmark.measuring import RESULTS, about
from tta_demo.evaluation.run import write_json
from tta_demo.evaluation.spread import over_ray
from tta_demo.models.portable import portable
from tta_demo.models.registry import MODELS
from tta_demo.pictures.assets import ASSETS
from tta_demo.pictures.reading import Picture, read_picture
from tta_demo.samples.labelled import LabelledPicture
from tta_demo.samples.weeds import SEEDS, sample
from tta_demo.scoring.score import evaluate
from tta_demo.tasks.classify import classify
from tta_demo.tasks.detect import detect
from tta_demo.tasks.segment import segment
from tta_demo.tta.crops import CROP_SETS
from tta_demo.tta.plan import Plan
from tta_demo.tta.predict import Model
from tta_demo.tta.views import VIEW_SETS

__all__ = ["measure_sizing", "needs"]

MILLION, CORES = 1_000_000, 64
CASES = (
    ("unet-weeds", 256, ("none", "flips", "d4", "all")),
    ("unet-weeds", 1024, ("none", "flips", "d4", "all")),
    ("u2net-p", 1024, ("none", "flips")),
    ("weed-detector", 256, ("none", "d4")),
    ("nanodet-g", 1024, ("none", "flips")),
    ("efficientnet-lite0", 1024, ("center", "ten-crop")),
)
"""A model, the side of its square picture in pixels, and sets of looks."""
D4 = {"d4": Plan(VIEW_SETS["d4"])}


def measure_sizing(
    repeats: Annotated[int, typer.Option(min=1, help="Turns that are timed.")] = 3,
    fields: Annotated[int, typer.Option(min=2, help="Weed fields of the run on Ray.")] = 40,
    out: Annotated[Path, typer.Option(help="Folder for sizing.json.")] = RESULTS,
    ray: arguments.OnRay = False,
) -> None:
    """Measures the seconds of one core that a picture costs; tells what a million would need.

    Cases take turns, and the least of each counts; a first turn only warms up.
    With --ray, weed fields with D4 are timed on the cluster and here.
    """
    torch.set_num_threads(1)
    cases = [(name, side, looks) for name, side, sets in CASES for looks in sets]
    rounds = [[_cost(*case) for case in cases] for _ in trange(repeats + 1, unit="turn")]
    rows = [
        dict(zip(("model", "side", "looks"), case, strict=True)) | needs(min(taken))
        for case, taken in zip(cases, zip(*rounds[1:], strict=True), strict=True)
    ]
    found = {"run": _runs(fields)} if ray else {}
    for row in rows:
        told = f"{row['model']:20} {row['side']:5} px  {row['looks']:9}"
        typer.echo(f"{told} {row['seconds']:8.3f} s  {row['an_hour']:8,} an hour and core")
    for key, value in found.get("run", {}).items():
        typer.echo(f"{key}: {value}")
    command = f"sizing --repeats {repeats}" + (f" --fields {fields} --ray" if ray else "")
    digests = {name: MODELS[name].digest for name, *_ in CASES}
    result = about(command, digests=digests, cores=CORES, rows=rows, **found)
    write_json(out / "sizing.json", result)


def needs(seconds: float) -> dict[str, Any]:
    """Returns what follows from the seconds of one core that a picture costs.

    Example:
        >>> needs(0.36)
        {'seconds': 0.36, 'an_hour': 10000, 'million_core_hours': 100.0, 'million_hours': 1.6}
    """
    hours = MILLION * seconds / 3600
    return {
        "seconds": round(seconds, 4),
        "an_hour": round(3600 / seconds),
        "million_core_hours": round(hours, 1),
        "million_hours": round(hours / CORES, 1),
    }


def _cost(name: str, side: int, looks: str) -> float:
    """Returns the seconds of processor time from pixels to a fused answer."""
    picture = _picture(name, side)
    start = time.process_time()
    _answer(name, picture, looks)
    return time.process_time() - start


def _answer(name: str, picture: Picture, looks: str) -> object:
    record = MODELS[name]
    if record.task == "classify":
        return classify(record, picture, Plan(CROP_SETS[looks])).top()
    if record.task == "detect":
        return detect(record, picture, Plan.chosen(VIEW_SETS[looks], "wbf")).boxes
    return segment(record, picture, Plan.chosen(VIEW_SETS[looks], "mean")).labels


def _picture(name: str, side: int) -> Picture:
    """Returns a square picture that no cache has seen."""
    if MODELS[name].domain == "natural":
        rgb = read_picture(ASSETS / "examples" / "chelsea.jpg").rgb
    else:
        rgb = sample(SEEDS["test"][0]).rgb
    rgb = cv2.resize(rgb, (side, side))
    rgb[:8, :8] = np.random.default_rng().integers(0, 256, (8, 8, 3))
    return Picture.of(rgb)


def _runs(fields: int) -> dict[str, Any]:
    """Returns what a field with D4 costs here and on Ray, and how much its cores had to do."""
    import ray

    work = partial(_timed, portable(MODELS["unet-weeds"]))
    pictures = [sample(seed) for seed in SEEDS["test"][:fields]]
    here = np.array([*map(work, pictures)])[1:]  # the first only warms up
    list(over_ray(work, pictures))  # its processes start, and load the model
    cores, start = int(ray.cluster_resources()["CPU"]), time.perf_counter()
    there = np.array([*over_ray(work, pictures)])
    whole = cores * (time.perf_counter() - start)
    return {
        "fields": fields,
        "cores": cores,
        "here": round(float(np.median(here[:, 0])), 4),
        "on_ray": round(float(np.median(there[:, 0])), 4),
        "busy": round(float(there[:, 1].sum() / whole), 3),
    }


def _timed(model: Model, picture: LabelledPicture) -> tuple[float, float]:
    """Returns the processor's seconds and the clock's."""
    busy, start = time.process_time(), time.perf_counter()
    evaluate(model, [picture], D4)
    return time.process_time() - busy, time.perf_counter() - start
