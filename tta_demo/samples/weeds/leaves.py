"""Flat leaves seen from above: sketched where they lie, shaded once it is known what shows."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.random import Generator

from tta_demo.samples.weeds.soil import SKIN, Scene, moved

__all__ = ["Blade", "blade", "leaf_axes", "shade", "unit", "window"]

DEAD = np.array([[0.26], [0.19], [0.06]], np.float32)
"""Linear reflectance of dead tissue."""
YOUNG = np.array([[0.10], [0.02], [-0.05]], np.float32)
"""By how much young tissue is yellower."""
STEPS = 128
"""Samples of an outline along its leaf."""
PLACE = np.linspace(0, 1, STEPS)
"""Where along the leaf they lie."""
RIPPLES = np.array([2, 3, 5, 9])[:, None, None]
"""Half waves along the margin of a leaf."""


@dataclass(frozen=True)
class Blade:
    """One flat leaf.

    Attributes:
        base: (x, y) of its foot in pixels.
        heading: direction from foot to tip, radians, y down.
        length: in pixels, stalk included.
        width: of either half at the widest place, in pixels.
        bend: sideways displacement of the tip as a share of the length.
        low: height of the foot above the ground, in pixels.
        rise: steepness at the foot; the tip droops.
        colour: linear reflectance of the blade.
        rib: linear reflectance of midrib and veins.
        gloss: 0 dull .. 1.
        stalk: share of the length that is stalk, 0..1.
        widest: where along the blade it is widest, 0 (foot) .. 1 (tip).
        blunt: 0.4 (rounded) .. 1.5 (pointed).
        wave: depth of the margin's waves as a share of the width.
        veins: number of side veins on either side.
    """

    base: np.ndarray
    heading: float
    length: float
    width: float
    bend: float
    low: float
    rise: float
    colour: np.ndarray
    rib: np.ndarray
    gloss: float
    stalk: float = 0
    widest: float = 0.5
    blunt: float = 1
    wave: float = 0
    veins: float = 0


def blade(rng: Generator, scene: Scene, leaf: Blade, owner: int) -> None:
    """Sketches one leaf, for `shade` to colour."""
    crop = window(leaf, leaf.length, leaf.width, scene.owner.shape)
    if crop is None:
        return
    along, across = (axis.reshape(-1) for axis in leaf_axes(leaf, crop))
    half = half_widths(rng, leaf)
    # most of a window lies outside its leaf: work on the pixels that may be inside
    inside = np.flatnonzero((along >= 0) & (along < 1) & (np.abs(across) < half.max()))
    along, across = along[inside], across[inside]
    width = half[(across > 0).astype(np.int8), (along * (STEPS - 1)).astype(np.int32)]
    kept = np.flatnonzero(np.abs(across) < width)
    if not len(kept):
        return
    inside, along, across, width = inside[kept], along[kept], across[kept], width[kept]
    high, wide = crop[1] - crop[0], crop[3] - crop[2]
    row, column = (int(rng.integers(SKIN - extent + 1)) for extent in (high, wide))
    noise = scene.skin.reshape(-1)[moved(inside, wide, SKIN, row, column)]
    pixels = moved(inside, wide, scene.owner.shape[1], crop[0], crop[2])
    # how the leaf holds itself: droop, cup, curl, roll, flutter's rate and start
    bent = rng.uniform([0.45, 0.25, 0.25], [0.95, 0.6, 0.6])
    poise = (*bent, rng.normal(0, 0.15), rng.uniform(2, 4), rng.random())
    scene.paint(pixels, (along, across, width, noise), owner, (leaf, poise))


def shade(scene: Scene) -> None:
    """Gives the leaves that `blade` sketched their colour and relief, where they show."""
    pixels = np.flatnonzero(scene.leaf)
    if not len(pixels):
        return
    number = scene.leaf.reshape(-1)[pixels] - 1
    blades, poises = zip(*scene.leaves, strict=True)
    leaf, poises = per_pixel(blades, number), np.array(poises, np.float32).T[:, number]
    along, across, width, noise = scene.layers.reshape(7, -1)[:4, pixels]
    off, side = np.abs(across), np.where(across > 0, np.float32(1), np.float32(-1))
    rim = off / np.maximum(width, 1)
    phase = along * leaf.veins * 1.3 - 0.75 * off / leaf.width + 0.2 * side
    furrow = 2 * (phase - np.rint(phase))
    colour = blade_colour(leaf, along, off, rim, np.abs(furrow), noise)
    gloss = np.maximum(leaf.gloss * (0.8 + 0.15 * noise), 0.02)
    layer = (*colour, *relief(leaf, poises, along, rim, furrow, side), gloss)
    for plane, values in zip(scene.layers.reshape(7, -1), layer, strict=True):
        plane[pixels] = values


def per_pixel(leaves: list[Blade], number: np.ndarray) -> Blade:
    """Returns the traits of the leaves `number` `(N,)` as one `Blade` of arrays `(..., N)`."""
    names = [trait.name for trait in fields(Blade)]
    tables = (np.array([getattr(leaf, name) for leaf in leaves], np.float32) for name in names)
    return Blade(*(table.T[..., number] for table in tables))


def unit(angle: np.ndarray | float) -> np.ndarray:
    """Returns the unit vectors `(..., 2)` of angles in radians."""
    return np.stack([np.cos(angle), np.sin(angle)], -1)


def window(
    leaf: Blade, length: float, width: float, shape: tuple[int, int]
) -> tuple[int, int, int, int] | None:
    """Returns (top, bottom, left, right) around a leaf, cut by the picture; None if outside."""
    reach = width + abs(leaf.bend) * leaf.length
    ends = np.array([leaf.base, leaf.base + length * unit(leaf.heading)])
    left, top = (max(int(low - reach) - 2, 0) for low in ends.min(0))
    right, bottom = (min(int(ends[:, i].max() + reach) + 3, shape[1 - i]) for i in (0, 1))
    return (top, bottom, left, right) if top < bottom and left < right else None


def leaf_axes(leaf: Blade, crop: tuple[int, int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Returns each pixel's place along (0..1) and across (pixels) the bent midrib."""
    y = (np.arange(crop[0], crop[1])[:, None] - leaf.base[1]).astype(np.float32)
    x = (np.arange(crop[2], crop[3]) - leaf.base[0]).astype(np.float32)
    cosine, sine = np.float32(np.cos(leaf.heading)), np.float32(np.sin(leaf.heading))
    along = (x * cosine + y * sine) / np.float32(leaf.length)
    across = y * cosine - x * sine - np.float32(leaf.bend * leaf.length) * along * np.abs(along)
    return along, across


