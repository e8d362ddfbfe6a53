"""Comparing every way to find weights: each picture is scored by what others taught."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from scipy.optimize import minimize
from tqdm import tqdm

from tta_demo.commands import arguments
from tta_demo.commands.benchmark.harm import CACHE
from tta_demo.commands.benchmark.harm_sets import GRID, VIEWS, Kept, kept, sets
from tta_demo.commands.benchmark.measuring import RESULTS, about
from tta_demo.evaluation.run import write_json
from tta_demo.evidence import stacks
from tta_demo.evidence.stacks import Stacks
from tta_demo.evidence.tally import Answer, Tally, tally
from tta_demo.learning.answers import Answers
from tta_demo.learning.fit import Fit, fit_steps
from tta_demo.learning.fit_methods import METHODS
from tta_demo.learning.module import ONE_A_VIEW
from tta_demo.models.registry import MODELS
from tta_demo.tta.plan import ONE_LOOK, Plan
from tta_demo.tta.views import VIEW_SETS

__all__ = ["measure_methods"]

SEED = 0
EVEN = "even"
WAYS: dict[str, tuple[str, float | None]] = {
    "greedy": ("greedy", None),
    "tutorial": ("classic", None),
    "Shanmugam": ("shanmugam", None),
    "exact, no prior": ("exact", 0.0),
    "exact": ("exact", None),
}
"""A method and its prior; None is the method's own rule, where it has any."""
ROUNDS = 25
"""Of the tutorial's loop, where it goes on instead of stopping after five."""
PIXELS = 1024
"""Of a picture, enough for what a control fits."""


def measure_methods(
    data: arguments.SplitFolder = None,
    cache: Annotated[
        Path, typer.Option(help="Folder that keeps what the models answered, as for harm.")
    ] = CACHE,
    out: Annotated[Path, typer.Option(help="Folder for methods.json.")] = RESULTS,
) -> None:
    """Learns by every method on one half of the pictures, scores the other, and the other way.

    Looks take a while the first time; what they saw is kept, and so is each set's result.
    """
    rows: list[dict[str, Any]] = []
    for name, (model, pictures) in sets(data).items():
        looked = _stacks(kept(name, model, pictures, cache))
        for views in ("d4", "all"):
            for row in _rows(looked.looking(VIEW_SETS[views])):
                rows.append({"set": name, "model": model, "views": views} | row)
                typer.echo(_line(rows[-1]))
            write_json(out / "methods.json", _result(rows, data))


def _result(rows: list[dict[str, Any]], data: Path | None) -> dict[str, Any]:
    return about(
        "methods" + (" --data BBBC038" if data else ""),
        models={name: MODELS[name].digest for name in sorted({row["model"] for row in rows})},
        seed=SEED,
        pixels=f"a grid of {GRID} x {GRID} of each picture",
        rows=rows,
    )


def _stacks(looked: Kept) -> Stacks:
    """Returns all looks; versions of one picture become one, as they are no news of others."""
    pictures = []
    for origin in dict.fromkeys(looked.origins):
        places = [i for i, one in enumerate(looked.origins) if one == origin]
        logs = np.concatenate(looked.log_probs[places], -1)
        labels = looked.labels[places].ravel().astype(np.int64)
        pictures.append(stacks.Kept(origin, logs, labels, np.zeros(len(logs))))
    return Stacks(VIEWS, MODELS[looked.model].classes, tuple(pictures))


def _rows(looked: Stacks) -> list[dict[str, Any]]:
    """Returns what each way came to, on all pictures, with what it learned on the first half."""
    halves = looked.split(seed=SEED)
    learned = [_learned(half) for half in halves]
    parts = []
    for half, held, fits in zip(halves, halves[::-1], learned, strict=True):
        plans = {name: fit.plan(held.views).fuse for name, (fit, _) in fits.items()}
        parts.append(tally(held, _controls(half) | plans))
    found = Tally.joined(parts)
    values = zip(found.names, found.scores(), found.nll(), *found.gains(EVEN), strict=True)
    size = {
        "pictures": len(looked.pictures),
        "learned_on": [len(half.pictures) for half in halves],
    }
    return [
        {
            **size,
            "way": name,
            "miou": round(float(miou), 6),
            "nll": round(float(nll), 6),
            "miou_over_even": miou_gain.rounded(),
            "nll_over_even": nll_gain.rounded(),
            **_told([fits[name] for fits in learned if name in fits]),
        }
        for name, miou, nll, miou_gain, nll_gain in values
    ]


def _learned(half: Stacks) -> dict[str, tuple[Fit, float]]:
    """Returns what each way learned, and the seconds of processor time that it took."""
    answers, found = half.answers(), {}
    for name, (method, prior) in tqdm(WAYS.items(), desc="learning", leave=False):
        start = time.process_time()
        *_, fit = fit_steps(answers, method, prior)
        found[name] = fit, time.process_time() - start
    return found


def _controls(half: Stacks) -> dict[str, Answer]:
    """Returns what the ways are compared with, and what explains them; some learns on a half.

    That is one look, the even mean of probabilities, that of logits, the former with one
    temperature and one shift a class, which no weights of looks can do, and the tutorial's loop
    that goes on.
    """
    answers = half.answers().thinned(PIXELS)
    *_, (weights, _) = METHODS["classic"].steps(answers, ONE_A_VIEW, 0.0, epochs=ROUNDS)
    return {
        "none": ONE_LOOK.fuse,
        EVEN: Plan(half.views).fuse,
        "even, logits": Plan(half.views, "gmean").fuse,
        "even, shifted": _shifted(answers),
        f"tutorial, {ROUNDS} rounds": Plan(half.views, "learned", weights).fuse,
    }


def _shifted(answers: Answers) -> Answer:
    logs = np.log(np.concatenate([probs.mean(0) for probs in answers.probs], -1))
    labels = np.concatenate(answers.labels)

    def moved(numbers: np.ndarray) -> np.ndarray:
        return numbers[0] * logs + np.append(0, numbers[1:])[:, None]

    def loss(numbers: np.ndarray) -> float:
        values = moved(numbers)
        true = values[labels, np.arange(len(labels))]
        return float((np.logaddexp.reduce(values, 0) - true).mean())

    found = minimize(loss, np.append(1.0, np.zeros(answers.classes - 1))).x
    shifts = torch.tensor([0, *found[1:]], dtype=torch.float32)[:, None]
    return lambda stack: (found[0] * stack.probs.mean(0).log() + shifts).softmax(0)


def _told(learned: Sequence[tuple[Fit, float]]) -> dict[str, Any]:
    if not learned:
        return {"seconds": None}
    return {
        "seconds": round(float(np.mean([seconds for _, seconds in learned])), 2),
        "priors": [fit.prior for fit, _ in learned],
        "weights": learned[0][0].weights.round(3).tolist(),
    }


def _line(row: Mapping[str, Any]) -> str:
    gain = row["miou_over_even"]
    low, high = (
        None if gain[end] is None else f"{100 * gain[end]:+.2f}" for end in ("low", "high")
    )
    return (
        f"{row['set']}, {row['views']}, {row['way']:15}: mIoU {row['miou']:.4f}, over even "
        f"{100 * gain['value']:+.2f} points ({low} to {high}), NLL {row['nll']:.4f}"
    )
