"""Several models that look at a picture together: a stack's rows are models x views.

A row is named after its view, `hflip`; of an ensemble after its model too, `unet-weeds/hflip`.
"""

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from torch import Tensor

from tta_demo.models.record import ModelRecord
from tta_demo.pictures.palettes import Palette
from tta_demo.tta.plan import ONE_LOOK, Plan
from tta_demo.tta.predict import Look, Model, look
from tta_demo.tta.views import VIEWS, View

__all__ = [
    "Ensemble", "headed", "look_as", "members_of", "one_look", "rows_of", "shares", "view_of",
    "whose",
]  # fmt: skip


@dataclass(frozen=True)
class Ensemble:
    """Models of the same classes; stands where one model's record does.

    Attributes:
        members: two or more models that segment, each of its own name; the order says whose one
            look is compared with (the first one's), and in what order the rows are, no more.

    Raises:
        ValueError: they are too few, share a name, have another task, or different classes.
    """

    members: tuple[ModelRecord, ...]
    task = "segment"

    def __post_init__(self) -> None:
        names = [one.name for one in self.members]
        if len(set(names)) < max(2, len(names)):
            raise ValueError(
                f"models {', '.join(names)}: give two or more of them, each of its own name"
            )
        first = self.members[0]
        for one in self.members:
            if one.task != self.task:
                raise ValueError(
                    f"model {one.name!r} is made to {one.task}: only models that {self.task} can "
                    "look together"
                )
            if one.classes != first.classes:
                raise ValueError(
                    f"model {one.name!r} has the classes {', '.join(one.classes)}, and "
                    f"{first.name!r} {', '.join(first.classes)}: models that look together must "
                    "have the same ones, in the same order"
                )

    @property
    def name(self) -> str:
        """The members' names, joined."""
        return "+".join(one.name for one in self.members)

    @property
    def label(self) -> str:
        """The members in plain words."""
        return ", ".join(one.label for one in self.members)

    @property
    def summary(self) -> str:
        """What the members know; what all of them do is said once."""
        return " ".join(dict.fromkeys(one.summary for one in self.members))

    @property
    def domain(self) -> str:
        """The first member's, a key of `DOMAINS`."""
        return self.members[0].domain

    @property
    def palette(self) -> Palette | None:
        """The classes and their colours, the first member's."""
        return self.members[0].palette

    @property
    def classes(self) -> tuple[str, ...]:
        """C names in plain words."""
        return self.members[0].classes

    @cached_property
    def digest(self) -> str:
        """The members' digests, joined in the order of their names."""
        return "+".join(one.digest for one in sorted(self.members, key=lambda one: one.name))

    def rows(self, views: Iterable[str]) -> tuple[str, ...]:
        """Returns the names of the rows in which all members look so, grouped by model."""
        return rows_of(self, views)


def members_of(model: ModelRecord | Ensemble) -> dict[str, ModelRecord]:
    """Returns the models by what `whose` says of their rows; a model alone has no name there."""
    if isinstance(model, Ensemble):
        return {one.name: one for one in model.members}
    return {"": model}


def rows_of(model: ModelRecord | Ensemble, views: Iterable[str]) -> tuple[str, ...]:
    """Returns the names of the rows in which a model, or all of an ensemble, look so."""
    views = tuple(views)
    return tuple(f"{who}/{view}" if who else view for who in members_of(model) for view in views)


def whose(row: str) -> tuple[str, str]:
    """Returns the names of a row's model, empty for a model alone, and of its view.

    Example:
        >>> whose("unet-weeds/hflip"), whose("hflip")
        (('unet-weeds', 'hflip'), ('', 'hflip'))
    """
    who, _, view = row.rpartition("/")
    return who, view


def view_of(row: str) -> View:
    """Returns how a row looks."""
    return VIEWS[whose(row)[1]]


def one_look(model: ModelRecord | Ensemble) -> Plan:
    """Returns the plan of the look at the picture as it is; of several models, the first one's."""
    if not isinstance(model, Ensemble):
        return ONE_LOOK
    return Plan(model.rows(ONE_LOOK.views)[:1], ONE_LOOK.fusion)


def shares(
    model: ModelRecord | Ensemble, rows: Iterable[str]
) -> Iterator[tuple[ModelRecord, dict[str, str]]]:
    """Yields each model, and the views of its rows among these by the rows' names."""
    rows = tuple(rows)
    for who, one in members_of(model).items():
        yield one, {row: whose(row)[1] for row in rows if whose(row)[0] == who}


def headed(
    model: ModelRecord | Ensemble, rows: Iterable[str]
) -> Iterator[tuple[str, ModelRecord, dict[str, View]]]:
    """Yields, of each model that has some of these rows, the heading over them, itself, and they.

    The heading is what the model is called; a model alone needs none, and has an empty one.
    """
    for one, own in shares(model, rows):
        if own:
            heading = one.called if isinstance(model, Ensemble) else ""
            yield heading, one, {row: VIEWS[view] for row, view in own.items()}


def look_as(model: Model | Mapping[str, Model], image: Tensor, row: str) -> Look:
    """Returns the look of a row at an image `(3, H, W)` in 0..1, and the seconds that it took.

    Args:
        model: as `load_model` gives it: a model, or those of an ensemble by name.
        image: what to look at.
        row: its name.
    """
    who, view = whose(row)
    start = time.perf_counter()
    one = look(model[who] if who else model, image, VIEWS[view])
    return replace(one, seconds=time.perf_counter() - start)
