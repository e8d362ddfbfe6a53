"""What the page keeps of one visitor."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from tta_demo.pictures.damage import Damage, damage
from tta_demo.pictures.reading import Picture
from tta_demo.ui.kit.queue import asked_at, is_gone

__all__ = ["NO_PICTURE", "Case", "Viewer", "Visitor"]

NO_PICTURE = "There is no picture yet: pick an example or upload one."


class Visitor:
    """One visitor of a tab. Actions take turns: none computes on what another replaces.

    Attributes:
        turn: held by the action that is under way.
    """

    def __init__(self) -> None:
        self.turn = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Bytes of what is held for this visitor alone, in memory and in folders."""
        return 0

    def lighten(self) -> None:
        """Gives that back: others need the room, and this visitor acted long ago."""

    @contextmanager
    def free_turn(self, under_way: str, grace: float = 0.0) -> Iterator[None]:
        """Takes the turn, or refuses: waiting for what takes minutes would be in others' way.

        Args:
            under_way: what to say then.
            grace: seconds that what was stopped may take to end.

        Raises:
            ValueError: something is under way.
        """
        if not self.turn.acquire(timeout=grace):
            raise ValueError(under_way)
        try:
            yield
        finally:
            self.turn.release()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Returns a fresh one: gradio copies a state's first value for every visitor."""
        return type(self)()


@dataclass(frozen=True, kw_only=True)
class Case:
    """A picture on screen, and the way to look at it.

    Attributes:
        picture: the file, read.
        settings: what the controls say; each field has the name of a part of the screen. Its
            `damage` are the amounts of `Damage`.
        truth: the right answer, if it is known.
    """

    picture: Picture
    settings: Any
    truth: Any = None

    @property
    def nbytes(self) -> int:
        """Bytes of the picture, and of its truth if that is one per pixel."""
        pixels = [self.picture.rgb, self.truth, *(s.rgb for s in [vars(self).get("seen")] if s)]
        return sum(one.nbytes for one in pixels if isinstance(one, np.ndarray))

    @property
    def damage(self) -> Damage:
        """What is wrong with the picture on purpose."""
        return Damage(*self.settings.damage)

    @cached_property
    def seen(self) -> Picture:
        """The picture that is looked at: damaged, if so chosen; the truth stays."""
        how = self.damage
        if not how.amounts:
            return self.picture
        notes = (*self.picture.notes, f"Damaged on purpose: {how.told}.")
        return replace(self.picture, rgb=damage(self.picture.rgb, how), notes=notes)


class Viewer(Visitor):
    """A visitor who looks at a picture.

    Attributes:
        case: what is on screen; None without a picture.
    """

    def __init__(self) -> None:
        super().__init__()
        self.case: Case | None = None
        self._opened_at = 0.0
        self._chosen: dict[str, tuple[float, Any]] = {}

    @property
    def nbytes(self) -> int:
        """Bytes of what is on screen."""
        return 0 if self.case is None else self.case.nbytes

    def lighten(self) -> None:
        """Forgets the case: the next action says that there is no picture."""
        self.case = None

    @contextmanager
    def looking(self, opens: bool = True) -> Iterator[Callable[[], bool]]:
        """Takes the turn to look, and gives a question: is this still what is waited for?

        It is not any more when a picture is that was asked for later, or the page was closed.

        Args:
            opens: whether another picture is to be opened: who looks at one now may stop then.
        """
        asked = asked_at()
        if opens:
            self._opened_at = max(self._opened_at, asked)
        with self.turn:
            yield lambda: self._opened_at <= asked and not is_gone()

    def chosen(self, **choices: object) -> dict[str, Any]:
        """Notes choices of the action that has the turn, and returns them as they stand by now.

        Of two actions under way the later one may take the turn first. Each brings its choices as
        they stood when it was asked for: what was chosen after that stays.
        """
        asked = asked_at()
        for name, value in choices.items():
            if asked >= self._chosen.get(name, (0.0,))[0]:
                self._chosen[name] = asked, value
        return {name: self._chosen[name][1] for name in choices}

    def latest(self, settings: Any) -> Any:  # noqa: ANN401 (the tab's own)
        """Returns the settings of the action that has the turn, `chosen` each."""
        return replace(settings, **self.chosen(**vars(settings)))

    def prepared(self, case: Case) -> Case:
        """Returns a case as this visitor looks at it."""
        return case

    def call_off(self) -> None:
        """Ends looking after the look that is under way: nobody waits for its picture."""
        self._opened_at = asked_at()

    @property
    def present(self) -> Case:
        """The case on screen.

        Raises:
            ValueError: there is no picture yet.
        """
        if self.case is None:
            raise ValueError(NO_PICTURE)
        return self.case
