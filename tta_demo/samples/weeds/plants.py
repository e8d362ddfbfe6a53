"""The plants of a field and what lies between them: where they stand, and how they look."""

import numpy as np
from numpy.random import Generator

from tta_demo.samples.weeds.fronds import frond
from tta_demo.samples.weeds.leaves import Blade, blade, shade, unit
from tta_demo.samples.weeds.soil import Scene, ground, stone

__all__ = ["plant_scene"]

GOLDEN = 2.39996
"""Angle in radians between a leaf and the next younger one."""
LARGEST = 110.0
"""Largest radius of a plant in pixels; single leaves reach a quarter further."""
GRASS = {"low": 1, "rise": 0.4, "gloss": 0.3, "widest": 0.3, "blunt": 0.5}
LITTER = {"low": 2.5, "rise": 0.1, "gloss": 0.05, "stalk": 0.05, "wave": 0.1, "veins": 5}
"""What all blades of grass, all straw and all dead leaves have in common; see `Blade`."""
HABIT = {
    "widest": (0.36, 0.55),
    "blunt": (0.35, 0.75),
    "wave": (0.03, 0.12),
    "veins": (4, 7),
    "gloss": (0.35, 0.9),
}
"""The least and most of what all leaves of one Weed-2 have in common."""

Spot = tuple[int, np.ndarray, float]
"""Label, centre (x, y) and radius of a plant."""


def plant_scene(
    low: Generator, rng: Generator, shape: tuple[int, int], difficulty: float
) -> tuple[Scene, np.ndarray]:
    """Returns the unlit scene and the class of each plant id (index 0 = background).

    The ground and what lies on it are drawn by `low`, and the plants by `rng`.
    """
    scene = ground(low, shape, moss=difficulty * low.random())
    litter(low, scene, difficulty)
    plants = layout(rng, shape, difficulty)
    greens = plant_greens(rng, difficulty)
    for number, (label, centre, radius) in enumerate(plants, 1):
        green = greens[label - 1] * (rng.lognormal(0, 0.16) * rng.lognormal(0, 0.06, 3))
        draw = feathery_plant if label == 1 else broad_plant
        draw(rng, scene, centre, radius, green, number)
        if rng.random() < 0.1 + 0.4 * difficulty:
            grass(rng, scene, rng.uniform(0, shape[::-1]), rng.uniform(25, 80))
    shade(scene)
    return scene, np.array([0] + [label for label, _, _ in plants], np.uint8)


def plant_greens(rng: Generator, difficulty: float) -> np.ndarray:
    """Returns the linear greens of Weed-1 and Weed-2; alike where the field is difficult."""
    feathery = np.array([0.150, 0.215, 0.060]) * rng.lognormal(0, [0.12, 0.08, 0.2])
    broad = np.array([0.100, 0.165, 0.052]) * rng.lognormal(0, [0.14, 0.1, 0.22])
    middle, merge = np.sqrt(feathery * broad), 0.85 * difficulty * rng.uniform(0.5, 1)
    return np.array([feathery, broad]) * (1 - merge) + middle * merge


def litter(rng: Generator, scene: Scene, difficulty: float) -> None:
    """Strews stones, straw, dead leaves and grass over the ground."""
    corner, pictures = scene.owner.shape[::-1], scene.owner.size / 513**2
    for _ in range(rng.poisson((3 + 40 * rng.random() ** 4) * pictures)):
        stone(rng, scene, rng.uniform(0, corner), 3 + rng.gamma(2, 2.2))
    for _ in range(rng.poisson(16 * pictures * rng.random())):
        tan = np.array([0.42, 0.32, 0.19]) * rng.lognormal(-0.5, 0.35)
        stick(rng, scene, rng.uniform(0, corner), rng.uniform(10, 60), 0.03, tan)
    for _ in range(rng.poisson(5 * pictures * difficulty)):
        brown = np.array([0.17, 0.115, 0.06]) * rng.lognormal(0, 0.12, 3)
        stick(rng, scene, rng.uniform(0, corner), rng.uniform(20, 50), 0.25, brown)
    for _ in range(rng.poisson((1 + 9 * difficulty) * pictures)):
        grass(rng, scene, rng.uniform(0, corner), rng.uniform(20, 90))


def grass(rng: Generator, scene: Scene, foot: np.ndarray, length: float) -> None:
    """Draws a tuft of one to five thin blades, sometimes half dry; they are background."""
    dry = rng.random() ** 3
    green = np.array([0.115, 0.175, 0.055]) * (1 - dry) + np.array([0.34, 0.27, 0.13]) * dry
    green = green * rng.lognormal(0, 0.2) * rng.lognormal(0, 0.06, 3)
    fan, width = rng.uniform(0, 2 * np.pi), 0.013 * length + 0.8
    for _ in range(rng.integers(1, 6)):
        heading, bend = fan + rng.normal(0, 0.8), rng.uniform(-0.45, 0.45)
        longer = length * rng.uniform(0.4, 1.3)
        leaf = Blade(foot, heading, longer, width, bend, colour=green, rib=1.25 * green, **GRASS)
        blade(rng, scene, leaf, 0)


