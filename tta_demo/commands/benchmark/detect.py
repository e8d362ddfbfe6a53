"""The command that measures what views and fusions are worth to the weed detector."""

import json
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from tqdm import tqdm

from tta_demo.commands.benchmark.speed import app, machine
from tta_demo.learning.box_fit import BoxFit, fit_boxes
from tta_demo.models.detectors import DETECTORS, load_detector
from tta_demo.samples.weeds import SEEDS, field, plant_boxes
from tta_demo.scoring.box_metrics import LIMIT, average_precision, right_boxes
from tta_demo.scoring.score import Difference
from tta_demo.tta.box_fusion import FUSERS, fuse_boxes
from tta_demo.tta.box_views import BoxModel, find
from tta_demo.tta.boxes import Boxes
from tta_demo.tta.predict import to_tensor
from tta_demo.tta.views import VIEW_SETS

__all__ = ["Matches", "app"]

DETECTOR = "weed-detector"
CLASSES = (1, 2)
DRAWS = 200
NONE, MIRROR = VIEW_SETS["none"], ("identity", "hflip")
D4, ALL = VIEW_SETS["d4"], VIEW_SETS["all"]


@dataclass(frozen=True, eq=False)
class BoxPlan:
    """One way to look and fuse: V views, a key of `FUSERS`, and weights `(V,)` or None."""

    name: str
    views: tuple[str, ...]
    fuser: str
    weights: np.ndarray | None = None


BASE = BoxPlan("no TTA", NONE, "none")
EVEN = BoxPlan("D4, WBF", D4, "wbf")
PLANS = (
    BASE,
    BoxPlan("mirror, NMS", MIRROR, "nms"),
    BoxPlan("mirror, WBF", MIRROR, "wbf"),
    BoxPlan("D4, NMS", D4, "nms"),
    EVEN,
    BoxPlan("D4, WBF-max", D4, "wbf-max"),
    BoxPlan("all 15, WBF", ALL, "wbf"),
)


@dataclass(frozen=True, eq=False)
class Look:
    """What each view found in a field, the seconds that it took, and the true boxes."""

    found: Mapping[str, Boxes]
    seconds: Mapping[str, float]
    truth: Boxes


class Matches:
    """Which boxes are right; known per picture, so that resampling pictures matches none anew.

    Args:
        found: boxes of P pictures.
        truth: their true boxes.
        classes: the labels that count.

    Example:
        >>> true, wrong = (Boxes([[x, 0, x + 9, 9]], [0.9], [1]) for x in (0, 50))
        >>> matches = Matches([true, wrong], [true, true], [1])
        >>> matches.ap(np.array([1, 0])), round(matches.ap(np.array([1, 1])), 3)
        (1.0, 0.505)
    """

    def __init__(
        self, found: Sequence[Boxes], truth: Sequence[Boxes], classes: Sequence[int]
    ) -> None:
        self._classes = []
        for label in classes:
            true = [one.xyxy[one.labels == label] for one in truth]
            best = [one.take(one.labels == label) for one in found]
            best = [one.take(np.argsort(-one.scores, kind="stable")[:LIMIT]) for one in best]
            hits = [right_boxes(one.xyxy, boxes) for one, boxes in zip(best, true, strict=True)]
            order = np.argsort(-np.concatenate([one.scores for one in best]), kind="stable")
            owner = np.repeat(np.arange(len(best)), [len(one) for one in best])[order]
            hits = [np.flatnonzero(row) for row in np.concatenate(hits, axis=1)[:, order]]
            self._classes.append((owner, hits, np.array([len(boxes) for boxes in true])))

    def ap(self, counts: np.ndarray) -> float:
        """Returns AP@[.5:.95] of pictures that count `(P,)` times, as `average_precision`."""
        values = []
        for owner, hits, true in self._classes:
            total = counts @ true
            if total:
                times = counts[owner]
                seen = times.cumsum()
                values += [_precision(row[times[row] > 0], times, seen, total) for row in hits]
        return float(np.mean(values)) if values else np.nan


def _precision(hits: np.ndarray, times: np.ndarray, seen: np.ndarray, total: float) -> float:
    """Returns the mean precision at 101 recalls, from the places of right boxes."""
    right = times[hits].cumsum()
    best = np.maximum.accumulate((right / seen[hits])[::-1])[::-1]
    reached = np.searchsorted(right / total, np.linspace(0, 1, 101))
    return float(np.append(best, 0.0)[reached].mean())


def difference(one: Matches, other: Matches, pictures: int, seed: int = 0) -> Difference:
    """Returns by how much one AP exceeds another, with a bootstrap interval over pictures.

    As `evaluate.gain`: percentile interval, pictures drawn with replacement, the same for both.
    """
    rng = np.random.default_rng(seed)
    draws = rng.multinomial(pictures, np.full(pictures, 1 / pictures), DRAWS)
    values = [one.ap(counts) - other.ap(counts) for counts in (np.ones(pictures, int), *draws)]
    return Difference(values[0], *np.nanpercentile(values[1:], (2.5, 97.5)).tolist())


