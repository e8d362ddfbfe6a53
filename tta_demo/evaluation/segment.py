"""Evaluating segmentation on labelled pictures: tables, pictures and a figure, resumable."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from tqdm import tqdm

from tta_demo.evaluation.failures import Failures
from tta_demo.evaluation.run import Entry, Progress, Run, write_json, write_table
from tta_demo.evaluation.spread import Spread
from tta_demo.pictures.palettes import Palette, class_ids, index_png, rgb_png
from tta_demo.samples.labelled import LabelledPicture, Source
from tta_demo.scoring.interval import Difference
from tta_demo.scoring.metrics import f1, iou
from tta_demo.scoring.score import Score, gain
from tta_demo.scoring.score import run as run_plans
from tta_demo.tta.plan import Plan
from tta_demo.tta.predict import Model, to_labels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Outcome", "evaluate_segmentation", "score_table"]

LOG = "pictures.jsonl"
GAP = 8
"""Pixels of white between the parts of a joint picture."""


@dataclass(frozen=True)
class Outcome:
    """What an evaluation came to: scores, and `score_table`s, of each plan, by its name.

    They are of all pictures that could be read; `failures` says why the others could not, `notes`
    how the truths were understood, by picture. `gains` are the last plan's over the plan `mean`,
    by name of the score; none of less than two pictures.
    """

    scores: dict[str, Score]
    tables: dict[str, np.ndarray]
    failures: Failures
    gains: dict[str, Difference]
    notes: dict[str, Sequence[str]]


def evaluate_segmentation(
    model: Model | Mapping[str, Model],
    sources: Mapping[str, Source],
    plans: Mapping[str, Plan],
    palette: Palette,
    out: Path,
    stamp: dict[str, Any],
    background: bool = True,
    per_image: bool = False,
    progress: Progress = tqdm,
    spread: Spread = map,
) -> Outcome:
    """Scores plans on labelled pictures, and writes what it finds into a folder.

    Writes `scores_PLAN.csv`, `summary.json`, `summary.png`, and for each picture `mask/NAME.png`
    (class ids by the last plan) and `joint/NAME.png` (picture, truth and that prediction). The
    log `pictures.jsonl` keeps what each came to: one more run with the same settings does only
    what is new or has changed, and writes the tables again. With a plan `mean`, the last one's
    gain over it is told.

    The pictures' names can be a file's; the stamp tells what else is of this run's settings, the
    model's digest say, as JSON; `background` and `per_image` are as for `score_table`; `spread`
    says where the work is done.

    Raises:
        ValueError: no picture can be read, or the folder holds results of other settings.
    """
    settings = stamp | {f"plan {name}": plan.settings() for name, plan in plans.items()}
    settings["classes"] = dict(zip(palette.names, palette.colors, strict=True))

    def holds(entry: Entry) -> bool:
        """Tells whether a picture is as it was when it was done, and its drawings are there."""
        name, now = entry["name"], None
        with suppress(OSError):
            now = sources[name].stamp if name in sources else entry["stamp"]
        return now == entry["stamp"] and all(path.exists() for path in _drawn(out, name))

    log = Run(out / LOG, settings, holds)

    def work(name: str) -> tuple[Entry, tuple[bytes, bytes]]:
        """Returns what a picture came to, and its drawings."""
        picture, kept = sources[name].read(), {}
        size, known = picture.rgb.shape[:2], class_ids(picture.labels, len(palette.names))
        if known.shape != size:
            raise ValueError(f"{picture.name} is {size}, its truth is not: sizes differ")
        for plan, (probs, seconds) in run_plans(model, picture.rgb, plans):
            kept[plan] = _kept(probs, picture.labels, seconds)
        drawings = _drawings(picture, to_labels(torch.from_numpy(probs)), palette)
        stamp = sources[name].stamp
        return {"plans": kept, "notes": picture.notes, "stamp": stamp}, drawings

    def keep(name: str, found: tuple[Entry, tuple[bytes, bytes]]) -> Entry:
        entry, drawings = found
        for path, drawing in zip(_drawn(out, name), drawings, strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)  # a name may have folders
            path.write_bytes(drawing)
        return entry

    entries = log.over(sources, work, progress, spread, keep)
    scores = {name: _score([entry["plans"][name] for entry in entries]) for name in plans}
    tables = {name: score_table(score, background, per_image) for name, score in scores.items()}
    gains = _gains(scores, palette.names)
    notes = {entry["name"]: entry.get("notes", ()) for entry in entries}
    outcome = Outcome(scores, tables, log.failures, gains, notes)
    shown = {"background": background, "per_image": per_image}
    _write_results(out, outcome, palette, {"stamp": stamp, "tables": shown})
    return outcome


def score_table(score: Score, background: bool = True, per_image: bool = False) -> np.ndarray:
    """Returns F1 and IoU `(C + 1, 2)` in 0..1 or NaN: a row for each class, and their mean.

    Args:
        score: of at least one picture.
        background: whether class 0 counts in the mean; its own row always stays.
        per_image: whether a class's value is the mean over the pictures whose truth has it; else
            it is computed once, from the pixels of all pictures.

    Example:
        >>> score = Score()
        >>> score.matrices += [np.array([[2, 0], [0, 0]]), np.array([[0, 0], [1, 1]])]
        >>> score_table(score)[:, 1].round(3).tolist()
        [0.667, 0.5, 0.583]
        >>> score_table(score, per_image=True)[:, 1].tolist()
        [1.0, 0.5, 0.75]
    """
    matrices = np.stack(score.matrices)
    if not per_image:
        matrices = matrices.sum(0, keepdims=True)
    by_class = _mean(np.array([[f1(matrix), iou(matrix)] for matrix in matrices])).T
    return np.vstack([by_class, _mean(by_class[0 if background else 1 :])])


def _mean(values: np.ndarray) -> np.ndarray:
    """Returns the mean over the first axis of what is not NaN; NaN if nothing is left."""
    there = ~np.isnan(values)
    total, count = np.where(there, values, 0).sum(0), there.sum(0)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def _drawn(out: Path, name: str) -> tuple[Path, Path]:
    return out / "joint" / f"{name}.png", out / "mask" / f"{name}.png"


def _drawings(
    picture: LabelledPicture, labels: np.ndarray, palette: Palette
) -> tuple[bytes, bytes]:
    """Returns the PNG files of picture, truth and prediction, and of the prediction alone."""
    gap = np.full((len(labels), GAP, 3), 255, np.uint8)
    shown = palette.bright.colorize
    parts = (picture.rgb, gap, shown(picture.labels), gap, shown(labels))
    return rgb_png(np.hstack(parts)), index_png(labels, palette)


def _kept(probs: np.ndarray, truth: np.ndarray, seconds: float) -> Entry:
    """Returns what the log keeps of a plan's answer to one picture."""
    score = Score()
    score.add(probs, truth, seconds)
    return {
        "confusion": score.matrices[0].tolist(),
        "log_loss": score.log_losses[0],
        "reliability": score.tables[0].tolist(),
        "seconds": score.seconds,
    }


