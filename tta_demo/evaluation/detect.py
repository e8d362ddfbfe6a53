"""Evaluating a detector on a folder of pictures with true boxes: a table, resumable."""

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from tta_demo.evaluation.journal import Journal
from tta_demo.models.detectors import DETECTORS, load_detector
from tta_demo.models.registry import digest_of
from tta_demo.samples.coco import coco_pictures
from tta_demo.scoring.box_metrics import DetectionScores, average_precision
from tta_demo.tta.box_fusion import FUSERS
from tta_demo.tta.box_views import BoxModel, detect
from tta_demo.tta.boxes import Boxes
from tta_demo.tta.predict import to_tensor
from tta_demo.tta.views import VIEWS

__all__ = ["BoxOutcome", "evaluate_boxes", "evaluate_coco"]

LOG = "boxes.jsonl"
IDENTITY = "identity"


@dataclass(frozen=True)
class BoxOutcome:
    """What an evaluation came to.

    Attributes:
        scores: by key of `FUSERS`; `none` is the original view alone.
        pictures: how many could be read.
        failures: why the others could not, by their names.
        notes: what was left out of all of them.
    """

    scores: dict[str, DetectionScores]
    pictures: int
    failures: dict[str, str]
    notes: tuple[str, ...] = ()

    def table(self) -> str:
        """Returns the scores as text for people.

        Example:
            >>> print(BoxOutcome({"wbf": DetectionScores(0.5, 0.75, 0.625)}, 3, {}).table())
            fusion         AP   AP@.5  recall   (3 pictures)
            wbf        0.5000  0.7500  0.6250
        """
        head = f"{'fusion':9}{'AP':>8}{'AP@.5':>8}{'recall':>8}   ({self.pictures} pictures)"
        rows = (
            f"{key:9}{score.ap:8.4f}{score.ap50:8.4f}{score.recall:8.4f}"
            for key, score in self.scores.items()
        )
        return "\n".join((head, *rows))


def evaluate_coco(
    data: Path, out: Path, name: str | None, views: Sequence[str], count: int | None = None
) -> BoxOutcome:
    """Scores a detector on a folder of pictures with one COCO JSON; see `evaluate_boxes`.

    Args:
        data: see `coco_pictures`.
        out: folder for the results, not in `data`; made if it is missing.
        name: a key of `DETECTORS`; the first one if left out.
        views: keys of `VIEWS`, without tilts.
        count: how many pictures; all if left out.

    Raises:
        ValueError: the detector is unknown, `out` is in `data`, or as `coco_pictures` and
            `evaluate_boxes`.
    """
    if out.resolve().is_relative_to(data.resolve()):
        raise ValueError(f"--out {out} is where the pictures are: choose another folder")
    name = name or next(iter(DETECTORS))
    model, record = load_detector(name), DETECTORS[name]
    classes = record.palette.names[1:]
    folder = coco_pictures(data, classes)
    sources = {key: picture.read for key, picture in [*folder.pictures.items()][:count]}
    stamp = {"model": record.digest, "annotations": digest_of(folder.annotations)}
    found = evaluate_boxes(model, sources, views, range(1, len(classes) + 1), out, stamp)
    return replace(found, notes=folder.notes)


def evaluate_boxes(
    model: BoxModel,
    sources: Mapping[str, Callable[[], tuple[np.ndarray, Boxes]]],
    views: Sequence[str],
    classes: Sequence[int],
    out: Path,
    stamp: dict[str, Any],
    progress: Callable[[Sequence[str]], Iterable[str]] = tqdm,
) -> BoxOutcome:
    """Scores every fusion on pictures with true boxes; writes `scores.csv` and `summary.json`.

    The log `boxes.jsonl` keeps the boxes of every picture and view: a run that was cut off goes
    on, and one more with the same settings only fuses. A picture is known by its name alone.

    Args:
        model: finds boxes.
        sources: how to read each picture `(H, W, 3)` uint8 and its true boxes, by its name.
        views: keys of `VIEWS`, without tilts; the original is added for the row `none` alone.
        classes: the labels that count.
        out: folder for the results; made if it is missing.
        stamp: what else tells this run's settings, for instance the model's digest; JSON.
        progress: wraps the names of the pictures that are still to do.

    Raises:
        ValueError: a view is a tilt, no picture can be read, or the folder holds results of
            other settings.
    """
    tilts = [name for name in views if VIEWS[name].tilt]
    if tilts:
        raise ValueError(f"views {', '.join(tilts)}: boxes cannot be turned back, leave tilts out")
    settings = {**stamp, "views": list(views), "classes": list(classes)}
    journal = Journal(out / LOG, settings)
    done = {entry["name"]: entry for entry in journal.entries}
    failures: dict[str, str] = {}
    missing = [name for name in sources if name not in done]
    for name in progress(missing) if missing else ():
        try:
            rgb, truth = sources[name]()
            found = detect(model, to_tensor(rgb), list(dict.fromkeys((IDENTITY, *views))))
        except (ValueError, OSError) as error:
            failures[name] = str(error)
            continue
        looks = {view: _kept(boxes) for view, boxes in found.items()}
        done[name] = {"name": name, "truth": _kept(truth), "views": looks}
        journal.add(done[name])
    read = [done[name] for name in sources if name in done]
    if not read:
        told = "".join(f"; {message}" for message in list(failures.values())[:3])
        raise ValueError(f"none of {len(sources)} pictures could be read{told}")
    outcome = BoxOutcome(_scores(read, views, classes), len(read), failures)
    _write(out, outcome, settings)
    return outcome


def _kept(boxes: Boxes) -> dict[str, Any]:
    """Returns what the log keeps of boxes; `Boxes(**kept)` gives them back."""
    return {key: getattr(boxes, key).tolist() for key in ("xyxy", "scores", "labels")}


def _scores(
    entries: Sequence[dict[str, Any]], views: Sequence[str], classes: Sequence[int]
) -> dict[str, DetectionScores]:
    truth = [Boxes(**entry["truth"]) for entry in entries]
    scores = {}
    for key, fuser in FUSERS.items():
        names = (IDENTITY,) if key == "none" else views
        found = [{name: Boxes(**entry["views"][name]) for name in names} for entry in entries]
        fused = [fuser.run(looks).boxes for looks in found]
        scores[key] = average_precision(fused, truth, classes)
    return scores


def _write(out: Path, outcome: BoxOutcome, settings: dict[str, Any]) -> None:
    with (out / "scores.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("Fusion", "AP", "AP50", "Recall"))
        for key, score in outcome.scores.items():
            cells = (score.ap, score.ap50, score.recall)
            writer.writerow((key, *("" if isnan(x) else f"{x:.6f}" for x in cells)))
    scores = {
        key: {name: None if isnan(x) else x for name, x in asdict(score).items()}
        for key, score in outcome.scores.items()
    }
    summary = {"stamp": settings, "date": date.today().isoformat()}
    summary |= asdict(outcome) | {"scores": scores}
    (out / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
