"""The places that the Detect tab offers pictures of: what is there, and which model finds it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tta_demo.models.domains import DOMAINS
from tta_demo.models.record import ModelRecord
from tta_demo.models.registry import MODELS
from tta_demo.pictures.assets import fault_of
from tta_demo.pictures.reading import Picture
from tta_demo.samples import weeds
from tta_demo.samples.things import photo_of_thing
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.boxes import Boxes
from tta_demo.tta.views import VIEW_SETS

__all__ = ["FAULTS", "PLACES", "SETS", "SET_LABELS", "Place", "field_of"]

NATURAL = DOMAINS["natural"].views

SETS = VIEW_SETS | {
    "mirror": ("identity", "hflip"),
    "natural": NATURAL,
    "zooms": (*NATURAL, "zoom1.25", "zoom1.5"),
    "light": (*NATURAL, "darker", "brighter"),
}
"""Named sets of views."""

SET_LABELS = {
    "mirror": "Original and mirror", "flips": "4 flips", "d4": "8 mirrored and turned",
    "all": "All 15", "natural": "Mirror, smaller", "zooms": "Mirror, smaller, larger",
    "light": "Mirror, smaller, light",
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """One kind of picture, with the detector that knows it.

    Attributes:
        label: plain words for people.
        model: a key of `MODELS`.
        thing: what one of the things that it finds is called.
        source: where the examples come from.
        examples: pictures.
        read: makes an example's picture and its true boxes, if there are any.
        sets: keys of `SETS` that suit it.
        ticked: the one that is ticked at first.
        threshold: the lowest score that is shown at first.
        scores: where to read what looking again is worth on many pictures; empty if nowhere.
        generates: whether there are new pictures without end.
    """

    label: str
    model: str
    thing: str
    source: str
    examples: tuple[Path, ...]
    read: Callable[[Path], tuple[Picture, Boxes | None]]
    sets: tuple[str, ...]
    ticked: str
    threshold: float
    scores: str = ""
    generates: bool = False

    @property
    def record(self) -> ModelRecord:
        """The detector's record."""
        return MODELS[self.model]


def field_of(seed: int, difficulty: float) -> tuple[Picture, Boxes]:
    """Returns a generated field and its true boxes."""
    made = weeds.field(seed, difficulty=difficulty)
    note = f"Field of seed {seed}, difficulty {difficulty:.2f}."
    return Picture.of(made.rgb, note), weeds.plant_boxes(made.plants)


@cache
def _example_field(path: Path) -> tuple[Picture, Boxes]:
    return field_of(WORLDS["weeds"].seed_of(path), weeds.DIFFICULTY)


def _fields() -> Place:
    world = WORLDS["weeds"]
    return Place(
        label=world.label,
        model="weed-detector",
        thing="plant",
        source=world.source,
        examples=world.examples,
        read=_example_field,
        sets=("mirror", "flips", "d4", "all"),
        ticked="d4",
        threshold=0.3,
        scores="of 200 test fields: assets/results/README.md",
        generates=True,
    )


def _objects() -> Place:
    return Place(
        label="Everyday objects",
        model="nanodet-g",
        thing="object",
        source="photographs of the PyPI package scikit-image (public domain and CC0)",
        examples=WORLDS["photos"].examples,
        read=photo_of_thing,
        sets=("mirror", "natural", "zooms", "light"),
        ticked="natural",
        threshold=0.35,
    )


_MADE = {"weeds": ("weeds", _fields), "objects": ("photos", _objects)}
"""By name: the world that it has its pictures from, and what makes the place."""
_ALL = {name: make() for name, (world, make) in _MADE.items() if world in WORLDS}
FAULTS = {
    name: f"{place.label} (boxes) is not here: {fault}."
    for name, place in _ALL.items()
    if (fault := fault_of(place.record.weights()))
}
"""What is wrong with the files of places that therefore cannot be offered, by their names."""

PLACES: dict[str, Place] = {name: place for name, place in _ALL.items() if name not in FAULTS}
"""Every place by name."""
