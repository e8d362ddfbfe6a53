"""Object detection with TTA: the boxes of every view, turned back."""

from collections.abc import Callable, Sequence

import numpy as np
from torch import Tensor

from tta_demo.tta.boxes import Boxes
from tta_demo.tta.symmetry import Symmetry
from tta_demo.tta.views import VIEWS, View

__all__ = ["BoxModel", "deaugment_boxes", "detect", "find", "undo_letterbox"]

BoxModel = Callable[[Tensor], list[Boxes]]
"""From pictures `(B, 3, H, W)` float32 in 0..1 to the boxes in each, for any H and W."""


def detect(model: BoxModel, image: Tensor, views: Sequence[str]) -> dict[str, Boxes]:
    """Returns the boxes that each view found, in the picture's frame; one forward pass a view.

    Args:
        model: finds boxes.
        image: `(3, H, W)` float32 in 0..1.
        views: keys of `VIEWS`, without tilts.

    Raises:
        ValueError: no view, an unknown one or a tilt, or an image of another shape.

    Example:
        >>> import torch
        >>> found = detect(
        ...     lambda x: [Boxes([[0, 0, 1, 2]], [0.9], [1])], torch.zeros(3, 5, 8), ["hflip"]
        ... )
        >>> found["hflip"].xyxy
        array([[7., 0., 8., 2.]])
    """
    if image.ndim != 3 or image.shape[0] != 3:
        raise ValueError(f"image has shape {tuple(image.shape)}: give (3, H, W), values in 0..1")
    unknown = [name for name in views if name not in VIEWS]
    if unknown or not views:
        raise ValueError(f"views {', '.join(unknown) or 'none'}: choose among {', '.join(VIEWS)}")
    for name in views:
        _refuse_tilt(VIEWS[name])
    return {name: find(model, image, name)[1] for name in dict.fromkeys(views)}


def find(model: BoxModel, image: Tensor, name: str) -> tuple[Boxes, Boxes]:
    """Returns one view's boxes in the frame that the model was shown, and turned back.

    Args:
        model: finds boxes.
        image: `(3, H, W)` float32 in 0..1.
        name: a key of `VIEWS`, no tilt.

    Raises:
        ValueError: the view is a tilt.
    """
    view = VIEWS[name]
    _refuse_tilt(view)
    own = model(view.augment(image[None]))[0]
    return own, deaugment_boxes(view, own, (image.shape[-2], image.shape[-1]))


def undo_letterbox(boxes: Boxes, size: tuple[int, int], frame: tuple[int, int]) -> Boxes:
    """Returns boxes found in a letterboxed picture in the picture's own pixels, clipped to it.

    A letterbox scales a picture to fit into a frame and centres it between equal bars. A detector
    that does so must undo it before its boxes go through `deaugment_boxes`.

    Args:
        boxes: found in the frame.
        size: `(H, W)` of the picture, pixels.
        frame: `(h, w)` of the frame, pixels.

    Example:
        >>> found = Boxes([[0, 25, 50, 75]], [0.9], [1])  # the left half, between bars
        >>> undo_letterbox(found, (100, 200), (100, 100)).xyxy
        array([[  0.,   0., 100., 100.]])
    """
    scale = min(frame[0] / size[0], frame[1] / size[1])
    down, right = ((frame[i] - scale * size[i]) / 2 for i in (0, 1))
    xyxy = (boxes.xyxy - (right, down, right, down)) / scale
    height, width = size
    return Boxes(np.clip(xyxy, 0, (width, height, width, height)), boxes.scores, boxes.labels)


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
    _refuse_tilt(view)
    zoomed = view.zoomed(*size)
    xyxy = _undo(view.symmetry, boxes.xyxy, zoomed)
    if view.shift:
        down, right = view.offset(*zoomed)
        xyxy = xyxy - (right, down, right, down)
    (height, width), (high, wide) = size, zoomed
    xyxy = xyxy * (width / wide, height / high, width / wide, height / high)
    return Boxes(np.clip(xyxy, 0, (width, height, width, height)), boxes.scores, boxes.labels)


def _refuse_tilt(view: View) -> None:
    if view.tilt:
        raise ValueError(f"view {view.name!r} tilts the picture: boxes cannot be turned back")


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
