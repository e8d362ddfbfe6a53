"""What a visitor can do on the segmentation tab: one function an action.

Every action takes its turn in the visitor's session and changes the scene only when it succeeds.
"""

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import cv2
import gradio as gr
import numpy as np
from gradio.utils import get_upload_folder, is_in_or_equal

from tta_demo.masks import read_mask
from tta_demo.pictures import Picture, read_picture
from tta_demo.samples.weeds import DIFFICULTY, SEEDS
from tta_demo.ui.choices import WorldParts, domain_of, tick, world_parts
from tta_demo.ui.downloads import write_files
from tta_demo.ui.panel import (
    NO_FILE,
    READY,
    UNCHANGED,
    WORKING,
    Panel,
    Scene,
    Session,
    show,
    show_fusion,
    show_view,
)
from tta_demo.views import View
from tta_demo.worlds import WORLDS

__all__ = [
    "canvas",
    "change_fusion",
    "change_score",
    "change_views",
    "clear_mask",
    "clear_picture",
    "files",
    "new_field",
    "open_bar",
    "open_example",
    "open_mask",
    "open_picture",
    "restore",
    "same_field",
    "select_view",
    "use_painting",
]

PROGRESS = gr.Progress()
CLOSED = gr.Accordion(open=False)
"""What was painted belongs to the picture before; opening it again loads the new one."""
UNTOUCHED = (gr.skip(), gr.skip(), gr.skip(), gr.skip())
"""For the picture, the mask, the painting and the difficulty."""
NO_PICTURE = "There is no picture yet: pick an example or upload one."


def open_example(
    session: Session,
    index: int,
    world: str,
    fusion: str,
    background: bool,
    *ticked: list[str],
    progress: gr.Progress = PROGRESS,
) -> Iterator[tuple[Any, ...]]:
    """Opens an example of the world with its mask, and runs."""
    with session.turn, _toasts():
        place = WORLDS[world]
        path = place.examples[index]
        picture = read_picture(path)
        truth, _ = read_mask(place.mask_of(path), place.record.palette, picture)
        seed = SEEDS["test"][index] if place.generate else None
        scene = Scene(world, path.stem, picture, truth, _views(ticked), fusion, background, seed)
        yield picture.rgb, scene.mask, CLOSED, DIFFICULTY, *WORKING
        yield *UNTOUCHED, *_run(session, scene, progress)


def new_field(
    session: Session,
    difficulty: float,
    world: str,
    fusion: str,
    background: bool,
    *ticked: list[str],
    progress: gr.Progress = PROGRESS,
) -> Iterator[tuple[Any, ...]]:
    """Generates a picture that nobody has seen, with its mask, and runs."""
    with session.turn, _toasts():
        seed = random.choice(SEEDS["test"])
        scene = _field(seed, difficulty, world, fusion, background, ticked)
        yield scene.picture.rgb, scene.mask, CLOSED, gr.skip(), *WORKING
        yield *UNTOUCHED, *_run(session, scene, progress)


def same_field(
    session: Session,
    difficulty: float,
    world: str,
    fusion: str,
    background: bool,
    *ticked: list[str],
    progress: gr.Progress = PROGRESS,
) -> Iterator[tuple[Any, ...]]:
    """Generates the field on screen at another difficulty; leaves an uploaded picture alone."""
    with session.turn, _toasts():
        if session.scene is None or session.scene.seed is None:
            return
        scene = _field(session.scene.seed, difficulty, world, fusion, background, ticked)
        panel = _run(session, scene, progress)
        yield scene.picture.rgb, scene.mask, CLOSED, gr.skip(), *panel


def open_picture(
    session: Session,
    upload: dict[str, Any],
    world: str,
    fusion: str,
    background: bool,
    *ticked: list[str],
    progress: gr.Progress = PROGRESS,
) -> Iterator[tuple[Any, ...]]:
    """Opens an uploaded picture; the mask of the one before does not belong to it, and goes."""
    with session.turn, _toasts():
        path = _uploaded(upload)
        picture = read_picture(path)
        scene = Scene(world, path.stem, picture, None, _views(ticked), fusion, background)
        yield picture.rgb, None, CLOSED, gr.skip(), *WORKING
        yield *UNTOUCHED, *_run(session, scene, progress)


def open_mask(session: Session, upload: dict[str, Any]) -> tuple[Any, ...]:
    """Reads an uploaded mask and scores; no forward pass."""
    with session.turn, _toasts():
        scene = _present(session)
        palette = WORLDS[scene.world].record.palette
        truth, notes = read_mask(_uploaded(upload), palette, scene.picture)
        return _scored(session, replace(scene, truth=truth, mask_notes=notes))


