"""Whose forward pass is next: first come, first served, and people who wait before lessons."""

import threading
import time
from collections import deque
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

__all__ = ["PASSES", "Turns", "patiently"]

PAUSE = 0.05
"""Seconds after somebody's pass in which their next one may come: so long others hold back."""
PATIENCE = 1.0
"""Seconds after which a patient pass goes first: with many visitors a lesson still goes on."""

_PATIENT: ContextVar[bool] = ContextVar("patient", default=False)


@contextmanager
def patiently() -> Iterator[None]:
    """Lets passes inside hold back while somebody waits for another: for what takes minutes."""
    token = _PATIENT.set(True)
    try:
        yield
    finally:
        _PATIENT.reset(token)


@dataclass(frozen=True, eq=False)
class _Pass:
    """A pass that is asked for, in one of the lines, `since` a time of the monotonic clock."""

    line: Hashable
    patient: bool
    since: float
    at_once: int

    @property
    def overdue(self) -> bool:
        return time.monotonic() - self.since >= PATIENCE


class Turns:
    """Turns to run a model: few at a time in every line, in the order in which they were asked.

    A plain lock often goes to the thread that has just had it: a lesson would keep others out.
    Patient passes are one at a time in all lines together, and hold back while there are others.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._lines: dict[Hashable, deque[_Pass]] = {}
        self._patient: deque[_Pass] = deque()
        self._running: list[_Pass] = []
        self._quiet = -PAUSE  # when the last pass ended that somebody waited for

    @contextmanager
    def turn(self, line: Hashable, at_once: int = 1) -> Iterator[None]:
        """Waits for the turn in a line, and has it inside.

        Args:
            line: those in different lines do not wait for each other.
            at_once: passes that may run in the line together.
        """
        mine = _Pass(line, _PATIENT.get(), time.monotonic(), at_once)
        with self._changed:
            queue = self._patient if mine.patient else self._lines.setdefault(line, deque())
            queue.append(mine)
            try:
                while queue[0] is not mine or not self._free(mine):
                    self._changed.wait(PAUSE)
                self._running.append(mine)
            finally:
                queue.remove(mine)
                if not self._lines.get(line, True):
                    del self._lines[line]
        try:
            yield
        finally:
            with self._changed:
                self._running.remove(mine)
                if not mine.patient:
                    self._quiet = time.monotonic()
                self._changed.notify_all()

    @property
    def asked(self) -> bool:
        """Whether somebody waits for a pass that is not patient."""
        return bool(self._lines)

    def _free(self, mine: _Pass) -> bool:
        """Returns whether a pass may run that is the first of those that wait with it."""
        if sum(one.line == mine.line for one in self._running) >= mine.at_once:
            return False
        if not mine.patient:
            first = self._patient[0] if self._patient else None
            return first is None or first.line != mine.line or not first.overdue
        if any(one.patient for one in self._running):
            return False
        asked = self.asked or any(not one.patient for one in self._running)
        pause = time.monotonic() - self._quiet < PAUSE
        return mine.overdue or not (asked or pause)


PASSES = Turns()
"""Those of the process; whatever runs a model for the page asks here."""
