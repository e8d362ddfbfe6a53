"""Measuring what sets of crops are worth to the page's own photographs."""

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from tta_demo.commands import arguments
from tta_demo.commands.benchmark.measuring import RESULTS, about
from tta_demo.evaluation.run import write_json
from tta_demo.models.record import ModelRecord
from tta_demo.models.registry import MODELS
from tta_demo.pictures.reading import read_picture
from tta_demo.samples.photos import PHOTOS, Photo
from tta_demo.tasks.classify import classify
from tta_demo.tta.crops import CROP_SETS
from tta_demo.tta.plan import Plan

__all__ = ["measure_photos"]


def measure_photos(
    out: Annotated[Path, typer.Option(help="Folder for photos.json.")] = RESULTS,
) -> None:
    """Measures how probable the truth is in the page's photographs, by set of crops; saves it."""
    model = MODELS[arguments.CLASSIFIER]
    known = [photo for photo in PHOTOS if photo.truth]
    found = {photo.path.stem: _found(model, photo) for photo in known}
    means, right = {}, {}
    for name in CROP_SETS:
        means[name] = round(float(np.mean([one[name][0] for one in found.values()])), 4)
        right[name] = sum(one[name][1] for one in found.values())
        typer.echo(f"{name:10}  {means[name]:.4f}  right {right[name]} of {len(known)}")
    result = about(
        "photos",
        model=model.name,
        digest=model.digest,
        pictures=len(known),
        photos={
            stem: {name: share for name, (share, _) in one.items()} for stem, one in found.items()
        },
        mean=means,
        right=right,
    )
    write_json(out / "photos.json", result)


def _found(model: ModelRecord, photo: Photo) -> dict[str, tuple[float, bool]]:
    """Returns how probable the truth is by set, and whether the likeliest class is right."""
    picture = read_picture(photo.path)
    results = {name: classify(model, picture, Plan(views)) for name, views in CROP_SETS.items()}
    places = [model.classes.index(name) for name in photo.truth]
    return {
        name: (round(float(one.probs[places].sum()), 4), one.top(1)[0][0] in places)
        for name, one in results.items()
    }