def use_painting(session: Session, painting: dict[str, Any] | None) -> tuple[Any, ...]:
    """Takes the painted colours as the mask; what is not painted is background."""
    with session.turn, _toasts():
        scene = _present(session)
        layers = painting["layers"] if painting else []
        if not any(layer[..., 3].any() for layer in layers):
            raise ValueError("Nothing is painted yet: choose a colour and paint over the picture.")
        palette = WORLDS[scene.world].record.palette
        height, width = scene.picture.rgb.shape[:2]
        truth = np.zeros((height, width), np.uint8)
        for layer in layers:
            rgba = cv2.resize(layer, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
            distance = np.abs(rgba[..., None, :3].astype(int) - palette.table).sum(-1)
            truth = np.where(rgba[..., 3] > 127, distance.argmin(-1), truth).astype(np.uint8)
        return _scored(session, replace(scene, truth=truth, mask_notes=()))


def clear_mask(session: Session) -> tuple[Any, ...]:
    """Forgets the mask."""
    with session.turn, _toasts():
        if session.scene is None:
            return *UNTOUCHED, *UNCHANGED
        return _scored(session, replace(session.scene, truth=None, mask_notes=()))


def clear_picture(session: Session) -> tuple[Any, ...]:
    """Empties the page: no old result without its picture."""
    with session.turn:
        session.scene = None
        empty = Panel(*[None] * len(Panel._fields))._replace(
            box=READY,
            numbers=f"<p>{NO_PICTURE}</p>",
            notes="",
            index=NO_FILE,
            colors=NO_FILE,
            report=NO_FILE,
        )
        return gr.skip(), None, CLOSED, gr.skip(), *empty


def change_views(
    session: Session,
    fusion: str,
    background: bool,
    *ticked: list[str],
    progress: gr.Progress = PROGRESS,
) -> Iterator[tuple[Any, ...]]:
    """Runs the views that are new; one forward pass each."""
    with session.turn, _toasts():
        scene = replace(
            _present(session), views=_views(ticked), fusion=fusion, background=background
        )
        yield tuple(WORKING)
        yield tuple(_run(session, scene, progress))


def change_fusion(session: Session, fusion: str) -> tuple[Any, ...]:
    """Fuses again; no forward pass."""
    with session.turn, _toasts():
        scene = replace(_present(session), fusion=fusion)
        panel = show_fusion(scene, scene.segment())
        session.scene = scene
        return tuple(panel)


def change_score(session: Session, background: bool) -> tuple[Any, ...]:
    """Scores again, with or without the background."""
    with session.turn, _toasts():
        session.scene = replace(_present(session), background=background)
        return tuple(show(session.scene, session.scene.segment()))


def select_view(session: Session, event: gr.SelectData) -> tuple[Any, ...]:
    """Shows the view whose thumbnail was clicked."""
    with session.turn, _toasts():
        scene = _present(session)
        name = scene.views[event.index]
        return tuple(UNCHANGED._replace(**show_view(scene, scene.segment(), name)))


def open_bar(session: Session, event: gr.EventData) -> tuple[Any, ...]:
    """Shows the view whose bar was clicked, in its tab."""
    with session.turn, _toasts():
        scene = _present(session)
        name = str(event.view)
        result = scene.segment()
        if name not in result.looks:
            raise ValueError(f"The look {name!r} is not on this page: click a bar.")
        parts = show_view(scene, result, name)
        if name in scene.views:
            parts["gallery"] = gr.Gallery(selected_index=scene.views.index(name))
        return gr.Tabs(selected="views"), *UNCHANGED._replace(**parts)


def canvas(session: Session) -> dict[str, Any]:
    """Returns the picture as the ground to paint on."""
    with _toasts():
        rgb = _present(session).picture.rgb
    return {"background": rgb, "layers": [], "composite": rgb}


def files(session: Session) -> tuple[Any, ...]:
    """Writes what can be downloaded, after the result is on screen."""
    with session.turn:
        if session.scene is None:
            return NO_FILE, NO_FILE, NO_FILE
        paths = write_files(session.scene.segment(), session.scene.name)
        return tuple(gr.DownloadButton(value=path, interactive=True) for path in paths)


def restore(session: Session) -> tuple[Any, ...]:
    """Puts the inputs back to what belongs to the result on screen, after an error."""
    with session.turn:
        scene = session.scene
        if scene is None:
            kept = [gr.skip()] * (4 + len(WorldParts._fields) + len(tick(())))
            return READY, None, None, *kept
        return (
            READY,
            scene.picture.rgb,
            scene.mask,
            scene.world,
            scene.fusion,
            scene.background,
            domain_of(scene.world, scene.views),
            *world_parts(scene.world),
            *tick(scene.views),
        )


@contextmanager
def _toasts() -> Iterator[None]:
    """Turns a `ValueError` into a message on the page, which renders HTML: names are escaped."""
    try:
        yield
    except ValueError as error:
        raise gr.Error(escape(str(error)), duration=12, print_exception=False) from error


def _field(
    seed: int,
    difficulty: float,
    world: str,
    fusion: str,
    background: bool,
    ticked: Sequence[list[str]],
) -> Scene:
    made = WORLDS[world].generate(seed, difficulty)
    note = f"Field of seed {seed}, difficulty {difficulty:.2f}."
    size = made.labels.shape
    picture = Picture(made.rgb, size, size, 1, (note,))
    return Scene(world, made.name, picture, made.labels, _views(ticked), fusion, background, seed)


def _uploaded(upload: dict[str, Any]) -> Path:
    """Returns where an uploaded file is; a made-up request may name any other path."""
    path = (upload or {}).get("path")
    if not path or not is_in_or_equal(path, get_upload_folder()):
        raise ValueError("No file arrived: choose it again.")
    return Path(path)


def _run(session: Session, scene: Scene, progress: gr.Progress) -> Panel:
    """Returns the whole panel, and makes the scene the session's."""

    def track(views: Sequence[View]) -> Iterator[View]:
        for done, view in enumerate(views):
            progress((done, len(views)), desc=f"Looking: {view.label}", unit="looks")
            yield view

    panel = show(scene, scene.segment(track))
    session.scene = scene
    return panel


def _scored(session: Session, scene: Scene) -> tuple[Any, ...]:
    """Returns the mask and the panel scored anew, and makes the scene the session's."""
    panel = show(scene, scene.segment())
    session.scene = scene
    return gr.skip(), scene.mask, gr.skip(), gr.skip(), *panel


def _present(session: Session) -> Scene:
    if session.scene is None:
        raise ValueError(NO_PICTURE)
    return session.scene


def _views(ticked: Sequence[Sequence[str]]) -> tuple[str, ...]:
    return tuple(name for group in ticked for name in group)
