"""Made-up field photographs with exact truth: two weeds on soil, seen from above.

Every field follows from its seed. The picture is rendered at twice the resolution with the
pixel centres on every other sample, so that the truth is read off at exactly those samples and
never blended. With the same major version of OpenCV the labels are the same everywhere, and the
colours to within one level of 255.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tta_demo.samples.labelled import LabelledPicture
from tta_demo.samples.weeds.camera import lit, photograph
from tta_demo.samples.weeds.plants import (
    LARGEST,
    SKIN,
    Blade,
    blade,
    broad_plant,
    feathery_plant,
    grass,
    shade,
)
from tta_demo.samples.weeds.soil import Scene, fractal, ground, stone

__all__ = [
    "COUNTS",
    "DIFFICULTY",
    "FAMILIAR_SUN_BELOW",
    "SEEDS",
    "Field",
    "Plant",
    "field",
    "labelled",
    "sample",
    "sun_of",
]

SEEDS = {
    "train": range(1_000_000, 2_000_000),
    "val": range(2_000_000, 2_001_000),
    "calibration": range(3_000_000, 3_010_000),
    "test": range(4_000_000, 4_010_000),
}
"""The seeds of each split; no seed is in two."""

COUNTS = {"train": 1000, "val": 60, "calibration": 100, "test": 200}
"""How many fields of each split are used, from its first seed on."""

DIFFICULTY = 0.7
"""Of calibration, test and the page, as hard as it gets under the usual sun; fields to train and
validate on have all difficulties."""

FAMILIAR_SUN_BELOW = 0.7
"""Up to this difficulty the sun stands in its usual quarter of the sky."""


@dataclass(frozen=True)
class Plant:
    """One plant of a field.

    Attributes:
        box: left, top, right, bottom edges of its visible pixels.
        label: 1 = Weed-1 (feathery), 2 = Weed-2 (broad).
        visible: number of its visible pixels, at least 1.
    """

    box: tuple[float, float, float, float]
    label: int
    visible: int


@dataclass(frozen=True)
class Field:
    """A field photograph with its truth.

    Attributes:
        rgb: `(H, W, 3)` uint8.
        labels: `(H, W)` uint8 class ids, see `palettes.WEEDS`.
        plants: the plants of which at least one pixel shows.
    """

    rgb: np.ndarray
    labels: np.ndarray
    plants: tuple[Plant, ...]


def stream(seed: int, purpose: int) -> np.random.Generator:
    """Returns a generator of its own for each purpose, so that one change leaves the rest."""
    return np.random.Generator(np.random.PCG64([seed, purpose]))


def field(
    seed: int,
    size: tuple[int, int] = (256, 256),
    difficulty: float = DIFFICULTY,
    sun: tuple[float, float] | None = None,
) -> Field:
    """Returns the field of a seed.

    Args:
        seed: at least 0; see `SEEDS` for who uses which.
        size: (height, width) in pixels, 64..1024 each. Plants keep their size in pixels.
        difficulty: 0 (bright, sharp, sparse) .. 1 (dusk, noise, blur, look-alikes).
        sun: (azimuth, elevation) in radians, azimuth from x towards y (down); by default
            `sun_of(seed, difficulty)`.

    Raises:
        ValueError: an argument is out of range; names its value.
    """
    if len(size) != 2 or not all(64 <= int(side) == side <= 1024 for side in size):
        raise ValueError(f"size must be (height, width), each 64..1024, not {size}")
    if not 0 <= difficulty <= 1:
        raise ValueError(f"difficulty must be 0..1, not {difficulty}")
    if sun is not None and not 0.05 <= sun[1] <= np.pi / 2:
        raise ValueError(f"the sun's elevation must be 0.05..pi/2 radians, not {sun[1]}")
    if seed < 0:
        raise ValueError(f"seed must be at least 0, not {seed}")
    height, width = int(size[0]), int(size[1])
    scene, kinds = plant_scene(seed, (2 * height + 1, 2 * width + 1), difficulty)
    light = lit(
        scene, sun_of(seed, difficulty) if sun is None else sun, stream(seed, 4), difficulty
    )
    rgb = photograph(light, scene.layers[3, 1::2, 1::2], stream(seed, 5), difficulty)
    owner = scene.owner[1::2, 1::2]
    return Field(rgb, kinds[owner], visible_plants(owner, kinds))


def sample(
    seed: int, difficulty: float = DIFFICULTY, sun: tuple[float, float] | None = None
) -> LabelledPicture:
    """Returns a field of 256x256 as a labelled picture named by its seed; see `field`."""
    made = field(seed, difficulty=difficulty, sun=sun)
    return LabelledPicture(f"weeds-{seed}", made.rgb, made.labels)


def labelled(split: str, data: Path | None = None) -> Iterator[LabelledPicture]:
    """Yields the fields of a split, `COUNTS[split]` of them.

    Args:
        split: a key of `SEEDS`.
        data: not needed: fields are made, not read.

    Raises:
        ValueError: a folder was given.
    """
    if data is not None:
        raise ValueError(f"--data {data}: weed fields are generated, leave --data out")
    for seed in SEEDS[split][: COUNTS[split]]:
        if split in ("train", "val"):
            # All of one flight: every difficulty, but the sun always in its usual quarter.
            yield sample(seed, stream(seed, 6).random(), sun_of(seed, 0))
        else:
            yield sample(seed)


def sun_of(seed: int, difficulty: float) -> tuple[float, float]:
    """Returns the sun's azimuth and elevation in radians.

    The azimuth is in pi..1.5 pi (top left) and the elevation in 35..65 degrees, except for some
    seeds at a difficulty above `FAMILIAR_SUN_BELOW`, where it may stand anywhere above 20 degrees.
    """
    rng = stream(seed, 0)
    usual = (rng.uniform(np.pi, 1.5 * np.pi), np.radians(rng.uniform(35, 65)))
    odd = (rng.uniform(0, 2 * np.pi), np.radians(rng.uniform(20, 70)))
    chance = (difficulty - FAMILIAR_SUN_BELOW) / (1 - FAMILIAR_SUN_BELOW)
    azimuth, elevation = odd if rng.random() < 0.6 * chance else usual
    return float(azimuth), float(elevation)


def visible_plants(owner: np.ndarray, kinds: np.ndarray) -> tuple[Plant, ...]:
    """Returns the plants that own at least one pixel of `(H, W)` `owner`."""
    rows, columns = np.nonzero(owner)
    order = np.argsort(owner[rows, columns], kind="stable")
    rows, columns = rows[order], columns[order]
    numbers, first, counts = np.unique(owner[rows, columns], return_index=True, return_counts=True)
    if not len(numbers):
        return ()
    edges = np.stack(
        [
            np.minimum.reduceat(columns, first),
            np.minimum.reduceat(rows, first),
            np.maximum.reduceat(columns, first) + 1,
            np.maximum.reduceat(rows, first) + 1,
        ],
        axis=1,
    ).astype(float)
    return tuple(
        Plant(tuple(box), int(kinds[number]), int(count))
        for box, number, count in zip(edges.tolist(), numbers, counts, strict=True)
    )


def plant_scene(seed: int, shape: tuple[int, int], difficulty: float) -> tuple[Scene, np.ndarray]:
    """Returns the unlit scene and the class of each plant id (index 0 = background)."""
    rng = stream(seed, 1)
    scene = ground(rng, shape, moss=difficulty * rng.random())
    skin = fractal(rng, (SKIN, SKIN), 14, 4, 0.75)
    litter(rng, scene, skin, difficulty)
    rng = stream(seed, 2)
    plants = layout(rng, shape, difficulty)
    greens = plant_greens(rng, difficulty)
    for number, (label, centre, radius) in enumerate(plants, 1):
        tint = rng.lognormal(0, 0.16) * rng.lognormal(0, 0.06, 3)
        green = greens[label - 1] * tint
        if label == 1:
            feathery_plant(rng, scene, centre, radius, green, number)
        else:
            broad_plant(rng, scene, centre, radius, green, skin, number)
        if rng.random() < 0.1 + 0.4 * difficulty:
            foot = rng.uniform(0, shape[::-1])
            grass(rng, scene, foot, rng.uniform(25, 80), grass_green(rng), skin)
    shade(scene)
    return scene, np.array([0] + [label for label, _, _ in plants], np.uint8)


def plant_greens(rng: np.random.Generator, difficulty: float) -> np.ndarray:
    """Returns the linear greens of Weed-1 and Weed-2; alike where the field is difficult."""
    feathery = np.array([0.150, 0.215, 0.060]) * rng.lognormal(0, [0.12, 0.08, 0.2])
    broad = np.array([0.100, 0.165, 0.052]) * rng.lognormal(0, [0.14, 0.1, 0.22])
    middle, merge = np.sqrt(feathery * broad), 0.85 * difficulty * rng.uniform(0.5, 1)
    return np.array([feathery, broad]) * (1 - merge) + middle * merge


def grass_green(rng: np.random.Generator) -> np.ndarray:
    """Returns the linear colour of a grass tuft, sometimes half dry."""
    dry = rng.random() ** 3
    green = np.array([0.115, 0.175, 0.055]) * (1 - dry) + np.array([0.34, 0.27, 0.13]) * dry
    return green * rng.lognormal(0, 0.2) * rng.lognormal(0, 0.06, 3)


def litter(rng: np.random.Generator, scene: Scene, skin: np.ndarray, difficulty: float) -> None:
    """Strews stones, straw, dead leaves and grass over the ground."""
    height, width = scene.owner.shape
    pictures = scene.owner.size / 513**2
    corner = (width, height)
    for _ in range(rng.poisson((3 + 40 * rng.random() ** 4) * pictures)):
        stone(rng, scene, rng.uniform(0, corner), 3 + rng.gamma(2, 2.2))
    for _ in range(rng.poisson(16 * pictures * rng.random())):
        tan = np.array([0.42, 0.32, 0.19]) * rng.lognormal(-0.5, 0.35)
        stick(rng, scene, rng.uniform(0, corner), rng.uniform(10, 60), 0.03, tan, skin)
    for _ in range(rng.poisson(5 * pictures * difficulty)):
        brown = np.array([0.17, 0.115, 0.06]) * rng.lognormal(0, 0.12, 3)
        stick(rng, scene, rng.uniform(0, corner), rng.uniform(20, 50), 0.25, brown, skin)
    for _ in range(rng.poisson((1 + 9 * difficulty) * pictures)):
        grass(rng, scene, rng.uniform(0, corner), rng.uniform(20, 90), grass_green(rng), skin)


def stick(
    rng: np.random.Generator,
    scene: Scene,
    foot: np.ndarray,
    length: float,
    slim: float,
    colour: np.ndarray,
    skin: np.ndarray,
) -> None:
    """Lays a piece of straw (slim) or a dead leaf (not so slim) on the ground."""
    leaf = Blade(
        base=tuple(foot),
        heading=rng.uniform(0, 2 * np.pi),
        length=length,
        width=max(slim * length * rng.uniform(0.7, 1.3), 1.1),
        stalk=0.05,
        widest=0.5,
        blunt=0.15 if slim < 0.1 else 0.7,
        bend=rng.normal(0, 0.6 * slim + 0.03),
        wave=0.1,
        veins=5,
        low=2.5,
        rise=0.1,
        colour=colour.astype(np.float32),
        rib=(1.1 * colour).astype(np.float32),
        gloss=0.05,
    )
    blade(rng, scene, leaf, skin, 0)


def layout(
    rng: np.random.Generator, shape: tuple[int, int], difficulty: float
) -> list[tuple[int, np.ndarray, float]]:
    """Returns (label, centre (x, y), radius) of every plant, the lowest first."""
    area = shape[0] * shape[1]
    cover = rng.uniform(0.10, 0.20) + 0.13 * difficulty * rng.random()
    share = rng.uniform(0.35, 0.65)
    if rng.random() < 0.03:
        share = float(rng.integers(2))
    small = 1 - 0.45 * difficulty * rng.random()
    row = (rng.uniform(0, np.pi), rng.uniform(110, 220), rng.uniform(0.0, 0.9))
    plants: list[tuple[int, np.ndarray, float]] = []
    for label, goal in ((1, share * cover * area), (2, (1 - share) * cover * area)):
        # the radius' logarithm: mean and deviation; and how much of the disc its leaves fill
        usual, filled = ((4.4, 0.25), 0.30) if label == 1 else ((3.8, 0.36), 0.48)
        while goal > 0:
            radius = min(small * rng.lognormal(*usual), LARGEST)
            centre = open_place(rng, shape, radius, plants, row if label == 1 else None)
            low, high = np.maximum(centre - radius, 0), np.minimum(centre + radius, shape[::-1])
            goal -= filled * np.prod(np.maximum(high - low, 0)) * 0.785
            plants.append((label, centre, radius))
    return sorted(plants, key=lambda plant: plant[2] * rng.uniform(0.5, 1.5))


def open_place(
    rng: np.random.Generator,
    shape: tuple[int, int],
    radius: float,
    plants: list[tuple[int, np.ndarray, float]],
    row: tuple[float, float, float] | None,
) -> np.ndarray:
    """Returns the (x, y) of six tries that touches its neighbours least; `row` draws it in."""
    centres = rng.uniform(-0.2 * radius, np.array(shape[::-1]) + 0.2 * radius, (6, 2))
    if row is not None:
        angle, spacing, pull = row
        across = np.array([-np.sin(angle), np.cos(angle)])
        off = centres @ across
        centres += (pull * (np.round(off / spacing) * spacing - off))[:, None] * across
    if not plants:
        return centres[0]
    others = np.array([(*centre, size) for _, centre, size in plants])
    gap = np.linalg.norm(centres[:, None] - others[:, :2], axis=2)
    touch = np.maximum(0.75 * (radius + others[:, 2]) - gap, 0).sum(1)
    return centres[np.argmin(touch)]
