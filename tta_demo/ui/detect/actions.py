"""What a visitor can do on the Detect tab."""

import random
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

import gradio as gr
import numpy as np

from tta_demo.models.detectors import DETECTORS, load_detector
from tta_demo.pictures.draw import boxes_drawn
from tta_demo.pictures.reading import read_picture
from tta_demo.samples.weeds import DIFFICULTY, SEEDS, field, plant_boxes
from tta_demo.scoring.box_metrics import DetectionScores, average_precision
from tta_demo.tta.box_fusion import FUSERS, Fused
from tta_demo.tta.box_views import find
from tta_demo.tta.boxes import Boxes
from tta_demo.tta.predict import to_tensor
from tta_demo.tta.views import VIEWS
from tta_demo.ui.detect.show import (
    detection_numbers,
    detection_table,
    hover_picture,
    mistake_steps,
    threshold_note,
)
from tta_demo.ui.segment.steps import NO_PICTURE, toasts, uploaded

__all__ = [
    "DETECTOR", "Finding", "Shown", "change", "clear", "new_field", "open_example", "open_upload",
    "restore",
]  # fmt: skip

DETECTOR = next(iter(DETECTORS))
AVERAGES = ("wbf",)
"""Fusions whose scores shrink with the views that missed a box."""


class Finding:
    """One visitor's picture, what each look found in it, and the settings. Actions take turns.

    Attributes:
        rgb: `(H, W, 3)` uint8, or None.
        truth: true boxes, if known.
        looks: by view, the boxes in its own frame and turned back.
        settings: views, fusion and threshold on screen.
        notes: what was changed when the picture was read.
    """

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self.rgb: np.ndarray | None = None
        self.truth: Boxes | None = None
        self.looks: dict[str, tuple[Boxes, Boxes]] = {}
        self.settings: tuple[list[str], str, float] = ([], "", 0.0)
        self.notes: tuple[str, ...] = ()

    def __deepcopy__(self, memo: dict[int, Any]) -> "Finding":
        """Returns a fresh one: gradio copies a state's first value for every visitor."""
        return Finding()


class Shown(NamedTuple):
    """The parts of the right side: components once built, values when returned."""

    box: Any
    numbers: Any
    slider: Any
    hover: Any
    gallery: Any
    steps: Any
    table: Any
    meaning: Any
    notes: Any


WORKING = Shown(gr.Column(elem_classes=["working"]), *[gr.skip()] * 8)
READY = gr.Column(elem_classes=[])


def open_example(finding: Finding, index: int, *settings: Any) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401
    """Opens one of the first test fields, and looks."""
    yield from _open_field(finding, SEEDS["test"][index], DIFFICULTY, settings)


def new_field(finding: Finding, difficulty: float, *settings: Any) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401
    """Generates a field that nobody has seen, and looks."""
    yield from _open_field(finding, random.choice(SEEDS["test"]), difficulty, settings)


def _open_field(
    finding: Finding, seed: int, difficulty: float, settings: tuple[Any, ...]
) -> Iterator[tuple[Any, ...]]:
    with finding.turn, toasts():
        made = field(seed, difficulty=difficulty)
        note = f"Field of seed {seed}, difficulty {difficulty:.2f}."
        yield made.rgb, *WORKING
        yield gr.skip(), *_look(finding, made.rgb, plant_boxes(made.plants), (note,), settings)


def open_upload(
    finding: Finding,
    upload: dict[str, Any],
    *settings: Any,  # noqa: ANN401
) -> Iterator[tuple[Any, ...]]:
    """Opens an uploaded picture, whose truth is not known, and looks."""
    with finding.turn, toasts():
        picture = read_picture(uploaded(upload))
        yield picture.rgb, *WORKING
        yield gr.skip(), *_look(finding, picture.rgb, None, picture.notes, settings)


def change(finding: Finding, *settings: Any) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401
    """Looks in other ways, fuses otherwise, or shows more; only new looks run the model."""
    with finding.turn, toasts():
        if finding.rgb is None:
            raise ValueError(NO_PICTURE)
        yield tuple(WORKING)
        yield tuple(_look(finding, finding.rgb, finding.truth, finding.notes, settings))


