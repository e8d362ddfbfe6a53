"""Evaluating a detector on pictures with true boxes: a table, resumable."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from tta_demo.evaluation.failures import Failures
from tta_demo.evaluation.run import Entry, Progress, Run, write_json, write_table
from tta_demo.evaluation.spread import Spread
from tta_demo.scoring.box_metrics import DetectionScores, average_precision
from tta_demo.tta.box_fusion import FUSERS
from tta_demo.tta.box_views import BoxModel, predict_boxes
from tta_demo.tta.boxes import Boxes
from tta_demo.tta.plan import ONE_LOOK, Plan
from tta_demo.tta.predict import to_tensor
from tta_demo.tta.views import VIEWS

__all__ = ["BoxOutcome", "evaluate_detection"]


@dataclass(frozen=True)
class BoxOutcome:
    """What an evaluation came to: scores by key of `FUSERS`, and how many pictures were read.

    `failures` says why the others could not be, `notes` what was left out of all of them.
    """

    scores: dict[str, DetectionScores]
    pictures: int
    failures: Failures
    notes: tuple[str, ...] = ()

    def table(self) -> str:
        """Returns the scores as text for people.

        Example:
            >>> outcome = BoxOutcome({"wbf": DetectionScores(0.5, 0.75, 0.625)}, 3, Failures())
            >>> print(outcome.table())
            fusion         AP   AP@.5  recall   (3 pictures)
            wbf        0.5000  0.7500  0.6250
        """
        head = f"{'fusion':9}{'AP':>8}{'AP@.5':>8}{'recall':>8}   ({self.pictures} pictures)"
        rows = (
            f"{key:9}{score.ap:8.4f}{score.ap50:8.4f}{score.recall:8.4f}"
            for key, score in self.scores.items()
        )
        return "\n".join((head, *rows))


def evaluate_detection(
    model: BoxModel,
    sources: Mapping[str, Callable[[], tuple[np.ndarray, Boxes]]],
    views: Sequence[str],
    classes: Sequence[int],
    out: Path,
    stamp: dict[str, Any],
    notes: tuple[str, ...] = (),
    progress: Progress = tqdm,
    spread: Spread = map,
) -> BoxOutcome:
    """Scores every fusion on pictures with true boxes; writes `scores.csv` and `summary.json`.

    The log `boxes.jsonl` keeps the boxes of every picture and view: one more run with the same
    settings only fuses. Sources read a picture `(H, W, 3)` uint8 and its true boxes, by its name;
    of `views`, the original is added for the row `none` alone; `classes` are the labels that
    count; the stamp tells what else is of this run's settings, the model's digest say, as JSON;
    `spread` says where the work is done.

    Raises:
        ValueError: a view is a tilt, no picture can be read, or the folder holds results of
            other settings.
    """
    tilts = [name for name in views if VIEWS[name].tilt]
    if tilts:
        raise ValueError(f"views {', '.join(tilts)}: boxes cannot be turned back, leave tilts out")
    settings = {**stamp, "views": list(views), "classes": list(classes)}
    needed = tuple(dict.fromkeys((*ONE_LOOK.views, *views)))
    log = Run(out / "boxes.jsonl", settings)

    def work(name: str) -> Entry:
        rgb, truth = sources[name]()
        looks = predict_boxes(model, to_tensor(rgb), needed)
        found = {view: _kept(look.boxes) for view, look in looks.items()}
        return {"truth": _kept(truth), "views": found}

    entries = log.over(sources, work, progress, spread)
    scores = _scores(entries, tuple(views), classes)
    outcome = BoxOutcome(scores, len(entries), log.failures, notes)
    rows = ((key, (one.ap, one.ap50, one.recall)) for key, one in scores.items())
    write_table(out / "scores.csv", ("Fusion", "AP", "AP50", "Recall"), rows)
    about = {"stamp": settings, "date": date.today().isoformat()}
    write_json(out / "summary.json", about | asdict(outcome))
    return outcome


def _kept(boxes: Boxes) -> dict[str, Any]:
    """Returns what the log keeps of boxes; `Boxes(**kept)` gives them back."""
    return {key: getattr(boxes, key).tolist() for key in ("xyxy", "scores", "labels")}


def _scores(
    entries: Sequence[Entry], views: tuple[str, ...], classes: Sequence[int]
) -> dict[str, DetectionScores]:
    truth = [Boxes(**entry["truth"]) for entry in entries]
    found = [{view: Boxes(**kept) for view, kept in entry["views"].items()} for entry in entries]
    plans = {fusion: Plan.chosen(views, fusion) for fusion in FUSERS}
    fused = {key: [plan.fuse_boxes(one).boxes for one in found] for key, plan in plans.items()}
    return {key: average_precision(boxes, truth, classes) for key, boxes in fused.items()}
