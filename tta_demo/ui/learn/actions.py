"""What a visitor can do on the Learn tab: learn, stop, use, load and save weights."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import escape
from typing import Any

import gradio as gr

from tta_demo.evaluation.failures import Failures
from tta_demo.learning.fit import Fit, fit_steps
from tta_demo.learning.fit_methods import METHODS, needs_all_classes
from tta_demo.learning.weight_file import WeightFile, weights_by_name
from tta_demo.tasks.gallery import Verdict, compare
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.views import VIEW_SETS, VIEWS
from tta_demo.ui.kit.files import saved, uploaded
from tta_demo.ui.kit.html import weight_bars
from tta_demo.ui.kit.parts import chosen_looks
from tta_demo.ui.kit.screen import Updates
from tta_demo.ui.learn import show
from tta_demo.ui.learn.lesson import LearnVisitor, Task, Wanted, task_for
from tta_demo.ui.segment.actions import inputs_of
from tta_demo.ui.segment.case import SegmentVisitor, Settings, example_case, tick
from tta_demo.ui.segment.looks import run

__all__ = ["failed", "forget", "learn", "load_file", "stop", "use"]

EVERY = 0.15
"""Seconds between two updates of the screen."""
STOPPED = "Stopped. Pictures that were looked at are kept: Start goes on from there."
UNCHECKED = (
    "<p class='verdict'>There is no second picture to check the weights on: add pictures to "
    "see whether learning helps.</p>"
)
EMPTY: Updates = dict.fromkeys(
    ("status", "verdict", "curve", "bars", "on_held_out", "on_calibration", "notes"), ""
) | {"use": gr.Button(interactive=False), "save": gr.DownloadButton(value=None, interactive=False)}
"""No old result stands beside a new question."""


def learn(visitor: LearnVisitor, wanted: Wanted) -> Iterator[Updates]:
    """Looks at the pictures, fits the weights in sight, and checks them on other pictures."""
    with visitor.turn:
        visitor.halt.clear()
        needs_all_classes(wanted.method, wanted.weights_form)
        views = chosen_looks(wanted.views, VIEWS)
        task = task_for(visitor, wanted)
        yield EMPTY | {"status": show.status("Getting ready …")}
        broken = Failures()
        yield from _look(visitor, task, views, broken)
        if visitor.halt.is_set():
            yield {"status": show.status(STOPPED)}
            return
        broken.refuse_if_nothing_read(task.calibration)
        task = task.without(broken)
        found = yield from _fit(visitor, task, views, wanted)
        yield {"status": show.status("Checking on pictures that were not used …")}
        yield _finish(visitor, task, views, found) | {"notes": _notes(task, broken)}


def _look(
    visitor: LearnVisitor, task: Task, views: tuple[str, ...], broken: Failures
) -> Iterator[Updates]:
    """Runs the forward passes that are missing; notes pictures that cannot be read."""
    needed = tuple(dict.fromkeys((*views, "identity")))
    names = task.calibration + task.held_out
    missing = task.gallery.missing(names, needed)
    start = shown = time.monotonic()
    for done, name in enumerate(missing):
        with broken.of(name):
            task.gallery.look(name, needed)
        now = time.monotonic()
        if visitor.halt.is_set():
            return
        if now - shown > EVERY or not done:
            shown = now
            left = (now - start) / (done + 1) * (len(missing) - done - 1)
            text = f"Looking at picture {done + 1} of {len(missing)}, {len(needed)} looks each: "
            told = f"{text}about {max(1, round(left))} s left"
            yield {"status": show.status(told, (done + 1) / len(missing))}


def _fit(
    visitor: LearnVisitor, task: Task, views: tuple[str, ...], wanted: Wanted
) -> Iterator[Updates]:
    """Shows the loss and the weights move; returns the fit."""
    answers = task.gallery.answers(task.calibration, views)
    shrink = None if wanted.choose else wanted.shrink
    label = METHODS[wanted.method].label
    shown = 0.0
    steps = fit_steps(
        answers, wanted.method, shrink, wanted.weights_form, stopped=visitor.halt.is_set
    )
    for found in steps:
        if time.monotonic() - shown > EVERY:
            shown = time.monotonic()
            yield {
                "status": show.status(f"{label}: step {len(found.history) - 1}"),
                "curve": show.curve(found.history),
                "bars": _bars(task.world, views, found.weights.tolist()),
            }
    return found


def _bars(world: str, views: Sequence[str], rows: list[Any]) -> str:
    palette = WORLDS[world].record.palette
    return weight_bars(weights_by_name(views, rows, palette.names), palette)


def _finish(visitor: LearnVisitor, task: Task, views: tuple[str, ...], found: Fit) -> Updates:
    plan, record = found.plan(views), WORLDS[task.world].record
    own = compare(task.gallery, task.calibration, plan)
    other = compare(task.gallery, task.held_out, plan) if task.held_out else None
    told = {"data": task.told, "first": task.calibration[0], "pictures": len(task.calibration)}
    scores = {"calibration": _rounded(own)} | ({"held_out": _rounded(other)} if other else {})
    belongs = {"world": task.world, "model": record.name, "digest": record.digest}
    visitor.file = WeightFile.of(found, views, record.classes, told, scores, **belongs)
    stopped = " Stopped early: these are the weights so far." if visitor.halt.is_set() else ""
    done = f"Done: learned on {len(task.calibration)} pictures with {len(views)} looks.{stopped}"
    return _usable(visitor.file) | {
        "status": show.status(done),
        "verdict": show.sentence(other) if other else UNCHECKED,
        "curve": show.curve(found.history) + show.fit_facts(found),
        "bars": _bars(task.world, views, found.weights.tolist()),
        "on_held_out": show.score_table(other) if other else "",
        "on_calibration": show.score_table(own) + show.calibration_lesson(other, own),
    }


def _rounded(verdict: Verdict) -> dict[str, Any]:
    rows = {"none": verdict.none, "mean": verdict.mean, "learned": verdict.learned}
    keys = ("miou", "nll", "ece")
    kept = {name: {key: round(row[key], 6) for key in keys} for name, row in rows.items()}
    return {"pictures": verdict.pictures} | kept


def _notes(task: Task, broken: Failures) -> str:
    """Returns what was left out, as plain text in HTML."""
    notes = list(broken.values())
    if task.bag and task.bag.lonely:
        notes.append(f"Without a partner, left out: {', '.join(task.bag.lonely)}.")
    return "".join(f"<p>{escape(note)}</p>" for note in notes)


def _usable(file: WeightFile) -> Updates:
    path = saved(file.text().encode(), f"{file.world}-weights.json")
    return {
        "use": gr.Button(interactive=True),
        "save": gr.DownloadButton(value=path, interactive=True),
    }


def failed() -> Updates:
    """Returns the status after an error, which a message has told."""
    return {"status": show.status("Nothing new was learned: see the message.")}


def stop(visitor: LearnVisitor) -> None:
    """Ends what is under way after its next step; does not wait for its turn."""
    visitor.halt.set()


def load_file(visitor: LearnVisitor, load: dict[str, Any]) -> Updates:
    """Reads a weights file, and says where it comes from."""
    with visitor.free_turn():
        file = WeightFile.load(uploaded(load))
        world = WORLDS.get(file.world)
        if world is None:
            raise ValueError(
                f"The weights are for the world {file.world!r}; here are {', '.join(WORLDS)}."
            )
        unknown = [view for view in file.views if view not in VIEWS]
        if unknown:
            raise ValueError(f"The weights are for looks unknown here: {', '.join(unknown)}.")
        weights = file.select(file.views, world.record.digest, world.record.classes)
        visitor.file = file
        return EMPTY | _usable(file) | {
            "status": show.status(f"Weights for {world.label}: {file.origin}."),
            "bars": _bars(file.world, file.views, weights.values.tolist()),
        }  # fmt: skip


def use(learner: LearnVisitor, visitor: SegmentVisitor) -> Updates:
    """Carries the weights to the Segment tab: to its picture, or to the world's first example."""
    with learner.turn, visitor.turn:
        file = learner.file
        if file is None:
            raise ValueError("There are no weights yet: learn some, or load a file.")
        case = visitor.case
        if case is None or case.settings.world != file.world:
            case = example_case(Settings(file.world, "learned", True, []), 0)
        case = replace(case.changed(fusion="learned", groups=tick(file.views)), file=file)
        shown = run(case)
        visitor.files[file.world], visitor.case = file, case
        return inputs_of(case) | shown | {"page_tabs": gr.Tabs(selected="segment")}


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
        case = replace(case.changed(groups=tick(views)), file=None)
        shown = run(case)
        visitor.case = case
        return inputs_of(case) | shown
