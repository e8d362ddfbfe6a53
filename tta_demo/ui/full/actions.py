"""What a visitor can do with a large picture: look at it in its full size, stop."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import gradio as gr
import numpy as np
from gradio.data_classes import FileData

from tta_demo.pictures.decoding import MAX_PIXELS
from tta_demo.pictures.draw import overlay
from tta_demo.pictures.palettes import index_png
from tta_demo.pictures.reading import read_picture
from tta_demo.pictures.words import several
from tta_demo.tasks.full_size import FullSize, TiledLook
from tta_demo.ui.full.panel import IDLE
from tta_demo.ui.kit.events import LARGE, STOP
from tta_demo.ui.kit.files import saved
from tta_demo.ui.kit.html import contents, percent
from tta_demo.ui.kit.screen import Screen, Updates
from tta_demo.ui.learn.course import Pace
from tta_demo.ui.learn.show import left, status
from tta_demo.ui.segment.case import SegmentCase, SegmentVisitor
from tta_demo.ui.takeaway.bundle import safe_name

__all__ = ["look_full", "stop_full", "wire_full"]

QUALITY = 88
"""Of the JPEG file that is shown: as PNG it would be four times as large."""


def wire_full(screen: Screen) -> None:
    """Wires the part; all its parts must be there."""
    event = screen.on(screen["full_start"].click, look_full, LARGE)
    screen.on(event.failure, failed)
    screen.on(screen["full_stop"].click, stop_full, STOP)


def look_full(visitor: SegmentVisitor) -> Iterator[Updates]:
    """Looks at the picture on screen as it was brought, and says how far it is.

    It does not keep the visitor from choosing something else: then it ends.

    Raises:
        ValueError: the picture is damaged on purpose, its file is gone, or tiles do not do.
    """
    with visitor.turn:
        case = visitor.present
    if case.path is None or case.damage.amounts:
        raise ValueError("Only an uploaded picture, not damaged on purpose, has a full size.")
    visitor.halt.clear()
    yield _running("Reading the picture …")
    picture = read_picture(case.path, MAX_PIXELS)
    plan, _ = case.world.plan(case.rows, case.settings.fusion, case.file)
    looking = TiledLook(case.world.record, picture, plan)
    total, pace = len(looking), Pace(len(looking))
    for _ in looking:
        pace.done += 1
        if visitor.case is not case:
            return
        if visitor.halt.is_set():
            yield IDLE | {"full_told": status(f"Stopped after {pace.done} of {total} tiles.")}
            return
        yield _running(f"Tile {pace.done} of {total}. {left(pace.left)}", pace.done / total)
    shown = _shown(case, looking.result())
    with visitor.turn:
        if visitor.case is not case:
            return
    yield shown


def _running(text: str, share: float | None = None) -> Updates:
    return {
        "full_told": status(text, share),
        "full_start": gr.Button(visible=False),
        "full_stop": gr.Button(visible=True),
    }


def stop_full(visitor: SegmentVisitor) -> None:
    """Ends what is under way after the tile that it is at."""
    visitor.halt.set()


def failed(visitor: SegmentVisitor) -> Updates:
    """Offers it again, after an error that a message has told."""
    del visitor
    return IDLE | {"full_told": status("Not looked at in full size: see the message.")}


def _shown(case: SegmentCase, found: FullSize) -> Updates:
    """Returns the answer through the window, its mask, and what it says in a sentence."""
    palette = found.model.palette
    name = safe_name(case.name)
    told = contents(found.labels, palette.names)
    looks = several(len(found.plan.views), "look")
    (height, width), count = found.picture.size, several(len(found.tiles), "tile")
    changed = f"; {looks} changed {percent(found.changed, 2)} of what one says"
    said = f"{width} x {height} pixels, in {count} and {found.seconds:.0f} s: {told}"
    mask = saved(index_png(found.labels, palette), f"{name}-full-mask.png")
    return IDLE | {
        "full_told": status(f"{said}{changed}."),
        "full_start": gr.Button(visible=False),
        "full_view": {
            "picture": _file(overlay(found.picture.rgb, found.labels, palette), name),
            "told": f"The answer over the picture at full size: {told}",
        },
        "full_mask": gr.DownloadButton(value=mask, visible=True),
    }


def _file(rgb: np.ndarray, name: str) -> dict[str, object]:
    """Returns pixels `(H, W, 3)` as a file that the browser can show and save."""
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    _, content = cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, QUALITY))
    path = Path(saved(content.tobytes(), f"{name}-full-overlay.jpg"))
    return FileData(path=str(path), orig_name=path.name, mime_type="image/jpeg").model_dump()
