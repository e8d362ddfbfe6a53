"""Evaluating a folder of labelled pictures: tables, pictures and a figure, resumable."""

import csv
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from tqdm import tqdm

from tta_demo.evaluation.journal import Journal
from tta_demo.pictures.palettes import Palette, class_ids, index_png, rgb_png
from tta_demo.samples.labelled import LabelledPicture
from tta_demo.scoring.metrics import f1, iou
from tta_demo.scoring.score import Plan, Score, gain, run
from tta_demo.tta.predict import Model, to_labels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Outcome", "evaluate_folder", "score_table"]

LOG = "pictures.jsonl"
DRAWN = ("joint", "mask")
GAP = 8
"""Pixels of white between the parts of a joint picture."""


@dataclass(frozen=True)
class Outcome:
    """What an evaluation came to.

    Attributes:
        scores: of each plan, by its name, over all pictures that could be read, in their order.
        failures: why the other pictures could not, by their names.
    """

    scores: dict[str, Score]
    failures: dict[str, str]


def evaluate_folder(
    model: Model,
    sources: dict[str, Callable[[], LabelledPicture]],
    plans: Sequence[Plan],
    palette: Palette,
    out: Path,
    stamp: dict[str, Any],
    background: bool = True,
    per_image: bool = False,
    progress: Callable[[Sequence[str]], Iterable[str]] = tqdm,
) -> Outcome:
    """Scores plans on labelled pictures, and writes what it finds into a folder.

    Writes `scores_PLAN.csv`, `summary.json`, `summary.png`, and for each picture `mask/NAME.png`
    (class ids by the last plan) and `joint/NAME.png` (picture, truth and that prediction). The
    log `pictures.jsonl` keeps what each came to: a run that was cut off goes on, and one more
    with the same settings only writes the tables again. A picture is known by its name alone.

    Args:
        model: gives logits.
        sources: how to read each picture, by a name that can be a file's.
        plans: what to compare; with a plan `mean`, the last one's gain over it is reported.
        palette: the model's classes.
        out: folder for the results; made if it is missing.
        stamp: what else tells this run's settings, for instance the model's digest; JSON.
        background: whether class 0 counts in the tables' means.
        per_image: whether to average the scores of single pictures instead of pooling all pixels.
        progress: wraps the names of the pictures that are still to do.

    Raises:
        ValueError: no picture can be read, or the folder holds results of other settings.
    """
    for folder in DRAWN:
        (out / folder).mkdir(parents=True, exist_ok=True)
    journal = Journal(out / LOG, _settings(stamp, plans, palette))
    done = _finished(out, journal)
    failures: dict[str, str] = {}
    missing = [name for name in sources if name not in done]
    for name in progress(missing) if missing else ():
        try:
            picture = _checked(sources[name](), palette)
        except (ValueError, OSError) as error:
            failures[name] = str(error)
            continue
        done[name] = {}
        for plan, (probs, seconds) in zip(plans, run(model, picture.rgb, plans), strict=True):
            score = Score(plan)
            score.add(probs, picture.labels, seconds)
            done[name][plan.name] = _kept(score)
        _draw(out, name, picture, to_labels(torch.from_numpy(probs)), palette)
        journal.add({"name": name, "plans": done[name]})  # last: its files are there
    read = [done[name] for name in sources if name in done]
    if not read:
        told = "".join(f"; {message}" for message in list(failures.values())[:3])
        raise ValueError(f"none of {len(sources)} pictures could be read{told}")
    outcome = Outcome({plan.name: _score(plan, read) for plan in plans}, failures)
    _write_results(out, outcome, palette, stamp, background, per_image)
    return outcome


def score_table(score: Score, background: bool = True, per_image: bool = False) -> np.ndarray:
    """Returns F1 and IoU `(C + 1, 2)` in 0..1 or NaN: a row for each class, and their mean.

    Args:
        score: of at least one picture.
        background: whether class 0 counts in the mean; its own row always stays.
        per_image: whether a class's value is the mean over the pictures where it is in truth or
            prediction; else it is computed once, from the pixels of all pictures.

    Example:
        >>> score = Score(Plan("none", ("identity",), "none"))
        >>> score.matrices += [np.array([[2, 0], [0, 0]]), np.array([[0, 0], [1, 1]])]
        >>> score_table(score)[:, 1].round(3).tolist()
        [0.667, 0.5, 0.583]
        >>> score_table(score, per_image=True)[:, 1].tolist()
        [0.5, 0.5, 0.5]
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


def _settings(stamp: dict[str, Any], plans: Sequence[Plan], palette: Palette) -> dict[str, Any]:
    """Returns what must be equal for two runs to share a folder."""
    settings = dict(stamp)
    for plan in plans:
        weights = None if plan.weights is None else plan.weights.tolist()
        settings[f"plan {plan.name}"] = [plan.views, plan.fusion, plan.pool, weights]
    settings["classes"] = dict(zip(palette.names, palette.colors, strict=True))
    return settings


def _finished(out: Path, journal: Journal) -> dict[str, Any]:
    """Returns what the journal holds by picture and plan, where the pictures' files are there."""
    return {
        entry["name"]: entry["plans"]
        for entry in journal.entries
        if all((out / folder / f"{entry['name']}.png").exists() for folder in DRAWN)
    }


