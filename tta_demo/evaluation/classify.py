"""Measuring what crops, mirrors and learned weights are worth on labelled photographs."""

import json
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from tta_demo.evaluation.failures import Failures
from tta_demo.evaluation.run import Entry, Progress, Run
from tta_demo.evaluation.spread import Spread
from tta_demo.learning.answers import Answers
from tta_demo.learning.fit import fit_steps
from tta_demo.pictures.reading import read_picture
from tta_demo.scoring.interval import bootstrap
from tta_demo.tta.crops import CROP_SETS, predict_crops
from tta_demo.tta.fusion import Weights
from tta_demo.tta.plan import Plan
from tta_demo.tta.predict import Model, ViewStack

__all__ = ["FUSED", "PLANS", "Result", "Row", "evaluate_classification"]

CROPS = CROP_SETS["ten-crop"]
FUSED = {"mean": "mean of probabilities", "gmean": "mean of logits"}
PLANS = {"centre crop": Plan(CROP_SETS["center"])} | {
    f"{name}, {how}": Plan(CROP_SETS[name], fusion)
    for name in ("mirror", "five-crop", "ten-crop")
    for fusion, how in FUSED.items()
}
EVEN = "ten-crop, mean of probabilities"
"""The plan that learned weights are compared with."""
LEARNED = "ten-crop, learned weights"


@dataclass(frozen=True)
class Row:
    """What one way to look and fuse reached, on how many and which pictures.

    `top1` and `top5` are shares, 0..1, of pictures whose class came first, or among the first 5;
    `slowdown` is the time of one picture, from the file to the answer, over the centre crop's;
    None if it was not measured. `nll` is the mean negative log of the true class's probability.
    """

    method: str
    top1: float
    top5: float
    views: int
    slowdown: float | None
    nll: float
    pictures: str


@dataclass(frozen=True)
class Result:
    """What an evaluation came to: the table's rows, and why pictures could not be read.

    `learned` has weights by crop, the gap of their certificate, the number of pictures that they
    were learned on, and by how much they beat the even mean on the other half; it is empty if
    there was nothing to learn on.
    """

    rows: tuple[Row, ...]
    failures: Failures
    learned: dict[str, Any]


def evaluate_classification(
    model: Model,
    folder: Path,
    photos: Mapping[Path, int],
    out: Path,
    stamp: dict[str, Any],
    seed: int = 0,
    timed: int = 30,
    progress: Progress = tqdm,
    spread: Spread = map,
) -> Result:
    """Scores every plan on pictures, and weights learned on one half of them on the other half.

    The half to learn on comes first: when the other one's turn comes, the weights are there. So
    the log `imagenet.jsonl` need not keep any answer for all classes, but a picture's ranks, its
    log losses, and each crop's log-probability of the true class. A file that is mended after the
    weights were learned changes them no more.

    The model gives logits `(B, C)` of crops `(B, 3, 224, 224)`; photos have class ids, and are
    known by their path from the folder; the stamp tells what else is of this run's settings, the
    model's digest say, as JSON; `seed` is that of the halves, `timed` the pictures for times,
    which are looked at here; `spread` says where the others are.

    Raises:
        ValueError: no picture can be read, or the folder holds results of other settings.
    """
    labels = {path.relative_to(folder).as_posix(): label for path, label in photos.items()}
    log = Run(out / "imagenet.jsonl", stamp | _settings(folder, labels, seed))
    names = list(labels)
    order = [names[i] for i in np.random.default_rng(seed).permutation(len(names))]
    half = len(order) // 2
    if "slowdown" not in log.facts:
        paths = (folder / name for name in progress(order[: timed + 1]))
        log.add({"slowdown": _slowdown(model, paths)})

    def look_by(plans: Mapping[str, Plan], names: Sequence[str]) -> None:
        def work(name: str) -> Entry:
            return _scored(_look(model, folder / name), labels[name], plans.values())

        log.do(names, work, progress, spread)

    look_by(PLANS, order[:half])
    look_by(PLANS | _learned(log), order[half:])
    log.failures.refuse_if_nothing_read(order)
    return _result(log)


def _settings(folder: Path, labels: dict[str, int], seed: int) -> dict[str, Any]:
    return {
        "data": folder.resolve().name,
        "pictures": len(labels),
        "labels": blake2b(json.dumps(labels).encode(), digest_size=8).hexdigest(),
        "seed": seed,
        "plans": {name: plan.settings() for name, plan in PLANS.items()},
    }


def _look(model: Model, path: Path, views: Sequence[str] = CROPS) -> ViewStack:
    stack = predict_crops(model, read_picture(path).rgb, views)
    if not torch.isfinite(stack.log_probs).all():
        raise ValueError(f"{path.name}: the model's answer is no finite number")
    return stack


