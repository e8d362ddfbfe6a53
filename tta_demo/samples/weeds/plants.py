"""Plants seen from above: blades, feathery fronds, and the rosettes they make up."""

from dataclasses import dataclass, fields, replace

import cv2
import numpy as np

from tta_demo.samples.weeds.soil import Scene

__all__ = [
    "LARGEST",
    "SKIN",
    "Blade",
    "blade",
    "broad_plant",
    "feathery_plant",
    "frond",
    "grass",
    "shade",
]

GOLDEN = 2.39996
"""Angle in radians between a leaf and the next younger one."""
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
LARGEST = 110.0
"""Largest radius of a plant in pixels; single leaves reach a quarter further."""
SKIN = 360
"""Side in pixels of the noise that leaves take their mottling from; no leaf's window is larger."""
RACHIS = np.linspace(0, 1.0, 12)
"""Vertices of a frond's midrib along the leaf."""
SHIFT = 4
"""Fractional bits of OpenCV's drawing coordinates."""


@dataclass(frozen=True)
class Blade:
    """One flat leaf.

    Attributes:
        base: (x, y) of its foot in pixels.
        heading: direction from foot to tip, radians, y down.
        length: in pixels, stalk included.
        width: of either half at the widest place, in pixels.
        stalk: share of the length that is stalk, 0..1.
        widest: where along the blade it is widest, 0 (foot) .. 1 (tip).
        blunt: 0.4 (rounded) .. 1.5 (pointed).
        bend: sideways displacement of the tip as a share of the length.
        wave: depth of the margin's waves as a share of the width.
        veins: number of side veins on either side.
        low: height of the foot above the ground, in pixels.
        rise: steepness at the foot; the tip droops.
        colour: linear reflectance of the blade.
        rib: linear reflectance of midrib and veins.
        gloss: 0 dull .. 1.
    """

    base: tuple[float, float]
    heading: float
    length: float
    width: float
    stalk: float
    widest: float
    blunt: float
    bend: float
    wave: float
    veins: float
    low: float
    rise: float
    colour: np.ndarray
    rib: np.ndarray
    gloss: float


def blade(
    rng: np.random.Generator, scene: Scene, leaf: Blade, skin: np.ndarray, owner: int
) -> None:
    """Sketches one leaf, for `shade` to colour; `skin` is a `(SKIN, SKIN)` noise to mottle it."""
    crop = window(
        leaf.base,
        leaf.heading,
        leaf.length,
        leaf.width + abs(leaf.bend) * leaf.length,
        scene.owner.shape,
    )
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
    noise = skin.reshape(-1)[moved(inside, wide, SKIN, row, column)]
    pixels = moved(inside, wide, scene.owner.shape[1], crop[0], crop[2])
    scene.sketch(pixels, (along, across, width, noise), (leaf, poise(rng)), owner)


def poise(rng: np.random.Generator) -> np.ndarray:
    """Returns how one leaf holds itself: droop, cup, curl, roll, flutter's rate and start."""
    droop = rng.uniform(0.45, 0.95)
    cup, curl, roll = rng.uniform(0.25, 0.6), rng.uniform(0.25, 0.6), rng.normal(0, 0.15)
    return np.array([droop, cup, curl, roll, rng.uniform(2, 4), rng.random()])


def shade(scene: Scene) -> None:
    """Gives the leaves that `blade` sketched their colour and relief, where they show."""
    sketch = scene.leaf.reshape(-1)
    pixels = np.flatnonzero(sketch)
    if not len(pixels):
        return
    number = sketch[pixels] - 1
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
    tables = {
        name: np.array([getattr(leaf, name) for leaf in leaves], np.float32) for name in names
    }
    return Blade(**{name: table.T[..., number] for name, table in tables.items()})


def window(
    base: tuple[float, float], heading: float, length: float, reach: float, shape: tuple[int, int]
) -> tuple[int, int, int, int] | None:
    """Returns (top, bottom, left, right) around a leaf, cut by the picture; None if outside."""
    tip = (base[0] + length * np.cos(heading), base[1] + length * np.sin(heading))
    left, top = (max(int(min(base[i], tip[i]) - reach) - 2, 0) for i in (0, 1))
    right, bottom = (min(int(max(base[i], tip[i]) + reach) + 3, shape[1 - i]) for i in (0, 1))
    return (top, bottom, left, right) if top < bottom and left < right else None


