"""Crops: ways to look at a picture for what is in it, each a square of the same size.

No way back is needed: the answer is about the picture, not about its pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from tta_demo.tta.predict import FLOOR, Model, ViewStack, asked, refuse_unfit, unmirrored
from tta_demo.tta.symmetry import D4
from tta_demo.tta.views import VIEWS, View, refuse_unknown

__all__ = ["CROP", "CROP_SETS", "CROP_VIEWS", "MAX_SIDE", "SIDE", "CropView", "cut"]
__all__ += ["predict_crops"]

CROP = 224
"""Side of every crop, pixels: what the classifier is shown."""
SIDE = 256
"""Usual short side of the resized picture, pixels."""
MAX_SIDE = 8192
"""Longest side of a resized picture, pixels; a longer one would only fill the memory."""


@dataclass(frozen=True)
class CropView:
    """One look: the whole picture is resized, a square is cut from it, then changed by a view.

    Attributes:
        name: the key in `CROP_VIEWS`.
        label: plain words for people.
        summary: the exact term and parameter.
        group: what kind of change it is, in plain words.
        side: short side of the resized picture, pixels, at least `CROP`.
        place: where the crop stands, down and right: 0 at the start, 1 at the end.
        view: a mirror, turn, tilt or colour view for the crop; a tilt fills the corners with the
            crop's own reflection.
    """

    name: str
    label: str
    summary: str
    group: str
    side: int = SIDE
    place: tuple[float, float] = (0.5, 0.5)
    view: View = VIEWS["identity"]

    def corner(self, size: tuple[int, int]) -> tuple[int, int]:
        """Returns the crop's first row and column in a resized picture of size `(h, w)`."""
        (height, width), (down, right) = size, self.place
        return round((height - CROP) * down), round((width - CROP) * right)

    def frame(self, size: tuple[int, int]) -> tuple[float, float, float, float]:
        """Returns left, top, right and bottom of the crop in a picture `(H, W)`, pixel edges.

        Example:
            >>> CROP_VIEWS["top-left"].frame((512, 1024))
            (0.0, 0.0, 448.0, 448.0)
        """
        resized = _resized(size, self.side)
        top, left = self.corner(resized)
        high, wide = size[0] / resized[0], size[1] / resized[1]
        return left * wide, top * high, (left + CROP) * wide, (top + CROP) * high


_PLACE, _TURN, _ZOOM, _LIGHT = "Place", "Mirror and turn", "Zoom", "Light"

_PLACES = {
    "center": ("Middle", "centre crop", (0.5, 0.5)),
    "top-left": ("Top left", "upper left corner", (0.0, 0.0)),
    "top-right": ("Top right", "upper right corner", (0.0, 1.0)),
    "bottom-left": ("Bottom left", "lower left corner", (1.0, 0.0)),
    "bottom-right": ("Bottom right", "lower right corner", (1.0, 1.0)),
}
_ZOOMS = {224: "Whole middle", 288: "Closer", 320: "Closer still"}
_TILTS = ("tilt-10", "tilt+10")
_COLORS = ("darker", "brighter", "contrast+", "gamma-")


def _placed(name: str, mirrored: bool) -> CropView:
    label, text, place = _PLACES[name]
    summary = f"{text}, {CROP} px of a picture with short side {SIDE} px"
    if not mirrored:
        return CropView(name, label, summary, _PLACE, place=place)
    name, label, summary = f"{name}-mirror", f"{label}, mirrored", f"{summary}, hflip"
    return CropView(name, label, summary, _TURN, place=place, view=VIEWS["hflip"])


def _middle(name: str, view: View) -> CropView:
    return CropView(name, view.label, f"centre crop, {view.summary}", view.group, view=view)


def _zoomed(side: int, label: str) -> CropView:
    summary = f"centre crop, {CROP} px of a picture with short side {side} px"
    return CropView(f"side-{side}", label, summary, _ZOOM, side)


CROP_VIEWS: dict[str, CropView] = {
    view.name: view
    for view in (
        *(_placed(name, mirrored) for mirrored in (False, True) for name in _PLACES),
        *(_middle(f"center-{s.name}", VIEWS[s.name]) for s in D4[2:]),
        *(_middle(name, VIEWS[name]) for name in (*_TILTS, *_COLORS)),
        *(_zoomed(side, label) for side, label in _ZOOMS.items()),
    )
}
"""Every crop by name; `center` is what a classifier is usually shown."""

