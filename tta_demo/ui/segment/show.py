"""What is on the screen of one visitor, and how a result becomes what is shown."""

import threading
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import gradio as gr
import numpy as np

from tta_demo.learning.weight_file import WeightFile
from tta_demo.pictures.draw import fit_within, overlay
from tta_demo.pictures.reading import Picture
from tta_demo.tasks.segment import Segmentation, segment
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.predict import Track, to_tensor
from tta_demo.tta.views import VIEWS
from tta_demo.ui.kit.html import bars, class_table, numbers, seen_in_training

__all__ = [
    "NO_FILE",
    "READY",
    "UNCHANGED",
    "WORKING",
    "Panel",
    "Scene",
    "Session",
    "show",
    "show_fusion",
    "show_view",
]

THUMBNAIL = 256
"""Longest side of a thumbnail in pixels."""


@dataclass(frozen=True)
class Scene:
    """What is on the screen of one visitor.

    Attributes:
        name: of the picture's file, without ending.
        picture: the file, read.
        truth: `(h, w)` uint8 class ids, or None.
        world: a key of `WORLDS`.
        views: what is ticked.
        fusion: a key of `FUSIONS`.
        background: whether scores count the background.
        seed: of a generated picture, or None.
        mask_notes: what was said when the mask was read.
        file: the visitor's own learned weights; the world's own if None.
    """

    name: str
    picture: Picture
    truth: np.ndarray | None
    world: str
    views: tuple[str, ...]
    fusion: str
    background: bool
    seed: int | None = None
    mask_notes: tuple[str, ...] = ()
    file: WeightFile | None = None

    def segment(self, track: Track = iter) -> Segmentation:
        """Returns the answer; from the cache where it can."""
        picture = replace(self.picture, notes=self.picture.notes + self.mask_notes)
        world = WORLDS[self.world]
        return segment(world, picture, self.truth, self.views, self.fusion, track, file=self.file)

    @property
    def mask(self) -> np.ndarray | None:
        """The truth in colours, `(h, w, 3)` uint8."""
        if self.truth is None:
            return None
        return WORLDS[self.world].record.palette.colorize(self.truth)


class Session:
    """One visitor's scene. Its actions take turns: none computes on what another replaces.

    Attributes:
        scene: what is on screen.
        files: the visitor's own learned weights, by world.
    """

    def __init__(self) -> None:
        self.scene: Scene | None = None
        self.files: dict[str, WeightFile] = {}
        self.turn = threading.Lock()

    def __deepcopy__(self, memo: dict[int, Any]) -> "Session":
        """Returns a fresh one: gradio copies a state's first value for every visitor."""
        return Session()


class Panel(NamedTuple):
    """The parts of the results: components once built, values when returned; one order."""

    box: Any
    numbers: Any
    slider: Any
    result: Any
    gallery: Any
    about: Any
    shown: Any
    answered: Any
    back: Any
    bars: Any
    table: Any
    notes: Any
    index: Any
    colors: Any
    report: Any


NO_FILE = gr.DownloadButton(value=None, interactive=False)
UNCHANGED = Panel(*[gr.skip()] * len(Panel._fields))
WORKING = UNCHANGED._replace(
    box=gr.Column(elem_classes=["working"]), index=NO_FILE, colors=NO_FILE, report=NO_FILE
)
READY = gr.Column(elem_classes=[])


def show(scene: Scene, result: Segmentation) -> Panel:
    """Returns everything about a result."""
    pictures = [(_thumbnail(result, name), _caption(scene, result, name)) for name in scene.views]
    return show_fusion(scene, result)._replace(
        gallery=gr.Gallery(pictures, selected_index=0),
        **show_view(scene, result, scene.views[0]),
    )


def show_fusion(scene: Scene, result: Segmentation) -> Panel:
    """Returns what depends on the fusion, the truth and the way to score; the rest unchanged."""
    palette = result.world.record.palette
    rgb = result.picture.rgb
    classes = [(result.labels == i, palette.names[i]) for i in range(1, len(palette.names))]
    return UNCHANGED._replace(
        box=READY,
        numbers=numbers(result, scene.background),
        slider=tuple(overlay(rgb, x, palette) for x in (result.one_look, result.labels)),
        result=(rgb, [(mask.astype(np.uint8), name) for mask, name in classes]),
        bars=bars(result),
        table=class_table(result),
        notes="\n\n".join(result.notes),
        index=NO_FILE,
        colors=NO_FILE,
        report=NO_FILE,
    )


def show_view(scene: Scene, result: Segmentation, name: str) -> dict[str, Any]:
    """Returns what one view saw, what it answered there, and the answer turned back."""
    view, look = VIEWS[name], result.looks[name]
    palette = result.world.record.palette
    image = view.augment(to_tensor(result.picture.rgb)[None])[0]
    shown = (255 * image).round().byte().permute(1, 2, 0).numpy()
    score = result.view_score(name, scene.background)
    own = "" if score is None else f" Its own score: **{100 * score:.1f} %** mean IoU."
    seen = seen_in_training(result, name)
    return {
        "about": f"**{view.label}**: {view.summary}.{own} Training showed such pictures: {seen}.",
        "shown": shown,
        "answered": overlay(shown, look.frame, palette),
        "back": _turned_back(result, name),
    }


def _turned_back(result: Segmentation, name: str) -> np.ndarray:
    """Returns the answer over the picture; what the view did not see is greyed out."""
    look = result.looks[name]
    image = overlay(result.picture.rgb, look.labels, result.world.record.palette)
    if look.seen is not None:
        image[~look.seen.numpy()] = image[~look.seen.numpy()] // 4 + 96
    return image


def _thumbnail(result: Segmentation, name: str) -> np.ndarray:
    return fit_within(_turned_back(result, name), THUMBNAIL)


def _caption(scene: Scene, result: Segmentation, name: str) -> str:
    score = result.view_score(name, scene.background)
    return VIEWS[name].label + ("" if score is None else f" {100 * score:.1f}")
