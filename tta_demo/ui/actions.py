"""What a visitor can do on the segmentation tab: one function an action."""

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

from tta_demo.masks import read_mask
from tta_demo.pictures import Picture, read_picture
from tta_demo.samples.weeds import SEEDS
from tta_demo.ui.choices import GROUPS, tick
from tta_demo.ui.downloads import write_files
from tta_demo.ui.panel import (
    READY,
    UNCHANGED,
    WORKING,
    Panel,
    Scene,
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
UNTOUCHED = (gr.skip(), gr.skip(), gr.skip())
"""For the picture, the mask and the painting."""
NO_PICTURE = "There is no picture yet: pick an example or upload one."


def open_example(
    index: int,
    world: str,
    fusion: str,
    background: bool,
    *ticked: list[str],
    progress: gr.Progress = PROGRESS,
) -> Iterator[tuple[Any, ...]]:
    """Opens an example of the world with its mask, and runs."""
    place = WORLDS[world]
    path = place.examples[index]
    with _toasts():
        picture = read_picture(path)
        truth, _ = read_mask(place.mask_of(path), place.record.palette, picture)
    seed = SEEDS["test"][index] if place.generate else None
    scene = Scene(world, path.stem, picture, truth, _views(ticked), fusion, background, seed)
    yield gr.skip(), picture.rgb, scene.mask, CLOSED, *WORKING
    yield scene, *UNTOUCHED, *_run(scene, progress)


def new_field(
    difficulty: float,
    world: str,
    fusion: str,
    background: bool,
    *ticked: list[str],
    progress: gr.Progress = PROGRESS,
) -> Iterator[tuple[Any, ...]]:
    """Generates a picture that nobody has seen, with its mask, and runs."""
    seed = random.choice(SEEDS["test"])
    yield from _open_field(seed, difficulty, world, fusion, background, ticked, progress)


def same_field(
    scene: Scene | None,
    difficulty: float,
    world: str,
    fusion: str,
    background: bool,
    *ticked: list[str],
    progress: gr.Progress = PROGRESS,
) -> Iterator[tuple[Any, ...]]:
    """Generates the field on screen again at another difficulty; a new one if there is none."""
    seed = random.choice(SEEDS["test"]) if scene is None or scene.seed is None else scene.seed
    yield from _open_field(seed, difficulty, world, fusion, background, ticked, progress)


def open_picture(
    upload: dict[str, Any],
    world: str,
    fusion: str,
    background: bool,
    *ticked: list[str],
    progress: gr.Progress = PROGRESS,
) -> Iterator[tuple[Any, ...]]:
    """Opens an uploaded picture; the mask of the one before does not belong to it, and goes."""
    with _toasts():
        path, name = _uploaded(upload)
        picture = read_picture(path)
    scene = Scene(world, name, picture, None, _views(ticked), fusion, background)
    yield gr.skip(), picture.rgb, None, CLOSED, *WORKING
    yield scene, *UNTOUCHED, *_run(scene, progress)


def open_mask(upload: dict[str, Any], scene: Scene | None) -> tuple[Any, ...]:
    """Reads an uploaded mask and scores; no forward pass."""
    with _toasts():
        scene = _present(scene)
        palette = WORLDS[scene.world].record.palette
        truth, notes = read_mask(_uploaded(upload)[0], palette, scene.picture)
    for note in notes:
        gr.Info(escape(note))
    return _scored(replace(scene, truth=truth))


def use_painting(painting: dict[str, Any] | None, scene: Scene | None) -> tuple[Any, ...]:
    """Takes the painted colours as the mask; what is not painted is background."""
    with _toasts():
        scene = _present(scene)
        layers = painting["layers"] if painting else []
        if not any(layer[..., 3].any() for layer in layers):
            raise ValueError("Nothing is painted yet: choose a colour and paint over the picture.")
        palette = WORLDS[scene.world].record.palette
        height, width = scene.picture.rgb.shape[:2]
        truth = np.zeros((height, width), np.uint8)
        for layer in layers:
            rgba = cv2.resize(layer, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
            distance = np.abs(rgba[..., None, :3].astype(int) - palette.table).sum(-1)
            truth = np.where(rgba[..., 3] > 127, distance.argmin(-1), truth)
    return _scored(replace(scene, truth=truth.astype(np.uint8)))


def clear_mask(scene: Scene | None) -> tuple[Any, ...]:
    """Forgets the mask."""
    if scene is None:
        return gr.skip(), *UNTOUCHED, *UNCHANGED
    return _scored(replace(scene, truth=None))


def clear_picture() -> tuple[Any, ...]:
    """Empties the page: no old result without its picture."""
    empty = Panel(*[None] * len(Panel._fields))
    empty = empty._replace(box=READY, numbers=f"<p>{NO_PICTURE}</p>", notes="")
    return None, gr.skip(), None, CLOSED, *empty


def change_views(
    scene: Scene | None,
    fusion: str,
    background: bool,
    *ticked: list[str],
    progress: gr.Progress = PROGRESS,
) -> Iterator[tuple[Any, ...]]:
    """Runs the views that are new; one forward pass each."""
    with _toasts():
        scene = replace(
            _present(scene), views=_views(ticked), fusion=fusion, background=background
        )
    yield gr.skip(), *WORKING
    yield scene, *_run(scene, progress)


def change_fusion(scene: Scene | None, fusion: str) -> tuple[Any, ...]:
    """Fuses again; no forward pass."""
    with _toasts():
        scene = replace(_present(scene), fusion=fusion)
        return scene, *show_fusion(scene, scene.segment())


def change_score(scene: Scene | None, background: bool) -> tuple[Any, ...]:
    """Scores again, with or without the background."""
    with _toasts():
        scene = replace(_present(scene), background=background)
        return scene, *show(scene, scene.segment())


def select_view(scene: Scene | None, event: gr.SelectData) -> tuple[Any, ...]:
    """Shows the view whose thumbnail was clicked."""
    with _toasts():
        scene = _present(scene)
        return UNCHANGED._replace(**show_view(scene, scene.segment(), scene.views[event.index]))


def open_bar(scene: Scene | None, event: gr.EventData) -> tuple[Any, ...]:
    """Shows the view whose bar was clicked, in its tab."""
    with _toasts():
        scene = _present(scene)
        name = str(event.view)
        result = scene.segment()
        if name not in result.looks:
            raise ValueError(f"The view {name!r} is not on this page: click a bar.")
        parts = show_view(scene, result, name)
        if name in scene.views:
            parts["gallery"] = gr.Gallery(selected_index=scene.views.index(name))
        return gr.Tabs(selected="views"), *UNCHANGED._replace(**parts)


def canvas(scene: Scene | None) -> dict[str, Any]:
    """Returns the picture as the ground to paint on."""
    with _toasts():
        rgb = _present(scene).picture.rgb
    return {"background": rgb, "layers": [], "composite": rgb}


def files(scene: Scene | None) -> tuple[Any, ...]:
    """Writes what can be downloaded, after the result is on screen."""
    if scene is None:
        return tuple(gr.DownloadButton(interactive=False) for _ in range(3))
    paths = write_files(scene.segment(), scene.name)
    return tuple(gr.DownloadButton(value=path, interactive=True) for path in paths)


def restore(scene: Scene | None) -> tuple[Any, ...]:
    """Puts the inputs back to what belongs to the result on screen, after an error."""
    if scene is None:
        return READY, None, None, *[gr.skip()] * (1 + len(GROUPS))
    return READY, scene.picture.rgb, scene.mask, scene.fusion, *tick(scene.views)


@contextmanager
def _toasts() -> Iterator[None]:
    """Turns a `ValueError` into a message on the page, which renders HTML: names are escaped."""
    try:
        yield
    except ValueError as error:
        raise gr.Error(escape(str(error)), duration=12, print_exception=False) from error


def _open_field(
    seed: int,
    difficulty: float,
    world: str,
    fusion: str,
    background: bool,
    ticked: Sequence[list[str]],
    progress: gr.Progress,
) -> Iterator[tuple[Any, ...]]:
    yield gr.skip(), *UNTOUCHED, *WORKING
    made = WORLDS[world].generate(seed, difficulty)
    note = f"Field of seed {seed}, difficulty {difficulty:.2f}."
    size = made.labels.shape
    picture = Picture(made.rgb, size, size, 1, (note,))
    scene = Scene(world, made.name, picture, made.labels, _views(ticked), fusion, background, seed)
    yield gr.skip(), picture.rgb, scene.mask, CLOSED, *WORKING
    yield scene, *UNTOUCHED, *_run(scene, progress)


def _uploaded(upload: dict[str, Any]) -> tuple[Path, str]:
    """Returns where an uploaded file is, and its name without ending."""
    if not upload or not upload.get("path"):
        raise ValueError("No file arrived: choose it again.")
    path = Path(upload["path"])
    return path, Path(upload.get("orig_name") or path.name).stem


def _run(scene: Scene, progress: gr.Progress) -> Panel:
    def track(views: Sequence[View]) -> Iterator[View]:
        for done, view in enumerate(views):
            progress((done, len(views)), desc=f"Looking: {view.label}", unit="looks")
            yield view

    with _toasts():
        return show(scene, scene.segment(track))


def _scored(scene: Scene) -> tuple[Any, ...]:
    """Returns the scene, its mask, and the panel scored anew."""
    return scene, gr.skip(), scene.mask, gr.skip(), *show(scene, scene.segment())


def _present(scene: Scene | None) -> Scene:
    if scene is None:
        raise ValueError(NO_PICTURE)
    return scene


def _views(ticked: Sequence[Sequence[str]]) -> tuple[str, ...]:
    return tuple(name for group in ticked for name in group)
