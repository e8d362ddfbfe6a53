"""Packs the boxes that a detector found in one picture into the value of a stage of boxes.

The value is a dict of a few strings, as in `tta_demo.ui.stage.pack`, without `data`. Its `about`
holds: width, height (as sent), names, colors, thing (what an object is called), threshold, shares
(whether a fused score shrinks with the looks that missed the box), weights (null, or what each
look counts), truth (boxes or null), one
(boxes shown of the original look), looks (words and numbers of each view, and its `boxes`), steps
(after 1..V looks: `boxes`, each with its `members` [[look, place], ...], the places `gained` among
them and `lost` among those of `one`, and how many true objects they have `found`), line, own and
before (the number on the chart after 1..V looks, of each look alone, and of `one`), and unit (what
that number is).

A box is [left, top, right, bottom, class, score], in pixels of the picture as sent.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tta_demo.insight.box_changes import BoxChanges, box_changes, partners
from tta_demo.pictures.palettes import display_colors
from tta_demo.scoring.box_metrics import average_precision
from tta_demo.tta.box_fusion import Fused
from tta_demo.tta.boxes import Boxes
from tta_demo.tta.views import VIEWS
from tta_demo.ui.stage.pack import NUMBERS, words
from tta_demo.ui.stage.sent import grid_of, webp

__all__ = ["StageBoxes", "pack_boxes"]


@dataclass(frozen=True)
class StageBoxes:
    """What the stage shows of a detection, at the picture's full size.

    Attributes:
        rgb: `(H, W, 3)` uint8.
        looks: V views' boxes, turned back.
        one_look: the original view's boxes, which all together are compared with.
        fused: the fused boxes of the first 1..V looks.
        names: C class names; the first is the background.
        thing: what one object is called.
        threshold: the lowest score shown.
        shares: whether a fused score shrinks with the looks that missed the box.
        weights: what each look counts; None if all count alike.
        truth: the true boxes, if they are known.
    """

    rgb: np.ndarray
    looks: Mapping[str, Boxes]
    one_look: Boxes
    fused: Sequence[Fused]
    names: Sequence[str]
    thing: str
    threshold: float
    shares: bool
    weights: Sequence[float] | None = None
    truth: Boxes | None = None

    def shown(self, boxes: Boxes) -> Boxes:
        """Returns the boxes that are sure enough."""
        return boxes.take(boxes.scores >= self.threshold)

    def changes(self, fused: Boxes) -> BoxChanges:
        """Returns what fused boxes gained and lost against one look, among the boxes shown."""
        return box_changes(self.shown(self.one_look), self.shown(fused), self.truth)


def pack_boxes(scene: StageBoxes) -> dict[str, Any]:
    """Returns the stage's value.

    Raises:
        ValueError: there is no look, or not one fused answer for each.
    """
    if not scene.looks or len(scene.fused) != len(scene.looks):
        raise ValueError(
            f"{len(scene.looks)} looks and {len(scene.fused)} fused answers are given: give one "
            "for each, and at least one"
        )
    grid = grid_of(scene.rgb.shape[0], scene.rgb.shape[1])
    return {
        "busy": False,
        "number": next(NUMBERS),
        "about": json.dumps(_about(scene, len(grid[0]), len(grid[1])), separators=(",", ":")),
        "picture": webp(scene.rgb, grid),
    }


def _about(scene: StageBoxes, height: int, width: int) -> dict[str, Any]:
    scale = width / scene.rgb.shape[1]
    looks = [
        words(VIEWS[name]) | {"boxes": _plain(boxes, scale)} for name, boxes in scene.looks.items()
    ]
    return {
        "width": width,
        "height": height,
        "names": list(scene.names),
        "colors": display_colors(len(scene.names)),
        "thing": scene.thing,
        "threshold": scene.threshold,
        "shares": scene.shares,
        "weights": scene.weights,
        "one": _plain(scene.shown(scene.one_look), scale),
        "truth": None if scene.truth is None else _plain(scene.truth, scale),
        "looks": looks,
        "steps": [_step(scene, fused, scale) for fused in scene.fused],
        **_numbers(scene),
    }


def _plain(boxes: Boxes, scale: float) -> list[list[float]]:
    rows = np.column_stack([boxes.xyxy * scale, boxes.labels, boxes.scores])
    return rows.round(3).tolist()


def _step(scene: StageBoxes, fused: Fused, scale: float) -> dict[str, Any]:
    """Returns the boxes shown after some looks, and what they gained and lost against one."""
    shown = np.flatnonzero(fused.boxes.scores >= scene.threshold)
    boxes = fused.boxes.take(shown)
    changes = scene.changes(fused.boxes)
    found = 0 if scene.truth is None else (partners(boxes, scene.truth) >= 0).sum()
    return {
        "boxes": _plain(boxes, scale),
        "members": [fused.members[place] for place in shown],
        "gained": changes.gained.tolist(),
        "lost": changes.lost.tolist(),
        "found": int(found),
    }


def _numbers(scene: StageBoxes) -> dict[str, Any]:
    """Returns the numbers of the chart: average precision, or boxes where it has no meaning."""
    scored = scene.truth is not None and len(scene.truth) > 0
    labels = range(1, len(scene.names))

    def number(boxes: Boxes) -> float:
        if not scored:
            return len(scene.shown(boxes))
        return round(100 * average_precision([boxes], [scene.truth], labels).ap, 1)

    return {
        "line": [number(fused.boxes) for fused in scene.fused],
        "own": [number(boxes) for boxes in scene.looks.values()],
        "before": number(scene.one_look),
        "unit": "AP .5:.95 in %" if scored else "boxes",
    }