def _slowdown(model: Model, paths: Iterable[Path]) -> list[float]:
    """Returns how much longer each plan takes than the first: the median over pictures.

    The plans take turns, so that other load meets all alike; the first picture only warms up.
    """
    plans = (*PLANS.values(), Plan(CROPS, "learned", Weights([1 / len(CROPS)] * len(CROPS))))
    ratios = []
    for path in paths:
        with Failures().of(path.name):
            _look(model, path)  # else the first plan would be the one to wait for the disk
            times = [_seconds(model, path, plan) for plan in plans]
            ratios.append([seconds / times[0] for seconds in times])
    return [round(statistics.median(each), 3) for each in zip(*ratios[1:], strict=True)]


def _seconds(model: Model, path: Path, plan: Plan) -> float:
    start = time.perf_counter()
    plan.fuse(_look(model, path, plan.views))
    return time.perf_counter() - start


def _scored(stack: ViewStack, label: int, plans: Iterable[Plan]) -> Entry:
    """Returns what the log keeps of one picture; of equal classes, the lower id comes first."""
    ranks, losses = [], []
    for plan in plans:
        probs = plan.fuse(stack)
        before = (probs > probs[label]).sum() + (probs[:label] == probs[label]).sum()
        ranks.append(int(before))
        losses.append(round(-log(probs[label]), 6))
    true = [round(value, 6) for value in stack.log_probs[:, label].tolist()]
    return {"label": label, "ranks": ranks, "nll": losses, "true": true}


def _learned(log: Run) -> dict[str, Plan]:
    """Returns the plan of the weights, learned once, on all pictures that are there by then."""
    if "weights" not in log.facts:
        log.add(_fitted(list(log.done.values())))
    weights = log.facts["weights"]
    return {} if weights is None else {LEARNED: Plan(CROPS, "learned", Weights(weights))}


def _fitted(entries: Sequence[Entry]) -> Entry:
    """Returns the exact weights of pictures in the log, as facts for the log."""
    if not entries:
        return {"weights": None}
    truth = np.exp(np.array([entry["true"] for entry in entries], np.float32).T)
    labels = np.array([entry["label"] for entry in entries])
    each = np.split(truth[:, None], len(entries), axis=2), np.split(labels, len(entries))
    *_, found = fit_steps(Answers(*map(tuple, each)), score="nll")
    return {"weights": found.weights.tolist(), "gap": found.gap, "fitted_on": len(entries)}


def _result(log: Run) -> Result:
    everything = list(log.done.values())
    held = [entry for entry in everything if len(entry["ranks"]) > len(PLANS)]
    slowdown = dict(zip((*PLANS, LEARNED), log.facts["slowdown"], strict=False))
    rows = _rows(everything, PLANS, slowdown, f"{len(everything)} (all)")
    if not held:
        return Result(rows, log.failures, {})
    rows += _rows(held, (EVEN, LEARNED), slowdown, f"{len(held)} (not learned on)")
    learned = {
        "weights": dict(zip(CROPS, log.facts["weights"], strict=True)),
        "gap": log.facts["gap"],
        "fitted_on": log.facts["fitted_on"],
        "minus_even": _gains(held) if len(held) > 1 else {},
    }
    return Result(rows, log.failures, learned)


def _scores(entries: Sequence[Entry], plan: str) -> dict[str, np.ndarray]:
    place = [*PLANS, LEARNED].index(plan)
    ranks, nll = (np.array([entry[key][place] for entry in entries]) for key in ("ranks", "nll"))
    return {"top1": 1.0 * (ranks < 1), "top5": 1.0 * (ranks < 5), "nll": nll}


def _rows(
    entries: Sequence[Entry], plans: Iterable[str], slowdown: Mapping[str, float], which: str
) -> tuple[Row, ...]:
    rows = []
    for plan in plans:
        means = {key: round(float(x.mean()), 6) for key, x in _scores(entries, plan).items()}
        views = len(PLANS.get(plan, PLANS[EVEN]).views)
        rows.append(Row(plan, views=views, slowdown=slowdown.get(plan), pictures=which, **means))
    return tuple(rows)


def _gains(entries: Sequence[Entry]) -> dict[str, dict[str, float]]:
    """Returns by how much the learned weights exceed the even mean; see `bootstrap`."""
    learned, even = _scores(entries, LEARNED), _scores(entries, EVEN)
    gains = np.array([learned[key] - even[key] for key in learned])
    found = bootstrap(lambda counts: gains @ counts / len(entries), len(entries))
    return {key: one._asdict() for key, one in zip(learned, found, strict=True)}
