"""Measuring what several models are worth that look together, and what learned weights add."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from tqdm import tqdm

from tta_demo.commands import arguments
from tta_demo.commands.benchmark.measuring import RESULTS, about
from tta_demo.evaluation.run import write_json
from tta_demo.evaluation.spread import Spread
from tta_demo.learning.answers import Answers
from tta_demo.learning.fit import fit_steps
from tta_demo.models.ensemble import Ensemble, look_as
from tta_demo.models.portable import portable
from tta_demo.models.registry import MODELS
from tta_demo.samples.labelled import LabelledPicture
from tta_demo.samples.weeds import SEEDS, sample
from tta_demo.scoring.score import Score, evaluate, gain
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.plan import Plan
from tta_demo.tta.predict import Model, ViewStack, to_tensor
from tta_demo.tta.views import VIEW_SETS

__all__ = ["measure_ensembles"]

MEMBERS = {MODELS[name].role.lower(): name for name in WORLDS["weeds"].models}
"""The models of weeds by what they have seen in training, the most first."""

EVERYBODY = Ensemble(tuple(MODELS[name] for name in MEMBERS.values()))
KEYS = ("miou", "miou_without_background", "f1", "nll", "ece", "ms")


@dataclass(frozen=True)
class _Way:
    """Who looks how, a key of `VIEW_SETS`, and whether weights were learned for these rows."""

    team: tuple[str, ...]
    views: str
    learned: bool = False

    @property
    def rows(self) -> tuple[str, ...]:
        """The names of the rows, models x views."""
        return tuple(
            f"{MEMBERS[who]}/{view}" for who in self.team for view in VIEW_SETS[self.views]
        )

    def others(self) -> dict[str, "_Way"]:
        """Returns what it is compared with, by name.

        The even mean of the same rows; one look, and the same way, of the member that has seen
        most alone.
        """
        alone = self.team[:1]
        others = {
            "even_mean": replace(self, learned=False),
            "one_look": _Way(alone, "none"),
            "alone": _Way(alone, self.views, self.learned and self.views != "none"),
        }
        return {name: way for name, way in others.items() if way != self}


def _ways() -> list[_Way]:
    teams = [team for size in (1, 2, 3) for team in combinations(MEMBERS, size)]
    ways = [
        _Way(team, views, learned)
        for team in teams
        for views in ("none", "d4", "all")
        for learned in (False, True)
    ]
    return [way for way in ways if not (way.learned and len(way.rows) == 1)]


def measure_ensembles(
    pictures: Annotated[int, typer.Option(min=2, help="Test fields to score on.")] = 200,
    calibration: Annotated[int, typer.Option(min=1, help="Fields to learn weights on.")] = 60,
    out: Annotated[Path, typer.Option(help="Folder for ensembles.json.")] = RESULTS,
    ray: arguments.OnRay = False,
) -> None:
    """Scores expert, apprentice and novice on weeds, alone and together; saves the table.

    With one look, D4 and all 15 views of each, fused by the even mean and by learned weights.
    """
    models, spread = portable(EVERYBODY), arguments.spread(ray)
    answers = _answers(models, calibration, spread)
    plans = {way: _plan(way, answers) for way in tqdm(_ways(), desc="fits", unit="plan")}
    fields = (sample(seed) for seed in tqdm(SEEDS["test"][:pictures], desc="test"))
    scores = evaluate(models, fields, plans, spread)
    result = about(
        "ensemble",
        models={who: {"name": MEMBERS[who], "digest": MODELS[MEMBERS[who]].digest}
                for who in MEMBERS},
        first=f"weeds-{SEEDS['test'][0]}",
        pictures=pictures,
        calibration={"first": f"weeds-{SEEDS['calibration'][0]}", "pictures": calibration},
        rows=[_row(way, plans[way], scores) for way in plans],
    )  # fmt: skip
    for row in result["rows"]:
        who = f"{' + '.join(row['team'])}, {row['views']}, {row['fusion']}"
        typer.echo(f"{who:46} mIoU {row['miou']:.4f}  NLL {row['nll']:.4f}")
    write_json(out / "ensembles.json", result)


def _answers(models: Mapping[str, Model], calibration: int, spread: Spread) -> Answers:
    """Returns what all models said with all views of the calibration fields."""
    fields = map(sample, tqdm(SEEDS["calibration"][:calibration], desc="calibration"))
    return Answers.of(spread(partial(_looked, models), fields), whole=True)


def _looked(models: Mapping[str, Model], field: LabelledPicture) -> tuple[ViewStack, np.ndarray]:
    image, rows = to_tensor(field.rgb), EVERYBODY.rows(VIEW_SETS["all"])
    return ViewStack.of({row: look_as(models, image, row) for row in rows}), field.labels


def _plan(way: _Way, answers: Answers) -> Plan:
    if not way.learned:
        return Plan(way.rows, "none" if len(way.rows) == 1 else "mean")
    known = EVERYBODY.rows(VIEW_SETS["all"])
    places = [known.index(row) for row in way.rows]
    own = Answers(tuple(probs[places] for probs in answers.probs), answers.labels)
    *_, found = fit_steps(own)
    return found.plan(way.rows)


def _row(way: _Way, plan: Plan, scores: Mapping[_Way, Score]) -> dict[str, Any]:
    """Returns a way's scores and weights, and what it gains over its `others`."""
    score, classes = scores[way], EVERYBODY.classes
    row = score.row(classes)
    gained = {
        name: {key: one.rounded() for key, one in gain(score, scores[other], classes).items()}
        for name, other in way.others().items()
    }
    weights = plan.weights and dict(
        zip(plan.views, plan.weights.values.double().numpy().round(4).tolist(), strict=True)
    )
    return {
        "team": way.team,
        "views": way.views,
        "fusion": plan.fusion,
        "looks": len(way.rows),
        **{key: round(row[key], 6) for key in KEYS},
        "minus": gained,
        "weights": weights,
    }
