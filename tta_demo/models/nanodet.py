"""NanoDet: what its network answers, made boxes. The network is an ONNX file that others made.

Sources: RangiLyu, NanoDet-g, https://github.com/RangiLyu/nanodet. Li et al., "Generalized Focal
Loss", 2020: how far a side is from a cell is a distribution over whole cells, and its mean counts.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import Tensor

from tta_demo.models.feed import Feed
from tta_demo.models.framing import Frame
from tta_demo.models.onnx_session import OnnxSession
from tta_demo.tta.boxes import Boxes, nms_groups

__all__ = ["BINS", "FEED", "SIDE", "NanoDet", "decode", "load_nanodet"]

SIDE = 416
"""Longer side of a picture that the network is shown, pixels."""

BINS = 11
"""Distances that are told apart, in cells: 0..10."""

FEED = Feed(255, mean=(123.675, 116.28, 103.53), std=(58.395, 57.12, 57.375), order="BGR")
"""How it wants pictures."""

_STRIDE = 32
"""Side of the largest cells, pixels."""

_CANDIDATES = 250
"""The surest boxes, of which none may be twice; of the rest hardly one would be told."""


_MOST, _LOWEST_SCORE = 100, 0.05
"""What is told of one picture at most."""


class NanoDet:
    """Finds things in pictures of any size; safe to share between threads.

    Pictures are scaled to `SIDE` and continued at the right and at the bottom to whole cells.

    Args:
        session: of the file.
        frame: how pictures are placed in front of it; each to its own size if left out.
    """

    def __init__(self, session: OnnxSession, frame: Frame | None = None) -> None:
        self._session, self._frame = session, frame

    def for_picture(self, size: tuple[int, int]) -> Self:
        """Returns the model for views of a picture of `(H, W)` pixels.

        A view that shows the picture smaller or larger stays so in front of the network.
        """
        return type(self)(self._session, _framed(size))

    def __call__(self, images: Tensor) -> list[Boxes]:
        """Returns the boxes in each picture of `(B, 3, H, W)`, 0..1; labels 1..C."""
        frame = self._frame or _framed((images.shape[-2], images.shape[-1]))
        return [self._boxes(image[None], frame) for image in images.cpu()]

    def _boxes(self, image: Tensor, frame: Frame) -> Boxes:
        placed = frame.place(image)
        answers = self._session.run_all(FEED(placed.shown).numpy())
        _, bottom, _, right = placed.window
        found = decode(answers, placed.shown.shape[-2:], (bottom, right))
        clipped = Boxes(placed.undo_boxes(found.xyxy), found.scores, found.labels)
        return clipped.take(clipped.areas > 0)


def _framed(size: tuple[int, int]) -> Frame:
    return Frame(stride=_STRIDE, scale=SIDE / max(size))


def decode(
    answers: Iterable[np.ndarray], shown: tuple[int, int], picture: tuple[int, int]
) -> Boxes:
    """Returns the boxes that the network found, the best first, none twice; not clipped.

    Args:
        answers: for every grid of cells, row by row, scores `(1, N, C)` in 0..1 and logits of
            distances `(1, N, 4 * BINS)`: from the middle of a cell to the box's left, top, right
            and bottom.
        shown: `(h, w)` of what the network was shown, pixels.
        picture: `(h, w)` of the picture in its upper left corner; what a cell outside of it finds
            is none of the picture's.
    """
    scores, distances = {}, {}
    for answer in answers:
        kind = distances if answer.shape[2] == 4 * BINS else scores
        kind[answer.shape[1]] = answer[0].astype(np.float64)
    grids = [_of_grid(scores[n], distances[n], shown, picture) for n in scores]
    found = Boxes(*map(np.concatenate, zip(*grids, strict=True)))
    surest = found.take(np.argsort(-found.scores, kind="stable")[:_CANDIDATES])
    # stricter than its authors' 0.6: fusing would take two boxes so alike for those of two looks
    return surest.take(np.array([group[0] for group in nms_groups(surest, 0.5)][:_MOST]))


def _of_grid(
    scores: np.ndarray, distances: np.ndarray, shown: tuple[int, int], picture: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns corners `(N, 4)`, scores and labels of what the cells of one grid found."""
    side = round((shown[0] * shown[1] / len(scores)) ** 0.5)
    rows, columns = np.divmod(np.arange(len(scores)), shown[1] // side)
    x, y = (columns + 0.5) * side, (rows + 0.5) * side
    inside = (x < picture[1]) & (y < picture[0])
    place, label = np.nonzero((scores >= _LOWEST_SCORE) & inside[:, None])
    logits = distances[place].reshape(-1, 4, BINS)
    shares = np.exp(logits - logits.max(2, keepdims=True))
    far = side * (shares @ np.arange(BINS)) / shares.sum(2)
    middle = np.stack([x, y, x, y], axis=1)[place]
    return middle + far * (-1, -1, 1, 1), scores[place, label], label + 1


def load_nanodet(path: Path, device: str = "cpu", dtype: torch.dtype | None = None) -> NanoDet:
    """Returns the detector of an ONNX file, ready to answer.

    It runs on the CPU, in what the file computes in, whatever is asked for.

    Raises:
        ValueError: the file is damaged or no ONNX file.
    """
    return NanoDet(OnnxSession(path.read_bytes(), aside=False))