def stick(
    rng: Generator, scene: Scene, foot: np.ndarray, length: float, slim: float, colour: np.ndarray
) -> None:
    """Lays a piece of straw (slim) or a dead leaf (not so slim) on the ground."""
    heading = rng.uniform(0, 2 * np.pi)
    width = max(slim * length * rng.uniform(0.7, 1.3), 1.1)
    look = {"colour": colour, "rib": 1.1 * colour, "blunt": 0.15 if slim < 0.1 else 0.7} | LITTER
    leaf = Blade(foot, heading, length, width, rng.normal(0, 0.6 * slim + 0.03), **look)
    blade(rng, scene, leaf, 0)


def feathery_plant(
    rng: Generator, scene: Scene, centre: np.ndarray, radius: float, green: np.ndarray, owner: int
) -> None:
    """Draws a Weed-1: fronds around `centre` (x, y), the longest about `radius` pixels."""
    count = int(min(max(radius / 8 + rng.normal(0, 1.5), 2), 12))
    turn, lean = rng.uniform(0, 2 * np.pi, 2)
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
            base=centre + 0.04 * radius * unit(heading),
            heading=heading,
            length=length,
            width=length * rng.uniform(0.26, 0.38),
            stalk=rng.uniform(0.2, 0.36),
            bend=rng.normal(0, 0.2),
            low=2 + 5 * young,
            rise=rng.uniform(0.35, 0.8),
            colour=colour,
            rib=colour * np.float32([1.35, 1.25, 1.2]),
            gloss=0.22,
        )
        frond(rng, scene, leaf, owner, bold)


def broad_plant(
    rng: Generator, scene: Scene, centre: np.ndarray, radius: float, green: np.ndarray, owner: int
) -> None:
    """Draws a Weed-2: a rosette of rounded leaves around `centre`, about `radius` pixels."""
    count = int(min(max(radius / 7.5 + rng.normal(0.5, 1.3), 3), 9))
    turn = rng.uniform(0, 2 * np.pi)
    slim = rng.uniform(0.2, 0.4)
    habit = {trait: rng.uniform(*span) for trait, span in HABIT.items()}
    stalk = rng.uniform(0.12, 0.34)
    reddish = np.array([1.9, 0.9, 0.9] if rng.random() < 0.25 else [1.5, 1.35, 1.35])
    for k in range(count):
        young = k / count
        heading = turn + k * GOLDEN + rng.normal(0, 0.35)
        length = radius * (1 - 0.62 * young**1.3) * rng.uniform(0.75, 1.1)
        length *= 1 + 0.15 * np.cos(heading - turn)
        tint = rng.lognormal(0, 0.14) * rng.lognormal(0, 0.05, 3)
        tint = tint * (1 + young * np.array([0.35, 0.2, 0.05]))
        colour = (green * tint).astype(np.float32)
        leaf = Blade(
            base=centre + rng.normal(0, 0.03 * radius, 2),
            heading=heading,
            length=length,
            width=length * slim * rng.uniform(0.85, 1.15),
            stalk=stalk * (1 - 0.5 * young),
            bend=rng.uniform(-0.18, 0.18),
            low=1.5 + 6 * young,
            rise=rng.uniform(0.25, 0.7),
            colour=colour,
            rib=colour * reddish,
            **habit,
        )
        blade(rng, scene, leaf, owner)


def layout(rng: Generator, shape: tuple[int, int], difficulty: float) -> list[Spot]:
    """Returns the plants of a field, the lowest first."""
    area = shape[0] * shape[1]
    cover = rng.uniform(0.10, 0.20) + 0.13 * difficulty * rng.random()
    share = rng.uniform(0.35, 0.65)
    if rng.random() < 0.03:
        share = float(rng.integers(2))
    small = 1 - 0.45 * difficulty * rng.random()
    angle, spacing, pull = rng.uniform(0, np.pi), rng.uniform(110, 220), rng.uniform(0.0, 0.9)
    across = np.array([-np.sin(angle), np.cos(angle)])
    plants: list[Spot] = []
    for label, goal in ((1, share * cover * area), (2, (1 - share) * cover * area)):
        # the radius' logarithm: mean and deviation; and how much of the disc its leaves fill
        usual, filled = ((4.4, 0.25), 0.30) if label == 1 else ((3.8, 0.36), 0.48)
        while goal > 0:
            radius = min(small * rng.lognormal(*usual), LARGEST)
            tries = rng.uniform(-0.2 * radius, np.array(shape[::-1]) + 0.2 * radius, (6, 2))
            if label == 1:  # drawn into rows
                off = tries @ across
                tries += (pull * (np.round(off / spacing) * spacing - off))[:, None] * across
            centre = loosest(tries, radius, plants)
            low, high = np.maximum(centre - radius, 0), np.minimum(centre + radius, shape[::-1])
            goal -= filled * np.prod(np.maximum(high - low, 0)) * 0.785
            plants.append((label, centre, radius))
    return sorted(plants, key=lambda plant: plant[2] * rng.uniform(0.5, 1.5))


def loosest(tries: np.ndarray, radius: float, plants: list[Spot]) -> np.ndarray:
    """Returns the one of the places `(N, 2)` where a plant touches its neighbours least."""
    if not plants:
        return tries[0]
    others = np.array([(*centre, size) for _, centre, size in plants])
    gap = np.linalg.norm(tries[:, None] - others[:, :2], axis=2)
    touch = np.maximum(0.75 * (radius + others[:, 2]) - gap, 0).sum(1)
    return tries[np.argmin(touch)]
