"""What a visitor can do on the Classify tab."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
import numpy as np

from tta_demo.models.efficientnet import CLASSIFIERS
from tta_demo.pictures.reading import read_picture
from tta_demo.tasks.classify import classify
from tta_demo.tta.crops import CROP_VIEWS
from tta_demo.ui.classify.show import answer_bars, framed, look_cards, three_numbers
from tta_demo.ui.segment.steps import NO_PICTURE, toasts, uploaded

__all__ = [
    "PHOTOS", "Photo", "Snapshot", "View", "change", "clear", "open_example", "open_upload",
    "restore",
]  # fmt: skip


@dataclass(frozen=True)
class Photo:
    """An example photograph that comes with an installed package.

    Attributes:
        path: where it is.
        source: whose it is.
    """

    path: Path
    source: str


def _photos() -> tuple[Photo, ...]:
    """Returns the photographs that are really there; packages may move them."""
    listed = (
        ("gradio", "media_assets/images", ("cheetah.jpg", "lion.jpg", "tower.jpg"), "gradio"),
        ("sklearn", "datasets/images", ("china.jpg", "flower.jpg"), "scikit-learn (CC BY)"),
    )
    found = []
    for package, folder, names, source in listed:
        root = Path(find_spec(package).origin).parent / folder
        found += [Photo(root / name, source) for name in names if (root / name).is_file()]
    return tuple(found)


PHOTOS = _photos()
CLASSIFIER = next(iter(CLASSIFIERS))


class Snapshot:
    """One visitor's photograph and settings. Its actions take turns."""

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self.rgb: np.ndarray | None = None
        self.views: tuple[str, ...] = ()
        self.fusion = ""
        self.notes: tuple[str, ...] = ()

    def __deepcopy__(self, memo: dict[int, Any]) -> "Snapshot":
        """Returns a fresh one: gradio copies a state's first value for every visitor."""
        return Snapshot()


class View(NamedTuple):
    """The parts of the right side: components once built, values when returned."""

    box: Any
    numbers: Any
    framed: Any
    answer: Any
    looks: Any
    notes: Any


WORKING = View(gr.Column(elem_classes=["working"]), *[gr.skip()] * 5)
READY = gr.Column(elem_classes=[])


def open_example(
    snapshot: Snapshot, index: int, views: list[str], fusion: str
) -> Iterator[tuple[Any, ...]]:
    """Opens an example photograph, and looks."""
    with snapshot.turn, toasts():
        picture = read_picture(PHOTOS[index].path)
        yield picture.rgb, *WORKING
        yield gr.skip(), *_look(snapshot, picture.rgb, picture.notes, views, fusion)


def open_upload(
    snapshot: Snapshot, upload: dict[str, Any], views: list[str], fusion: str
) -> Iterator[tuple[Any, ...]]:
    """Opens an uploaded photograph, and looks."""
    with snapshot.turn, toasts():
        picture = read_picture(uploaded(upload))
        yield picture.rgb, *WORKING
        yield gr.skip(), *_look(snapshot, picture.rgb, picture.notes, views, fusion)


def change(snapshot: Snapshot, views: list[str], fusion: str) -> Iterator[tuple[Any, ...]]:
    """Looks in other ways, or fuses otherwise; only new looks run the model."""
    with snapshot.turn, toasts():
        if snapshot.rgb is None:
            raise ValueError(NO_PICTURE)
        yield tuple(WORKING)
        yield tuple(_look(snapshot, snapshot.rgb, snapshot.notes, views, fusion))


def clear(snapshot: Snapshot) -> tuple[Any, ...]:
    """Empties the tab: no old result without its picture."""
    with snapshot.turn:
        snapshot.rgb = None
        return None, *View(READY, f"<p>{NO_PICTURE}</p>", None, "", "", "")


def restore(snapshot: Snapshot) -> tuple[Any, ...]:
    """Puts the controls back to what belongs to the result on screen, after an error."""
    with snapshot.turn:
        if snapshot.rgb is None:
            return READY, None, gr.skip(), gr.skip()
        return READY, snapshot.rgb, list(snapshot.views), snapshot.fusion


def _look(
    snapshot: Snapshot, rgb: np.ndarray, notes: tuple[str, ...], chosen: list[str], fusion: str
) -> View:
    views = tuple(name for name in CROP_VIEWS if name in chosen)
    if not views:
        raise ValueError("No look is chosen: choose at least one.")
    result = classify(CLASSIFIER, rgb, views, fusion)
    shown = View(
        READY,
        three_numbers(result),
        framed(rgb, views),
        answer_bars(result),
        look_cards(result, rgb),
        "\n\n".join(notes),
    )
    snapshot.rgb, snapshot.notes = rgb, notes
    snapshot.views, snapshot.fusion = views, fusion
    return shown