_FIVE = tuple(_PLACES)
_TEN = (*_FIVE, *(f"{name}-mirror" for name in _FIVE))

CROP_SETS: dict[str, tuple[str, ...]] = {
    "center": ("center",),
    "mirror": ("center", "center-mirror"),
    "five-crop": _FIVE,
    "ten-crop": _TEN,
    "d4": ("center", "center-mirror", *(f"center-{s.name}" for s in D4[2:])),
    "all": (*_TEN, *_TILTS, *(f"side-{side}" for side in _ZOOMS), *_COLORS),
}
"""Named sets of crops. Natural photos have an up and a down: all sets but `d4` keep them, which is
for pictures from above and from microscopes; text needs `center` or `five-crop`."""


def cut(rgb: np.ndarray, names: Sequence[str]) -> Tensor:
    """Returns what the model is shown, `(V, 3, CROP, CROP)` float32 in 0..1.

    The picture is resized once for each distinct short side, as torchvision does (bilinear,
    antialiased, on 8 bits: within one level of it); a small one is enlarged.

    Args:
        rgb: `(H, W, 3)` uint8.
        names: V keys of `CROP_VIEWS`.

    Raises:
        ValueError: an unknown or repeated name or none, other pixels, or a picture so long and
            thin that it would pass `MAX_SIDE` when resized.

    Example:
        >>> cut(np.zeros((20, 30, 3), np.uint8), CROP_SETS["mirror"]).shape
        torch.Size([2, 3, 224, 224])
    """
    refuse_unknown(names, CROP_VIEWS)
    views = [CROP_VIEWS[name] for name in names]
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or not rgb.size:
        raise ValueError(f"rgb has shape {rgb.shape} of {rgb.dtype}: give (H, W, 3) uint8")
    image = torch.tensor(np.ascontiguousarray(rgb)).permute(2, 0, 1)[None]
    shapes = {side: _resized(rgb.shape[:2], side) for side in {view.side for view in views}}
    resized = {
        side: F.interpolate(image, shape, mode="bilinear", antialias=True)
        for side, shape in shapes.items()
    }
    return torch.cat([_crop(resized[view.side], view) for view in views])


def predict_crops(model: Model, rgb: np.ndarray, views: Sequence[str] = ("center",)) -> ViewStack:
    """Returns the stack of several crops of one picture, in one model call.

    Args:
        model: from crops `(V, 3, 224, 224)` float32 in 0..1 to logits `(V, C)`.
        rgb: `(H, W, 3)` uint8.
        views: V keys of `CROP_VIEWS`.

    Raises:
        ValueError: as `cut`, or an answer that makes no sense.

    Example:
        >>> rgb = np.zeros((20, 30, 3), np.uint8)
        >>> predict_crops(lambda crops: crops.mean((2, 3)), rgb, ["center", "top-left"]).probs
        tensor([[0.3333, 0.3333, 0.3333],
                [0.3333, 0.3333, 0.3333]])
    """
    crops = cut(rgb, views)
    refuse_unfit(crops[0], model)
    logits = asked(model, crops, maps=False).cpu()
    rows = [
        unmirrored(row[None], model, CROP_VIEWS[name].view)
        for row, name in zip(logits, views, strict=True)
    ]
    return ViewStack(tuple(views), torch.cat(rows).log_softmax(1).clamp_min(FLOOR))


def _crop(pixels: Tensor, view: CropView) -> Tensor:
    """Returns one crop `(1, 3, CROP, CROP)` of a resized picture `(1, 3, h, w)` uint8."""
    top, left = view.corner(tuple(pixels.shape[-2:]))
    crop = pixels[..., top : top + CROP, left : left + CROP]
    return view.view.augment(crop.float() / 255)


def _resized(size: tuple[int, int], side: int) -> tuple[int, int]:
    """Returns `(h, w)` of the same aspect with a given short side, rounded as torchvision does."""
    short, long = min(size), max(size)
    longer = int(side * long / short)
    if longer > MAX_SIDE:
        told = f"a picture of {size[1]} x {size[0]} pixels is too long and thin: with a short side"
        raise ValueError(f"{told} of {side} it has {longer}, over {MAX_SIDE}: crop it first")
    return (side, longer) if size[0] <= size[1] else (longer, side)
