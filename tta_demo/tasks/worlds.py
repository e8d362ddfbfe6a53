"""Worlds: a model together with the pictures, views and weights that suit it."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from tta_demo.learning.weight_file import WeightFile
from tta_demo.models.ensemble import Ensemble, members_of, one_look, rows_of
from tta_demo.models.record import ModelRecord
from tta_demo.models.registry import MODELS
from tta_demo.pictures.assets import ASSETS, fault_of
from tta_demo.pictures.masks import read_mask
from tta_demo.pictures.palettes import Palette
from tta_demo.pictures.reading import Picture
from tta_demo.samples import nuclei, weeds
from tta_demo.samples.labelled import LabelledPicture
from tta_demo.tasks.choice import choice_of
from tta_demo.tta.fusion import FUSIONS
from tta_demo.tta.plan import Plan
from tta_demo.tta.views import VIEWS

__all__ = ["FAULTS", "MEASURED", "WORLDS", "World", "own_world", "together", "world_named"]


@dataclass(frozen=True)
class World:
    """One kind of picture that the demo works on.

    Attributes:
        name: its key in `WORLDS`.
        label: plain words for people.
        source: where the examples come from.
        model: a key of `MODELS`, the record of a model of somebody's own, or an ensemble.
        examples: pictures, each with `NAME-mask.png` beside it; chosen by rule, see `choice`.
        weight_paths: weights files, the one for fewer views first; none if none were learned.
        pictures: labelled pictures of a split (train, val, calibration, test), from a folder
            where they are not generated.
        generate: makes a picture from a seed and a difficulty 0..1, where the world can.
        complete: adds to a truth what follows from the rest of it, with notes.
        from_instances: makes a truth of numbered objects, where the world has one kind of them.
        models: keys of `MODELS` of the same classes that may look instead of `model` or beside
            it, itself among them, in the order in which they look together; none but it if empty.
    """

    name: str
    label: str
    source: str
    model: str | ModelRecord | Ensemble
    examples: tuple[Path, ...]
    weight_paths: tuple[Path, ...]
    pictures: Callable[[str, Path | None], Iterator[LabelledPicture]]
    generate: Callable[[int, float], LabelledPicture] | None = None
    complete: Callable[[np.ndarray], tuple[np.ndarray, tuple[str, ...]]] = lambda labels: (
        labels,
        (),
    )
    from_instances: Callable[[np.ndarray], np.ndarray] | None = None
    models: tuple[str, ...] = ()

    @property
    def record(self) -> ModelRecord | Ensemble:
        """The model's record, or the ensemble."""
        return MODELS[self.model] if isinstance(self.model, str) else self.model

    @property
    def fault(self) -> str | None:
        """What is wrong with its files, in a sentence; None if they are all there and readable."""
        records = [MODELS[name] for name in self.models] or [*members_of(self.record).values()]
        pictures = [path for one in self.examples for path in (one, self.mask_of(one))]
        files = (*(one.weights() for one in records), *pictures, *self.weight_paths)
        faults = [fault for path in files if (fault := fault_of(path))]
        return f"{self.label} is not here: {', '.join(faults)}." if faults else None

    @property
    def looking(self) -> tuple[str, ...]:
        """The names of those of its `models` that look; none where there is no choice."""
        members = members_of(self.record).values()
        return tuple(one.name for one in members) if self.models else ()

    def by(self, models: Collection[str]) -> "World":
        """Returns the world in which these of its models look, together if they are several.

        Its own one looks if none is named. Learned weights are for the models that they were
        learned with: those that come with the world stay only where its own one looks alone.

        Raises:
            ValueError: one of them is none of the world's.

        Example:
            >>> WORLDS["weeds"].by(["unet-weeds-novice", "unet-weeds"]).record.name
            'unet-weeds+unet-weeds-novice'
        """
        for name in models:
            if name not in (self.models or (self.model,)):
                there = ", ".join(self.models) or self.record.name
                raise ValueError(f"model {name!r} does not look at {self.name!r}: choose {there}")
        chosen = [name for name in self.models if name in models] or [self.model]
        return together(
            [self if one == self.model else replace(self, model=one, weight_paths=())
             for one in chosen]
        )  # fmt: skip

    def weight_file(self, views: tuple[str, ...]) -> WeightFile:
        """Returns the smallest weights file that has all these views, else the largest.

        Raises:
            ValueError: no weights were learned for this world.
        """
        if not self.weight_paths:
            raise ValueError(
                f"no weights were learned for {self.record.name} in {self.label}: choose another "
                "fusion, or learn your own from pictures with masks"
            )
        files = [WeightFile.load(path) for path in self.weight_paths]
        return next((f for f in files if set(views) <= set(f.views)), files[-1])

    def plan(
        self, views: tuple[str, ...], fusion: str, file: WeightFile | None = None
    ) -> tuple[Plan, tuple[str, ...]]:
        """Returns the plan of these views, and notes; without fusion the original alone counts.

        An ensemble's rows may be named instead of views, in which all its models look; without
        fusion the first one's original alone counts.
        A fusion that takes learned weights takes those of `file`, or else the world's own.

        Raises:
            ValueError: no view, an unknown fusion, or no learned weight for a view.
        """
        if not views:
            raise ValueError("no view is chosen: choose at least one")
        if fusion not in FUSIONS:
            raise ValueError(f"fusion {fusion!r} is unknown: choose one of {', '.join(FUSIONS)}")
        named = set(views) <= set(rows_of(self.record, VIEWS))
        rows = tuple(views) if named else rows_of(self.record, views)
        if not FUSIONS[fusion].weighted:
            return Plan.chosen(rows, fusion, plain=one_look(self.record).views[0]), ()
        notes = () if file is None else (f"Weights of {file.origin}.",)
        file = file or self.weight_file(views)
        weights = file.select(rows, self.record.digest, self.record.classes)
        if set(file.views) != set(rows):
            notes += (
                f"The weights were learned for {len(file.views)} looks together; here they are "
                f"scaled up over {len(rows)} of them.",
            )
        return Plan(rows, fusion, weights), notes

    def read_truth(
        self, path: Path, picture: Picture, palette: Palette | None = None
    ) -> tuple[np.ndarray, tuple[str, ...]]:
        """Returns a mask's labels at the picture's working size, and notes; as `read_mask`.

        The palette is that of the mask; the world's own if it is None.
        """
        palette = palette or self.record.palette
        labels, read = read_mask(path, palette, picture, self.from_instances)
        labels, completed = self.complete(labels)
        return labels, read + completed

    def seed_of(self, example: Path) -> int | None:
        """Returns the seed of an example that was generated, as its name says."""
        return int(example.stem.split("-")[-1]) if self.generate else None

    @staticmethod
    def mask_of(example: Path) -> Path:
        """Returns where an example's mask is."""
        return example.with_name(f"{example.stem}-mask.png")


