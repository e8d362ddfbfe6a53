"""What one visitor looks at on the segmentation tab, and how."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from tta_demo.learning.weight_file import WeightFile
from tta_demo.models.ensemble import rows_of, whose
from tta_demo.pictures.reading import Picture, read_picture
from tta_demo.samples.weeds import DIFFICULTY
from tta_demo.tasks.cache import KEPT
from tta_demo.tasks.segment import Segmentation, segment
from tta_demo.tasks.worlds import WORLDS, World, world_named
from tta_demo.tta.predict import Track
from tta_demo.tta.views import VIEWS
from tta_demo.ui.kit.damage_panel import undamaged
from tta_demo.ui.kit.measured import picked
from tta_demo.ui.kit.visitor import Case
from tta_demo.ui.yours.model import YOURS, Own
from tta_demo.ui.yours.owner import Owner

__all__ = ["GROUPS", "ITSELF", "SegmentCase", "SegmentVisitor", "Settings", "example_case",
           "field_case", "own_case", "tick"]  # fmt: skip

ITSELF = "the model's own answer, by one look, to the undamaged picture"
"""What there is to compare with where nobody knows the truth."""

LEAST_SIDE = 32
"""Pixels; in a picture that is narrower, models of our kind see nothing."""

MOST = KEPT.limit // 2
"""Bytes of what several models say of one picture; fusing needs much more for a moment."""

GROUPS: dict[str, tuple[str, ...]] = {
    group: tuple(name for name, view in VIEWS.items() if view.group == group)
    for group in dict.fromkeys(view.group for view in VIEWS.values())
}


def tick(views: Sequence[str]) -> list[list[str]]:
    """Returns the ticks of every group for these views."""
    return [[name for name in group if name in views] for group in GROUPS.values()]


@dataclass(frozen=True)
class Settings:
    """What the controls say.

    Attributes:
        world: a key of `WORLDS`.
        fusion: a key of `FUSIONS`.
        background: whether it counts in the score.
        groups: what is ticked in each of `GROUPS`.
        damage: the amounts of `Damage`.
        itself: whether, without a truth, a damaged picture is compared with the model's own
            answer to the undamaged one.
        models: which of the world's models look; its own one if none is named.
    """

    world: str
    fusion: str
    background: bool
    groups: list[list[str]]
    damage: list[float] = field(default_factory=undamaged)
    itself: bool = False
    models: list[str] = field(default_factory=list)

    @property
    def views(self) -> tuple[str, ...]:
        """The names of the views that are ticked in any group."""
        return tuple(name for group in self.groups for name in group)


@dataclass(frozen=True, kw_only=True)
class SegmentCase(Case):
    """A picture, its truth `(h, w)` uint8 class ids or None, and the settings.

    Attributes:
        name: of the picture's file, without ending.
        seed: of a generated picture, or None.
        difficulty: that it was generated with.
        example: the number of an example that was not generated, from 1, or None.
        own_mask: whether the visitor brought or painted the truth.
        mask_notes: what was said when the mask was read.
        file: the visitor's own learned weights; the world's own if None.
        own: the visitor's own model that looks; the world's if None.
        path: of the file that the visitor brought, or None.
        off: names of rows that were taken out on the stage, and can be put in there again.
    """

    settings: Settings
    truth: np.ndarray | None = None
    name: str
    seed: int | None = None
    difficulty: float = DIFFICULTY
    example: int | None = None
    own_mask: bool = False
    mask_notes: tuple[str, ...] = ()
    file: WeightFile | None = None
    off: tuple[str, ...] = ()
    own: Own | None = None
    path: Path | None = None

    @cached_property
    def world(self) -> World:
        """The world that the picture belongs to, in which the chosen models look."""
        if self.own is not None:
            return self.own.world
        return WORLDS[self.settings.world].by(self.settings.models)

    @property
    def models(self) -> tuple[str, ...]:
        """The names of the world's models that look; none where it is but its own."""
        looking = self.world.looking
        return looking if looking and looking != WORLDS[self.settings.world].looking else ()

    @property
    def rows(self) -> tuple[str, ...]:
        """The looks that take part: of every model all views that are ticked, but for `off`."""
        rows = rows_of(self.world.record, self.settings.views)
        return tuple(row for row in rows if row not in self.off)

    @property
    def mask(self) -> np.ndarray | None:
        """The truth in colours, `(h, w, 3)` uint8."""
        return None if self.truth is None else self.world.record.palette.colorize(self.truth)

    @property
    def itself(self) -> bool:
        """Whether the scores are against the model's own answer to the undamaged picture."""
        return self.settings.itself and self.truth is None and bool(self.damage.amounts)

    def changed(self, **settings: object) -> "SegmentCase":
        """Returns the case with some settings changed."""
        return replace(self, settings=replace(self.settings, **settings))

    def after(self, settings: Settings) -> "SegmentCase":
        """Returns the case with other settings; looks that they change are not off any more."""
        case = replace(self, settings=settings, off=())
        if case.models != self.models:
            return case
        changed = set(self.settings.views).symmetric_difference(settings.views)
        off = tuple(row for row in self.off if whose(row)[1] not in changed)
        return replace(case, off=off)

    def segment(self, track: Track = iter, alone: Sequence[str] = ()) -> Segmentation:
        """Returns the answer, or that of some rows alone; from the cache where it can."""
        rows, off = (tuple(alone), ()) if alone else (self.rows, self.off)
        plan, notes = self.world.plan(rows, self.settings.fusion, self.file)
        self._refuse_too_many(rows)
        picture, truth = self.seen, self.truth
        if self.itself:
            notes += (f"Compared with {ITSELF}, not with the truth.",)
            truth = segment(self.world.record, self.picture).labels
        picture = replace(picture, notes=picture.notes + self.mask_notes + notes)
        shown = tuple(dict.fromkeys(rows + off))
        return segment(self.world.record, picture, plan, truth, shown, track)

    def _refuse_too_many(self, rows: Sequence[str]) -> None:
        height, width = self.picture.rgb.shape[:2]
        size = len(rows) * height * width * 2 * len(self.world.record.classes)  # float16
        if len(self.world.looking) > 1 and size > MOST:
            raise ValueError(
                f"{len(rows)} looks at {width} x {height} pixels need too much memory: choose "
                "fewer models or fewer looks"
            )


