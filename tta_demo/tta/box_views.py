"""Object detection with TTA: the boxes of every view, turned back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from tta_demo.tta.boxes import Boxes
from tta_demo.tta.predict import Track, for_picture, refuse_unfit, unmirrored_ids
from tta_demo.tta.symmetry import Symmetry
from tta_demo.tta.views import VIEWS, View, refuse_unknown

__all__ = ["BoxLook", "BoxModel", "deaugment_boxes", "predict_boxes"]

BoxModel = Callable[[Tensor], list[Boxes]]
"""From pictures `(B, 3, H, W)` float32 in 0..1 to the boxes in each, for any H and W.

It may have `for_picture`, see `Model`.
"""


@dataclass(frozen=True, eq=False)
class BoxLook:
    """One view's boxes.

    Attributes:
        frame: in the frame that the model was shown.
        boxes: the same boxes, in the same order, in the picture's frame.
    """

    frame: Boxes
    boxes: Boxes

    @property
    def nbytes(self) -> int:
        """Memory in bytes."""
        parts = (self.frame, self.boxes)
        return sum(a.nbytes for one in parts for a in (one.xyxy, one.scores, one.labels))


def predict_boxes(
    model: BoxModel, image: Tensor, views: Sequence[str] = ("identity",), track: Track = iter
) -> dict[str, BoxLook]:
    """Returns the boxes that each view found; one forward pass a view.

    Args:
        model: finds boxes.
        image: `(3, H, W)` float32 in 0..1.
        views: keys of `VIEWS`, without tilts.
        track: shows progress; `tqdm` for instance.

    Raises:
        ValueError: no view, an unknown or repeated one or a tilt, or an image of another shape.

    Example:
        >>> boxes, image = Boxes([[0, 0, 1, 2]], [0.9], [1]), Tensor([0]).expand(3, 5, 8)
        >>> predict_boxes(lambda images: [boxes], image, ["hflip"])["hflip"].boxes.xyxy
        array([[7., 0., 8., 2.]])
    """
    refuse_unfit(image, model)
    refuse_unknown(views)
    wanted = [VIEWS[name] for name in views]
    size = image.shape[-2], image.shape[-1]
    for view in wanted:
        deaugment_boxes(view, Boxes.empty(), size)  # refuses a tilt before any forward pass
    sized, found = for_picture(model, size), {}
    for view in track(wanted):
        own = sized(view.augment(image[None]))[0]
        back = deaugment_boxes(view, own, size)
        labels = unmirrored_ids(back.labels.tolist(), model, view)
        found[view.name] = BoxLook(own, replace(back, labels=labels))
    return found


def deaugment_boxes(view: View, boxes: Boxes, size: tuple[int, int]) -> Boxes:
    """Returns boxes of an augmented picture in the picture's own frame, clipped to it.

    Every box keeps its place; one that lies wholly outside is left without an area.

    Args:
        view: how the model looked.
        boxes: found in `view.augment(images)`.
        size: `(H, W)` of `images`, pixels.

    Raises:
        ValueError: the view is a tilt: a turned box is no box any more.

    Example:
        >>> found = Boxes([[0, 6, 2, 8]], [0.9], [1])  # lower left after a quarter turn left
        >>> deaugment_boxes(VIEWS["rot90"], found, (5, 8)).xyxy
        array([[0., 0., 2., 2.]])
    """
    if view.tilt:
        raise ValueError(f"view {view.name!r} tilts the picture: boxes cannot be turned back")
    zoomed = view.zoomed(*size)
    xyxy = _undo(view.symmetry, boxes.xyxy, zoomed)
    if view.shift:
        down, right = view.offset(*zoomed)
        xyxy = xyxy - (right, down, right, down)
    (height, width), (high, wide) = size, zoomed
    xyxy = xyxy * (width / wide, height / high, width / wide, height / high)
    return Boxes(np.clip(xyxy, 0, (width, height, width, height)), boxes.scores, boxes.labels)


def _undo(symmetry: Symmetry, xyxy: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Returns corners before the symmetry, in a frame `(H, W)`."""
    height, width = size if symmetry.turns % 2 == 0 else size[::-1]
    for _ in range(symmetry.turns):  # each a quarter turn clockwise
        left, top, right, bottom = xyxy.T
        xyxy = np.stack([height - bottom, left, height - top, right], axis=1)
        height, width = width, height
    if symmetry.flip:
        left, top, right, bottom = xyxy.T
        xyxy = np.stack([width - right, top, width - left, bottom], axis=1)
    return xyxy
