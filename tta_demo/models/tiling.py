"""Tiles: a picture too large to be shown at once is answered part by part, and blended.

A tile is looked at in all ways, there and back, and fused; then tiles are blended. A quarter of
the overlap on either side is dropped, across the half between them one tile gives way to the
other. So a network that sees no further than that quarter answers as if the picture were whole,
and one that sees as far as the overlap does so wherever tiles do not overlap: tiles begin at
multiples of `UNIT`, and end where its grid would lie in the whole picture after a turn too. What
sees everything at once, by attention or pooling, sees each tile alone; and so does a model that
wants pictures of one size, whose tiles lie anywhere. A noisy look has the same noise in each tile.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tta_demo.models.ensemble import look_as, view_of
from tta_demo.tta.plan import Plan
from tta_demo.tta.predict import Model, ViewStack, to_tensor

__all__ = ["Blend", "Span", "Tile", "answer_tiles", "cut", "tiles_for"]

SIDE, UNIT = 1024, 64
"""Pixels, for models that take any size: a side as the working size has, and what tiles lie
multiples of apart. Usual strides divide it; that of most U-Nets, 16, after a zoom too."""
OVERLAP = 0.125
"""Share of a side."""
SMALLER = 256, 0.25, 32
"""Side, overlap and unit for many classes."""
MOST = 9 * 2**28
"""Bytes that tiles may need at a time, beside model and picture: 2.25 GiB."""
_NUMBERS = 2**20
"""Of all looks that are fused at a time: fusing needs several times their memory."""


@dataclass(frozen=True, eq=False)
class Span:
    """Where a tile lies along one side of a picture.

    Attributes:
        start: its first pixel.
        stop: that after its last one.
        settled: that from which on the next span has a say too.
        shares: `(stop - start,)` float32, what it counts; over all spans the sum is 1.
    """

    start: int
    stop: int
    settled: int
    shares: Tensor

    @property
    def ready(self) -> slice:
        """What is settled once this span and those before it are added."""
        return slice(self.start, self.settled)


@dataclass(frozen=True, eq=False)
class Tile:
    """A part of a picture that is looked at by itself."""

    rows: Span
    columns: Span

    @property
    def size(self) -> tuple[int, int]:
        """`(h, w)`, pixels."""
        return self.rows.stop - self.rows.start, self.columns.stop - self.columns.start

    @property
    def ready(self) -> tuple[slice, slice]:
        """Rows and columns of the picture that are settled with this tile."""
        return self.rows.ready, self.columns.ready

    def of(self, pixels: np.ndarray) -> np.ndarray:
        """Returns its part `(h, w, ...)` of a picture `(H, W, ...)`."""
        rows, columns = self.rows, self.columns
        return pixels[rows.start : rows.stop, columns.start : columns.stop]


def cut(
    size: tuple[int, int],
    sides: tuple[int, int] = (SIDE, SIDE),
    overlap: float = OVERLAP,
    unit: int = UNIT,
) -> tuple[Tile, ...]:
    """Returns the tiles of a picture, from left to right, then from top to bottom.

    They are as large as each other, and lie as evenly as `unit` lets them.

    Args:
        size: `(H, W)` of the picture.
        sides: `(h, w)` of a tile at most.
        overlap: share of a side that neighbours have in common at least; above 0, at most .5.
        unit: pixels that they lie multiples of apart, at most the overlap.

    Raises:
        ValueError: the overlap is none of these, or shorter than the unit.

    Example:
        >>> [(tile.columns.start, tile.columns.stop) for tile in cut((60, 200), (64, 64), unit=8)]
        [(0, 64), (40, 104), (88, 152), (136, 200)]
    """
    rows, columns = (_spans(n, side, overlap, unit) for n, side in zip(size, sides, strict=True))
    return tuple(Tile(row, column) for row in rows for column in columns)


def _spans(total: int, side: int, overlap: float, unit: int) -> list[Span]:
    shared = int(overlap * side) // unit * unit
    if not 0 < shared <= side // 2 or side < 4 * unit:
        told = f"tiles of {side} pixels with an overlap of {overlap:g}, in units of {unit}"
        raise ValueError(
            f"{told}: give four units or more, and a unit or more, at most .5, of overlap"
        )
    if total <= side:
        return [Span(0, total, total, torch.ones(total))]
    length = side - (side - total) % unit  # so the last one begins at a multiple too
    units, step = (total - length) // unit, (length - shared) // unit
    gaps = -(-units // step)
    starts = [units * i // gaps * unit for i in range(gaps + 1)]
    counts = [_counts(start, length, total, shared) for start in starts]
    sums = np.zeros(total)
    for start, count in zip(starts, counts, strict=True):
        sums[start : start + length] += count
    return [
        Span(
            start, start + length, settled, torch.from_numpy(count / sums[start:][:length]).float()
        )
        for start, settled, count in zip(starts, [*starts[1:], total], counts, strict=True)
    ]


def _counts(start: int, length: int, total: int, shared: int) -> np.ndarray:
    """Returns 0 near borders inside the picture, then a smooth rise to 1, `(length,)`."""
    depth = np.full(length, float(shared))
    if start:
        depth = np.minimum(depth, np.arange(length) + 0.5)
    if start + length < total:
        depth = np.minimum(depth, np.arange(length)[::-1] + 0.5)
    part = ((depth - shared / 4) / (shared / 2)).clip(0, 1)
    return part * part * (3 - 2 * part)


class Blend:
    """Adds up what tiles say, in their order; keeps no more than edges that are not settled."""

    def __init__(self) -> None:
        self._left = torch.zeros(0)
        self._below: deque[Tensor] = deque()  # of a row of tiles, from left to right

    @property
    def held(self) -> int:
        """How many numbers it keeps."""
        return self._left.numel() + sum(edge.numel() for edge in self._below)

    def add(self, tile: Tile, maps: Tensor) -> Tensor:
        """Returns what is settled now, `(..., m, n)` of `tile.ready`.

        Args:
            tile: the next one of `cut`.
            maps: what it says, `(..., h, w)`; its memory is used.
        """
        rows, columns = tile.rows, tile.columns
        maps *= rows.shares[:, None]
        maps *= columns.shares
        if columns.start:
            maps[..., : self._left.shape[-1]] += self._left
        count = columns.settled - columns.start
        maps, self._left = maps[..., :count], maps[..., count:].clone()
        if rows.start:
            above = self._below.popleft()
            maps[..., : above.shape[-2], :] += above
        count = rows.settled - rows.start
        self._below.append(maps[..., count:, :].clone())
        return maps[..., :count, :]


def tiles_for(
    model: Model | Mapping[str, Model], size: tuple[int, int], plans: Sequence[Plan], classes: int
) -> tuple[Tile, ...]:
    """Returns the tiles of a picture `(H, W)` for a model of C classes that looks by these plans.

    A model that wants one size gets tiles of it; others, with many classes, smaller ones.

    Raises:
        ValueError: the model reduces whatever it is shown, models want tiles of different sizes,
            a view does not fit tiles, or they would need too much memory.
    """
    _refuse_untiled(plans)
    models = [*model.values()] if isinstance(model, Mapping) else [model]
    if any(getattr(one, "reduces", False) for one in models):
        raise ValueError(
            "this model looks at the whole picture in a small size: in tiles it would take each "
            "one for a picture of its own. Leave the full size out"
        )
    wanted = {tuple(one.own_size) for one in models if getattr(one, "own_size", None)}
    if len(wanted) > 1:
        told = " and ".join(f"{w} x {h}" for h, w in sorted(wanted))
        raise ValueError(f"the models want tiles of {told} pixels: let one of them look alone")
    side, *lie = SMALLER
    tried = [(own, OVERLAP, 1) for own in wanted]
    tried = tried or [((SIDE, SIDE), OVERLAP, UNIT), ((side, side), *lie)]
    for sides, overlap, unit in tried:
        tiles = cut(size, sides, overlap, unit)
        needed = _needed(tiles, size, plans, classes)
        if needed <= MOST:
            return tiles
    raise ValueError(
        f"{len(_rows(plans))} looks with {classes} classes need {needed / 2**30:.1f} GiB at full "
        "size: choose fewer looks, or reduce the picture"
    )


def _needed(
    tiles: Sequence[Tile], size: tuple[int, int], plans: Sequence[Plan], classes: int
) -> int:
    """Returns how many bytes are needed at a time, beside model and picture."""
    height, width = tiles[0].size
    shared = max(tile.rows.stop - tile.rows.settled for tile in tiles)
    looks = height * width * 2 * len(_rows(plans))  # float16
    largest = max(1, *(view_of(row).zoom for row in _rows(plans)))
    # four copies of one look on its way, and what is fused
    passing = height * width * 4 * (4 * largest**2 + len(plans))
    edges = shared * (size[1] + height) * 4 * len(plans)
    return round(classes * (looks + passing + edges)) + 6 * 4 * _NUMBERS


def _refuse_untiled(plans: Iterable[Plan]) -> None:
    """Raises a `ValueError` for views that do in a tile what they would not in the picture."""
    views = [view_of(row) for row in _rows(plans)]
    wrong = [one.name for one in views if one.tilt or one.shift or one.contrast != 1]
    if wrong:
        raise ValueError(
            f"views {', '.join(wrong)}: they depend on the whole picture, its middle or its mean; "
            "at full size, in tiles, mirror, turn, zoom and other light are possible"
        )


def _rows(plans: Iterable[Plan]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row for plan in plans for row in plan.views))


def answer_tiles(
    model: Model | Mapping[str, Model],
    rgb: np.ndarray,
    plans: Sequence[Plan],
    tiles: Iterable[Tile],
) -> Iterator[tuple[Tile, Tensor]]:
    """Yields each tile, and what is settled with it: probabilities `(P, C, m, n)` by P plans.

    Args:
        model: gives logits; or those of an ensemble by name.
        rgb: `(H, W, 3)` uint8.
        plans: ways to fuse the same looks.
        tiles: all of `cut`, in their order.

    Example:
        >>> rgb, plans = np.zeros((60, 200, 3), np.uint8), [Plan(("identity", "rot90"))]
        >>> tiles = cut((60, 200), (64, 64), unit=8)
        >>> found = answer_tiles(lambda x: x, rgb, plans, tiles)
        >>> [tuple(block.shape) for _, block in found]
        [(1, 3, 60, 40), (1, 3, 60, 48), (1, 3, 60, 48), (1, 3, 60, 64)]
    """
    blend = Blend()
    for tile in tiles:
        yield tile, blend.add(tile, _answer(model, to_tensor(tile.of(rgb)), plans))


def _answer(model: Model | Mapping[str, Model], image: Tensor, plans: Sequence[Plan]) -> Tensor:
    """Returns probabilities `(P, C, h, w)` of an image by P plans; keeps nothing else.

    Every fusion is pixel by pixel, so a few rows are fused at a time.
    """
    logs = {row: look_as(model, image, row).log_probs.half() for row in _rows(plans)}
    classes, height, width = next(iter(logs.values())).shape
    answer = torch.empty(len(plans), classes, height, width)
    for plan, place in zip(plans, answer, strict=True):
        chosen = [logs[row] for row in plan.views]
        count = max(1, _NUMBERS // (len(chosen) * classes * width))
        for fused, *parts in zip(*(one.split(count, 1) for one in (place, *chosen)), strict=True):
            fused.copy_(plan.fuse(ViewStack(plan.views, torch.stack(parts))))
    return answer
