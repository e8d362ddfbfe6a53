"""Every look on trial: alone, against the plain one, and what the others are without it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean

from tta_demo.evidence.stacks import Looked
from tta_demo.evidence.tally import Gain
from tta_demo.evidence.task import task_of
from tta_demo.models.ensemble import whose
from tta_demo.tta.crops import CROP_VIEWS
from tta_demo.tta.views import VIEWS, View

__all__ = ["BLIND", "DISLIKES", "FAMILIES", "Habit", "LookTrial", "habits", "looks_on_trial"]

BLIND = 0.01
"""A model whose answer moves less than this (mean total variation) hardly notices a change."""
DISLIKES = 0.005
"""A change that clearly costs this much of the score, alone, is disliked."""


@dataclass(frozen=True)
class LookTrial:
    """What one look is worth, on the held-out pictures.

    Attributes:
        view: its name.
        score: mean IoU, accuracy or AP by this look alone, 0..1.
        nll: by this look alone; None for boxes.
        gain: of that score over the plain look's.
        gap: how far its answer, turned back, is from the plain look's, 0..1: mean total variation,
            or for boxes the share of the scores whose box has no partner, see `box_gap`.
        without: what the even mean of all looks gains in score by leaving it out.
        nll_without: what that changes in NLL; less is better; None for boxes.
        weight: what it counts in the learned mean, 0..1.
        ms: that it takes, milliseconds.
    """

    view: str
    score: float
    nll: float | None
    gain: Gain
    gap: float
    without: Gain
    nll_without: Gain | None
    weight: float
    ms: float

    @property
    def hurts(self) -> bool:
        """Whether the others are clearly better without it: in score, or in NLL at no cost."""
        likelier = self.nll_without is not None and self.nll_without.down
        return self.without.up or (likelier and not self.without.down)


@dataclass(frozen=True)
class Habit:
    """How a model takes one kind of change.

    Attributes:
        change: a key of `FAMILIES`.
        gap: mean of the looks that change so.
        drop: by how much the worst of them clearly falls behind the plain look alone; 0 if none.
    """

    change: str
    gap: float
    drop: float

    @property
    def blind(self) -> bool:
        """Whether the model hardly notices."""
        return self.gap < BLIND

    @property
    def disliked(self) -> bool:
        """Whether the model clearly does worse."""
        return self.drop >= DISLIKES


FAMILIES: dict[str, Callable[[View], bool]] = {
    "mirroring": lambda v: v.symmetry.flip and v.symmetry.turns % 2 == 0,
    "half turns": lambda v: not v.symmetry.flip and v.symmetry.turns == 2,
    "quarter turns": lambda v: not v.symmetry.flip and v.symmetry.turns % 2 == 1,
    "diagonal mirrors": lambda v: v.symmetry.flip and v.symmetry.turns % 2 == 1,
    "smaller pictures": lambda v: v.zoom < 1,
    "larger pictures": lambda v: v.zoom > 1,
    "other light": lambda v: (v.gain, v.contrast, v.gamma) != (1, 1, 1),
    "noise": lambda v: v.noise > 0,
    "tilts and shifts": lambda v: bool(v.tilt or v.shift),
}
"""Kinds of changes, in plain words, and which views change so."""


def looks_on_trial(held: Looked, weights: Sequence[float]) -> tuple[LookTrial, ...]:
    """Returns every look's trial.

    Args:
        held: pictures that the weights were not learned on; the plain look comes first.
        weights: `(V,)` of the learned mean.
    """
    task, views, places = task_of(held), held.views, range(len(held.views))
    alone = task.tally(held, {view: task.mean(held, [v]) for v, view in enumerate(views)})
    left_out = {
        view: task.mean(held, [place for place in places if place != v])
        for v, view in enumerate(views)
        if len(views) > 1
    }
    without = task.tally(held, {"all": task.mean(held, places)} | left_out)
    changes = [(one.gain, one.nll_gain) for one in without.reached("all")]
    gap = task.gaps(held)
    known = zip(views, alone.reached(views[0]), changes[1:] or changes, weights, held.ms,
                strict=True)  # fmt: skip
    return tuple(
        LookTrial(view, one.score, one.nll, one.gain, gap[view], *change, float(weight), float(ms))
        for view, one, change, weight, ms in known
    )


def habits(trials: Sequence[LookTrial]) -> tuple[Habit, ...]:
    """Returns how the model takes each kind of change that the looks make.

    A look that makes several changes counts for none of them.
    """
    found = []
    for change in FAMILIES:
        of = [one for one in trials if _changes(one.view) == [change]]
        if of:
            drops = [-one.gain.value for one in of if one.gain.down]
            found.append(Habit(change, mean(one.gap for one in of), max(drops, default=0.0)))
    return tuple(found)


def _changes(row: str) -> list[str]:
    name = whose(row)[1]
    if name in CROP_VIEWS:
        view = CROP_VIEWS[name].view
    elif name in VIEWS:
        view = VIEWS[name]
    else:
        return []  # somebody's own look
    return [change for change, makes in FAMILIES.items() if makes(view)]
