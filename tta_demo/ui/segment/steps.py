"""What the actions share: their turn in the session, messages, and the way back to the screen."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from html import escape
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder, is_in_or_equal

from tta_demo.tta.views import View
from tta_demo.ui.segment.show import Panel, Scene, Session, show

__all__ = [
    "CLOSED",
    "NO_PICTURE",
    "PROGRESS",
    "present",
    "run",
    "scored",
    "ticked_views",
    "toasts",
    "uploaded",
]

PROGRESS = gr.Progress()
CLOSED = gr.Accordion(open=False)
"""What was painted belongs to the picture before; opening it again loads the new one."""
NO_PICTURE = "There is no picture yet: pick an example or upload one."


@contextmanager
def toasts() -> Iterator[None]:
    """Turns a `ValueError` into a message on the page, which renders HTML: names are escaped."""
    try:
        yield
    except ValueError as error:
        raise gr.Error(escape(str(error)), duration=12, print_exception=False) from error


def uploaded(upload: dict[str, Any]) -> Path:
    """Returns where an uploaded file is; a made-up request may name any other path."""
    path = (upload or {}).get("path")
    if not path or not is_in_or_equal(path, get_upload_folder()):
        raise ValueError("No file arrived: choose it again.")
    return Path(path)


def run(session: Session, scene: Scene, progress: gr.Progress) -> Panel:
    """Returns the whole panel, and makes the scene the session's."""

    def track(views: Sequence[View]) -> Iterator[View]:
        for done, view in enumerate(views):
            progress((done, len(views)), desc=f"Looking: {view.label}", unit="looks")
            yield view

    scene = replace(scene, file=session.files.get(scene.world))
    panel = show(scene, scene.segment(track))
    session.scene = scene
    return panel


def scored(session: Session, scene: Scene) -> tuple[Any, ...]:
    """Returns the mask and the panel scored anew, and makes the scene the session's."""
    panel = show(scene, scene.segment())
    session.scene = scene
    return gr.skip(), scene.mask, gr.skip(), gr.skip(), *panel


def present(session: Session) -> Scene:
    """Returns the scene.

    Raises:
        ValueError: there is no picture yet.
    """
    if session.scene is None:
        raise ValueError(NO_PICTURE)
    return session.scene


def ticked_views(ticked: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Returns the names of the views that are ticked in any group."""
    return tuple(name for group in ticked for name in group)