def _examples(world: str) -> tuple[Path, ...]:
    """Returns the examples that were chosen; before that, all that there are."""
    choice = choice_of(world)
    if choice is not None:
        return tuple(example.path for example in choice.examples)
    masks = sorted((ASSETS / "examples").glob(f"{world}-*-mask.png"))
    return tuple(mask.with_name(mask.name.replace("-mask", "")) for mask in masks)


def _weight_paths(world: str) -> tuple[Path, ...]:
    return tuple(ASSETS / "weights" / f"{world}-{views}.json" for views in ("flips", "d4", "all"))


def _no_sets(split: str, data: Path | None) -> Iterator[LabelledPicture]:
    raise ValueError(
        f"there are no pictures for {split}: --data must name a folder of your own with images/ "
        "and masks/, without split.csv"
    )


PHOTOS = ("chelsea", "coffee", "astronaut", "rocket")
"""All that scikit-image has of those that may be shipped, with masks drawn by hand."""

_ALL: dict[str, World] = {
    "weeds": World(
        name="weeds",
        label="Weeds in a field",
        source="generated by the demo itself, with seeds of the test range",
        model="unet-weeds",
        examples=_examples("weeds"),
        weight_paths=_weight_paths("weeds"),
        pictures=weeds.labelled,
        generate=weeds.sample,
        models=("unet-weeds", "unet-weeds-small", "unet-weeds-novice"),
    ),
    "nuclei": World(
        name="nuclei",
        label="Cell nuclei",
        source="quarters of the sample picture of the PyPI package stardist (BSD-3-Clause)",
        model="unet-nuclei",
        examples=_examples("nuclei"),
        weight_paths=_weight_paths("nuclei"),
        pictures=nuclei.labelled,
        complete=nuclei.with_border,
        from_instances=nuclei.instances_to_labels,
    ),
    "photos": World(
        name="photos",
        label="Everyday photographs",
        source="photographs of the PyPI package scikit-image (public domain and CC0), their masks "
        "drawn by hand",
        model="u2net-p",
        examples=tuple(ASSETS / "examples" / f"{name}.jpg" for name in PHOTOS),
        weight_paths=(ASSETS / "weights" / "photos-natural.json",),
        pictures=_no_sets,
    ),
}


FAULTS: dict[str, str] = {
    name: told for name, world in _ALL.items() if (told := world.fault) is not None
}
"""What is wrong with the files of worlds that therefore cannot be offered, by their names."""

WORLDS: dict[str, World] = {name: world for name, world in _ALL.items() if name not in FAULTS}
"""Every world by name."""

MEASURED = {name: world for name, world in WORLDS.items() if world.pictures is not _no_sets}
"""The worlds that have sets of labelled pictures, and so stored results."""


def own_world(model: ModelRecord, like: World | None = None) -> World:
    """Returns the world of somebody's own model, with the pictures and classes of another, if any.

    Raises:
        ValueError: it does not segment, or it has not as many classes as the other world's model.
    """
    if model.task != "segment":
        raise ValueError(f"{model.label} gives scores of whole pictures: it marks nothing in them")
    if like is None:
        return World(model.name, model.label, model.source, model, (), (), _no_sets)
    if len(model.classes) != len(like.record.classes):
        raise ValueError(
            f"{model.label} has {len(model.classes)} classes, the world {like.name!r} "
            f"{len(like.record.classes)} ({', '.join(like.record.classes)}): leave one out"
        )
    record = replace(model, palette=like.record.palette)
    return replace(like, model=record, weight_paths=())


def together(worlds: Sequence[World]) -> World:
    """Returns the first of some worlds with the models of all, which look together.

    Raises:
        ValueError: the models share a name, or have different classes.
    """
    if len(worlds) == 1:
        return worlds[0]
    model = Ensemble(tuple(world.record for world in worlds))
    return replace(worlds[0], model=model, weight_paths=())


def world_named(name: str) -> World:
    """Returns the world of a name; a `ValueError` if there is none."""
    if name in FAULTS:
        raise ValueError(FAULTS[name])
    if name not in WORLDS:
        raise ValueError(f"world {name!r} is unknown: choose one of {', '.join(WORLDS)}")
    return WORLDS[name]