@app.command("detect")
def detect_command(
    out: Annotated[Path, typer.Option(help="Folder for detection.json.")] = Path("assets/results"),
    pictures: Annotated[int, typer.Option(min=2, help="Test fields.")] = 200,
    calibration: Annotated[int, typer.Option(min=1, help="Fields to learn weights on.")] = 60,
) -> None:
    """Scores views, fusions and learned weights on generated test fields; saves the table."""
    model = load_detector(DETECTOR)
    fit = _learn(model, calibration)
    learned = BoxPlan("D4, WBF, learned", D4, "wbf", fit.weights)
    looks = list(_looks(model, "test", pictures, ALL))
    rows, gained = _compared((*PLANS, learned), looks)
    for name, row in rows.items():
        typer.echo(_line(name, row))
    typer.echo(f"learned minus even: AP {_interval(gained)}")
    fusing = _fusing()
    typer.echo(f"fusing 8 views x 300 boxes: {fusing:.0f} ms, median of 20 (at most 150)")
    result = {
        "command": f"python -m tta_demo benchmark detect --pictures {pictures} "
        f"--calibration {calibration}",
        "first": f"weeds-{SEEDS['test'][0]}",
        "date": date.today().isoformat(),
        "machine": machine(),
        "model": DETECTOR,
        "digest": DETECTORS[DETECTOR].digest,
        "pictures": pictures,
        "intervals": f"95 %, percentiles of {DRAWS} bootstrap resamples of the pictures",
        "rows": rows,
        "learned": _told(fit),
        "learned_minus_even": gained,
        "fusing_8_views_of_300_boxes_ms": round(fusing, 1),
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "detection.json").write_text(json.dumps(result, indent=1) + "\n")


def _compared(
    plans: Sequence[BoxPlan], looks: Sequence[Look]
) -> tuple[dict[str, dict[str, Any]], dict[str, float]]:
    """Returns the plans' rows, and by how much the last one's AP exceeds that of `EVEN`."""
    rows, matches = {}, {}
    for plan in plans:
        rows[plan.name], matches[plan.name] = _scored(plan, looks)
        gained = difference(matches[plan.name], matches[BASE.name], len(looks))
        rows[plan.name]["minus_no_tta"] = _rounded(gained)
    last = difference(matches[plans[-1].name], matches[EVEN.name], len(looks))
    return rows, _rounded(last)


def _learn(model: BoxModel, pictures: int) -> BoxFit:
    looks = list(_looks(model, "calibration", pictures, D4))
    return fit_boxes([look.found for look in looks], [look.truth for look in looks], CLASSES)


def _looks(model: BoxModel, split: str, pictures: int, views: Sequence[str]) -> Iterator[Look]:
    """Yields what the views find in the first fields of a split, each view timed."""
    for seed in tqdm(SEEDS[split][:pictures], desc=f"{split} fields", unit="field"):
        made = field(seed)
        image = to_tensor(made.rgb)
        found, seconds = {}, {}
        for name in views:
            start = time.perf_counter()
            _, found[name] = find(model, image, name)
            seconds[name] = time.perf_counter() - start
        yield Look(found, seconds, plant_boxes(made.plants))


def _scored(plan: BoxPlan, looks: Sequence[Look]) -> tuple[dict[str, Any], Matches]:
    """Returns the row of a plan, and its matches."""
    fused, seconds = [], []
    for look in looks:
        start = time.perf_counter()
        found = {name: look.found[name] for name in plan.views}
        fused.append(FUSERS[plan.fuser].run(found, plan.weights).boxes)
        fusing = time.perf_counter() - start
        seconds.append(fusing + sum(look.seconds[name] for name in plan.views))
    truth = [look.truth for look in looks]
    score = average_precision(fused, truth, CLASSES)
    row = {
        "views": len(plan.views),
        "fusion": plan.fuser,
        "ap": round(score.ap, 6),
        "ap50": round(score.ap50, 6),
        "recall": round(score.recall, 6),
        "ms": round(1000 * statistics.median(seconds), 2),
    }
    return row, Matches(fused, truth, CLASSES)


def _line(name: str, row: Mapping[str, Any]) -> str:
    scores = "".join(f"  {key} {row[key]:.4f}" for key in ("ap", "ap50", "recall"))
    return f"{name:18}{scores}  {row['ms']:7.1f} ms  AP {_interval(row['minus_no_tta'])}"


def _interval(found: Mapping[str, float]) -> str:
    return "{value:+.4f} ({low:+.4f} to {high:+.4f})".format(**found)


def _rounded(found: Difference) -> dict[str, float]:
    return {key: round(value, 6) for key, value in found._asdict().items()}


def _told(fit: BoxFit) -> dict[str, Any]:
    return {
        "weights": dict(zip(D4, fit.weights.round(6).tolist(), strict=True)),
        "history": [round(score, 6) for score in fit.history],
        "pictures": fit.pictures,
        "first": f"weeds-{SEEDS['calibration'][0]}",
    }


def _fusing() -> float:
    """Returns the median milliseconds of 20 fusions of 8 views that found the same 300 things."""
    rng = np.random.default_rng(0)
    corner, size = rng.uniform(0, 960, (300, 2)), rng.uniform(10, 60, (300, 2))
    labels = rng.integers(1, 3, 300)
    found = []
    for _ in D4:
        places = corner + rng.normal(0, 1, (300, 2))
        found.append(Boxes(np.hstack([places, places + size]), rng.uniform(0, 1, 300), labels))
    times = []
    for _ in range(20):
        start = time.perf_counter()
        fuse_boxes(found)
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)