def half_widths(rng: Generator, leaf: Blade) -> np.ndarray:
    """Returns `(2, STEPS)`: the width of either half along the leaf, in pixels."""
    on_blade = np.minimum(np.maximum((PLACE - leaf.stalk) / (1 - leaf.stalk), 0), 1)
    # x^a (1-x)^b peaks at a / (a + b): choose the exponents for the wanted peak
    foot, tip = leaf.blunt * leaf.widest * 1.6, leaf.blunt * (1 - leaf.widest) * 1.6
    peak = leaf.widest**foot * (1 - leaf.widest) ** tip
    outline = on_blade**foot * (1 - on_blade) ** tip / peak
    stalk = (0.13 * leaf.width + 0.5) * (1.2 - PLACE) * (leaf.stalk + 0.1 > PLACE)
    swing = rng.standard_normal((4, 2, 1)) * RIPPLES**-0.5
    start = 6.3 * rng.random((4, 2, 1))
    wide = leaf.width * outline
    if leaf.wave:
        wide = wide * (1 + leaf.wave * (swing * np.sin(RIPPLES * np.pi * PLACE + start)).sum(0))
    return np.broadcast_to(np.maximum(wide, stalk).astype(np.float32), (2, STEPS))


def blade_colour(
    leaf: Blade,
    along: np.ndarray,
    off: np.ndarray,
    rim: np.ndarray,
    furrow: np.ndarray,
    noise: np.ndarray,
) -> np.ndarray:
    """Returns `(3, N)` linear reflectance with midrib, veins, mottling and a pale foot."""
    rib_width = (0.09 * leaf.width + 0.7) * np.maximum(1.15 - along, 0.2)
    rib = np.clip(1.4 - off / rib_width, 0, 1) * np.float32(0.85)
    vein = np.maximum(1 - 3.5 * furrow, 0) * (1 - 0.6 * rim) * np.float32(0.34)
    stalk = np.clip(1 - (along - leaf.stalk) * 12, 0, 1) * np.float32(0.7)
    pale = np.maximum(np.maximum(rib, vein), stalk)
    tone = 1 + 0.10 * noise - 0.08 * (1 - furrow) + 0.1 * rim
    # mottling also shifts the hue: young tissue is yellower
    flesh = leaf.colour * tone * (1 + YOUNG * noise)
    # a few spots have died off
    flesh += np.clip(1.2 * (noise - 2), 0, 0.6) * (DEAD - flesh)
    return np.maximum(flesh + pale * (leaf.rib - flesh), 0.004)


def relief(
    leaf: Blade,
    poises: np.ndarray,
    along: np.ndarray,
    rim: np.ndarray,
    furrow: np.ndarray,
    side: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Returns height in pixels and its slopes along x and y, `(N,)` each; see `blade`."""
    droop, cup, curl, roll, rate, start = poises
    arch = leaf.rise * leaf.length * (along - droop * along * along)
    beat = along * rate + start
    flutter = 3 * leaf.wave * rim * (np.abs(beat - np.rint(beat)) - 0.25)
    # the slopes along and across follow from the height; then they are turned to x and y
    ahead = leaf.rise * (1 - 2 * droop * along)
    aside = (
        side * (cup - 2 * curl * rim + flutter) + roll - 0.5 * side * furrow * (1 - np.abs(furrow))
    )
    cosine, sine = np.cos(leaf.heading), np.sin(leaf.heading)
    height = leaf.low + arch + leaf.width * (rim * (cup - curl * rim) + roll * rim * side)
    slope_x, slope_y = ahead * cosine - aside * sine, ahead * sine + aside * cosine
    return height, np.clip(slope_x, -1.2, 1.2), np.clip(slope_y, -1.2, 1.2)
