"""Segmentation of large pictures at their full size, tile by tile."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tta_demo.models.ensemble import Ensemble, one_look, rows_of
from tta_demo.models.record import ModelRecord
from tta_demo.models.registry import load_model
from tta_demo.models.tiling import Tile, answer_tiles, tiles_for
from tta_demo.pictures.reading import Picture
from tta_demo.tasks.result import Result, needed, refuse_other, refuse_unfit
from tta_demo.tasks.segment import Compared, class_shares, scores_of
from tta_demo.tta.plan import Plan
from tta_demo.tta.predict import to_labels
from tta_demo.tta.views import VIEWS

__all__ = ["FullSize", "TiledLook", "segment_tiles"]


@dataclass(frozen=True, eq=False)
class FullSize(Compared, Result):
    """What a model, or several together, mark in one picture at its full size; no look is kept.

    Attributes:
        labels: `(H, W)` uint8, the fused answer.
        one_look: `(H, W)` uint8, the answer of the original view alone.
        truth: `(H, W)` uint8 class ids, or None.
        tiles: that were looked at.
        seconds: that it took.
    """

    labels: np.ndarray
    one_look: np.ndarray
    truth: np.ndarray | None
    tiles: tuple[Tile, ...]
    seconds: float

    def findings(self) -> dict[str, Any]:
        """Returns the share of every class, scores where the truth is known, and the tiles."""
        names = self.model.classes
        found: dict[str, Any] = {
            "changed": self.changed,
            "pixels": class_shares(self.labels, names),
            "tiles": {"count": len(self.tiles), "size": self.tiles[0].size},
            "seconds": self.seconds,
        }
        if self.matrices:
            one, fused = (scores_of(matrix, names) for matrix in self.matrices)
            found["scores"] = {"one_look": one, "fused": fused}
        return found


class TiledLook:
    """A picture being looked at, tile by tile: iterate over it, then ask for the result.

    Tiles overlap, see `models.tiling`, and none is kept: memory depends on the width of the
    picture, not on its height. Whoever stops in the middle has no result.

    Args:
        model: what marks, a record of the registry or one of your own, or several together.
        picture: what to look at; `read_picture(path, MAX_PIXELS)` reads one at its full size.
        plan: how to look, as for `segment`.
        device: as for `segment`.

    Raises:
        ValueError: as `segment`; or tiles do not suit the model or a view; before any pass.
    """

    def __init__(
        self,
        model: ModelRecord | Ensemble,
        picture: Picture,
        plan: Plan | None = None,
        device: str = "auto",
    ) -> None:
        refuse_other(model, "segment")
        plain = one_look(model)
        self.model, self.picture, self.plan = model, picture, plan or plain
        needed(self.plan, plain.views[0], (), rows_of(model, VIEWS))
        refuse_unfit(self.plan, len(model.classes))
        self._ready, self._plans = load_model(model, device), (plain, self.plan)
        size = picture.rgb.shape[:2]
        self.tiles = tiles_for(self._ready, size, self._plans, len(model.classes))
        self._labels = np.zeros((2, *size), np.uint8)
        self._start, self._done = time.perf_counter(), 0

    def __len__(self) -> int:
        """How many tiles there are."""
        return len(self.tiles)

    def __iter__(self) -> Iterator[Tile]:
        """Looks at one tile after the other, and yields each that is done."""
        answers = answer_tiles(self._ready, self.picture.rgb, self._plans, self.tiles)
        self._done = 0
        for tile, block in answers:
            for labels, probs in zip(self._labels, block, strict=True):
                labels[tile.ready] = to_labels(probs)
            del block, probs  # with many classes they are large
            self._done += 1
            yield tile

    def result(self, truth: np.ndarray | None = None) -> FullSize:
        """Returns what was found; `truth` `(H, W)` are class ids, if known.

        Raises:
            ValueError: some tiles were not looked at.
        """
        if self._done < len(self):
            raise ValueError(f"only {self._done} of {len(self)} tiles were looked at: look again")
        seconds = time.perf_counter() - self._start
        notes = (*self.picture.notes, _told(self.tiles))
        one, fused = self._labels
        return FullSize(
            self.model, self.picture, self.plan, {}, notes, fused, one, truth, self.tiles, seconds
        )


def segment_tiles(
    model: ModelRecord | Ensemble,
    picture: Picture,
    plan: Plan | None = None,
    truth: np.ndarray | None = None,
    track: Callable[[TiledLook], Iterable[Tile]] = iter,
    device: str = "auto",
) -> FullSize:
    """Returns the answer of one look and of all looks to a picture as large as it is.

    Args:
        model: as for `TiledLook`, as are picture, plan and device.
        picture: the same.
        plan: the same.
        truth: `(H, W)` class ids, if known.
        track: wraps the tiles, which have a length, to show progress; `tqdm` for instance.
        device: the same.

    Raises:
        ValueError: as `TiledLook`; or `track` left tiles out.
    """
    looking = TiledLook(model, picture, plan, device)
    for _ in track(looking):
        pass
    return looking.result(truth)


def _told(tiles: Sequence[Tile]) -> str:
    height, width = tiles[0].size
    if len(tiles) == 1:
        return "Looked at as a whole, at its full size."
    return (
        f"Looked at in full size, in {len(tiles)} tiles of {width} x {height} pixels that "
        "overlap; what lies outside a tile does not help it."
    )
