"""Links that carry what is on the segmentation tab: a picture, the way to look, what is shown."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Self
from urllib.parse import urlencode

from tta_demo.models.domains import DOMAINS
from tta_demo.models.ensemble import rows_of, whose
from tta_demo.pictures.damage import AMOUNTS, Damage
from tta_demo.samples.weeds import DIFFICULTY, SEEDS
from tta_demo.tasks.worlds import WORLDS, World, world_named
from tta_demo.tta.views import VIEW_SETS, VIEWS, refuse_unknown
from tta_demo.ui.kit.parts import set_of
from tta_demo.ui.segment.case import SegmentCase, Settings, example_case, field_case, tick
from tta_demo.ui.stage import MODES

__all__ = ["Link", "link_of", "links_to_scene"]

FIRST = next(iter(WORLDS))
NOTHING = Damage()


@dataclass(frozen=True)
class Link:
    """What an address says of the segmentation tab; what it leaves out is as on the first visit.

    Attributes:
        world: a key of `WORLDS`.
        seed: of a generated picture; of the test range, which no model was trained on.
        example: the number of one of the world's examples, from 1; the first without a seed.
        difficulty: of a generated picture, 0..1.
        damage: what is done to the picture, `noise:0.25,jpeg:0.5`.
        views: names; those that suit the world if left out.
        fusion: a key of `FUSIONS`.
        mode: what the stage shows at rest, one of `MODES`.
        models: which of the world's models look; its own one if left out.
        off: looks of one of several models that take no part, `unet-weeds/hflip`.

    Raises:
        ValueError: an attribute is out of range; says its value and what is allowed.

    Example:
        >>> Link(seed=4000005, fusion="learned").query()
        'world=weeds&seed=4000005&views=d4&fusion=learned&mode=changed'
        >>> Link.read({"world": "nuclei", "views": "hflip,identity"}).views
        ('identity', 'hflip')
        >>> Link.read({"damage": "noise:.25,jpeg:.5"}).query()
        'world=weeds&example=1&damage=noise:0.25,jpeg:0.5&views=d4&fusion=mean&mode=changed'
    """

    world: str = FIRST
    seed: int | None = None
    example: int | None = None
    difficulty: float = DIFFICULTY
    damage: Damage = NOTHING
    views: tuple[str, ...] = ()
    fusion: str = "mean"
    mode: str = MODES[0]
    models: tuple[str, ...] = ()
    off: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        world = world_named(self.world)
        self._check_looks(world)
        if self.mode not in MODES:
            raise ValueError(f"mode {self.mode!r} is unknown: choose one of {', '.join(MODES)}")
        if self.seed is None:
            self._check_example(world)
        else:
            self._check_field(world)

    def _check_looks(self, home: World) -> None:
        """Refuses what does not go together; two links to the same looks are the same."""
        world = home.by(self.models)
        wanted = self.views or DOMAINS[world.record.domain].views
        views = tuple(name for name in VIEWS if name in wanted)
        rows = rows_of(world.record, views)
        if self.off:
            refuse_unknown(self.off, rows)
        off = tuple(row for row in rows if row in self.off)
        world.plan(tuple(row for row in rows if row not in off), self.fusion)
        models = () if world.looking == home.looking else world.looking
        for name, value in (("views", views), ("models", models), ("off", off)):
            object.__setattr__(self, name, value)

    def _check_example(self, world: World) -> None:
        last = len(world.examples)
        if self.example is None:
            object.__setattr__(self, "example", 1)
        elif not 1 <= self.example <= last:
            raise ValueError(f"example {self.example} is not there: choose 1 to {last}")

    def _check_field(self, world: World) -> None:
        seeds = SEEDS["test"]
        if world.generate is None:
            raise ValueError(f"{world.name!r} has no seeds: choose an example by its number")
        if self.example is not None:
            raise ValueError(f"seed {self.seed} and example {self.example}: choose one of them")
        if self.seed not in seeds:
            raise ValueError(f"seed {self.seed} is not from {seeds[0]} to {seeds[-1]}")
        if not 0 <= self.difficulty <= 1:
            raise ValueError(f"difficulty {self.difficulty} is not from 0 to 1")

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Self:
        """Returns the link of an address's parameters; others may stand beside its own.

        Raises:
            ValueError: a parameter cannot be read or is out of range.
        """
        given = {field.name: query[field.name] for field in fields(cls) if field.name in query}
        return cls(**{name: READ.get(name, _short)(name, text) for name, text in given.items()})

    def query(self) -> str:
        """Returns the link as an address's parameters, without the question mark."""
        said = {name: value for name, value in vars(self).items() if value is not None}
        said["views"] = set_of(self.views, VIEW_SETS) or ",".join(self.views)
        if self.seed is None or self.difficulty == DIFFICULTY:
            del said["difficulty"]
        said["damage"] = ",".join(f"{name}:{x!r}" for name, x in self.damage.amounts.items())
        said["models"], said["off"] = ",".join(self.models), ",".join(self.off)
        said = {name: value for name, value in said.items() if value != ""}
        return urlencode(said, safe=",:/")

    @property
    def settings(self) -> Settings:
        """How the controls stand."""
        amounts = [getattr(self.damage, name) for name in AMOUNTS]
        settings = Settings(self.world, self.fusion, True, tick(self.views), amounts)
        return replace(settings, models=[*self.models])

    def case(self) -> SegmentCase:
        """Returns the picture with the settings, not yet looked at."""
        if self.seed is None:
            case = example_case(self.settings, self.example - 1)
        else:
            case = field_case(self.settings, self.seed, self.difficulty)
        return replace(case, off=self.off)


