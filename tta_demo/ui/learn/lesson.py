"""What is learned on the Learn tab, and on which pictures; what a visitor's lesson keeps."""

import threading
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from tta_demo.learning.weight_file import WeightFile
from tta_demo.samples.weeds import DIFFICULTY, SEEDS
from tta_demo.tasks.gallery import Gallery
from tta_demo.tasks.worlds import WORLDS, world_named
from tta_demo.ui.learn.uploads import Bag, open_bag

__all__ = ["FIELDS", "HELD_OUT", "UPLOAD", "Lesson", "Task", "Wanted", "task_for"]

FIELDS, UPLOAD = "fields", "upload"
"""Where the pictures come from."""
HELD_OUT = 40
"""Generated fields to check on."""
SHARE = 1 / 3
"""The part of an upload that is held out to check on."""


FIELD_ANSWERS = Gallery(WORLDS["weeds"], {})
"""The same fields for everybody: at most 240 with 22 looks, 130 MB."""


class Wanted(NamedTuple):
    """What to learn, as the controls say it."""

    source: str
    count: int
    uploads: list[dict[str, Any]] | None
    world: str
    views: list[str]
    form: str
    method: str
    shrink: float
    choose: bool


@dataclass
class Task:
    """What is to be learned on.

    Attributes:
        world: a key of `WORLDS`.
        gallery: the pictures.
        calibration: names of those to learn on.
        held_out: names of those to check on.
        told: what it is, for the weights file.
        bag: the upload, or None.
    """

    world: str
    gallery: Gallery
    calibration: list[str]
    held_out: list[str]
    told: str
    bag: Bag | None = None

    def without(self, broken: dict[str, str]) -> "Task":
        """Returns the task without pictures that could not be read.

        Raises:
            ValueError: none is left to learn on.
        """
        calibration, held_out = (
            [name for name in names if name not in broken]
            for names in (self.calibration, self.held_out)
        )
        if not calibration:
            raise ValueError(f"No picture could be read: {next(iter(broken.values()), '')}")
        return replace(self, calibration=calibration, held_out=held_out)


class Lesson:
    """One visitor's learning. Its actions take turns.

    Attributes:
        upload: the gallery of the last upload, by what it was.
        file: the weights learned or loaded last.
        halt: set to stop what is under way.
    """

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self.halt = threading.Event()
        self.upload: dict[tuple[str, ...], tuple[Gallery, Bag]] = {}
        self.file: WeightFile | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> "Lesson":
        """Returns a fresh one: gradio copies a state's first value for every visitor."""
        return Lesson()


def task_for(lesson: Lesson, wanted: Wanted) -> Task:
    """Returns the pictures to learn on and to check on; known ones keep their answers."""
    if wanted.source == FIELDS:
        return _fields(int(np.clip(wanted.count, 4, 200)))
    world = world_named(wanted.world)
    paths = tuple(sorted(str((upload or {}).get("path")) for upload in wanted.uploads or []))
    key = (wanted.world, *paths)
    if key not in lesson.upload:
        bag = open_bag(wanted.uploads, world)
        lesson.upload = {key: (Gallery(world, bag.sources), bag)}
    gallery, bag = lesson.upload[key]
    names = list(gallery.sources)
    mixed = [names[i] for i in np.random.default_rng(0).permutation(len(names))]
    held = max(1, round(SHARE * len(names))) if len(names) > 1 else 0
    return Task(wanted.world, gallery, mixed[held:], mixed[:held], "uploaded pictures", bag)


def _fields(count: int) -> Task:
    world = FIELD_ANSWERS.world
    seeds = {split: SEEDS[split] for split in ("calibration", "test")}
    named = {
        f"{split} {seed}": partial(world.generate, seed, DIFFICULTY)
        for split, size in (("calibration", count), ("test", HELD_OUT))
        for seed in seeds[split][:size]
    }
    FIELD_ANSWERS.sources.update(named)
    calibration = [name for name in named if name.startswith("calibration")]
    held_out = [name for name in named if name.startswith("test")]
    return Task(
        "weeds", FIELD_ANSWERS, calibration, held_out, "generated fields, calibration seeds"
    )
