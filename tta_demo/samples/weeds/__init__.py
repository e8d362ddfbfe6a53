"""Made-up field photographs with exact truth: two weeds on soil, seen from above.

Every field follows from its seed. The picture is rendered at twice the resolution with the
pixel centres on every other sample, so that the truth is read off at exactly those samples and
never blended. With the same major version of OpenCV the labels are the same everywhere, and the
colours to within one level of 255.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.ndimage import find_objects

from tta_demo.samples.labelled import LabelledPicture
from tta_demo.samples.weeds.camera import lit, photograph
from tta_demo.samples.weeds.plants import plant_scene
from tta_demo.tta.boxes import Boxes

__all__ = ["COUNTS", "DIFFICULTY", "FAMILIAR_SUN_BELOW", "LEAST", "SEEDS", "Field", "Plant"]
__all__ += ["boxed", "field", "flight", "labelled", "plant_boxes", "sample", "stream", "sun_of"]

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

LEAST = 40
"""A plant with fewer visible pixels is not worth finding."""


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
    shape = (2 * int(size[0]) + 1, 2 * int(size[1]) + 1)
    scene, kinds = plant_scene(stream(seed, 1), stream(seed, 2), shape, difficulty)
    light = lit(scene, sun or sun_of(seed, difficulty), stream(seed, 4), difficulty)
    rgb = photograph(light, scene.layers[3, 1::2, 1::2], stream(seed, 5), difficulty)
    owner = scene.owner[1::2, 1::2]
    return Field(rgb, kinds[owner], visible_plants(owner, kinds))


def sample(
    seed: int, difficulty: float = DIFFICULTY, sun: tuple[float, float] | None = None
) -> LabelledPicture:
    """Returns a field of 256x256 as a labelled picture named by its seed; see `field`."""
    made = field(seed, difficulty=difficulty, sun=sun)
    return LabelledPicture(f"weeds-{seed}", made.rgb, made.labels)


def boxed(seed: int, difficulty: float = DIFFICULTY) -> tuple[np.ndarray, Boxes]:
    """Returns the pixels of a field of 256x256, and its true boxes; see `field`, `plant_boxes`."""
    made = field(seed, difficulty=difficulty)
    return made.rgb, plant_boxes(made.plants)


def labelled(split: str, data: Path | None = None) -> Iterator[LabelledPicture]:
    """Yields the `COUNTS[split]` fields of a split.

    Raises:
        ValueError: a folder `data` was given, but fields are made, not read.
    """
    if data is not None:
        raise ValueError(f"--data {data}: weed fields are generated, leave --data out")
    for seed in SEEDS[split][: COUNTS[split]]:
        yield sample(seed, *flight(seed)) if split in ("train", "val") else sample(seed)


def flight(seed: int) -> tuple[float, tuple[float, float]]:
    """Returns the difficulty and sun of a field to train on: any, but the sun where it usually is.

    Such fields look as if they were all of one flight.
    """
    return stream(seed, 6).random(), sun_of(seed, 0)


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
    counts = np.bincount(owner.ravel()).tolist()
    plants = []
    for number, place in enumerate(find_objects(owner), 1):
        if place:
            y, x = place
            box = (float(x.start), float(y.start), float(x.stop), float(y.stop))
            plants.append(Plant(box, int(kinds[number]), counts[number]))
    return tuple(plants)


def plant_boxes(plants: Iterable[Plant]) -> Boxes:
    """Returns the true boxes, score 1, of plants with at least `LEAST` visible pixels.

    Example:
        >>> plant_boxes([Plant((0, 0, 9, 8), 2, 50), Plant((0, 0, 3, 4), 1, 9)]).xyxy
        array([[0., 0., 9., 8.]])
    """
    kept = [plant for plant in plants if plant.visible >= LEAST]
    labels = np.array([plant.label for plant in kept], int)
    return Boxes(np.array([plant.box for plant in kept]), np.ones(len(kept)), labels)
