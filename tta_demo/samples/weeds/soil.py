"""Bare ground seen from above: crumbs, clods, moisture, moss and stones, not yet lit."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.random import Generator

__all__ = ["SKIN", "Scene", "ground", "moved", "stone"]

SKIN = 360
"""Side in pixels of the noise that leaves take their mottling from; no leaf's window is larger."""


@dataclass(frozen=True)
class Scene:
    """What a camera above the field would see, before any light falls on it.

    Attributes:
        layers: `(7, H, W)` float32: linear red, green, blue reflectance; height in pixels; the
            height's slope along x and along y; gloss (0 dull, above 0 a leaf).
        owner: `(H, W)` int16, the plant that a pixel shows, 0 = none.
        leaf: `(H, W)` int16, the sketched leaf that a pixel shows, from 1; 0 = none. Until it is
            shaded, such a pixel's `layers` hold what `paint` was given: colouring only what
            shows in the end, all leaves at once, halves the time.
        skin: `(SKIN, SKIN)` noise that mottles leaves.
        leaves: what each sketched leaf is to be shaded with.
    """

    layers: np.ndarray
    owner: np.ndarray
    leaf: np.ndarray
    skin: np.ndarray
    leaves: list[tuple] = field(default_factory=list)

    def paint(
        self, pixels: np.ndarray, layer: Iterable[np.ndarray], owner: int, leaf: tuple = ()
    ) -> None:
        """Covers N pixels, by their flat places, with up to 7 times `(N,)`; or sketches a leaf."""
        for plane, values in zip(self.layers.reshape(7, -1), layer, strict=False):
            plane[pixels] = values
        if leaf:
            self.leaves.append(leaf)
        self.owner.reshape(-1)[pixels] = owner
        self.leaf.reshape(-1)[pixels] = len(self.leaves) if leaf else 0


def moved(inside: np.ndarray, width: int, wider: int, top: int, left: int) -> np.ndarray:
    """Returns flat places in a window of `width` as places in an array of `wider` rows."""
    return inside + inside // width * (wider - width) + (top * wider + left)


def fractal(
    rng: Generator, shape: tuple[int, int], coarsest: float, octaves: int, gain: float
) -> np.ndarray:
    """Returns `(H, W)` float32 noise of several scales, mean about 0, deviation about 1.

    The largest features have `coarsest` pixels; each octave halves them and is `gain` times as
    strong as the one before.
    """
    height, width = shape
    total = np.zeros(shape, np.float32)
    power = 0.0
    for octave in range(octaves):
        cell = max(coarsest / 2**octave, 1.0)
        # two spare cells, cut at a random place, so that no octave's grid meets another's
        grid = (int(height / cell) + 3, int(width / cell) + 3)
        fine = rng.standard_normal(grid, np.float32)
        if cell > 1.0:
            wider = (int(grid[1] * cell), int(grid[0] * cell))
            fine = cv2.resize(fine, wider, interpolation=cv2.INTER_CUBIC)
        top, left = rng.integers(0, np.array(fine.shape) - shape + 1)
        total += gain**octave * fine[top : top + height, left : left + width]
        power += gain ** (2 * octave) * (0.6 if cell > 1.0 else 1.0)
    return total / np.float32(np.sqrt(power))


