"""How a lesson goes: look, fit again on what was seen, fit, and check on other pictures."""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tta_demo.evaluation.failures import Failures
from tta_demo.learning.fit import Fit, fit_steps
from tta_demo.learning.fit_methods import METHODS
from tta_demo.learning.prior import FEW
from tta_demo.learning.weight_file import weights_by_name
from tta_demo.models.ensemble import one_look
from tta_demo.pictures.words import several
from tta_demo.tasks.gallery import scored
from tta_demo.tasks.worlds import World
from tta_demo.tta.plan import Plan
from tta_demo.ui.kit.html import weight_bars
from tta_demo.ui.kit.screen import Updates
from tta_demo.ui.learn import show
from tta_demo.ui.learn.lesson import Task, Wanted

__all__ = ["Course", "bars"]

EVERY = 0.15
"""Seconds between two updates of the screen."""
EXTRA = 0.1
"""The part of the time that may go into showing what the result does not need."""


@dataclass
class Pace:
    """How far a lesson is.

    Attributes:
        total: pictures that have to be looked at.
        done: those of them that were.
        began: when, in seconds of the monotonic clock.
        extra: seconds that went into showing what the result does not need.
        shown: when the screen was last updated.
        until: when what is shown has to be found.
    """

    total: int
    done: int = 0
    began: float = field(default_factory=time.monotonic)
    extra: float = 0.0
    shown: float = 0.0
    until: float = 0.0

    @property
    def overdrawn(self) -> bool:
        """Whether what is being found to be shown has taken all the time that it may."""
        return time.monotonic() > self.until

    @property
    def left(self) -> float:
        """Seconds that the rest will take."""
        return (time.monotonic() - self.began) / self.done * (self.total - self.done)

    def due(self) -> bool:
        """Returns whether the screen may be updated, and takes it as done if so."""
        if time.monotonic() - self.shown <= EVERY:
            return False
        self.shown = time.monotonic()
        return True

    def afford(self, more: Callable[[list[str]], Updates], seen: list[str]) -> Updates:
        """Returns what more to show of the pictures seen; nothing while that costs too much."""
        start = time.monotonic()
        if not seen or self.extra > EXTRA * (start - self.began):
            return {}
        self.until = start + EXTRA * (start - self.began) - self.extra
        shown = more(seen)
        self.extra += time.monotonic() - start
        return shown


class Course:
    """One lesson on its way; its steps yield what changes on the screen.

    Args:
        task: the pictures.
        views: the looks to weigh; of several models, their rows.
        wanted: how to learn.
        stopped: tells whether the visitor has had enough.
    """

    def __init__(
        self, task: Task, views: tuple[str, ...], wanted: Wanted, stopped: Callable[[], bool]
    ) -> None:
        self.task, self.views, self.wanted, self.stopped = task, views, wanted, stopped
        self.broken = Failures()
        plain = one_look(task.world.record).views
        self._needed = tuple(dict.fromkeys((*views, *plain)))
        self._pace = Pace(len(self._missing(task.calibration + task.held_out)))

    def study(self) -> Generator[Updates, None, list[str]]:
        """Looks at the pictures to learn on, and shows the fit on those seen so far.

        Returns the pictures seen, fewer than asked for after a stop.
        """
        return (yield from self._look(self.task.calibration, "Learning", self._so_far))

    def fit(self) -> Generator[Updates, None, Fit]:
        """Shows the loss and the weights move; returns the fit."""
        self.task = self.task.without(self.broken)
        label = METHODS[self.wanted.method].label
        prior = None if self.wanted.choose else self.wanted.prior
        for found in self._steps(self.task.calibration, prior, self.stopped):
            if self._pace.due():
                told = show.status(f"{label}: step {len(found.history) - 1}")
                yield {"status": told} | self._moves(found)
        return found

    def check(self, plan: Plan) -> Generator[Updates, None, list[str]]:
        """Looks at the pictures to check on, and shows the losses on those seen so far.

        Returns the pictures seen, fewer than asked for after a stop.
        """
        return (
            yield from self._look(
                self.task.held_out, "Checking", lambda seen: self._losses(seen, plan, "checked")
            )
        )

    def _losses(self, seen: list[str], plan: Plan, how: str) -> Updates:
        """Returns the losses of one look, even mean and learned weights on some pictures."""
        scores, classes = scored(self.task.gallery, seen, plan), self.task.world.record.classes
        each = {name: score.row(classes)["nll"] for name, score in scores.items()}
        return {"losses": show.losses(each, len(seen), how)}

    def _look(
        self, names: list[str], doing: str, more: Callable[[list[str]], Updates]
    ) -> Generator[Updates, None, list[str]]:
        """Runs the forward passes that are missing; notes pictures that cannot be read."""
        missing = self._missing(names)
        seen = [name for name in names if name not in missing]
        for name in missing:
            if self.stopped():
                break
            with self.broken.of(name):
                self.task.gallery.look(name, self._needed)
                seen.append(name)
            self._pace.done += 1
            if self._pace.due():
                yield self._pace.afford(more, seen) | {"status": self._told(doing, seen, names)}
        return seen

    def _told(self, doing: str, seen: list[str], names: list[str]) -> str:
        pace, looks = self._pace, several(len(self._needed), "look")
        return show.status(
            f"{doing}: picture {len(seen)} of {len(names)}, {looks} each. {show.left(pace.left)}",
            pace.done / pace.total,
        )

    def _so_far(self, seen: list[str]) -> Updates:
        """Returns weights and losses as they are with the pictures seen, as far as time allows."""
        prior = FEW if self.wanted.choose else self.wanted.prior
        *_, found = self._steps(seen, prior, lambda: self.stopped() or self._pace.overdrawn)
        return self._moves(found) | self._losses(seen, found.plan(self.views), "so far")

    def _steps(
        self, names: list[str], prior: float | None, stopped: Callable[[], bool]
    ) -> Iterator[Fit]:
        answers = self.task.gallery.answers(names, self.views)
        method, form = self.wanted.method, self.wanted.weights_form
        if not METHODS[method].prior:
            prior = None
        return fit_steps(answers, method, prior, form, stopped, self.wanted.score)

    def _moves(self, found: Fit) -> Updates:
        drawn = bars(self.task.world, self.views, found.weights.tolist())
        return {"curve": show.curve(found.history), "bars": drawn}

    def _missing(self, names: list[str]) -> list[str]:
        return self.task.gallery.missing(names, self._needed)


def bars(world: World, views: Sequence[str], rows: list[Any]) -> str:
    """Returns the weights as bars: V rows, each a weight or C weights."""
    return weight_bars(weights_by_name(views, rows, world.record.classes), world.record)
