"""What a visitor can do with the picture on screen: one function an action.

Every action takes its turn in the visitor's session and changes the scene only when it succeeds.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import cv2
import gradio as gr
import numpy as np

from tta_demo.tasks.worlds import WORLDS
from tta_demo.ui.segment.choices import WorldParts, domain_of, tick, world_parts
from tta_demo.ui.segment.downloads import write_files
from tta_demo.ui.segment.show import (
    NO_FILE,
    READY,
    UNCHANGED,
    WORKING,
    Panel,
    Session,
    show,
    show_fusion,
    show_view,
)
from tta_demo.ui.segment.steps import (
    CLOSED,
    NO_PICTURE,
    PROGRESS,
    present,
    run,
    scored,
    ticked_views,
    toasts,
    uploaded,
)

__all__ = [
    "canvas",
    "change_fusion",
    "change_score",
    "change_views",
    "clear_mask",
    "clear_picture",
    "files",
    "open_bar",
    "open_mask",
    "restore",
    "select_view",
    "use_painting",
]


def open_mask(session: Session, upload: dict[str, Any]) -> tuple[Any, ...]:
    """Reads an uploaded mask and scores; no forward pass."""
    with session.turn, toasts():
        scene = present(session)
        truth, notes = WORLDS[scene.world].read_truth(uploaded(upload), scene.picture)
        return scored(session, replace(scene, truth=truth, mask_notes=notes))


def use_painting(session: Session, painting: dict[str, Any] | None) -> tuple[Any, ...]:
    """Takes the painted colours as the mask; what is not painted is background."""
    with session.turn, toasts():
        scene = present(session)
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
        truth, notes = WORLDS[scene.world].complete(truth)
        return scored(session, replace(scene, truth=truth, mask_notes=notes))


def clear_mask(session: Session) -> tuple[Any, ...]:
    """Forgets the mask."""
    with session.turn, toasts():
        if session.scene is None:
            return *[gr.skip()] * 4, *UNCHANGED
        return scored(session, replace(session.scene, truth=None, mask_notes=()))


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
    with session.turn, toasts():
        scene = replace(
            present(session), views=ticked_views(ticked), fusion=fusion, background=background
        )
        yield tuple(WORKING)
        yield tuple(run(session, scene, progress))


def change_fusion(session: Session, fusion: str) -> tuple[Any, ...]:
    """Fuses again; no forward pass."""
    with session.turn, toasts():
        scene = replace(present(session), fusion=fusion)
        panel = show_fusion(scene, scene.segment())
        session.scene = scene
        return tuple(panel)


def change_score(session: Session, background: bool) -> tuple[Any, ...]:
    """Scores again, with or without the background."""
    with session.turn, toasts():
        session.scene = replace(present(session), background=background)
        return tuple(show(session.scene, session.scene.segment()))


def select_view(session: Session, event: gr.SelectData) -> tuple[Any, ...]:
    """Shows the view whose thumbnail was clicked."""
    with session.turn, toasts():
        scene = present(session)
        name = scene.views[event.index]
        return tuple(UNCHANGED._replace(**show_view(scene, scene.segment(), name)))


def open_bar(session: Session, event: gr.EventData) -> tuple[Any, ...]:
    """Shows the view whose bar was clicked, in its tab."""
    with session.turn, toasts():
        scene = present(session)
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
    with toasts():
        rgb = present(session).picture.rgb
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
