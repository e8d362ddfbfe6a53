"""The command that measures what views and fusions of boxes are worth."""

from pathlib import Path
from typing import Annotated

import typer

from tta_demo.commands import arguments
from tta_demo.commands.failing import tell_left_out
from tta_demo.evaluation.detect import evaluate_detection
from tta_demo.models.portable import portable
from tta_demo.models.record import digest_of
from tta_demo.samples.coco import coco_pictures

__all__ = ["evaluate_boxes"]


def evaluate_boxes(
    data: Annotated[Path, typer.Option(help="Folder of pictures with one COCO JSON.")],
    out: arguments.Results,
    model: arguments.Detector = arguments.DETECTOR,
    count: arguments.Count = None,
    views: arguments.SuitedViews = None,
    swap: arguments.Swaps = None,
    ray: arguments.OnRay = False,
) -> None:
    """Compares no TTA and every fusion of boxes on labelled pictures; resumes where it was.

    Writes scores.csv and summary.json.
    """
    record = arguments.chosen_model(model, arguments.DETECTORS, swap)
    names = arguments.suited_views(views, record)
    arguments.refuse_among_pictures(out, data, below=True)
    classes = record.classes[1:]
    folder = coco_pictures(data, classes)
    sources = {key: picture.read for key, picture in [*folder.pictures.items()][:count]}
    stamp = {"model": record.digest, "annotations": digest_of(folder.annotations)}
    labels, network = range(1, len(classes) + 1), portable(record)
    where = arguments.spread(ray)
    outcome = evaluate_detection(
        network, sources, names, labels, out, stamp, folder.notes, spread=where
    )
    for text in (*outcome.notes, outcome.table()):
        typer.echo(text)
    tell_left_out(outcome.failures)
