"""What a visitor can do on the Learn tab: learn, stop, use, load and save weights."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder

from tta_demo.learning.fit import Fit, fit_steps
from tta_demo.learning.fit_methods import METHODS, needs_all_classes
from tta_demo.learning.weight_file import WeightFile
from tta_demo.pictures.reading import read_picture
from tta_demo.samples.weeds import SEEDS
from tta_demo.tasks.gallery import Verdict, compare, file_of, learned_plan
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.views import VIEW_SETS, VIEWS
from tta_demo.ui.kit.html import weight_bars
from tta_demo.ui.learn.lesson import Lesson, Task, Wanted, task_for
from tta_demo.ui.learn.show import (
    calibration_lesson,
    curve,
    fit_facts,
    score_table,
    sentence,
    status,
)
from tta_demo.ui.segment.show import Panel, Scene, Session
from tta_demo.ui.segment.steps import PROGRESS, run, toasts, uploaded

__all__ = [
    "Results",
    "failed",
    "learn",
    "load_file",
    "stop",
    "use",
    "use_own",
]

EVERY = 0.15
"""Seconds between two updates of the screen."""


class Results(NamedTuple):
    """The parts of the right side: components once built, values when returned."""

    status: Any
    verdict: Any
    curve: Any
    bars: Any
    held_out: Any
    calibration: Any
    notes: Any
    use: Any
    save: Any


STOPPED = "Stopped. Pictures that were looked at are kept: Start goes on from there."
SAME = Results(*[gr.skip()] * len(Results._fields))
EMPTY = Results(*[""] * len(Results._fields))._replace(
    use=gr.Button(interactive=False), save=gr.DownloadButton(value=None, interactive=False)
)
"""No old result stands beside a new question."""


def learn(lesson: Lesson, *values: Any) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401 (controls)
    """Looks at the pictures, fits the weights in sight, and checks them on other pictures."""
    wanted = Wanted(*values)
    with lesson.turn, toasts():
        lesson.halt.clear()
        per_class = wanted.form == "class"
        needs_all_classes(wanted.method, per_class, "linear")
        views = tuple(name for name in VIEWS if name in wanted.views)
        if not views:
            raise ValueError("No look is chosen: choose at least one.")
        task = task_for(lesson, wanted)
        yield EMPTY._replace(status=status("Getting ready …"))
        broken: dict[str, str] = {}
        yield from _look(lesson, task, views, broken)
        if lesson.halt.is_set():
            yield SAME._replace(status=status(STOPPED))
            return
        task = task.without(broken)
        found = yield from _fit(lesson, task, views, wanted, per_class)
        yield SAME._replace(status=status("Checking on pictures that were not used …"))
        yield _finish(lesson, task, views, found, broken)


def _look(
    lesson: Lesson, task: Task, views: tuple[str, ...], broken: dict[str, str]
) -> Iterator[tuple[Any, ...]]:
    """Runs the forward passes that are missing; notes pictures that cannot be read."""
    needed = tuple(dict.fromkeys((*views, "identity")))
    names = task.calibration + task.held_out
    missing = task.gallery.missing(names, needed)
    start = shown = time.monotonic()
    for done, name in enumerate(missing):
        try:
            task.gallery.look(name, needed)
        except (ValueError, OSError) as error:
            broken[name] = str(error)
        now = time.monotonic()
        if lesson.halt.is_set():
            return
        if now - shown > EVERY or not done:
            shown = now
            left = (now - start) / (done + 1) * (len(missing) - done - 1)
            text = f"Looking at picture {done + 1} of {len(missing)}, {len(needed)} looks each: "
            told = f"{text}about {max(1, round(left))} s left"
            yield SAME._replace(status=status(told, (done + 1) / len(missing)))


def _fit(
    lesson: Lesson, task: Task, views: tuple[str, ...], wanted: Wanted, per_class: bool
) -> Iterator[tuple[Any, ...]]:
    """Shows the loss and the weights move; returns the fit."""
    answers = task.gallery.answers(task.calibration, views)
    shrink = None if wanted.choose else wanted.shrink
    label = METHODS[wanted.method].label
    shown = 0.0
    steps = fit_steps(answers, wanted.method, shrink, per_class, stopped=lesson.halt.is_set)
    for found in steps:
        if time.monotonic() - shown > EVERY:
            shown = time.monotonic()
            told = f"{label}: step {len(found.history) - 1}"
            yield SAME._replace(
                status=status(told),
                curve=curve(found.history),
                bars=_bars(task.world, views, found),
            )
    return found


def _bars(world: str, views: tuple[str, ...], found: Fit) -> str:
    palette = WORLDS[world].record.palette
    return weight_bars(_by_view(views, found.weights.tolist(), palette.names), palette)


def _by_view(views: Sequence[str], rows: list[Any], classes: Sequence[str]) -> dict[str, Any]:
    """Returns weights, one or one a class for each view, by their names."""
    if isinstance(rows[0], list):
        rows = [dict(zip(classes, row, strict=True)) for row in rows]
    return dict(zip(views, rows, strict=True))


def _finish(
    lesson: Lesson, task: Task, views: tuple[str, ...], found: Fit, broken: dict[str, str]
) -> tuple[Any, ...]:
    """Returns the scores, and keeps the weights file."""
    plan = learned_plan(views, found.weights, "linear")
    own = compare(task.gallery, task.calibration, views, plan)
    other = compare(task.gallery, task.held_out, views, plan) if task.held_out else None
    told = {"data": task.told, "first": task.calibration[0], "pictures": len(task.calibration)}
    scores = {"calibration": _rounded(own)} | ({"held_out": _rounded(other)} if other else {})
    lesson.file = file_of(task.world, WORLDS[task.world], views, found, "linear", told, scores)
    stopped = " Stopped early: these are the weights so far." if lesson.halt.is_set() else ""
    done = f"Done: learned on {len(task.calibration)} pictures with {len(views)} looks.{stopped}"
    return SAME._replace(
        status=status(done),
        verdict=sentence(other) if other else _unchecked(),
        curve=curve(found.history) + fit_facts(found),
        bars=_bars(task.world, views, found),
        held_out=score_table(other) if other else "",
        calibration=score_table(own) + calibration_lesson(other, own),
        notes=_notes(task, broken),
        use=gr.Button(interactive=True),
        save=gr.DownloadButton(value=_written(lesson.file), interactive=True),
    )


def _rounded(verdict: Verdict) -> dict[str, Any]:
    rows = {"none": verdict.none, "mean": verdict.mean, "learned": verdict.learned}
    keys = ("miou", "nll", "ece")
    kept = {name: {key: round(row[key], 6) for key in keys} for name, row in rows.items()}
    return {"pictures": verdict.pictures} | kept


def _unchecked() -> str:
    return (
        "<p class='verdict'>There is no second picture to check the weights on: add pictures to "
        "see whether learning helps.</p>"
    )


def _notes(task: Task, broken: dict[str, str]) -> str:
    """Returns what was left out, as plain text in HTML."""
    notes = list(broken.values())
    if task.bag and task.bag.lonely:
        notes.append(f"Without a partner, left out: {', '.join(task.bag.lonely)}.")
    return "".join(f"<p>{escape(note)}</p>" for note in notes)


def _written(file: WeightFile) -> str:
    name = f"{file.world}-weights.json"
    return save_bytes_to_cache(file.text().encode(), name, get_upload_folder())


def failed() -> str:
    """Returns the status after an error, which a message has told."""
    return status("Nothing new was learned: see the message.")


def stop(lesson: Lesson) -> None:
    """Ends what is under way after its next step; does not wait for its turn."""
    lesson.halt.set()


@contextmanager
def _free(lesson: Lesson) -> Iterator[None]:
    """Takes the lesson's turn, or refuses: waiting would keep others' Stop from being heard."""
    if not lesson.turn.acquire(blocking=False):
        raise ValueError("Learning is under way: stop it first, or wait.")
    try:
        yield
    finally:
        lesson.turn.release()


def load_file(lesson: Lesson, upload: dict[str, Any]) -> tuple[Any, ...]:
    """Reads a weights file, and says where it comes from."""
    with toasts(), _free(lesson):
        file = WeightFile.load(uploaded(upload))
        world = WORLDS.get(file.world)
        if world is None:
            raise ValueError(
                f"The weights are for the world {file.world!r}; here are {', '.join(WORLDS)}."
            )
        unknown = [view for view in file.views if view not in VIEWS]
        if unknown:
            raise ValueError(f"The weights are for looks unknown here: {', '.join(unknown)}.")
        palette = world.record.palette
        weights = file.select(file.views, world.record.digest, palette.names).tolist()
        lesson.file = file
        return EMPTY._replace(
            status=status(f"Weights for {world.label}: {file.origin}."),
            bars=weight_bars(_by_view(file.views, weights, palette.names), palette),
            use=gr.Button(interactive=True),
            save=gr.DownloadButton(value=_written(file), interactive=True),
        )


def use(lesson: Lesson, session: Session, progress: gr.Progress = PROGRESS) -> tuple[Any, ...]:
    """Carries the weights to the Segment tab: to its picture, or to the world's first example."""
    with lesson.turn, session.turn, toasts():
        file = lesson.file
        if file is None:
            raise ValueError("There are no weights yet: learn some, or load a file.")
        before = session.files.get(file.world)
        session.files[file.world] = file
        scene = session.scene
        if scene is None or scene.world != file.world:
            scene = _example(file.world)
        scene = replace(scene, views=file.views, fusion="learned")
        try:
            panel = run(session, scene, progress)
        except ValueError:
            session.files.pop(file.world)
            if before:
                session.files[file.world] = before
            raise
        return gr.Tabs(selected="segment"), *panel


def use_own(session: Session) -> tuple[Any, ...]:
    """Forgets the visitor's weights: the Segment tab uses those that come with the demo."""
    with session.turn, toasts():
        session.files.clear()
        gr.Info("The demo's own weights count again.")
        scene = session.scene
        if scene is None or scene.file is None:
            return gr.skip(), *Panel(*[gr.skip()] * len(Panel._fields))
        views = scene.views if set(scene.views) <= set(VIEW_SETS["all"]) else VIEW_SETS["d4"]
        return gr.skip(), *run(session, replace(scene, views=views), PROGRESS)


def _example(world: str) -> Scene:
    place = WORLDS[world]
    path: Path = place.examples[0]
    picture = read_picture(path)
    truth, _ = place.read_truth(place.mask_of(path), picture)
    seed = SEEDS["test"][0] if place.generate else None
    return Scene(path.stem, picture, truth, world, VIEW_SETS["d4"], "learned", True, seed)
