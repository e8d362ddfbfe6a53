"""A trial: every look at labelled pictures of one's own, or at new fields."""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from tta_demo.evaluation.failures import Failures
from tta_demo.evidence.boxes import BoxLooks, KeptBoxes, kept_boxes
from tta_demo.evidence.findings import Evidence
from tta_demo.evidence.stacks import Kept, Looked, Stacks, kept_of
from tta_demo.models.ensemble import rows_of, shares
from tta_demo.models.turns import patiently
from tta_demo.pictures.words import several
from tta_demo.samples.labelled import Source
from tta_demo.samples.weeds import COUNTS, DIFFICULTY, SEEDS
from tta_demo.tasks.cache import DRAWN
from tta_demo.tasks.looking import looks_at
from tta_demo.tasks.worlds import World
from tta_demo.tta.views import VIEW_SETS
from tta_demo.ui.evidence.places import BoxWorld
from tta_demo.ui.kit.screen import Updates
from tta_demo.ui.learn import show
from tta_demo.ui.learn.course import Pace
from tta_demo.ui.learn.lesson import FIELDS
from tta_demo.ui.learn.uploads import Bag, Uploader

__all__ = ["FEWEST", "MOST", "EvidenceVisitor", "Finding", "Pictures", "Trial", "Wanted"]
__all__ += ["pictures_for"]

FEWEST, MOST = 8, 40
"""Pictures of a trial; of a larger upload so many are drawn."""
VIEWS = VIEW_SETS["all"]
NEW = SEEDS["test"][COUNTS["test"] :]
"""Seeds of fields that neither a model nor the stored results have seen."""
ALL = "all looks"
"""How what is kept of a picture is called in the cache."""


@dataclass(frozen=True)
class Wanted:
    """What to try, as the controls say it; `count` is of generated fields."""

    source: str
    count: int
    files: list[dict[str, Any]] | None
    world: str


@dataclass(frozen=True)
class Finding:
    """What was found out about a world's model.

    Attributes:
        world: whose model.
        evidence: what was found.
        notes: what was left out, and how masks were understood.
        stored: whether it came with the demo.
    """

    world: World | BoxWorld
    evidence: Evidence
    notes: tuple[str, ...] = ()
    stored: bool = False


class EvidenceVisitor(Uploader):
    """A visitor of the Evidence tab.

    Attributes:
        world: the key of the world on screen.
        shown: what is on screen; None if there is nothing about this world.
        found: the last own trial by world.
        tried: how many new fields are used up: the next trial takes the following ones.
        followed: the world of the first tab when this one was last opened.
    """

    def __init__(self) -> None:
        super().__init__()
        self.world: str | None = None
        self.shown: Finding | None = None
        self.found: dict[str, Finding] = {}
        self.tried = 0
        self.followed: str | None = None


@dataclass(frozen=True)
class Pictures:
    """The pictures of a trial.

    Attributes:
        sources: how to get each, by name.
        told: what they are, in plain words.
        notes: what was left out.
        fields: how many of them are new fields.
    """

    sources: dict[str, Source]
    told: str
    notes: tuple[str, ...] = ()
    fields: int = 0


def pictures_for(visitor: EvidenceVisitor, wanted: Wanted, world: World | BoxWorld) -> Pictures:
    """Returns the pictures to try on.

    Raises:
        ValueError: there are none, or the world's cannot be made.
    """
    if wanted.source == FIELDS:
        return _fields(world, visitor.tried, int(np.clip(wanted.count, FEWEST, MOST)))
    if isinstance(world, BoxWorld):
        raise ValueError("True boxes cannot be uploaded: try new fields, or tta_demo advise.")
    return _drawn(visitor.bag(wanted.files, world))


def _fields(world: World | BoxWorld, tried: int, count: int) -> Pictures:
    if world.generate is None:
        raise ValueError(f"{world.label} cannot be made on the spot: bring pictures with masks.")
    first = tried % (len(NEW) - MOST)
    seeds = NEW[first : first + count]
    sources = {f"seed {n}": Source(partial(world.generate, n, DIFFICULTY)) for n in seeds}
    told = f"{several(count, 'new field')}, seeds {seeds[0]} to {seeds[-1]}"
    return Pictures(sources, told, fields=count)


