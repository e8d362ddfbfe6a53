"""Whether a detector could stop when sure: until its fused boxes hardly change any more."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from tqdm import tqdm

from tta_demo.evidence.sure import LOSS, surely_within
from tta_demo.models.registry import load_model
from tta_demo.samples import weeds
from tta_demo.scoring.box_metrics import Matches, average_precision
from tta_demo.scoring.interval import bootstrap
from tta_demo.tta.box_fusion import fuse_boxes
from tta_demo.tta.box_views import predict_boxes
from tta_demo.tta.boxes import Boxes, iou
from tta_demo.tta.predict import to_tensor
from tta_demo.tta.views import VIEW_SETS

__all__ = ["DETECTOR", "boxes_row"]

DETECTOR, VIEWS, CLASSES = "weed-detector", VIEW_SETS["d4"], (1, 2)
FIELDS = {"calibration": 60, "test": 100}
TRIED = 20
"""Thresholds."""

Field = tuple[dict[str, Boxes], Boxes]
"""What each view found in a field, and the true boxes."""


def boxes_row() -> dict[str, Any]:
    """Returns what stopping came to on test fields by what calibration fields taught."""
    calibration, test = (_fields(split, count) for split, count in FIELDS.items())
    order = _order(calibration)
    taught, held = _Fused(calibration, order), _Fused(test, order)
    tried = np.quantile(taught.change[:, 1:], np.linspace(0, 1, TRIED + 1))[1:].tolist()
    kept = taught.kept([taught.looks(below) for below in tried])
    below = tried[kept - 1] if kept else 0.0
    counts = [np.full(len(calibration), count) for count in range(len(VIEWS) - 1, 0, -1)]
    fixed = len(VIEWS) - taught.kept(counts)
    looks, fields = held.looks(below), len(test)
    ways = [looks, np.full(fields, fixed), np.full(fields, 1)]
    gains = bootstrap(held.over_all(ways), fields)
    return {
        "unit": "picture",
        "views": len(VIEWS),
        "pictures": fields,
        "score": round(held.score(np.full(fields, len(VIEWS)))(np.ones(fields)), 6),
        "looks": round(float(looks.mean()), 3),
        "passes": round(float(looks.mean()), 2),
        "saved_percent": round(100 * (1 - float(looks.mean()) / len(VIEWS)), 1),
        "sure_over_all": gains[0].rounded(),
        "fixed": fixed,
        "fixed_over_all": gains[1].rounded(),
        "one_over_all": gains[2].rounded(),
        "sure_below": [round(below, 6)],
    }


class _Fused:
    """The fused boxes of the first 1..V looks at fields, `change[P, V]` by the last of them."""

    def __init__(self, fields: Sequence[Field], order: Sequence[str]) -> None:
        self.truth = [truth for _, truth in fields]
        self.boxes = [
            [_together(found, order[:count]) for count in range(1, len(order) + 1)]
            for found, _ in fields
        ]
        self.change = np.array(
            [[np.inf, *(_change(*pair) for pair in pairwise(row))] for row in self.boxes]
        )

    def looks(self, below: float) -> np.ndarray:
        """Returns how many looks each field takes, `(P,)`; two at least."""
        still = self.change < below
        still[:, -1] = True
        return still.argmax(1) + 1

    def score(self, looks: np.ndarray) -> Callable[[np.ndarray], float]:
        """Returns what gives the AP of so many looks from how often each field counts."""
        boxes = [row[count - 1] for row, count in zip(self.boxes, looks, strict=True)]
        matches = Matches(boxes, self.truth, CLASSES)
        return lambda counts: matches.scores(counts).ap

    def over_all(self, ways: Sequence[np.ndarray]) -> Callable[[np.ndarray], np.ndarray]:
        """Returns what gives by how much the AP of so many looks exceeds that of all."""
        every, *scores = map(self.score, (np.full(len(self.truth), len(VIEWS)), *ways))
        return lambda counts: np.array([score(counts) for score in scores]) - every(counts)

    def kept(self, ways: Sequence[np.ndarray]) -> int:
        """Returns how many of some ways, from the first on, surely lose no more than allowed."""
        gains = self.over_all(ways)
        return surely_within(lambda counts: -gains(counts), len(self.truth), LOSS)


def _fields(split: str, count: int) -> list[Field]:
    model, found = load_model(DETECTOR), []
    for seed in tqdm(weeds.SEEDS[split][:count], desc=f"{split} fields", unit="field"):
        made = weeds.field(seed)
        looks = predict_boxes(model, to_tensor(made.rgb), VIEWS)
        by_view = {name: one.boxes for name, one in looks.items()}
        found.append((by_view, weeds.plant_boxes(made.plants)))
    return found


def _order(fields: Sequence[Field]) -> list[str]:
    """Returns the views, the plain one first, then each the one that helps AP most."""
    order = [VIEWS[0]]

    def score(view: str) -> float:
        boxes = [_together(found, [*order, view]) for found, _ in fields]
        return average_precision(boxes, [truth for _, truth in fields], CLASSES).ap

    while len(order) < len(VIEWS):
        order.append(max((view for view in VIEWS if view not in order), key=score))
    return order


def _together(found: dict[str, Boxes], views: Sequence[str]) -> Boxes:
    return fuse_boxes([found[view] for view in views], "wbf").boxes


def _change(before: Boxes, after: Boxes) -> float:
    """Returns how far boxes moved, 0..1: one less their overlap with before, weighed by score."""
    if not len(after) or not len(before):
        return float(len(after) != len(before))
    same = before.labels[None] == after.labels[:, None]
    overlap = np.where(same, iou(after.xyxy, before.xyxy), 0).max(1)
    return float((after.scores * (1 - overlap)).sum() / max(after.scores.sum(), 1e-9))
