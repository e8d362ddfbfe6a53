"""Measuring what crops, mirrors and learned weights are worth on labelled photographs."""

import json
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from math import log
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tqdm import tqdm

from tta_demo.evaluation.journal import Journal
from tta_demo.learning.answers import Answers
from tta_demo.learning.fit import fit_steps
from tta_demo.pictures.reading import read_picture
from tta_demo.scoring.score import Plan
from tta_demo.tasks.classify import predict_crops
from tta_demo.tta.crops import CROP_SETS
from tta_demo.tta.predict import Model, ViewStack

__all__ = ["FUSED", "PLANS", "Result", "Row", "evaluate_photos"]

LOG = "imagenet.jsonl"
CROPS = CROP_SETS["ten-crop"]
FUSED = {"mean": "mean of probabilities", "gmean": "mean of logits"}
PLANS = (
    Plan("centre crop", CROP_SETS["center"], "mean"),
    *(
        Plan(f"{name}, {how}", CROP_SETS[name], fusion)
        for name in ("mirror", "five-crop", "ten-crop")
        for fusion, how in FUSED.items()
    ),
)
EVEN = next(i for i, p in enumerate(PLANS) if p.views == CROPS and p.fusion == "mean")
"""Place of the plan that learned weights are compared with."""


@dataclass(frozen=True)
class Row:
    """What one way to look and fuse reached.

    Attributes:
        method: its name.
        top1: share of pictures whose class came first, 0..1.
        top5: share of pictures whose class was among the first five, 0..1.
        views: number of crops V.
        slowdown: time of one picture, from the file to the answer, over the centre crop's; None
            if it was not measured.
        nll: mean negative log of the true class's probability.
        pictures: how many, and which.
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
    """What an evaluation came to.

    Attributes:
        rows: of the table.
        failures: why pictures could not be read, by their names.
        learned: weights by crop, the gap of their certificate, the number of pictures that they
            were learned on, and by how much they beat the even mean on the other half; empty if
            there was nothing to learn on.
    """

    rows: tuple[Row, ...]
    failures: dict[str, str]
    learned: dict[str, Any]


def evaluate_photos(
    model: Model,
    folder: Path,
    photos: dict[Path, int],
    out: Path,
    stamp: dict[str, Any],
    seed: int = 0,
    timed: int = 30,
    progress: Callable[[Sequence[Path]], Iterable[Path]] = tqdm,
) -> Result:
    """Scores every plan on pictures, and weights learned on one half of them on the other half.

    The half to learn on comes first: when the other one's turn comes, the weights are there. So
    the log `imagenet.jsonl` need not keep any answer for all classes, but a picture's ranks, its
    log losses, and each crop's log-probability of the true class. A run that was cut off goes on;
    a file that is mended after the weights were learned changes them no more.

    Args:
        model: from crops `(B, 3, 224, 224)` to logits `(B, C)`.
        folder: that all pictures are in; they are known by their path from there.
        photos: picture files and their class ids.
        out: folder of the log; made if it is missing.
        stamp: what else tells this run's settings, for instance the model's digest; JSON.
        seed: of the halves.
        timed: number of pictures to measure times on.
        progress: wraps the pictures that are still to do.

    Raises:
        ValueError: no picture can be read, or the folder holds results of other settings.
    """
    names = {path: path.relative_to(folder).as_posix() for path in photos}
    log = _Log(out, stamp | _settings(folder, {names[p]: i for p, i in photos.items()}, seed))
    order = np.random.default_rng(seed).permutation(np.array(list(photos), object)).tolist()
    if "slowdown" not in log.facts:
        log.add({"slowdown": _slowdown(model, order[: timed + 1], progress)})
    learning = {names[path] for path in order[: len(order) // 2]}
    failures: dict[str, str] = {}
    missing = [path for path in order if names[path] not in log.records]
    for path in progress(missing) if missing else ():
        name = names[path]
        plans = PLANS if name in learning else (*PLANS, *log.learned())
        try:
            found = _scored(_look(model, path, CROPS), photos[path], plans)
        except (ValueError, OSError) as error:
            failures[name] = str(error)
            continue
        log.add({"picture": name, **found})
    if not log.records:
        told = "".join(f"; {message}" for message in list(failures.values())[:3])
        raise ValueError(f"none of {len(photos)} pictures could be read{told}")
    return _result(log, failures)


class _Log:
    """What a run found so far: facts about all pictures, and a record of each."""

    def __init__(self, out: Path, settings: dict[str, Any]) -> None:
        self._journal = Journal(out / LOG, settings)
        self.facts: dict[str, Any] = {}
        self.records: dict[str, dict[str, Any]] = {}
        for entry in self._journal.entries:
            self._take(entry)

    def add(self, entry: dict[str, Any]) -> None:
        """Adds facts, or a picture, which has the key `picture`."""
        self._journal.add(entry)
        self._take(entry)

    def learned(self) -> tuple[Plan, ...]:
        """Returns the plan of the weights, learned once, on all pictures that are there by then.

        It is empty if there is none.
        """
        if "weights" not in self.facts:
            self.add(_learn(list(self.records.values())))
        weights = self.facts["weights"]
        return () if weights is None else (_weighted(weights),)

    def _take(self, entry: dict[str, Any]) -> None:
        if "picture" in entry:
            self.records[entry["picture"]] = entry
        else:
            self.facts |= entry


def _settings(folder: Path, labels: dict[str, int], seed: int) -> dict[str, Any]:
    """Returns what must be equal for two runs to share a folder, beside the model."""
    return {
        "data": folder.resolve().name,
        "pictures": len(labels),
        "labels": blake2b(json.dumps(labels).encode(), digest_size=8).hexdigest(),
        "seed": seed,
        "plans": {plan.name: plan.views for plan in PLANS},
    }


def _look(model: Model, path: Path, views: Sequence[str]) -> ViewStack:
    stack = predict_crops(model, read_picture(path).rgb, views)
    if not torch.isfinite(stack.log_probs).all():
        raise ValueError(f"{path.name}: the model's answer is no finite number")
    return stack


def _weighted(weights: Sequence[float]) -> Plan:
    return Plan("ten-crop, learned weights", CROPS, "learned", torch.tensor(weights))


def _slowdown(
    model: Model, paths: Sequence[Path], progress: Callable[[Sequence[Path]], Iterable[Path]]
) -> list[float]:
    """Returns how much longer each plan takes than the first: the median over pictures.

    The plans take turns on each picture, so that other load meets all alike. The first picture
    only warms up. A file that cannot be read is left out; empty if that leaves nothing.
    """
    plans = (*PLANS, _weighted([1 / len(CROPS)] * len(CROPS)))
    ratios = []
    for path in progress(paths):
        try:
            _look(model, path, CROPS)  # else the first plan would be the one to wait for the disk
        except (ValueError, OSError):
            continue
        times = []
        for plan in plans:
            start = time.perf_counter()
            plan.fuse(_look(model, path, plan.views))
            times.append(time.perf_counter() - start)
        ratios.append([seconds / times[0] for seconds in times])
    return [round(statistics.median(each), 3) for each in zip(*ratios[1:], strict=True)]


def _scored(stack: ViewStack, label: int, plans: Sequence[Plan]) -> dict[str, Any]:
    """Returns what the log keeps of one picture; of equal classes, the lower id comes first."""
    ranks, losses = [], []
    for plan in plans:
        rows = [stack.views.index(name) for name in plan.views]
        probs = plan.fuse(ViewStack(plan.views, stack.log_probs[rows]))
        before = (probs > probs[label]).sum() + (probs[:label] == probs[label]).sum()
        ranks.append(int(before))
        losses.append(round(-log(probs[label]), 6))
    true = [round(value, 6) for value in stack.log_probs[:, label].tolist()]
    return {"label": label, "ranks": ranks, "nll": losses, "true": true}


def _learn(records: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Returns the exact weights of pictures in the log, as facts for the log."""
    if not records:
        return {"weights": None}
    truth = np.exp(np.array([record["true"] for record in records], np.float32).T)
    answers = Answers((truth[:, None],), (np.array([record["label"] for record in records]),))
    *_, found = fit_steps(answers)
    return {"weights": found.weights.tolist(), "gap": found.gap, "fitted_on": len(records)}