def _drawn(bag: Bag) -> Pictures:
    names, notes = list(bag.sources), []
    if bag.lonely:
        notes.append(f"Without a partner, left out: {', '.join(bag.lonely)}.")
    if len(names) > MOST:
        notes.append(
            f"{MOST} of {len(names)} pictures, drawn at random. For all: tta_demo advise."
        )
        names = sorted(np.random.default_rng(0).permutation(names)[:MOST].tolist())
    sources = {name: bag.sources[name] for name in names}
    return Pictures(sources, several(len(names), "uploaded picture"), tuple(notes))


@dataclass(frozen=True, eq=False)
class _Seen:
    """What the cache keeps of a picture, and how its truth was understood."""

    kept: Kept | KeptBoxes
    notes: tuple[str, ...]

    @property
    def nbytes(self) -> int:
        return sum(array.nbytes for array in self.kept.arrays().values())


class Trial:
    """One trial on its way. Looks are kept in the cache: a stopped one goes on from there.

    Args:
        world: whose model looks.
        pictures: what it looks at.
        stopped: tells whether the visitor has had enough.
    """

    def __init__(
        self, world: World | BoxWorld, pictures: Pictures, stopped: Callable[[], bool]
    ) -> None:
        self.world, self.pictures, self.stopped = world, pictures, stopped
        self.rows = rows_of(world.record, VIEWS)
        self.broken = Failures()
        self.notes: dict[str, Sequence[str]] = {}

    def look(self) -> Generator[Updates, None, Looked | None]:
        """Looks at all pictures, and says how far it is; returns None after a stop.

        Raises:
            ValueError: no picture can be read.
        """
        names, found = list(self.pictures.sources), []
        missing = [name for name in names if DRAWN.missing(*self._key(name), [ALL])]
        pace, looks = Pace(len(missing)), several(len(self.rows), "look")
        for number, name in enumerate(names, 1):
            with self.broken.of(name):
                seen = self._seen(name)
                if seen is None:
                    return None
                found.append(seen.kept)
                self.notes[name] = seen.notes
            pace.done += name in missing
            if pace.done and pace.due():
                told = f"Picture {number} of {len(names)}, {looks} each. {show.left(pace.left)}"
                yield {"status": show.status(told, number / len(names))}
        self.broken.refuse_if_nothing_read(names)
        kind = BoxLooks if isinstance(self.world, BoxWorld) else Stacks
        return kind(self.rows, self.world.record.classes, tuple(found))

    def _seen(self, name: str) -> _Seen | None:
        def make(missing: list[str]) -> Iterator[tuple[str, _Seen]]:
            with patiently():
                kept, notes = self._kept(name)
            if kept is not None:
                yield ALL, _Seen(kept, notes)

        return DRAWN.looks(*self._key(name), [ALL], make)[ALL]

    def _kept(self, name: str) -> tuple[Kept | KeptBoxes | None, tuple[str, ...]]:
        """Returns what is kept of a picture, None after a stop, and how its truth was read."""
        picture, count = self.pictures.sources[name].read(), len(self.rows)
        if isinstance(self.world, BoxWorld):
            rgb, truth = picture
            return kept_boxes(self._looks(rgb), name, truth, count, self.stopped), ()
        named = replace(picture, name=name)
        return kept_of(self._looks(picture.rgb), named, count, self.stopped), picture.notes

    def _looks(self, rgb: np.ndarray) -> Iterator[Any]:
        for model, own in shares(self.world.record, self.rows):
            yield from looks_at(model, rgb, [*own.values()])

    def _key(self, name: str) -> tuple[str, str]:
        source = self.pictures.sources[name]
        files = " ".join(map(str, source.files))
        return self.world.record.digest, f"evidence {name} {files} {source.stamp}"
