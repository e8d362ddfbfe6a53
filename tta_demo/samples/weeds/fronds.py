"""Feathery leaves seen from above: thin lines in groups of one shade each."""

import cv2
import numpy as np
from numpy.random import Generator

from tta_demo.samples.weeds.leaves import Blade, leaf_axes, unit, window
from tta_demo.samples.weeds.soil import Scene, moved

__all__ = ["frond"]

RACHIS = np.linspace(0, 1.0, 12)
"""Vertices of a frond's midrib along the leaf."""
SHIFT = 4
"""Fractional bits of OpenCV's drawing coordinates."""


def frond(rng: Generator, scene: Scene, leaf: Blade, owner: int, bold: bool) -> None:
    """Draws one twice-pinnate leaf along the midrib of `leaf`, `bold` ones with thick tips.

    The `width` of `leaf` is the length of the longest leaflet.
    """
    crop = window(leaf, leaf.length + 0.5 * leaf.width, 1.3 * leaf.width, scene.owner.shape)
    if crop is None:
        return
    top, bottom, left, right = crop
    groups = np.zeros((bottom - top, right - left), np.uint8)
    for lines, group, thickness in frond_lines(rng, leaf, bold, (left, top)):
        cv2.polylines(groups, list(lines), False, group, thickness, cv2.LINE_8, SHIFT)
    groups = groups.reshape(-1)
    inside = np.flatnonzero(groups)
    if not len(inside):
        return
    along = np.minimum(np.maximum(leaf_axes(leaf, crop)[0].reshape(-1)[inside], 0), 1.2)
    layer = frond_shades(rng, leaf, groups[inside], along)
    scene.paint(moved(inside, right - left, scene.owner.shape[1], top, left), layer, owner)


def frond_shades(rng: Generator, leaf: Blade, groups: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Returns the `(7, N)` layer of a frond's pixels: each shade group has a tilt of its own."""
    table = np.zeros((7, 11), np.float32)
    shades = rng.lognormal(0, 0.22, 10) * rng.lognormal(0, 0.05, (3, 10))
    table[:3, 1:] = leaf.colour[:, None] * shades
    table[:3, 10] = leaf.rib
    table[3, 1:] = rng.normal(0, 1.2, 10)
    table[4:6, 1:] = rng.normal(0, 0.38, (2, 10))
    table[6, 1:] = leaf.gloss
    layer = table[:, groups]
    droop = rng.uniform(0.5, 0.9)
    layer[3] += leaf.low + leaf.rise * leaf.length * (along - droop * along * along)
    steep = leaf.rise * (1 - 2 * droop * along)
    layer[4] += steep * np.float32(np.cos(leaf.heading))
    layer[5] += steep * np.float32(np.sin(leaf.heading))
    layer[:3] *= 0.75 + 0.35 * along
    return layer


def frond_lines(
    rng: Generator, leaf: Blade, bold: bool, corner: tuple[int, int]
) -> list[tuple[np.ndarray, int, int]]:
    """Returns batches of (lines `(N, K, 2)`, shade group 1..10, thickness).

    The lines are in OpenCV's fixed-point pixels, counted from `corner` (x, y).
    """
    pairs = int(min(max(leaf.length / 12, 4), 9))
    place = np.linspace(leaf.stalk, 0.97, pairs)[:, None] + rng.normal(0, 0.012, (pairs, 2))
    ahead = unit(leaf.heading)
    aside = np.array([-ahead[1], ahead[0]])

    def midrib(at: np.ndarray) -> np.ndarray:
        at = at[..., None]
        return leaf.base + leaf.length * (at * ahead + leaf.bend * at * at * aside)

    turned = leaf.heading + np.arctan(2 * leaf.bend * place)
    open_angle = 1.15 - 0.45 * place + rng.normal(0, 0.12, place.shape)
    angle = turned + open_angle * np.array([-1, 1])
    rank = (place - leaf.stalk) / (1 - leaf.stalk)
    size = leaf.width * (
        0.12 + np.minimum(np.maximum(1 - rank, 0), 1) ** 0.8 * np.minimum(0.6 + 3 * rank, 1)
    )
    size *= rng.lognormal(0, 0.15, size.shape)
    foot = midrib(place)
    stems = fixed([foot, foot + size[..., None] * unit(angle)], corner)
    lobes = fixed(lobe_lines(rng, foot, angle, size), corner)
    rachis = fixed([midrib(RACHIS)], corner).reshape(1, -1, 2)
    batches = [(stems, 9, 1), (rachis, 10, 2)]
    shade = rng.integers(1, 9, len(lobes))
    for group in range(1, 9):
        some = lobes[shade == group]
        if not len(some):
            continue
        # OpenCV's lines of thickness 2 are 3 pixels wide: thick foot, thin tip
        thick = group > 3
        batches.append((some, group, 2 if bold and thick else 1))
        if thick and not bold:
            batches.append((some[:, :2], group, 2))
    return batches


def fixed(vertices: list[np.ndarray], corner: tuple[int, int]) -> np.ndarray:
    """Returns the lines `(N, K, 2)` through K arrays of N vertices `(..., 2)`, see above."""
    lines = np.stack([points.reshape(-1, 2) for points in vertices], 1)
    return np.rint((lines - corner) * (1 << SHIFT)).astype(np.int32)


def lobe_lines(
    rng: Generator, foot: np.ndarray, angle: np.ndarray, size: np.ndarray
) -> list[np.ndarray]:
    """Returns foot, middle and tip of the curved lobes on both sides of every leaflet."""
    rungs = int(min(max(size.max() / 7, 2), 5))
    at = np.linspace(0.22, 1.0, rungs)[:, None] + rng.normal(0, 0.04, (*size.shape, rungs, 2))
    foot, angle, size = foot[..., None, None, :], angle[..., None, None], size[..., None, None]
    start = foot + (size * at)[..., None] * unit(angle)
    spread = rng.uniform(0.45, 0.95, at.shape) * np.array([-1, 1])
    reach = size * (0.12 + 0.22 * (1 - at)) + 2.0
    reach = (reach * rng.lognormal(0, 0.2, at.shape))[..., None]
    heading = angle + spread
    middle = start + 0.55 * reach * unit(heading)
    end = middle + 0.45 * reach * unit(heading - 0.6 * spread)
    return [start, middle, end]
