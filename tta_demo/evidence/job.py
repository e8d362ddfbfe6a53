"""What is to be looked at: the same for whole pictures, for pixels and for boxes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tta_demo.evidence.boxes import BoxLooks, kept_boxes
from tta_demo.evidence.stacks import Looked, Stacks, kept_crops, kept_looks
from tta_demo.models.ensemble import Ensemble, rows_of
from tta_demo.models.record import ModelRecord, digest_of
from tta_demo.models.registry import load_model
from tta_demo.pictures.reading import read_picture
from tta_demo.samples.labelled import Source
from tta_demo.tasks.classify import ONE_CROP
from tta_demo.tasks.looking import looks_at
from tta_demo.tta.boxes import Boxes
from tta_demo.tta.plan import ONE_LOOK
from tta_demo.tta.views import VIEWS

__all__ = ["BoxSource", "Job", "classifying", "detecting", "segmenting"]

BoxSource = Callable[[], tuple[np.ndarray, Boxes]]
"""Reads or makes a picture `(H, W, 3)` uint8 and its true boxes."""


@dataclass(frozen=True)
class Job:
    """A model, its looks, and labelled pictures.

    Attributes:
        record: of the model.
        views: V names, the plain look first.
        stamps: by name of the pictures, what tells a picture's files from others.
        look: from a name to what is kept of the picture, V forward passes, and how its truth was
            understood.
        kind: of what all that is kept makes.
    """

    record: ModelRecord | Ensemble
    views: tuple[str, ...]
    stamps: Mapping[str, str]
    look: Callable[[str], tuple[Any, Sequence[str]]]
    kind: type[Looked] = Stacks


def segmenting(
    record: ModelRecord | Ensemble, sources: Mapping[str, Source], views: Sequence[str]
) -> Job:
    """Returns the job of looking at pictures with masks; the plain look comes to the views.

    Args:
        record: of the model, or an ensemble, whose models all look so.
        sources: labelled pictures by name.
        views: keys of `VIEWS`.
    """
    rows = rows_of(record, dict.fromkeys((*ONE_LOOK.views, *views)))

    def look(name: str) -> tuple[Any, Sequence[str]]:
        picture = sources[name].read()
        return kept_looks(load_model(record), picture, rows), picture.notes

    return Job(record, rows, {name: source.stamp for name, source in sources.items()}, look)


def classifying(
    record: ModelRecord, photos: Mapping[Path, int], folder: Path, views: Sequence[str]
) -> Job:
    """Returns the job of looking at photographs with one class each.

    Args:
        record: of a model that classifies.
        photos: class ids by path.
        folder: that the photographs are in; a photograph is called by its path from there.
        views: keys of `CROP_VIEWS`; the middle comes to them.
    """
    rows = tuple(dict.fromkeys((*ONE_CROP.views, *views)))
    paths = {path.relative_to(folder).as_posix(): path for path in photos}

    def look(name: str) -> tuple[Any, Sequence[str]]:
        picture = read_picture(paths[name])
        label = photos[paths[name]]
        return kept_crops(load_model(record), name, picture.rgb, label, rows), picture.notes

    stamps = {name: f"{photos[path]} {digest_of(path)}" for name, path in paths.items()}
    return Job(record, rows, stamps, look)


def detecting(
    record: ModelRecord,
    sources: Mapping[str, BoxSource],
    stamps: Mapping[str, str],
    views: Sequence[str],
) -> Job:
    """Returns the job of looking at pictures with true boxes.

    Args:
        record: of a model that detects.
        sources: pictures by name.
        stamps: as for `Job`.
        views: keys of `VIEWS`; the plain look comes to them.

    Raises:
        ValueError: a view is a tilt, whose boxes cannot be turned back.
    """
    rows = tuple(dict.fromkeys((*ONE_LOOK.views, *views)))
    tilts = [view for view in rows if VIEWS[view].tilt]
    if tilts:
        raise ValueError(f"views {', '.join(tilts)}: boxes cannot be turned back, leave tilts out")

    def look(name: str) -> tuple[Any, Sequence[str]]:
        rgb, truth = sources[name]()
        return kept_boxes(looks_at(record, rgb, rows), name, truth, len(rows)), ()

    return Job(record, rows, stamps, look, BoxLooks)