def clear(finding: Finding) -> tuple[Any, ...]:
    """Empties the tab: no old result without its picture."""
    with finding.turn:
        finding.rgb, finding.looks = None, {}
        return None, *Shown(READY, f"<p>{NO_PICTURE}</p>", None, "", None, None, "", "", "")


def restore(finding: Finding) -> tuple[Any, ...]:
    """Puts the controls back to what belongs to the result on screen, after an error."""
    with finding.turn:
        if finding.rgb is None:
            return READY, None, *[gr.skip()] * 3
        return READY, finding.rgb, *finding.settings


def _look(
    finding: Finding,
    rgb: np.ndarray,
    truth: Boxes | None,
    notes: tuple[str, ...],
    settings: tuple[Any, ...],
) -> Shown:
    chosen, fusion, threshold = settings
    views = [name for name in VIEWS if name in chosen]
    if not views:
        raise ValueError("No look is chosen: choose at least one.")
    if fusion not in FUSERS:
        raise ValueError(f"fusion {fusion!r} is unknown: choose one of {', '.join(FUSERS)}")
    looks = dict(finding.looks) if finding.rgb is rgb else {}
    model, image = load_detector(DETECTOR), to_tensor(rgb)
    for name in dict.fromkeys(["identity", "hflip", *views]):
        if name not in looks:
            looks[name] = find(model, image, name)
    found = {name: looks[name][1] for name in views}
    if fusion == "none":
        found = {"identity": looks["identity"][1]}
    fused = FUSERS[fusion].run(found)
    shown = _shown(rgb, looks, found, fused, truth, (fusion in AVERAGES, float(threshold)))
    finding.rgb, finding.truth, finding.looks, finding.notes = rgb, truth, looks, notes
    finding.settings = (views, fusion, float(threshold))
    return shown._replace(notes="\n\n".join(notes))


def _shown(
    rgb: np.ndarray,
    looks: dict[str, tuple[Boxes, Boxes]],
    found: dict[str, Boxes],
    fused: Fused,
    truth: Boxes | None,
    display: tuple[bool, float],
) -> Shown:
    palette = DETECTORS[DETECTOR].palette
    averages, threshold = display
    one = looks["identity"][1]
    kept = [boxes.take(boxes.scores >= threshold) for boxes in (one, fused.boxes)]
    before, after = (_scores(boxes, truth) for boxes in (one, fused.boxes))
    mirrored = np.ascontiguousarray(rgb[:, ::-1])
    own, back = (boxes.take(boxes.scores >= threshold) for boxes in looks["hflip"])
    return Shown(
        box=READY,
        numbers=detection_numbers(before, after, (len(kept[0]), len(kept[1])), len(found)),
        slider=tuple(boxes_drawn(rgb, boxes, palette) for boxes in kept),
        hover=hover_picture(rgb, found, fused, palette, threshold, averages),
        gallery=[_both_frames(rgb, name, looks[name], threshold) for name in found],
        steps=mistake_steps(rgb, mirrored, own, back, palette),
        table=detection_table(before, after),
        meaning=threshold_note(threshold, len(found), averages),
        notes="",
    )


def _scores(boxes: Boxes, truth: Boxes | None) -> DetectionScores | None:
    return None if truth is None else average_precision([boxes], [truth], (1, 2))


def _both_frames(
    rgb: np.ndarray, name: str, look: tuple[Boxes, Boxes], threshold: float
) -> tuple[np.ndarray, str]:
    """Returns a look's boxes in its own frame and, right of a white gap, turned back."""
    palette = DETECTORS[DETECTOR].palette
    view = VIEWS[name]
    seen = (255 * view.augment(to_tensor(rgb)[None])[0]).round().byte().permute(1, 2, 0).numpy()
    own, back = (boxes.take(boxes.scores >= threshold) for boxes in look)
    parts = [boxes_drawn(seen, own, palette), boxes_drawn(rgb, back, palette)]
    tall = max(part.shape[0] for part in parts)
    parts = [
        np.pad(part, ((0, tall - part.shape[0]), (0, 0), (0, 0)), constant_values=255)
        for part in parts
    ]
    gap = np.full((tall, tall // 32, 3), 255, np.uint8)
    return np.hstack([parts[0], gap, parts[1]]), view.label