class SegmentVisitor(Owner):
    """A visitor of the segmentation tab.

    Attributes:
        files: own learned weights by the digest of the models that they are for.
        switched: when looks were last switched on the stage, by the browser's clock.
        halt: set to stop looking at a picture in its full size.
        early: what was chosen before the page's first result was there; None from then on.
    """

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, WeightFile] = {}
        self.switched = 0.0
        self.halt = threading.Event()
        self.early: dict[str, Any] | None = {}

    def choose(self, **choices: object) -> SegmentCase | None:
        """Returns the case on screen with other choices; None if they came before the first one.

        Raises:
            ValueError: there is no picture any more.
        """
        if self.case is None and self.early is not None:
            self.early |= choices
            return None
        return self.present.changed(**self.chosen(**choices))

    def adopt(self, own: Own) -> None:
        """Makes a model the visitor's; weights for another one go."""
        record = own.record
        if self.own is not None and self.own.record.digest != record.digest:
            self.files.pop(self.own.record.digest, None)
        file = self.files.get(record.digest)
        try:
            if file is not None:
                file.select(file.views, record.digest, record.classes)
        except ValueError:
            del self.files[record.digest]
        super().adopt(own)

    def place(self, world: str) -> World:
        """Returns a world by its key, the visitor's own among them.

        Raises:
            ValueError: there is none of this name, or no own model yet.
        """
        return self.mine.world if world == YOURS else world_named(world)

    def home_of(self, file: WeightFile) -> str:
        """Returns the key of the world that weights are for: its name, or the visitor's own."""
        own = self.own is not None and self.own.record.digest == file.digest
        return YOURS if own else file.world


def example_case(settings: Settings, number: int) -> SegmentCase:
    """Returns an example of the settings' world, with its mask."""
    world = world_named(settings.world)
    path = picked(world.examples, number)
    seed = world.seed_of(path)
    picture = read_picture(path)
    truth, _ = world.read_truth(world.mask_of(path), picture)
    return SegmentCase(
        name=path.stem,
        picture=picture,
        truth=truth,
        settings=settings,
        seed=seed,
        example=number + 1 if seed is None else None,
    )


def own_case(settings: Settings, path: Path, own: Own | None = None) -> SegmentCase:
    """Returns a picture that a visitor brought, without a mask, for a model of theirs if given.

    It is read as `read_picture` does.
    """
    picture = read_picture(path)
    height, width = picture.rgb.shape[:2]
    if min(height, width) < LEAST_SIDE:
        remark = f"The picture is {width} x {height} pixels: too small to find anything in."
        picture = replace(picture, notes=(*picture.notes, remark))
    if own is not None:
        picture = own.fitted(picture)
    return SegmentCase(name=path.stem, picture=picture, settings=settings, own=own, path=path)


def field_case(settings: Settings, seed: int, difficulty: float) -> SegmentCase:
    """Returns a generated picture of the settings' world, with its mask."""
    made = WORLDS[settings.world].generate(seed, difficulty)
    note = f"Field of seed {seed}, difficulty {difficulty:.2f}."
    picture = Picture.of(made.rgb, note)
    return SegmentCase(
        name=made.name,
        picture=picture,
        truth=made.labels,
        settings=settings,
        seed=seed,
        difficulty=difficulty,
    )