def link_of(case: SegmentCase) -> Link | None:
    """Returns the link to what is on screen; None for a picture that a visitor brought."""
    if case.seed is None and case.example is None:
        return None
    example = case.example if case.seed is None else None
    settings = case.settings
    off = tuple(row for row in case.off if whose(row)[1] in settings.views)
    how = {"damage": case.damage, "views": settings.views, "fusion": settings.fusion}
    how |= {"models": case.models, "off": off}
    try:
        link = Link(settings.world, case.seed, example, **how)
    except ValueError:  # weights of the visitor's own, for what the world has none for
        link = Link(settings.world, case.seed, example, **how | {"fusion": "mean"})
    return link if case.seed is None else replace(link, difficulty=case.difficulty)


def links_to_scene(query: Mapping[str, str]) -> bool:
    """Returns whether an address names anything that a link is made of."""
    return any(field.name in query for field in fields(Link))


def _short(name: str, text: str, most: int = 300) -> str:
    if len(text) > most:
        raise ValueError(f"{name} has {len(text)} letters: that is no link of this page")
    return text


def _whole(name: str, text: str) -> int:
    if not (_short(name, text).isascii() and text.isdigit()):
        raise ValueError(f"{name} {text!r} is no whole number")
    return int(text)


def _fraction(name: str, text: str) -> float:
    try:
        return float(_short(name, text))
    except ValueError as error:
        raise ValueError(f"{name} {text!r} is no number from 0 to 1") from error


def _amounts(name: str, text: str) -> Damage:
    parts = dict(part.partition(":")[::2] for part in _short(name, text).split(","))
    if unknown := [part for part in parts if part not in AMOUNTS]:
        wanted = f"choose from {', '.join(AMOUNTS)}, as in noise:0.25,jpeg:0.5"
        raise ValueError(f"the damage {unknown[0]!r} is unknown: {wanted}")
    return Damage(**{part: _fraction(part, amount) for part, amount in parts.items()})


def _listed(name: str, text: str) -> tuple[str, ...]:
    return tuple(part for part in _short(name, text, most=3000).split(",") if part)


def _names(name: str, text: str) -> tuple[str, ...]:
    names = VIEW_SETS.get(text) or tuple(_short(name, text).split(","))
    if unknown := [name for name in names if name not in VIEWS]:
        sets, views = ", ".join(VIEW_SETS), ", ".join(VIEWS)
        raise ValueError(f"the look {unknown[0]!r} is unknown: choose a set ({sets}) or {views}")
    return names


READ = {
    "seed": _whole,
    "example": _whole,
    "difficulty": _fraction,
    "damage": _amounts,
    "views": _names,
    "models": _listed,
    "off": _listed,
}
"""How parameters are read that are not plain words."""