def _checked(picture: LabelledPicture, palette: Palette) -> LabelledPicture:
    size = picture.rgb.shape[:2]
    if class_ids(picture.labels, len(palette.names)).shape != size:
        raise ValueError(f"{picture.name} is {size}, its truth is not: sizes differ")
    return picture


def _draw(
    out: Path, name: str, picture: LabelledPicture, labels: np.ndarray, palette: Palette
) -> None:
    gap = np.full((len(labels), GAP, 3), 255, np.uint8)
    parts = (picture.rgb, gap, palette.colorize(picture.labels), gap, palette.colorize(labels))
    (out / "joint" / f"{name}.png").write_bytes(rgb_png(np.hstack(parts)))
    (out / "mask" / f"{name}.png").write_bytes(index_png(labels, palette))


def _kept(score: Score) -> dict[str, Any]:
    """Returns what the log keeps of one picture's score."""
    return {
        "confusion": score.matrices[0].tolist(),
        "log_loss": score.log_losses[0],
        "reliability": score.tables[0].tolist(),
        "seconds": score.seconds,
    }


def _score(plan: Plan, records: Sequence[dict[str, Any]]) -> Score:
    """Returns the score of what the log keeps of several pictures."""
    kept = [record[plan.name] for record in records]
    return Score(
        plan,
        matrices=[np.array(one["confusion"]) for one in kept],
        log_losses=[one["log_loss"] for one in kept],
        tables=[np.array(one["reliability"]) for one in kept],
        seconds=sum(one["seconds"] for one in kept),
    )


def _write_results(
    out: Path,
    outcome: Outcome,
    palette: Palette,
    stamp: dict[str, Any],
    background: bool,
    per_image: bool,
) -> None:
    tables = {n: score_table(s, background, per_image) for n, s in outcome.scores.items()}
    for name, table in tables.items():
        _write_table(out / f"scores_{name}.csv", table, palette)
    shown = {"background": background, "per_image": per_image}
    summary = {"stamp": stamp, "date": date.today().isoformat(), "tables": shown}
    summary |= _without_nan(_summary(outcome, palette))
    (out / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
    how = "averaged over pictures" if per_image else "pooled over all pixels"
    which = "with background" if background else "without background"
    title = f"IoU {how}, mean {which} (pictures: {summary['pictures']})"
    _figure(tables, palette, title).savefig(out / "summary.png", dpi=120)


def _write_table(path: Path, table: np.ndarray, palette: Palette) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("Class", "F1", "Jaccard"))
        for name, row in zip((*palette.names, "Mean"), table, strict=True):
            writer.writerow((name, *("" if np.isnan(x) else f"{x:.6f}" for x in row)))


def _summary(outcome: Outcome, palette: Palette) -> dict[str, Any]:
    *_, last = outcome.scores.values()
    mean = outcome.scores.get("mean", last)
    comparable = mean is not last and len(last.matrices) > 1
    gains = gain(last, mean, palette.names) if comparable else {}
    return {
        "pictures": len(last.matrices),
        "failures": outcome.failures,
        "plans": {name: _means(score, palette) for name, score in outcome.scores.items()},
        "gain": {key: difference._asdict() for key, difference in gains.items()},
    }


def _means(score: Score, palette: Palette) -> dict[str, Any]:
    row = score.row(palette.names)
    found: dict[str, Any] = {key: row[key] for key in ("accuracy", "nll", "ece")}
    for way, per_image in (("pooled", False), ("per_image", True)):
        found[way] = {}
        for which, background in (("with_background", True), ("without_background", False)):
            f1_mean, iou_mean = score_table(score, background, per_image)[-1].tolist()
            found[way][which] = {"f1": f1_mean, "iou": iou_mean}
    return found | {"frames_per_second": 1000 / row["ms"]}


def _without_nan(value: Any) -> Any:  # noqa: ANN401 (JSON)
    """Returns null for NaN, which JSON does not know, anywhere in nested dicts."""
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    return None if isinstance(value, float) and np.isnan(value) else value


def _figure(tables: dict[str, np.ndarray], palette: Palette, title: str) -> "Figure":
    """Returns bars of the IoU by plan, grouped by class, and of the mean."""
    from matplotlib.figure import Figure  # takes a second, which other commands need not wait

    names = (*palette.names, "Mean")
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
