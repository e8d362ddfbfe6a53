"""What is learned on the Learn tab, and on which pictures; what a visitor's lesson keeps."""

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from tta_demo.learning.module import Form
from tta_demo.learning.weight_file import WeightFile
from tta_demo.samples.labelled import Source
from tta_demo.samples.weeds import DIFFICULTY, SEEDS
from tta_demo.tasks.gallery import Gallery
from tta_demo.tasks.worlds import World
from tta_demo.ui.kit.screen import Updates
from tta_demo.ui.learn.uploads import Bag, Uploader

__all__ = ["FIELDS", "UPLOAD", "LearnVisitor", "Task", "Wanted", "task_for"]

FIELDS, UPLOAD = "fields", "upload"
"""Where the pictures come from."""
SHARE = 1 / 3
"""The part of an upload that is held out to check on."""


@dataclass(frozen=True)
class Wanted:
    """What to learn, as the controls say it; `count` and `held_out` are of generated fields.

    `models` are those of the world that look; its own one if none is named.
    """

    source: str
    count: int
    held_out: int
    files: list[dict[str, Any]] | None
    world: str
    views: list[str]
    form: str
    method: str
    choose: bool
    score: str
    prior: float
    models: list[str] = field(default_factory=list)

    @property
    def weights_form(self) -> Form:
        """What the weights look like."""
        return Form(per_class=self.form == "class")


@dataclass
class Task:
    """What is to be learned on.

    Attributes:
        gallery: the pictures, and whose model looks at them.
        calibration: names of those to learn on.
        held_out: names of those to check on.
        told: what it is, for the weights file.
        bag: the upload, or None.
    """

    gallery: Gallery
    calibration: list[str]
    held_out: list[str]
    told: str
    bag: Bag | None = None

    @property
    def world(self) -> World:
        """Whose model looks."""
        return self.gallery.world

    def without(self, broken: Collection[str]) -> "Task":
        """Returns the task without pictures that could not be read."""
        calibration, held_out = (
            [name for name in names if name not in broken]
            for names in (self.calibration, self.held_out)
        )
        return replace(self, calibration=calibration, held_out=held_out)


class LearnVisitor(Uploader):
    """A visitor of the Learn tab.

    Attributes:
        file: the weights learned or loaded last.
        shown: what stands beside them on the screen.
        followed: the world and the models of the first tab when this one was last opened.
    """

    def __init__(self) -> None:
        super().__init__()
        self.file: WeightFile | None = None
        self.shown: Updates = {}
        self.followed: tuple[str, list[str]] | None = None


def task_for(visitor: LearnVisitor, wanted: Wanted, world: World) -> Task:
    """Returns the pictures to learn on and to check on; known ones keep their answers."""
    if wanted.source == FIELDS:
        return _fields(world, int(np.clip(wanted.count, 4, 200)), wanted.held_out)
    bag = visitor.bag(wanted.files, world)
    names = list(bag.sources)
    mixed = [names[i] for i in np.random.default_rng(0).permutation(len(names))]
    held = max(1, round(SHARE * len(names))) if len(names) > 1 else 0
    gallery = Gallery(world, bag.sources)
    return Task(gallery, mixed[held:], mixed[:held], "uploaded pictures", bag)


def _fields(world: World, count: int, held_out: int) -> Task:
    if world.generate is None:
        raise ValueError(f"{world.label} cannot be made on the spot: bring pictures with masks.")
    calibration, held = (
        {f"{split} {seed}": Source(partial(world.generate, seed, DIFFICULTY)) for seed in seeds}
        for split, seeds in (
            ("calibration", SEEDS["calibration"][:count]),
            ("test", SEEDS["test"][:held_out]),
        )
    )
    told = "generated fields, calibration seeds"
    return Task(Gallery(world, calibration | held), list(calibration), list(held), told)
