"""What the three tasks have in common: a picture was looked at by a plan."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import torch

from tta_demo.learning.weight_file import ByName, weights_by_name
from tta_demo.models.ensemble import Ensemble
from tta_demo.models.record import ModelRecord
from tta_demo.models.registry import models_for
from tta_demo.pictures.reading import Picture
from tta_demo.tasks.cache import KEPT, picture_key
from tta_demo.tta.fusion import Weights
from tta_demo.tta.plan import Plan
from tta_demo.tta.predict import ViewStack
from tta_demo.tta.views import VIEWS, refuse_unknown

__all__ = ["Result", "kept_looks", "needed", "plan_of", "refuse_other", "refuse_unfit"]
__all__ += ["running_notes"]


@dataclass(frozen=True, eq=False)
class Result(ABC):
    """What a model says of one picture: with one look and with several.

    Attributes:
        model: whose answer it is; of an ensemble, the looks' names have their model's before.
        picture: what was looked at.
        plan: how.
        looks: by view name: those of the plan, the plain one, and others that were asked for.
        notes: plain sentences on what the user should know.
    """

    model: ModelRecord | Ensemble
    picture: Picture
    plan: Plan
    looks: Mapping[str, Any]
    notes: tuple[str, ...]

    @property
    def weights(self) -> ByName | None:
        """What each view counts, by view, or by view and class; None without learned weights."""
        if self.plan.weights is None:
            return None
        rows = self.plan.weights.values.tolist()
        return weights_by_name(self.plan.views, rows, self.model.classes)

    def report(self, **known: object) -> dict[str, Any]:
        """Returns everything but the pixels, ready for JSON; `plan_of` reads the plan back.

        Args:
            known: what is known beside, where the picture comes from for instance.
        """
        weights = self.plan.weights
        return known | {
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "model": {"name": self.model.name, "digest": self.model.digest, **_swap(self.model)},
            "picture": {"size": self.picture.size, "working_size": self.picture.rgb.shape[:2]},
            "views": list(self.plan.views),
            "fusion": self.plan.fusion,
            "weights": self.weights,
            "pool": None if weights is None else weights.pool,
            "notes": list(self.notes),
            **self.findings(),
        }

    @abstractmethod
    def findings(self) -> dict[str, Any]:
        """Returns what the task adds to the report."""


def _swap(model: ModelRecord | Ensemble) -> dict[str, Any]:
    """Returns the pairs of classes that a mirror exchanges, if there are some."""
    pairs = getattr(model, "swap", ())
    return {"swap": [list(pair) for pair in pairs]} if pairs else {}


def plan_of(report: Mapping[str, Any]) -> Plan:
    """Returns the plan of a report, be it as `Result.report` made it or read back from JSON.

    Raises:
        ValueError: the report's weights are no weights.
        KeyError: something is missing in the report.

    Example:
        >>> report = {"views": ["identity", "hflip"], "fusion": "mean", "weights": None}
        >>> plan_of(report).views
        ('identity', 'hflip')
    """
    views, named = tuple(report["views"]), report["weights"]
    if named is None:
        return Plan(views, report["fusion"])
    rows = [named[name] for name in views]
    table = [[*row.values()] if isinstance(row, dict) else row for row in rows]
    return Plan(views, report["fusion"], Weights(table, report["pool"]))


def needed(
    plan: Plan, plain: str, shown: Sequence[str], views: Collection[str]
) -> tuple[str, ...]:
    """Returns the views that a result needs, each once: the plan's, the plain one, and `shown`.

    Raises:
        ValueError: there is no view, or one is none of the task's `views` or given twice.
    """
    refuse_unknown(plan.views, views)
    names = tuple(dict.fromkeys((*plan.views, plain, *shown)))
    refuse_unknown(names, views)
    return names


def refuse_other(model: ModelRecord | Ensemble, task: str) -> None:
    """Raises a `ValueError` if a model was made for another task."""
    if model.task != task:
        raise ValueError(
            f"model {model.name!r} is made to {model.task}, not to {task}: choose "
            f"{' or '.join(models_for(task))}, or one of your own that can"
        )


def refuse_unfit(plan: Plan, classes: int) -> None:
    """Raises a `ValueError` if a plan cannot fuse answers of C classes, without having any yet."""
    plan.fuse(ViewStack(plan.views, torch.zeros(len(plan.views), classes)))


def running_notes(alike: bool, unturned: Sequence[str] = ()) -> tuple[str, ...]:
    """Returns what to say if looking again seems not to run; nothing in the usual case.

    Args:
        alike: whether all looks answer the same.
        unturned: views whose answers seem not to be turned back, or to be so twice.
    """
    notes = []
    if alike:
        notes.append(
            "All looks gave the same answer to the last digit: either they show the same, or the "
            "model does not notice the changes, or something around it undoes them."
        )
    if unturned:
        names = ", ".join(VIEWS[name].label for name in unturned)
        notes.append(
            f"These looks fit the plain one better before they are turned back: {names}. Either "
            "the model already turns its answers back, or it has classes that mean left and "
            "right, which must be exchanged in a mirror (swap)."
        )
    return tuple(notes)


def kept_looks(
    model: ModelRecord,
    picture: Picture,
    views: Sequence[str],
    make: Callable[[list[str]], Iterable[tuple[str, Any]]],
) -> dict[str, Any]:
    """Returns a task's looks at a picture out of the process-wide cache; see `Cache.looks`.

    The task belongs to the key: one file of weights can serve several, with views of one name.
    """
    return KEPT.looks(f"{model.task} {model.digest}", picture_key(picture.rgb), views, make)
