"""Looking at a picture look by look: the plain answer first, the rest as it comes."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import gradio as gr

from tta_demo.models.ensemble import one_look
from tta_demo.models.turns import PASSES
from tta_demo.tta.fusion import FUSIONS
from tta_demo.tta.views import View
from tta_demo.ui.full.panel import NO_FULL
from tta_demo.ui.kit.looking import READY, WORKING
from tta_demo.ui.kit.screen import Updates
from tta_demo.ui.segment.case import SegmentCase, SegmentVisitor
from tta_demo.ui.segment.show import show
from tta_demo.ui.segment.staging import scene_of
from tta_demo.ui.stage import BUSY, MODES, pack
from tta_demo.ui.takeaway.panel import NO_FILES

__all__ = ["look", "run"]

PROGRESS = gr.Progress()
PATIENCE = 2.0
"""Seconds; what takes longer is shown as it comes."""
COST = 0.08
"""The share of the time so far that may go into showing what there is."""


class _UnwantedError(Exception):
    """Something else was chosen meanwhile."""


def look(
    visitor: SegmentVisitor,
    case: SegmentCase,
    wanted: Callable[[], bool],
    play: str = "none",
    mode: str = MODES[0],
    **at_once: object,
) -> Iterator[Updates]:
    """Dims the old result, looks, shows the new one, and makes the case the visitor's.

    Args:
        visitor: who has the turn.
        case: the new picture or settings.
        wanted: whether nobody waits for another picture; if not, it stops after a look.
        play: as in `StagePicture`; nothing plays after looks that were shown as they came.
        mode: the same.
        at_once: what changes before the result is there; a new picture does in any case.
    """
    if not wanted():
        return
    if visitor.case is None or visitor.case.picture is not case.picture:
        at_once["picture"] = case.picture.rgb
    yield WORKING | {"stage": BUSY} | NO_FILES | NO_FULL | at_once
    pace = _Pace(case, wanted)
    try:
        yield from _first_looks(case, pace, mode)
        result = case.segment(pace.track)
    except _UnwantedError:
        return
    shown = show(case, result, "none" if pace.shown else play, mode)
    visitor.case = case
    yield READY | shown


def run(case: SegmentCase) -> Updates:
    """Returns everything about the case's answer; says which look it is at."""
    return show(case, case.segment(_Pace(case, lambda: True).track))


class _Pace:
    """Counts looks and seconds, and says on the page how many and how long are left."""

    def __init__(self, case: SegmentCase, wanted: Callable[[], bool]) -> None:
        plain = one_look(case.world.record).views
        self.names = tuple(dict.fromkeys((*plain, *case.rows)))
        self.wanted = wanted
        self.total, self.done = len(self.names), 0
        self.shown = 0.0  # seconds that went into showing
        self._start = time.monotonic()

    @property
    def seconds(self) -> float:
        """Spent on looking."""
        return time.monotonic() - self._start - self.shown

    @property
    def left(self) -> float:
        """Seconds that the looks to come will take."""
        return self.seconds / max(self.done, 1) * (self.total - self.done)

    def track(self, views: Sequence[View]) -> Iterator[View]:
        """Yields the views, each one announced; stops when something else is wanted."""
        for view in views:
            if not self.wanted():
                raise _UnwantedError
            long = self.done and self.left > PATIENCE
            left = f", about {self.left:.0f} s left" if long else ""
            at = (min(self.done, self.total), self.total)
            PROGRESS(at, desc=f"Looking: {view.label}{left}", unit="looks")
            yield view
            self.done += 1


def _first_looks(case: SegmentCase, pace: _Pace, mode: str) -> Iterator[Updates]:
    """Yields the stage with one look, two, ..., as often as it costs little, if all take long.

    While others wait, too, the first one has to do.
    """
    weighted = FUSIONS[case.settings.fusion].weighted
    fusion = "mean" if weighted else case.settings.fusion  # weights are for all looks together
    part = replace(case.changed(fusion=fusion), off=())
    for count in range(1, len(pace.names)):
        before = pace.done
        result = part.segment(pace.track, pace.names[:count])
        if pace.done == before:  # it was kept from before
            pace.total -= 1
            continue
        if not pace.shown and pace.left < PATIENCE:
            return
        if pace.shown > COST * pace.seconds or (pace.shown and PASSES.asked):
            continue
        start = time.monotonic()
        yield {"stage": pack(scene_of(part, result, "none", mode))}
        pace.shown += time.monotonic() - start