def _result(log: _Log, failures: dict[str, str]) -> Result:
    everything = list(log.records.values())
    slowdown = log.facts["slowdown"] or [None] * (len(PLANS) + 1)
    rows = _rows(everything, dict(enumerate(PLANS)), slowdown, f"{len(everything)} (all)")
    held = [record for record in everything if len(record["ranks"]) > len(PLANS)]
    if not held:
        return Result(rows, failures, {})
    both = {EVEN: PLANS[EVEN], len(PLANS): _weighted(log.facts["weights"])}
    rows += _rows(held, both, slowdown, f"{len(held)} (not learned on)")
    gains = {
        key: _difference(scores[:, -1] - scores[:, EVEN]) for key, scores in _scores(held).items()
    }
    learned = {
        "weights": dict(zip(CROPS, log.facts["weights"], strict=True)),
        "gap": log.facts["gap"],
        "fitted_on": log.facts["fitted_on"],
        "minus_even": gains if len(held) > 1 else {},
    }
    return Result(rows, failures, learned)


def _scores(records: Sequence[dict[str, Any]]) -> dict[str, np.ndarray]:
    """Returns scores by name, a row a picture and a column a plan that all pictures have."""
    plans = min(len(record["ranks"]) for record in records)
    ranks, nll = (np.array([r[key][:plans] for r in records]) for key in ("ranks", "nll"))
    return {"top1": 1.0 * (ranks < 1), "top5": 1.0 * (ranks < 5), "nll": nll}


def _rows(
    records: Sequence[dict[str, Any]],
    plans: dict[int, Plan],
    slowdown: Sequence[float | None],
    which: str,
) -> tuple[Row, ...]:
    means = {key: scores.mean(0).round(6).tolist() for key, scores in _scores(records).items()}
    return tuple(
        Row(
            plan.name,
            views=len(plan.views),
            slowdown=slowdown[i],
            pictures=which,
            **{key: values[i] for key, values in means.items()},
        )
        for i, plan in plans.items()
    )


def _difference(gains: np.ndarray) -> dict[str, float]:
    """Returns the mean over pictures and its 95 % interval (normal approximation)."""
    mean = gains.mean()
    half = 1.96 * gains.std(ddof=1) / len(gains) ** 0.5
    return {"value": float(mean), "low": float(mean - half), "high": float(mean + half)}
