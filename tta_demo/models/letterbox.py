"""Letterboxes: how detectors of one size see pictures of another."""

import numpy as np

from tta_demo.tta.boxes import Boxes

__all__ = ["undo_letterbox"]


def undo_letterbox(boxes: Boxes, size: tuple[int, int], frame: tuple[int, int]) -> Boxes:
    """Returns boxes found in a letterboxed picture in the picture's own pixels, clipped to it.

    A letterbox scales a picture to fit into a frame and centres it between equal bars. A detector
    that does so must undo it before its boxes go through `deaugment_boxes`. The size `(H, W)` of
    the picture and `(h, w)` of the frame are in pixels.

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
