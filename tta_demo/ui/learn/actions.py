"""What a visitor can do on the Learn tab: learn, stop, use, load and save weights."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gradio as gr

from tta_demo.evaluation.failures import Failures
from tta_demo.learning.fit import Fit
from tta_demo.learning.fit_methods import needs_all_classes
from tta_demo.learning.weight_file import WeightFile
from tta_demo.learning.weight_reading import quoted
from tta_demo.models.ensemble import rows_of
from tta_demo.pictures.words import several
from tta_demo.samples.labelled import understood
from tta_demo.tasks.gallery import Verdict, compare
from tta_demo.tasks.worlds import WORLDS, World
from tta_demo.tta.views import VIEW_SETS, VIEWS
from tta_demo.ui.kit.files import saved, uploaded
from tta_demo.ui.kit.html import paragraphs
from tta_demo.ui.kit.parts import chosen_looks
from tta_demo.ui.kit.screen import Updates
from tta_demo.ui.kit.waiting import LESSONS
from tta_demo.ui.learn import show
from tta_demo.ui.learn.course import Course, bars
from tta_demo.ui.learn.lesson import LearnVisitor, Task, Wanted, task_for
from tta_demo.ui.learn.uploads import Uploader
from tta_demo.ui.segment.actions import inputs_of
from tta_demo.ui.segment.carry import carry
from tta_demo.ui.segment.case import SegmentVisitor, tick
from tta_demo.ui.segment.looks import run
from tta_demo.ui.yours.model import YOURS

__all__ = ["INTRO", "failed", "forget", "learn", "load_file", "stop", "use"]

STOPPED = "Stopped. Pictures that were looked at are kept: Start goes on from there."
UNDER_WAY = "Learning is under way: stop it first, or wait."
GRACE = 5.0
"""Seconds that a stopped lesson may take to end before the next one starts."""
BEFORE = " The weights from before are still here."
INTRO = (
    "<p>How much should each look count? Learn it from pictures whose right answer is known, and "
    "check it on pictures that were <b>not</b> used. It may help, do nothing, or hurt.</p>"
)
UNCHECKED = (
    "<p class='verdict'>There is no second picture to check the weights on: add pictures to "
    "see whether learning helps.</p>"
)
STOPPED_UNCHECKED = "<p class='verdict'>Stopped before the check: whether it helps is open.</p>"
EMPTY: Updates = (
    {"verdict": INTRO}
    | dict.fromkeys(("losses", "curve", "bars", "on_held_out", "on_calibration", "notes"), "")
    | {
        "use": gr.Button(interactive=False),
        "save": gr.DownloadButton(value=None, interactive=False),
    }
)
"""No old result stands beside a new question."""


def learn(visitor: LearnVisitor, wanted: Wanted, looker: SegmentVisitor) -> Iterator[Updates]:
    """Looks at the pictures, fits the weights in sight, and checks them on other pictures."""
    with visitor.free_turn(UNDER_WAY, GRACE), LESSONS.place() as place:
        visitor.halt.clear()
        needs_all_classes(wanted.method, wanted.weights_form)
        world = looker.place(wanted.world).by(wanted.models)
        views = rows_of(world.record, chosen_looks(wanted.views, VIEWS))
        task = task_for(visitor, wanted, world)
        even = [1 / len(views)] * len(views)
        yield EMPTY | {
            "status": show.status("Getting ready …"),
            "bars": bars(task.world, views, even),
        }
        yield from ({"status": show.status(told)} for told in place.wait(visitor.halt))
        course = Course(task, views, wanted, visitor.halt.is_set)
        yield from course.study()
        if visitor.halt.is_set():
            kept = _before(visitor)
            yield kept | {"status": show.status(STOPPED + (BEFORE if kept else ""))}
            return
        course.broken.refuse_if_nothing_read(task.calibration)
        found = yield from course.fit()
        early = " Stopped early: these are the weights so far." if visitor.halt.is_set() else ""
        checked = yield from course.check(found.plan(views))
        yield _finish(visitor, course, found, checked, early)


def _finish(
    visitor: LearnVisitor, course: Course, found: Fit, checked: list[str], early: str
) -> Updates:
    """Makes the weights the visitor's, and shows them with what they are worth."""
    task, views = course.task, course.views
    plan, record = found.plan(views), task.world.record
    own = compare(task.gallery, task.calibration, plan)
    other = compare(task.gallery, checked, plan) if checked else None
    pictures = len(task.calibration)
    told = {"data": task.told, "first": task.calibration[0], "pictures": pictures}
    scores = {"calibration": _rounded(own)} | ({"held_out": _rounded(other)} if other else {})
    belongs = {"world": task.world.name, "model": record.name, "digest": record.digest}
    visitor.file = WeightFile.of(found, views, record.classes, told, scores, **belongs)
    looks = several(len(views), "look")
    done = f"Done. {task.world.label}: {looks}, learned on {several(pictures, 'picture')}."
    unchecked = STOPPED_UNCHECKED if visitor.halt.is_set() else UNCHECKED
    visitor.shown = {
        "status": show.status(done + early),
        "verdict": show.sentence(other) if other else unchecked,
        "curve": show.curve(found.history) + show.fit_facts(found),
        "bars": bars(task.world, views, found.weights.tolist()),
        "losses": _losses(other, "held out") if other else _losses(own, "learned on"),
        "on_held_out": show.score_table(other) if other else "",
        "on_calibration": show.score_table(own) + show.calibration_lesson(other, own),
        "notes": _notes(task, course.broken),
    }
    return _before(visitor)


