"""Views: ways to look at a picture again, each with the way back for its answer."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import cos, radians, sin

import torch
import torch.nn.functional as F
from torch import Tensor

from tta_demo.tta.symmetry import D4, FLIPS, IDENTITY, Symmetry

__all__ = ["VIEWS", "VIEW_SETS", "View", "refuse_unknown"]

_NOISE_SEED = 0


@dataclass(frozen=True)
class View:
    """One augmented look. Colour changes first, then zoom, tilt, shift, symmetry.

    Attributes:
        name: the key in `VIEWS`.
        label: plain words for people.
        summary: the exact term and parameter.
        group: what kind of change it is, in plain words.
        symmetry: one of D4.
        zoom: factor on both sides; the whole picture stays visible.
        tilt: degrees counter-clockwise about the centre; what leaves the frame is not seen.
        shift: fraction of each side, right and down; what leaves the frame is not seen.
        gain: factor on 0..1 values, clipped.
        contrast: factor on the distance to the picture's mean, clipped.
        gamma: exponent on 0..1 values.
        noise: standard deviation of fixed Gaussian noise on 0..1 values, clipped.
    """

    name: str
    label: str
    summary: str
    group: str
    symmetry: Symmetry = IDENTITY
    zoom: float = 1.0
    tilt: float = 0.0
    shift: float = 0.0
    gain: float = 1.0
    contrast: float = 1.0
    gamma: float = 1.0
    noise: float = 0.0

    def augment(self, images: Tensor) -> Tensor:
        """Returns what the model is shown, `(B, 3, h, w)`.

        Args:
            images: `(B, 3, H, W)` float32 in 0..1.

        Example:
            >>> VIEWS["rot90"].augment(torch.zeros(1, 3, 5, 8)).shape
            torch.Size([1, 3, 8, 5])
        """
        x = self._recolor(images)
        height, width = self.zoomed(*x.shape[-2:])
        if self.zoom != 1:
            x = _resize(x, (height, width))
        if self.tilt:
            x = _rotate(x, self.tilt, "reflection")
        if self.shift:
            down, right = self.offset(height, width)
            x = F.pad(x, (right, 0, down, 0), "replicate")[..., :height, :width]
        return self.symmetry(x)

    def deaugment_map(self, maps: Tensor, size: tuple[int, int]) -> Tensor:
        """Returns the answer in the picture's own frame, 0 where this view saw nothing.

        Linear, and a distribution over C stays one wherever the view saw the pixel.

        Args:
            maps: `(B, C, h, w)` answers to `augment(images)`.
            size: `(H, W)` of `images`.
        """
        x = self.symmetry.inverse(maps)
        if self.shift:
            down, right = self.offset(*self.zoomed(*size))
            x = F.pad(x, (0, right, 0, down))[..., down:, right:]
        if self.tilt:
            x = _rotate(x, -self.tilt, "zeros")
        return x if self.zoom == 1 else _resize(x, size)

    def seen(self, size: tuple[int, int]) -> Tensor | None:
        """Returns which pixels of a picture `(H, W)` the view really saw, bool; None for all."""
        if not (self.tilt or self.shift):
            return None
        frame = self.symmetry(torch.ones(1, 1, *self.zoomed(*size)))
        return self.deaugment_map(frame, size)[0, 0] > 0.999

    def _recolor(self, x: Tensor) -> Tensor:
        if self.contrast != 1:
            mean = x.mean((-3, -2, -1), keepdim=True)
            x = mean + self.contrast * (x - mean)
        if self.gain != 1:
            x = self.gain * x
        if self.noise:
            generator = torch.Generator().manual_seed(_NOISE_SEED)
            noise = torch.randn(x.shape[-3:], generator=generator)
            x = x + self.noise * noise.to(x.device)
        x = x.clamp(0, 1)
        return x if self.gamma == 1 else x**self.gamma

    def zoomed(self, height: int, width: int) -> tuple[int, int]:
        """Returns `(H, W)` after the zoom, before the symmetry."""
        return max(1, round(self.zoom * height)), max(1, round(self.zoom * width))

    def offset(self, height: int, width: int) -> tuple[int, int]:
        """Returns how far the shift moves a picture of this size down and right, pixels."""
        return round(self.shift * height), round(self.shift * width)


def _resize(x: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(x, size, mode="bilinear", align_corners=False, antialias=True)


def _rotate(x: Tensor, degrees: float, padding: str) -> Tensor:
    """Turns the content counter-clockwise about the centre; the frame keeps its size."""
    height, width = x.shape[-2:]
    c, s = cos(radians(degrees)), sin(radians(degrees))
    # From output to input, in coordinates that are -1..1 over sides of different length.
    matrix = torch.tensor([[c, -s * height / width, 0], [s * width / height, c, 0]])
    grid = F.affine_grid(matrix.expand(len(x), 2, 3), list(x.shape), align_corners=False)
    return F.grid_sample(x, grid.to(x), "bilinear", padding, align_corners=False)


_D4_WORDS = {
    "identity": ("Original", "the picture as it is"),
    "hflip": ("Mirror", "left and right exchanged (hflip)"),
    "vflip": ("Upside down", "top and bottom exchanged (vflip)"),
    "rot180": ("Half turn", "turned by 180°"),
    "rot90": ("Turned left", "turned by 90° counter-clockwise"),
    "rot270": ("Turned right", "turned by 90° clockwise"),
    "transpose": ("Diagonal", "mirrored at the falling diagonal (transpose)"),
    "antitranspose": ("Diagonal 2", "mirrored at the rising diagonal (antitranspose)"),
}

_TURN, _ZOOM, _LIGHT, _MOVE = "Mirror and turn", "Zoom", "Light", "Small moves"

VIEWS: dict[str, View] = {
    view.name: view
    for view in (
        *(View(s.name, *_D4_WORDS[s.name], _TURN, symmetry=s) for s in D4),
        View("zoom0.5", "Half size", "both sides x 0.5", _ZOOM, zoom=0.5),
        View("zoom0.75", "Zoom out", "both sides x 0.75", _ZOOM, zoom=0.75),
        View("zoom1.25", "Zoom in", "both sides x 1.25", _ZOOM, zoom=1.25),
        View("zoom1.5", "Zoom in more", "both sides x 1.5", _ZOOM, zoom=1.5),
        View("darker", "Darker", "values x 0.6", _LIGHT, gain=0.6),
        View("brighter", "Brighter", "values x 1.4", _LIGHT, gain=1.4),
        View("noise", "Noise", "Gaussian noise, standard deviation 0.1", _LIGHT, noise=0.1),
        View("contrast+", "More contrast", "distance to the mean x 1.4", _LIGHT, contrast=1.4),
        View("contrast-", "Less contrast", "distance to the mean x 0.6", _LIGHT, contrast=0.6),
        View("gamma+", "Darker mids", "values to the power 1.4", _LIGHT, gamma=1.4),
        View("gamma-", "Brighter mids", "values to the power 0.7", _LIGHT, gamma=0.7),
        View("tilt-10", "Tilt right", "turned by 10° clockwise", _MOVE, tilt=-10),
        View("tilt+10", "Tilt left", "turned by 10° counter-clockwise", _MOVE, tilt=10),
        View("shift", "Shift", "moved right and down by 5 %", _MOVE, shift=0.05),
    )
}
"""Every view by name; each parameter is fixed here and nowhere else."""

VIEW_SETS: dict[str, tuple[str, ...]] = {
    "none": ("identity",),
    "flips": tuple(s.name for s in FLIPS),
    "d4": tuple(s.name for s in D4),
    "all": (
        *(s.name for s in D4),
        *("zoom0.5", "zoom0.75", "zoom1.25", "zoom1.5", "darker", "brighter", "noise"),
    ),
}
"""Named sets of views; `all` is D4, four zooms, darker, brighter and noise."""


def refuse_unknown(names: Sequence[str], registry: Collection[str] = VIEWS) -> None:
    """Raises a `ValueError` if a view's name is unknown or given twice, or if there is none."""
    if not names:
        raise ValueError("no view is chosen: choose at least one")
    wrong = [name for name in names if name not in registry or list(names).count(name) > 1]
    if wrong:
        raise ValueError(
            f"views {', '.join(wrong)}: give names, each once, among {', '.join(registry)}"
        )
