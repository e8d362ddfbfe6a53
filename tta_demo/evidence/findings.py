"""All evidence about a model's looks at one set of labelled pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from tta_demo.evidence.box_doubt import box_removal
from tta_demo.evidence.boxes import BoxLooks
from tta_demo.evidence.curve import Curve, cost_curve, look_order
from tta_demo.evidence.fusions import FusionTrial, fusions_on_trial
from tta_demo.evidence.looks import Habit, LookTrial, habits, looks_on_trial
from tta_demo.evidence.options import EVEN, LEARNED, ONE, Option, learned_on, options
from tta_demo.evidence.sets import SetTrial, sets_on_trial
from tta_demo.evidence.stacks import Looked
from tta_demo.evidence.trust import Removal, Trust, error_removal, trust
from tta_demo.evidence.verdict import PlanTrial, Verdict, judge, plans_on_trial
from tta_demo.models.ensemble import Ensemble, rows_of
from tta_demo.models.record import ModelRecord
from tta_demo.tta.crops import CROP_SETS
from tta_demo.tta.views import VIEW_SETS

__all__ = ["Evidence", "Protocol", "sets_for", "weigh"]

AHEAD = (1, 2, 3)
"""So many of the looks that help most are tried as plans."""


@dataclass(frozen=True)
class Protocol:
    """What was measured, on what.

    Attributes:
        data: the pictures, in plain words.
        model: its name.
        digest: tells its weights from others.
        score: `mIoU`, `accuracy` or `AP`.
        classes: C names.
        views: V names, the plain look first.
        calibration: names of the pictures that everything was chosen and learned on.
        held: names of those that everything was measured on.
        pixels: how many were kept of a picture, in the mean; 0 for boxes.
        seed: of the split.
        date: ISO date.
        command: what repeats it.
    """

    data: str
    model: str
    digest: str
    score: str
    classes: tuple[str, ...]
    views: tuple[str, ...]
    calibration: tuple[str, ...]
    held: tuple[str, ...]
    pixels: int
    seed: int
    date: str
    command: str


@dataclass(frozen=True)
class Evidence:
    """What looking again is worth to one model.

    Attributes:
        protocol: what was measured, on what.
        verdict: what to do.
        plans: whole plans on trial, one look first.
        curve: accuracy against cost.
        looks: every look on trial, the plain one first.
        habits: how the model takes each kind of change.
        fusions: every way to fuse all looks on trial.
        trust: how far the probabilities of some plans can be trusted, one look first; nothing of
            boxes.
        removal: which errors doubt finds, with learned weights.
        sets: sets of classes by some plans; nothing of boxes.
    """

    protocol: Protocol
    verdict: Verdict
    plans: tuple[PlanTrial, ...]
    curve: Curve
    looks: tuple[LookTrial, ...]
    habits: tuple[Habit, ...]
    fusions: tuple[FusionTrial, ...]
    trust: tuple[Trust, ...]
    removal: tuple[Removal, ...]
    sets: tuple[SetTrial, ...]

    def plan(self, name: str) -> PlanTrial:
        """Returns the trial of a plan, by its name."""
        return next(one for one in self.plans if one.option.name == name)

    @property
    def recommended(self) -> PlanTrial:
        """The plan to take."""
        return self.plan(self.verdict.recommended)

    @property
    def hurting(self) -> tuple[LookTrial, ...]:
        """The looks that hurt the even mean of all."""
        return tuple(one for one in self.looks if one.hurts)


def weigh(
    looked: Looked,
    sets: Mapping[str, Sequence[str]],
    data: str,
    model: str,
    digest: str,
    command: str = "",
    seed: int = 0,
) -> Evidence:
    """Returns all evidence that follows from looks at labelled pictures; no look is run.

    Args:
        looked: all looks at each picture.
        sets: looks by name to try as plans, see `sets_for`.
        data: the pictures, in plain words.
        model: its name.
        digest: of its weights.
        command: what repeats it.
        seed: of the split into calibration and held-out pictures.

    Raises:
        ValueError: there are less than 4 pictures, or no true box among those of one half.
    """
    count = len(looked.pictures)
    if count < 4:
        raise ValueError(f"{count} labelled pictures: give at least 4, and 16 for an interval")
    calibration, held = looked.split(seed=seed)
    order = look_order(calibration)
    curve, learned = cost_curve(calibration, held, order), learned_on(calibration)
    ahead = sorted({*AHEAD, curve.enough or 1} & set(range(1, len(order))))
    plans = plans_on_trial(held, options(calibration, sets, order, learned, ahead))
    verdict = judge(plans)
    shown = (ONE, EVEN, LEARNED, verdict.recommended)
    chosen = [one.option for one in plans if one.option.name in shown]
    looks = looks_on_trial(held, learned.weights.tolist())
    parts = [tuple(one.name for one in part.pictures) for part in (calibration, held)]
    return Evidence(
        _protocol(
            looked, parts, data=data, model=model, digest=digest, command=command, seed=seed
        ),
        verdict,
        plans,
        curve,
        looks,
        habits(looks),
        fusions_on_trial(calibration, held, learned),
        *_doubt(calibration, held, chosen),
    )


def _doubt(
    calibration: Looked, held: Looked, chosen: Sequence[Option]
) -> tuple[tuple[Trust, ...], tuple[Removal, ...], tuple[SetTrial, ...]]:
    """Returns what doubt is good for; boxes have scores, but no probabilities to trust."""
    learned = next(one.plan for one in chosen if one.name == LEARNED)
    if isinstance(held, BoxLooks):
        return (), box_removal(calibration, held, learned), ()
    trusted = tuple(trust(calibration, held, one.name, one.plan) for one in chosen)
    return trusted, error_removal(held, learned), sets_on_trial(held, chosen)


def _protocol(
    looked: Looked,
    parts: Sequence[tuple[str, ...]],
    **known: Any,  # noqa: ANN401 (as in `Protocol`)
) -> Protocol:
    boxes = isinstance(looked, BoxLooks)
    pixels = 0 if boxes else np.mean([len(one.truth) for one in looked.pictures])
    return Protocol(
        score="AP" if boxes else "accuracy" if looked.whole else "mIoU",
        classes=looked.classes,
        views=looked.views,
        calibration=parts[0],
        held=parts[1],
        pixels=round(pixels),
        date=date.today().isoformat(),
        **known,
    )


def sets_for(model: ModelRecord | Ensemble) -> dict[str, tuple[str, ...]]:
    """Returns the sets of looks that suit a model's task, by name."""
    if model.task == "classify":
        return CROP_SETS
    sets = {"mirror": ("identity", "hflip")} | VIEW_SETS
    return {name: rows_of(model, views) for name, views in sets.items()}