def moved(inside: np.ndarray, width: int, wider: int, top: int, left: int) -> np.ndarray:
    """Returns flat places in a window of `width` as places in an array of `wider` rows."""
    return inside + inside // width * (wider - width) + (top * wider + left)


def leaf_axes(leaf: Blade, crop: tuple[int, int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Returns each pixel's place along (0..1) and across (pixels) the bent midrib."""
    y = (np.arange(crop[0], crop[1])[:, None] - leaf.base[1]).astype(np.float32)
    x = (np.arange(crop[2], crop[3]) - leaf.base[0]).astype(np.float32)
    cosine, sine = np.float32(np.cos(leaf.heading)), np.float32(np.sin(leaf.heading))
    along = (x * cosine + y * sine) / np.float32(leaf.length)
    across = y * cosine - x * sine - np.float32(leaf.bend * leaf.length) * along * np.abs(along)
    return along, across


def half_widths(rng: np.random.Generator, leaf: Blade) -> np.ndarray:
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
    """Returns height in pixels and its slopes along x and y, `(N,)` each; see `poise`."""
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


def frond(rng: np.random.Generator, scene: Scene, leaf: Blade, owner: int, bold: bool) -> None:
    """Draws one twice-pinnate leaf along the midrib of `leaf`.

    Args:
        rng: source of the jitter.
        scene: drawn upon.
        leaf: its base, heading, length, bend, low, rise, colour and rib are used; `width` is the
            length of the longest leaflet.
        owner: plant id.
        bold: whether the lobes' tips are as thick as their feet.
    """
    reach = 1.3 * leaf.width + abs(leaf.bend) * leaf.length
    crop = window(
        leaf.base, leaf.heading, leaf.length + 0.5 * leaf.width, reach, scene.owner.shape
    )
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


def frond_shades(
    rng: np.random.Generator, leaf: Blade, groups: np.ndarray, along: np.ndarray
) -> np.ndarray:
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
    rng: np.random.Generator, leaf: Blade, bold: bool, corner: tuple[int, int]
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
    lines = np.empty((vertices[0].size // 2, len(vertices), 2))
    for place, points in enumerate(vertices):
        lines[:, place] = points.reshape(-1, 2)
    return np.rint((lines - corner) * (1 << SHIFT)).astype(np.int32)


def lobe_lines(
    rng: np.random.Generator, foot: np.ndarray, angle: np.ndarray, size: np.ndarray
) -> list[np.ndarray]:
    """Returns foot, middle and tip of the curved lobes on both sides of every leaflet."""
    rungs = int(min(max(size.max() / 7, 2), 5))
    at = np.linspace(0.22, 1.0, rungs)[:, None] + rng.normal(0, 0.04, (*size.shape, rungs, 2))
    start = foot[..., None, None, :] + (size[..., None, None] * at)[..., None] * unit(
        angle[..., None, None]
    )
    spread = rng.uniform(0.45, 0.95, at.shape) * np.array([-1, 1])
    reach = size[..., None, None] * (0.12 + 0.22 * (1 - at)) + 2.0
    reach = (reach * rng.lognormal(0, 0.2, at.shape))[..., None]
    heading = angle[..., None, None] + spread
    middle = start + 0.55 * reach * unit(heading)
    end = middle + 0.45 * reach * unit(heading - 0.6 * spread)
    return [start, middle, end]


def unit(angle: np.ndarray | float) -> np.ndarray:
    """Returns the unit vectors `(..., 2)` of angles in radians."""
    vectors = np.empty((*np.shape(angle), 2))
    vectors[..., 0], vectors[..., 1] = np.cos(angle), np.sin(angle)
    return vectors


def feathery_plant(
    rng: np.random.Generator,
    scene: Scene,
    centre: np.ndarray,
    radius: float,
    green: np.ndarray,
    owner: int,
) -> None:
    """Draws a Weed-1: fronds around `centre` (x, y), the longest about `radius` pixels."""
    count = int(min(max(radius / 8 + rng.normal(0, 1.5), 2), 12))
    turn = rng.uniform(0, 2 * np.pi)
    lean = rng.uniform(0, 2 * np.pi)
    bold = radius > 90 * rng.lognormal(0, 0.2)
    for k in range(count):
        young = k / count
        heading = turn + k * GOLDEN + rng.normal(0, 0.45)
        # plants lean, so leaves on one side look shorter from above
        length = radius * (0.98 - 0.5 * young**1.5) * rng.uniform(0.65, 1.08)
        length *= 1 + 0.22 * np.cos(heading - lean)
        tint = rng.lognormal(0, 0.10) * rng.lognormal(0, 0.05, 3)
        colour = (green * tint).astype(np.float32)
        leaf = Blade(
            base=tuple(centre + 0.04 * radius * unit(heading)),
            heading=heading,
            length=length,
            width=length * rng.uniform(0.26, 0.38),
            stalk=rng.uniform(0.2, 0.36),
            widest=0.5,
            blunt=1,
            bend=rng.normal(0, 0.2),
            wave=0,
            veins=0,
            low=2 + 5 * young,
            rise=rng.uniform(0.35, 0.8),
            colour=colour,
            rib=colour * np.array([1.35, 1.25, 1.2], np.float32),
            gloss=0.22,
        )
        frond(rng, scene, leaf, owner, bold)


def broad_plant(
    rng: np.random.Generator,
    scene: Scene,
    centre: np.ndarray,
    radius: float,
    green: np.ndarray,
    skin: np.ndarray,
    owner: int,
) -> None:
    """Draws a Weed-2: a rosette of rounded leaves around `centre`, about `radius` pixels."""
    count = int(min(max(radius / 7.5 + rng.normal(0.5, 1.3), 3), 9))
    turn = rng.uniform(0, 2 * np.pi)
    slim = rng.uniform(0.2, 0.4)
    habit = broad_habit(rng)
    stalk = rng.uniform(0.12, 0.34)
    reddish = np.array([1.9, 0.9, 0.9]) if rng.random() < 0.25 else np.array([1.5, 1.35, 1.35])
    for k in range(count):
        young = k / count
        heading = turn + k * GOLDEN + rng.normal(0, 0.35)
        length = radius * (1 - 0.62 * young**1.3) * rng.uniform(0.75, 1.1)
        length *= 1 + 0.15 * np.cos(heading - turn)
        tint = rng.lognormal(0, 0.14) * rng.lognormal(0, 0.05, 3)
        tint = tint * (1 + young * np.array([0.35, 0.2, 0.05]))
        colour = (green * tint).astype(np.float32)
        leaf = Blade(
            base=tuple(centre + rng.normal(0, 0.03 * radius, 2)),
            heading=heading,
            length=length,
            width=length * slim * rng.uniform(0.85, 1.15),
            stalk=stalk * (1 - 0.5 * young),
            bend=rng.uniform(-0.18, 0.18),
            low=1.5 + 6 * young,
            rise=rng.uniform(0.25, 0.7),
            colour=colour,
            rib=(colour * reddish).astype(np.float32),
            **habit,
        )
        blade(rng, scene, leaf, skin, owner)


def broad_habit(rng: np.random.Generator) -> dict[str, float]:
    """Returns what all leaves of one Weed-2 have in common."""
    return {
        "widest": rng.uniform(0.36, 0.55),
        "blunt": rng.uniform(0.35, 0.75),
        "wave": rng.uniform(0.03, 0.12),
        "veins": rng.uniform(4, 7),
        "gloss": rng.uniform(0.35, 0.9),
    }


def grass(
    rng: np.random.Generator,
    scene: Scene,
    foot: np.ndarray,
    length: float,
    colour: np.ndarray,
    skin: np.ndarray,
) -> None:
    """Draws a tuft of one to five thin blades; they belong to the background."""
    straight = Blade(
        base=tuple(foot),
        heading=0,
        length=length,
        width=0.013 * length + 0.8,
        stalk=0,
        widest=0.3,
        blunt=0.5,
        bend=0,
        wave=0,
        veins=0,
        low=1,
        rise=0.4,
        colour=colour.astype(np.float32),
        rib=(1.25 * colour).astype(np.float32),
        gloss=0.3,
    )
    fan = rng.uniform(0, 2 * np.pi)
    for _ in range(rng.integers(1, 6)):
        heading, bend = fan + rng.normal(0, 0.8), rng.uniform(-0.45, 0.45)
        longer = length * rng.uniform(0.4, 1.3)
        blade(rng, scene, replace(straight, heading=heading, bend=bend, length=longer), skin, 0)
