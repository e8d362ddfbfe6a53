"""Measuring what views and fusions are worth to the weed detector."""

import statistics
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from tqdm import tqdm

from tta_demo.commands import arguments
from tta_demo.commands.benchmark.measuring import RESULTS, about, median_ms
from tta_demo.evaluation.run import write_json
from tta_demo.evaluation.spread import Spread
from tta_demo.learning.box_fit import fit_boxes
from tta_demo.models.portable import portable
from tta_demo.models.registry import MODELS
from tta_demo.samples import weeds
from tta_demo.scoring.box_metrics import Matches
from tta_demo.scoring.interval import bootstrap
from tta_demo.tta.box_fusion import fuse_boxes
from tta_demo.tta.box_views import BoxModel, predict_boxes
from tta_demo.tta.boxes import Boxes
from tta_demo.tta.fusion import Weights
from tta_demo.tta.plan import ONE_LOOK, Plan
from tta_demo.tta.predict import to_tensor
from tta_demo.tta.views import VIEW_SETS, View

__all__ = ["measure_detection"]

MODEL = "weed-detector"
CLASSES = (1, 2)
DRAWS = 200
MIRROR, D4, ALL = ("identity", "hflip"), VIEW_SETS["d4"], VIEW_SETS["all"]
BASE, EVEN, LEARNED = "no TTA", "D4, WBF", "D4, WBF, learned"
PLANS = {
    BASE: ONE_LOOK,
    "mirror, NMS": Plan(MIRROR, "nms"),
    "mirror, WBF": Plan(MIRROR, "wbf"),
    "D4, NMS": Plan(D4, "nms"),
    EVEN: Plan(D4, "wbf"),
    "D4, WBF-max": Plan(D4, "wbf-max"),
    "all 15, WBF": Plan(ALL, "wbf"),
}


@dataclass(frozen=True, eq=False)
class Field:
    """What each view found in a field, the seconds that it took, and the true boxes."""

    found: Mapping[str, Boxes]
    seconds: Mapping[str, float]
    truth: Boxes


def measure_detection(
    out: Annotated[Path, typer.Option(help="Folder for detection.json.")] = RESULTS,
    pictures: Annotated[int, typer.Option(min=2, help="Test fields.")] = 200,
    calibration: Annotated[int, typer.Option(min=1, help="Fields to learn weights on.")] = 60,
    ray: arguments.OnRay = False,
) -> None:
    """Scores views, fusions and learned weights on generated test fields; saves the table."""
    model, spread = portable(MODELS[MODEL]), arguments.spread(ray)
    learned_on = list(_fields(model, "calibration", calibration, D4, spread))
    fit = fit_boxes([one.found for one in learned_on], [one.truth for one in learned_on], CLASSES)
    plans = PLANS | {LEARNED: Plan(D4, "wbf", Weights(fit.weights))}
    fields = list(_fields(model, "test", pictures, ALL, spread))
    rows, gained = _compared(plans, fields)
    for name, row in rows.items():
        typer.echo(_line(name, row))
    typer.echo(f"learned minus even: AP {_interval(gained)}")
    fusing = _fusing()
    typer.echo(f"fusing 8 views x 300 boxes: {fusing:.0f} ms, median of 20 (at most 150)")
    result = about(
        f"detect --pictures {pictures} --calibration {calibration}",
        first=f"weeds-{weeds.SEEDS['test'][0]}",
        model=MODEL,
        digest=MODELS[MODEL].digest,
        pictures=pictures,
        intervals=f"95 %, bootstrap-t over the pictures, {DRAWS} resamples",
        rows=rows,
        learned={
            "weights": dict(zip(D4, fit.weights.round(6).tolist(), strict=True)),
            "history": [round(score, 6) for score in fit.history],
            "pictures": fit.pictures,
            "first": f"weeds-{weeds.SEEDS['calibration'][0]}",
        },
        learned_minus_even=gained,
        fusing_8_views_of_300_boxes_ms=round(fusing, 1),
    )
    write_json(out / "detection.json", result)


def _fields(
    model: BoxModel, split: str, count: int, views: Sequence[str], spread: Spread
) -> Iterable[Field]:
    """Gives what the views find in the first fields of a split, each view timed."""
    seeds = tqdm(weeds.SEEDS[split][:count], desc=f"{split} fields", unit="field")
    return spread(partial(_field, model, views), seeds)


def _field(model: BoxModel, views: Sequence[str], seed: int) -> Field:
    made, seconds = weeds.field(seed), {}
    looks = predict_boxes(model, to_tensor(made.rgb), views, partial(_timed, seconds))
    found = {name: look.boxes for name, look in looks.items()}
    return Field(found, seconds, weeds.plant_boxes(made.plants))


def _timed(seconds: dict[str, float], views: Sequence[View]) -> Iterator[View]:
    """Yields views, and notes how long each took until the next one was asked for."""
    for view in views:
        start = time.perf_counter()
        yield view
        seconds[view.name] = time.perf_counter() - start


def _compared(
    plans: Mapping[str, Plan], fields: Sequence[Field]
) -> tuple[dict[str, dict[str, Any]], dict[str, float]]:
    """Returns the plans' rows, and by how much the AP of `LEARNED` exceeds that of `EVEN`."""
    scored = {name: _scored(plan, fields) for name, plan in plans.items()}

    def differences(counts: np.ndarray) -> list[float]:
        ap = {name: matches.scores(counts).ap for name, (_, matches) in scored.items()}
        return [*(value - ap[BASE] for value in ap.values()), ap[LEARNED] - ap[EVEN]]

    *gains, gained = bootstrap(differences, len(fields), DRAWS)
    rows = {
        name: row | {"minus_no_tta": one.rounded()}
        for (name, (row, _)), one in zip(scored.items(), gains, strict=True)
    }
    return rows, gained.rounded()


def _scored(plan: Plan, fields: Sequence[Field]) -> tuple[dict[str, Any], Matches]:
    fused, seconds = [], []
    for one in fields:
        start = time.perf_counter()
        fused.append(plan.fuse_boxes(one.found).boxes)
        fusing = time.perf_counter() - start
        seconds.append(fusing + sum(one.seconds[name] for name in plan.views))
    matches = Matches(fused, [one.truth for one in fields], CLASSES)
    scores = asdict(matches.scores(np.ones(len(fields))))
    row = {
        "views": len(plan.views),
        "fusion": plan.fusion,
        **{key: round(score, 6) for key, score in scores.items()},
        "ms": round(1000 * statistics.median(seconds), 2),
    }
    return row, matches


def _line(name: str, row: Mapping[str, Any]) -> str:
    scores = "".join(f"  {key} {row[key]:.4f}" for key in ("ap", "ap50", "recall"))
    return f"{name:18}{scores}  {row['ms']:7.1f} ms  AP {_interval(row['minus_no_tta'])}"


def _interval(found: Mapping[str, float]) -> str:
    return "{value:+.4f} ({low:+.4f} to {high:+.4f})".format(**found)


def _fusing() -> float:
    """Returns the median milliseconds of 20 fusions of 8 views that found the same 300 things."""
    rng = np.random.default_rng(0)
    corner, size = rng.uniform(0, 960, (300, 2)), rng.uniform(10, 60, (300, 2))
    labels = rng.integers(1, 3, 300)
    found = []
    for _ in D4:
        places = corner + rng.normal(0, 1, (300, 2))
        found.append(Boxes(np.hstack([places, places + size]), rng.uniform(0, 1, 300), labels))
    return median_ms(partial(fuse_boxes, found), repeats=20)[0]