def crumbs(
    rng: Generator, shape: tuple[int, int], spacing: float, warp: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns domes of about `spacing` pixels, 0..1 high, and each crumb's own tone, -1..1."""
    seeds = np.full(shape, 255, np.uint8)
    count = int(seeds.size / spacing**2) + 2
    seeds[rng.integers(0, shape[0], count), rng.integers(0, shape[1], count)] = 0
    distance, cell = cv2.distanceTransformWithLabels(
        seeds, cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    traits = rng.random((count + 1, 2), np.float32)
    radius = spacing * (0.3 + 0.55 * traits[:, 0])
    cell = cell.astype(np.intp)
    reach = (distance * (1 + 0.35 * warp) + 0.1 * spacing * warp) / radius.take(cell)
    dome = np.sqrt(np.clip(1 - reach * np.abs(reach), 0, 1))
    # many low, few tall: loose crumbs lie on a crust
    lift = 0.25 + 0.75 * traits[:, 0] ** 3
    return dome * lift.take(cell), (2 * traits[:, 1] - 1).take(cell)


def ground(rng: Generator, shape: tuple[int, int], moss: float) -> Scene:
    """Returns the bare soil of one field; moss covers 0..1 of it."""
    quarter = (shape[0] // 4, shape[1] // 4)
    broad = cv2.resize(fractal(rng, quarter, 36, 4, 0.65), shape[::-1])
    rough = fractal(rng, shape, 48, 5, 0.75)
    grain = 3.4 * (rng.random(shape, np.float32) - np.float32(0.5))
    looseness = np.clip(0.6 + 0.3 * broad + 0.35 * rng.standard_normal(), 0.25, 1)
    crumbly = rng.uniform(0.4, 1.4, 3)
    height, tone = 1.5 * broad + 1.5 * rough + 0.22 * grain, 0.10 * rough + 0.09 * grain
    for spacing, lift in zip((5, 11, 27), crumbly * (2.8, 6.5, 13.0), strict=True):
        dome, own = clods(rng, shape, spacing * rng.uniform(0.8, 1.25), rough)
        height += (looseness if spacing > 5 else 1) * np.float32(lift) * dome
        # a few crumbs differ much: bits of root, sand, old leaf
        tone += dome * own * (0.07 + 0.2 * own * own) + 0.05 * (dome - 0.5)
    layers = np.empty((7, *shape), np.float32)
    layers[:3] = soil_colour(rng, tone, -0.5 * broad, rough[::-1, ::-1])
    if moss > 0:
        cover = 0.85 * rough[::-1] + 0.5 * broad[:, ::-1] - np.float32(2.4 - 1.4 * moss)
        cover = np.clip(1.6 * cover + 0.8 * grain, 0, 0.75)
        light = np.maximum(1 + 0.4 * grain, 0.1)
        for channel, green in enumerate((0.085, 0.115, 0.035)):
            layers[channel] += cover * (green * light - layers[channel])
        height += 1.5 * cover
    layers[3] = height
    cv2.Sobel(height, cv2.CV_32F, 1, 0, layers[4], ksize=1, scale=0.5)
    cv2.Sobel(height, cv2.CV_32F, 0, 1, layers[5], ksize=1, scale=0.5)
    layers[6] = 0
    owner, leaf = np.zeros((2, *shape), np.int16)
    return Scene(layers, owner, leaf, fractal(rng, (SKIN, SKIN), 14, 4, 0.75))


def clods(
    rng: Generator, shape: tuple[int, int], spacing: float, warp: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Returns `crumbs`; large ones are made at half the resolution, which nobody sees."""
    if spacing < 8:
        return crumbs(rng, shape, spacing, warp)
    halves = crumbs(rng, warp[::2, ::2].shape, spacing / 2, warp[::2, ::2])
    dome, own = (cv2.resize(half, shape[::-1]) for half in halves)
    return dome, own


def soil_colour(
    rng: Generator, tone: np.ndarray, wet: np.ndarray, mineral: np.ndarray
) -> list[np.ndarray]:
    """Returns linear red, green, blue reflectance: brown varied by tone, moisture, minerals."""
    # sandy, loam, dark humus, reddish clay, grey silt: measured soils lie between these
    kinds = np.array([[0.26, 0.20, 0.140], [0.16, 0.116, 0.080], [0.090, 0.070, 0.053],
                      [0.19, 0.118, 0.076], [0.17, 0.145, 0.118]])  # fmt: skip
    base = rng.dirichlet([0.5, 1.0, 1.0, 0.4, 0.8]) @ kinds
    # moisture ends where the crumbs do, so its edge is ragged
    damp = np.clip(0.8 * wet + 0.7 * mineral + 1.5 * tone + 0.5 * rng.standard_normal(), 0, 1.5)
    light = np.maximum((1 + tone) * (1 - 0.27 * damp), 0.2)
    hues = zip(base.tolist(), (0.05, 0.0, -0.06), strict=True)
    return [light * (brown * (1 + hue * mineral)) for brown, hue in hues]


def stone(rng: Generator, scene: Scene, centre: np.ndarray, radius: float) -> None:
    """Lays one stone of `radius` pixels on the scene, `centre` as (x, y)."""
    top, left = (int(max(centre[i] - 1.4 * radius, 0)) for i in (1, 0))
    bottom, right = (int(centre[i] + 1.4 * radius) + 1 for i in (1, 0))
    under = scene.layers[:, top:bottom, left:right]
    if under.size == 0:
        return
    y, x = np.ogrid[top : top + under.shape[1], left : left + under.shape[2]]
    x, y = (x - centre[0]) / radius, (y - centre[1]) / radius
    turn = rng.uniform(0, np.pi)
    u, v = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    v = v * rng.uniform(1.05, 1.6)
    # broken faces: a random polygon's distance, rounded by the ellipse's
    faces = rng.uniform(0, 2 * np.pi, 7)
    edge = np.max([u * np.cos(f) + v * np.sin(f) for f in faces], axis=0)
    reach = 0.55 * np.sqrt(u * u + v * v) + 0.55 * np.maximum(edge, 0)
    mask = reach < 1
    shape = np.sqrt(np.maximum(1 - reach**2, 0)).astype(np.float32)
    layer = under.copy()
    layer[3] += radius * 0.6 * shape
    grey = np.array([1.0, 0.93, 0.84]) * rng.uniform(0.08, 0.26) * rng.uniform(0.95, 1.05, 3)
    speckle = 1 + 0.15 * rng.standard_normal(mask.shape, np.float32)
    layer[:3] = grey[:, None, None] * speckle
    layer[4:6] = 0.15 * under[4:6]
    bump = cv2.GaussianBlur(radius * 0.7 * shape, (0, 0), 0.12 * radius + 0.5)
    layer[4] += cv2.Sobel(bump, cv2.CV_32F, 1, 0, ksize=1, scale=0.5)
    layer[5] += cv2.Sobel(bump, cv2.CV_32F, 0, 1, ksize=1, scale=0.5)
    pixels = moved(np.flatnonzero(mask), mask.shape[1], scene.owner.shape[1], top, left)
    scene.paint(pixels, layer[:, mask], 0)
