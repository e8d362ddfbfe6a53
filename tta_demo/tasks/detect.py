"""Detection from one end to the other: a picture in, the fused boxes of its views out."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from tta_demo.insight.running import alike_boxes, unturned_boxes
from tta_demo.models.record import ModelRecord
from tta_demo.pictures.reading import Picture
from tta_demo.scoring.box_metrics import DetectionScores, average_precision
from tta_demo.tasks.looking import looks_at
from tta_demo.tasks.result import Result, kept_looks, needed, refuse_other, running_notes
from tta_demo.tta.box_fusion import Fused
from tta_demo.tta.box_views import BoxLook, deaugment_boxes
from tta_demo.tta.boxes import Boxes
from tta_demo.tta.plan import ONE_LOOK, Plan
from tta_demo.tta.predict import Track
from tta_demo.tta.views import VIEWS

__all__ = ["Detection", "detect"]


@dataclass(frozen=True, eq=False)
class Detection(Result):
    """What the model finds in one picture; `looks` are `BoxLook`s.

    Attributes:
        truth: the true boxes, if known.
    """

    truth: Boxes | None = None

    @cached_property
    def fused(self) -> Fused:
        """The fused boxes, and which became which; places in `members` are those of the plan."""
        return self.plan.fuse_boxes({name: one.boxes for name, one in self.looks.items()})

    @property
    def boxes(self) -> Boxes:
        """The fused boxes, the best first."""
        return self.fused.boxes

    @property
    def one_look(self) -> Boxes:
        """The boxes of the original view alone."""
        return self.looks["identity"].boxes

    @cached_property
    def scores(self) -> tuple[DetectionScores, DetectionScores] | None:
        """COCO's scores of one look and of all looks; None without truth."""
        if self.truth is None:
            return None
        labels = range(1, len(self.model.classes))
        both = (self.one_look, self.boxes)
        return tuple(average_precision([boxes], [self.truth], labels) for boxes in both)

    def findings(self) -> dict[str, Any]:
        """Returns the boxes, and scores where the truth is known."""
        boxes = self.boxes
        columns = (boxes.labels, boxes.scores.round(4), boxes.xyxy.round(2))
        rows = zip(*(column.tolist() for column in columns), strict=True)
        names = self.model.classes
        found: dict[str, Any] = {
            "boxes": [{"class": names[c], "score": score, "xyxy": xyxy} for c, score, xyxy in rows]
        }
        if self.scores:
            one, fused = self.scores
            found["scores"] = {"one_look": asdict(one), "fused": asdict(fused)}
        return found


def detect(
    model: ModelRecord,
    picture: Picture,
    plan: Plan = ONE_LOOK,
    truth: Boxes | None = None,
    shown: Sequence[str] = (),
    track: Track = iter,
    device: str = "auto",
) -> Detection:
    """Returns the boxes of one look and of all looks, as `segment`.

    The plan's fusion is a key of `FUSERS`; the true boxes are at the picture's working size.

    Raises:
        ValueError: as `segment`, or a view is a tilt; before any forward pass.
    """
    refuse_other(model, "detect")
    views = needed(plan, "identity", shown, VIEWS)
    plan.fuse_boxes(dict.fromkeys(plan.views, Boxes.empty()))  # refuses what cannot be fused
    for view in views:
        deaugment_boxes(VIEWS[view], Boxes.empty(), picture.rgb.shape[:2])  # refuses a tilt

    def make(missing: list[str]) -> Iterable[tuple[str, BoxLook]]:
        looks = looks_at(model, picture.rgb, missing, device)
        return ((view.name, next(looks)) for view in track([VIEWS[name] for name in missing]))

    looks = kept_looks(model, picture, views, make)
    chosen = {name: looks[name] for name in dict.fromkeys(("identity", *plan.views))}
    running = running_notes(alike_boxes(chosen), unturned_boxes(chosen))
    return Detection(model, picture, plan, looks, (*picture.notes, *running), truth)
