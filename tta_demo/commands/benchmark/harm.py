"""Measuring whether learned weights do harm: gains over even ones, over many random splits."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import gettempdir
from typing import Annotated, Any

import numpy as np
import typer
from tqdm import tqdm

from tta_demo.commands import arguments
from tta_demo.commands.benchmark.harm_sets import GRID, Kept, kept, sets
from tta_demo.commands.benchmark.measuring import RESULTS, about
from tta_demo.evaluation.run import write_json
from tta_demo.learning.answers import Answers
from tta_demo.learning.fit import fit_steps
from tta_demo.models.registry import MODELS
from tta_demo.scoring.metrics import confusion, mean_iou
from tta_demo.tta.views import VIEW_SETS

__all__ = ["measure_harm"]

COUNTS = (1, 2, 4, 8, 16, 32, 48)
"""Pictures to learn on; 48 of weeds alone."""
CACHE = Path(gettempdir()) / "tta-demo-harm"
HELD_OUT = 1 / 3
"""The part of a set whose pictures are held out where it has versions of few pictures."""
MOST = 60
"""Pictures that a split is scored on."""
EVERY = 2
"""Of the pixels of the grid, one in so many is learned from; all are scored."""
WAYS = {"chosen": None, "one": 1.0, "exact": 0.0}
"""The prior that the rule chooses, one of one picture, and none."""


def measure_harm(
    data: arguments.SplitFolder = None,
    splits: Annotated[int, typer.Option(min=1, help="Random splits of each set.")] = 30,
    cache: Annotated[
        Path, typer.Option(help="Folder that keeps what the models answered.")
    ] = CACHE,
    out: Annotated[Path, typer.Option(help="Folder for harm.json.")] = RESULTS,
) -> None:
    """Learns on few pictures, again and again, and compares with even weights on others.

    Looks take a while the first time; what they saw is kept, and so is each set's result.
    """
    rows = []
    for name, (model, pictures) in sets(data).items():
        looked = kept(name, model, pictures, cache)
        for views in ("d4", "all"):
            rows += _rows(name, views, looked, splits)
            typer.echo(_line(rows[-1]))
            write_json(out / "harm.json", _result(rows, splits, data))


def _result(rows: list[dict[str, Any]], splits: int, data: Path | None) -> dict[str, Any]:
    given = " --data BBBC038" if data else ""
    return about(
        f"harm --splits {splits}{given}",
        models={name: MODELS[name].digest for name in sorted({row["model"] for row in rows})},
        seeds=f"0 to {splits - 1}",
        pixels=f"a grid of {GRID} x {GRID} of each picture; learned from one in {EVERY}",
        rows=rows,
    )


def _rows(name: str, views: str, looked: Kept, splits: int) -> list[dict[str, Any]]:
    """Returns what each way gains over even weights, by how many pictures it learned on."""
    found: dict[int, list[dict[str, tuple[float, ...]]]] = {}
    for seed in tqdm(range(splits), desc=f"{name}, {views}"):
        learned_on, held = _split(looked.origins, np.random.default_rng(seed))
        scored = looked.answers(held[:MOST], len(VIEW_SETS[views]))
        even = _score(scored, np.full(scored.views, 1 / scored.views))
        for count in COUNTS:
            if count <= len(learned_on) and (count < 48 or name.startswith("weeds")):
                answers = looked.answers(learned_on[:count], len(VIEW_SETS[views]), EVERY)
                found.setdefault(count, []).append(_gains(answers, scored, even))
    return [
        {"set": name, "model": looked.model, "views": views, "learned_on": count}
        | {way: _summary([one[way] for one in gains]) for way in WAYS}
        for count, gains in found.items()
    ]


def _split(origins: Sequence[str], rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Returns the places of pictures to learn on, in their order, and of those to score.

    Versions of one picture are on one side; to learn on, each comes once before any comes twice.
    """
    names = rng.permutation(sorted(set(origins)))
    most = len(names) - max(COUNTS) if len(names) > 2 * max(COUNTS) else 0
    held = set(names[: most or round(HELD_OUT * len(names))])
    mixed = rng.permutation(len(origins)).tolist()
    turns: Counter[str] = Counter()
    order = {}
    for place in mixed:
        order[place] = turns[origins[place]]
        turns[origins[place]] += 1
    to_learn = [place for place in mixed if origins[place] not in held]
    to_learn.sort(key=order.__getitem__)
    return np.array(to_learn), np.array([i for i in range(len(origins)) if origins[i] in held])


def _gains(
    answers: Answers, scored: Answers, even: tuple[float, float]
) -> dict[str, tuple[float, ...]]:
    """Returns each way's prior, and its gains in mIoU (points) and NLL over even weights'."""
    found = {}
    for way, prior in WAYS.items():
        *_, fit = fit_steps(answers, prior=prior)
        miou, nll = _score(scored, fit.weights)
        found[way] = (fit.prior, 100 * (miou - even[0]), nll - even[1])
    return found


def _score(scored: Answers, weights: np.ndarray) -> tuple[float, float]:
    """Returns mIoU and NLL, pooled over all pixels."""
    table, loss = np.zeros((scored.classes, scored.classes)), 0.0
    for probs, labels in zip(scored.probs, scored.labels, strict=True):
        fused = np.tensordot(weights.astype(np.float32), probs, 1)
        table += confusion(labels, fused.argmax(0), len(fused))
        loss -= np.log(fused[labels, np.arange(len(labels))]).sum(dtype=np.float64)
    return mean_iou(table), loss / scored.pixels


def _summary(found: list[tuple[float, ...]]) -> dict[str, Any]:
    priors, miou, nll = np.array(found).T
    return {
        "miou_points": round(float(miou.mean()), 4),
        "miou_points_worst": round(float(miou.min()), 4),
        "miou_points_best": round(float(miou.max()), 4),
        "nll": round(float(nll.mean()), 7),
        "nll_worst": round(float(nll.max()), 7),
        "nll_better_percent": round(100 * float((nll < 0).mean()), 1),
        "nll_worse_percent": round(100 * float((nll > 0).mean()), 1),
        "priors": {f"{prior:g}": int((priors == prior).sum()) for prior in np.unique(priors)},
    }


def _line(row: dict[str, Any]) -> str:
    chosen = row["chosen"]
    return (
        f"{row['set']}, {row['views']}, {row['learned_on']} pictures: mIoU "
        f"{chosen['miou_points']:+.3f} points (worst {chosen['miou_points_worst']:+.2f}), NLL "
        f"better in {chosen['nll_better_percent']:.0f} % of the splits, worse in "
        f"{chosen['nll_worse_percent']:.0f} %"
    )