def _losses(verdict: Verdict, where: str) -> str:
    each = {name: getattr(verdict, name)["nll"] for name in show.PLANS}
    return show.losses(each, verdict.pictures, where)


def _rounded(verdict: Verdict) -> dict[str, Any]:
    rows = {name: getattr(verdict, name) for name in show.PLANS}
    keys = ("miou", "nll", "ece")
    kept = {name: {key: round(row[key], 6) for key in keys} for name, row in rows.items()}
    return {"pictures": verdict.pictures} | kept


def _notes(task: Task, broken: Failures) -> str:
    """Returns what was left out and how masks were understood, as plain text in HTML."""
    read = [name for name in task.calibration + task.held_out if name not in broken]
    notes = [*broken.values(), *understood(task.gallery.notes(read))]
    if task.bag and task.bag.lonely:
        notes.append(f"Without a partner, left out: {', '.join(task.bag.lonely)}.")
    return paragraphs(notes)


def _before(visitor: LearnVisitor) -> Updates:
    """Returns the weights learned or loaded last, with all that was shown; nothing without."""
    file = visitor.file
    if file is None:
        return {}
    path = saved(file.text().encode(), f"{file.world}-weights.json")
    return EMPTY | visitor.shown | {
        "use": gr.Button(interactive=True),
        "save": gr.DownloadButton(value=path, interactive=True),
    }  # fmt: skip


def failed(visitor: LearnVisitor) -> Updates:
    """Returns what was there before an error, which a message has told."""
    kept = _before(visitor)
    told = "Nothing new was learned: see the message." + (BEFORE if kept else "")
    return kept | {"status": show.status(told)}


def stop(visitor: Uploader) -> None:
    """Ends what is under way after its next step or look; does not wait for its turn."""
    visitor.halt.set()


def load_file(visitor: LearnVisitor, load: dict[str, Any], looker: SegmentVisitor) -> Updates:
    """Reads a weights file, and says where it comes from."""
    with visitor.free_turn(UNDER_WAY):
        file = WeightFile.load(uploaded(load))
        home = looker.home_of(file)
        if home not in WORLDS and home != YOURS:
            known = ", ".join(f"{name!r}" for name in WORLDS)
            raise ValueError(
                f"The weights are for the world {quoted(file.world)}, which is not here. Load a "
                f"file for {known}."
            )
        world = _world_of(file, looker.place(home))
        unknown = [row for row in file.views if row not in rows_of(world.record, VIEWS)]
        if unknown:
            raise ValueError(
                f"The weights are for looks that this page does not have: "
                f"{quoted(', '.join(unknown))}. Learn them again here."
            )
        weights = file.select(file.views, world.record.digest, world.record.classes)
        visitor.file = file
        visitor.shown = {
            "status": show.status(f"Loaded. {world.label}: {file.origin}."),
            "bars": bars(world, file.views, weights.values.tolist()),
        }
        return _before(visitor)


def use(learner: LearnVisitor, visitor: SegmentVisitor) -> Updates:
    """Carries the weights to the Segment tab: to its picture, or to the world's first example."""
    with visitor.turn:
        file = learner.file  # not in the learner's turn: a lesson may have it for minutes
        if file is None:
            raise ValueError("There are no weights yet: learn some, or load a file.")
        home = visitor.home_of(file)
        world = _world_of(file, visitor.place(home))
        shown = carry(visitor, home, world, file.views, "learned", file)
        return shown | {"page_tabs": gr.Tabs(selected="segment")}


def _world_of(file: WeightFile, home: World) -> World:
    """Returns the world of weights, in which the models look that they are for."""
    return home.by(file.models) if home.models else home


def forget(visitor: SegmentVisitor) -> Updates:
    """Forgets the visitor's weights: the Segment tab uses those that come with the demo."""
    with visitor.turn:
        visitor.files.clear()
        gr.Info("The demo's own weights count again.")
        case = visitor.case
        if case is None or case.file is None:
            return {}
        known = set(case.settings.views) <= set(VIEW_SETS["all"])
        views = case.settings.views if known else VIEW_SETS["d4"]
        fusion = case.settings.fusion if case.world.weight_paths else "mean"
        case = replace(case.changed(groups=tick(views), fusion=fusion), file=None)
        shown = run(case)
        visitor.case = case
        return inputs_of(case) | shown