def _score(kept: Sequence[Entry]) -> Score:
    return Score(
        matrices=[np.array(one["confusion"]) for one in kept],
        log_losses=[one["log_loss"] for one in kept],
        tables=[np.array(one["reliability"]) for one in kept],
        seconds=sum(one["seconds"] for one in kept),
    )


def _write_results(out: Path, outcome: Outcome, palette: Palette, told: dict[str, Any]) -> None:
    rows, head = (*palette.names, "Mean"), ("Class", "F1", "Jaccard")
    for name, table in outcome.tables.items():
        write_table(out / f"scores_{name}.csv", head, zip(rows, table, strict=True))
    summary = told | {"date": date.today().isoformat()} | _summary(outcome, palette.names)
    write_json(out / "summary.json", summary)
    shown = told["tables"]
    how = "averaged over pictures" if shown["per_image"] else "pooled over all pixels"
    which = "with background" if shown["background"] else "without background"
    title = f"IoU {how}, mean {which} (pictures: {summary['pictures']})"
    _figure(outcome.tables, rows, title).savefig(out / "summary.png", dpi=120)


def _gains(scores: dict[str, Score], classes: Sequence[str]) -> dict[str, Difference]:
    *_, last = scores.values()
    mean = scores.get("mean", last)
    comparable = mean is not last and len(last.matrices) > 1
    return gain(last, mean, classes) if comparable else {}


def _summary(outcome: Outcome, classes: Sequence[str]) -> dict[str, Any]:
    *_, last = outcome.scores.values()
    return {
        "pictures": len(last.matrices),
        "failures": outcome.failures,
        "plans": {name: _means(score, classes) for name, score in outcome.scores.items()},
        "gain": {key: difference._asdict() for key, difference in outcome.gains.items()},
    }


def _means(score: Score, classes: Sequence[str]) -> dict[str, Any]:
    row = score.row(classes)
    found: dict[str, Any] = {key: row[key] for key in ("accuracy", "nll", "ece")}
    for way, per_image in (("pooled", False), ("per_image", True)):
        found[way] = {}
        for which, background in (("with_background", True), ("without_background", False)):
            f1_mean, iou_mean = score_table(score, background, per_image)[-1].tolist()
            found[way][which] = {"f1": f1_mean, "iou": iou_mean}
    return found | {"frames_per_second": 1000 / row["ms"]}


def _figure(tables: dict[str, np.ndarray], names: Sequence[str], title: str) -> "Figure":
    """Returns bars of the IoU by plan, grouped by class, and of the mean."""
    from matplotlib.figure import Figure  # takes a second, which other commands need not wait

    figure = Figure(figsize=(5 + len(names), 4.5), layout="constrained")
    axes = figure.subplots()
    places, width = np.arange(len(names)), 0.84 / len(tables)
    for i, (plan, table) in enumerate(tables.items()):
        at = places + (i - (len(tables) - 1) / 2) * width
        bars = axes.bar(at, table[:, 1], width, label=plan)
        axes.bar_label(bars, fmt="%.3f", padding=2, fontsize=8)
    axes.set_xticks(places, names)
    axes.set_yticks(np.arange(0, 1.01, 0.2))
    axes.set_ylim(0, 1.08)  # room for the numbers above the bars
    axes.set_title(title)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=len(tables), frameon=False)
    return figure
