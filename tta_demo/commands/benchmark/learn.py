"""Measuring the learning of weights against the loop that tutorials use, in one run."""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import torch.nn.functional as F
import typer
from tqdm import tqdm

from tta_demo.commands import arguments
from tta_demo.commands.benchmark.measuring import RESULTS, about
from tta_demo.evaluation.run import write_json
from tta_demo.learning.answers import Answers
from tta_demo.learning.fit import fit_steps
from tta_demo.learning.module import LearnableTTA
from tta_demo.models.registry import load_model
from tta_demo.samples.labelled import LabelledPicture
from tta_demo.samples.weeds import SEEDS, sample
from tta_demo.scoring.score import evaluate, gain
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.fusion import Weights
from tta_demo.tta.plan import Plan
from tta_demo.tta.predict import Model, predict_views, to_tensor
from tta_demo.tta.views import VIEW_SETS

__all__ = ["measure_learning"]

EPOCHS = 5


@dataclass(frozen=True)
class _Timed:
    """Weights `(V,)`, the seconds that they took in all, and those of the fit alone."""

    weights: np.ndarray
    seconds: float
    fitting: float


def measure_learning(
    pictures: Annotated[int, typer.Option(min=1, help="Fields to learn on.")] = 100,
    held_out: Annotated[int, typer.Option(min=2, help="Fields to check on.")] = 100,
    views: Annotated[str, typer.Option(help=f"One of {', '.join(VIEW_SETS)}.")] = "d4",
    out: Annotated[Path, typer.Option(help="Folder for learn-VIEWS.json.")] = RESULTS,
) -> None:
    """Compares the exact fit, without a prior, with the tutorial's loop: time, NLL, weights."""
    arguments.one_of("--views", views, VIEW_SETS)
    names, record = VIEW_SETS[views], WORLDS["weeds"].record
    model = load_model(record)
    fields = [sample(seed) for seed in tqdm(SEEDS["calibration"][:pictures], desc="fields")]
    fits = {"exact": _exact(model, fields, names), "tutorial": _tutorial(model, fields, names)}
    checked = (sample(seed) for seed in tqdm(SEEDS["test"][:held_out], desc="held out"))
    scores = _scored(model, checked, names, fits)
    ours, theirs = fits.values()
    weights = {name: one.weights.round(4).tolist() for name, one in fits.items()}
    result = about(
        f"learn --views {views}",
        digest=record.digest,
        pictures=pictures,
        held_out=held_out,
        passes_seconds=round(ours.seconds - ours.fitting, 2),
        exact_fit_seconds=round(ours.fitting, 2),
        tutorial_seconds=round(theirs.seconds, 2),
        times_faster=round(theirs.seconds / ours.seconds, 2),
        **scores,
        weights={key: dict(zip(names, found, strict=True)) for key, found in weights.items()},
    )
    typer.echo(json.dumps(result, indent=1))
    write_json(out / f"learn-{views}.json", result)


def _scored(
    model: Model,
    pictures: Iterable[LabelledPicture],
    views: tuple[str, ...],
    fits: Mapping[str, _Timed],
) -> dict[str, Any]:
    """Returns scores of the even mean and of all weights, and what the exact ones gain."""
    learned = {key: Plan(views, "learned", Weights(one.weights)) for key, one in fits.items()}
    plans = {"even": Plan(views)} | learned
    scores = evaluate(model, pictures, plans)
    classes = WORLDS["weeds"].record.classes
    rows = {name: score.row(classes) for name, score in scores.items()}
    found: dict[str, Any] = {
        key: {name: round(row[key], 6) for name, row in rows.items()} for key in ("nll", "miou")
    }
    for name in ("tutorial", "even"):
        gained = gain(scores["exact"], scores[name], classes, ("nll",))
        found[f"nll_exact_minus_{name}"] = gained["nll"]
    return found


def _exact(model: Model, fields: Sequence[LabelledPicture], views: tuple[str, ...]) -> _Timed:
    start = time.perf_counter()
    answers = Answers.of(
        (predict_views(model, to_tensor(field.rgb), views), field.labels)
        for field in tqdm(fields, desc="exact")
    )
    looked = time.perf_counter()
    *_, found = fit_steps(answers, prior=0)
    end = time.perf_counter()
    return _Timed(found.weights, end - start, end - looked)


def _tutorial(model: Model, fields: Sequence[LabelledPicture], views: tuple[str, ...]) -> _Timed:
    """Runs every view again in each of 5 epochs; Adam, one picture a step, double softmax."""
    start = time.perf_counter()
    tta = LearnableTTA(len(views))
    optimiser = torch.optim.Adam(tta.parameters(), lr=0.01)
    for _ in tqdm(range(EPOCHS), desc="tutorial"):
        for field in fields:
            stack = predict_views(model, to_tensor(field.rgb), views)
            truth = torch.from_numpy(field.labels).long()[None]
            optimiser.zero_grad()
            F.cross_entropy(tta(stack.probs[:, None]), truth).backward()
            optimiser.step()
    seconds = time.perf_counter() - start
    return _Timed(tta.weights.detach().double().numpy(), seconds, seconds)
