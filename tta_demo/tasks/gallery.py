"""Labelled pictures that views looked at, and what weights of views are worth on them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from tta_demo.learning.answers import Answers
from tta_demo.models.ensemble import one_look, shares
from tta_demo.models.record import ModelRecord
from tta_demo.models.turns import patiently
from tta_demo.samples.labelled import LabelledPicture, Source
from tta_demo.scoring.interval import Difference
from tta_demo.scoring.score import Score, gain
from tta_demo.tasks.cache import DRAWN
from tta_demo.tasks.looking import looks_at
from tta_demo.tasks.worlds import World
from tta_demo.tta.plan import Plan
from tta_demo.tta.predict import ViewStack

__all__ = ["PIXELS", "Gallery", "Verdict", "compare", "scored"]

PIXELS = 4096
"""Pixels of one picture whose answers are kept, or fewer if there are many classes."""
NUMBERS = 2**15
"""Most that is kept of one look: as many lessons as there are visitors share the memory."""
LESSON = 160 * 2**20
"""Bytes of the answers that one lesson has at a time; of many pictures fewer pixels."""


@dataclass(frozen=True, eq=False)
class _DrawnLook:
    """One view's answer and the truth at `n` drawn pixels of a picture."""

    log_probs: torch.Tensor  # (C, n) float16
    seen: torch.Tensor  # (n,) bool, all true if the view saw all
    labels: np.ndarray  # (n,) class ids
    notes: tuple[str, ...]  # how the truth was understood

    @property
    def nbytes(self) -> int:
        return self.log_probs.nbytes + self.seen.nbytes + self.labels.nbytes


class Gallery:
    """Labelled pictures and every view's answers at some of their pixels, kept in the cache.

    Another method costs no forward pass, another view one a picture; what had to leave the cache
    is looked at again when it is asked for. Where several models look, views stand for rows.

    Args:
        world: whose models look.
        sources: how to get each picture, by a name that tells it from all others if it comes from
            no file.
    """

    def __init__(self, world: World, sources: Mapping[str, Source]) -> None:
        self.world = world
        self.sources = dict(sources)

    def missing(self, names: Sequence[str], views: Sequence[str]) -> list[str]:
        """Returns the pictures that some of the views have not looked at."""
        each = [(one, [*own.values()]) for one, own in shares(self.world.record, views)]
        return [
            name
            for name in names
            if any(DRAWN.missing(*self._key(one, name), own) for one, own in each)
        ]

    def look(self, name: str, views: Sequence[str]) -> dict[str, _DrawnLook]:
        """Lets the views that have not done so look at one picture; raises if it is unreadable."""
        looks: dict[str, _DrawnLook] = {}
        for one, own in shares(self.world.record, views):
            kept = self._looks(one, name, [*own.values()])
            looks |= {row: kept[view] for row, view in own.items()}
        return looks

    def _looks(
        self, record: ModelRecord, name: str, views: Sequence[str]
    ) -> dict[str, _DrawnLook]:
        """Returns one model's looks at a picture by view."""

        def make(missing: list[str]) -> Iterator[tuple[str, _DrawnLook]]:
            picture = self.sources[name].read()
            looks = looks_at(record, picture.rgb, missing)
            for view in missing:
                with patiently():
                    one = next(looks)
                yield view, _drawn(picture, one.log_probs, one.seen)

        return DRAWN.looks(*self._key(record, name), views, make)

    def stacks(
        self, names: Sequence[str], views: Sequence[str]
    ) -> Iterator[tuple[ViewStack, np.ndarray]]:
        """Yields `(V, C, n)` answers and `(n,)` class ids of pictures."""
        for name in names:
            looks = self.look(name, views)
            logs = torch.stack([looks[view].log_probs for view in views])
            seen = torch.stack([looks[view].seen for view in views])
            stack = ViewStack(tuple(views), logs, None if seen.all() else seen)
            yield stack, looks[views[0]].labels

    def notes(self, names: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """Returns how the truths of pictures were understood, by their names."""
        plain = one_look(self.world.record).views
        return {name: self.look(name, plain)[plain[0]].notes for name in names}

    def answers(self, names: Sequence[str], views: Sequence[str]) -> Answers:
        """Returns what `fit_steps` needs."""
        pixel = 4 * len(views) * len(self.world.record.classes)  # float32
        pixels = min(PIXELS, LESSON // (pixel * max(len(names), 1)))
        return Answers.of(self.stacks(names, views), whole=True, pixels=pixels)

    def _key(self, record: ModelRecord, name: str) -> tuple[str, str]:
        source = self.sources[name]
        files = " ".join(map(str, source.files))  # two visitors may have files of one name
        return record.digest, f"drawn {name} {files} {source.stamp}"


def _drawn(
    picture: LabelledPicture, log_probs: torch.Tensor, seen: torch.Tensor | None
) -> _DrawnLook:
    """Keeps the drawn pixels; the same of a picture at every time."""
    labels = picture.labels.ravel()
    most = min(PIXELS, NUMBERS // len(log_probs))
    places = np.random.default_rng(0).permutation(labels.size)[:most]
    seen = torch.ones(labels.size, dtype=torch.bool) if seen is None else seen.flatten()
    return _DrawnLook(log_probs.flatten(1)[:, places], seen[places], labels[places], picture.notes)


@dataclass(frozen=True)
class Verdict:
    """Whether learning helped: scores by name of three plans, see `Score.row`.

    `gain` is learned minus mean, with intervals over so many `pictures`.
    """

    none: dict[str, float]
    mean: dict[str, float]
    learned: dict[str, float]
    gain: dict[str, Difference]
    pictures: int


def scored(gallery: Gallery, names: Sequence[str], learned: Plan) -> dict[str, Score]:
    """Returns the scores of no TTA, even mean and learned weights, by name, on pictures."""
    plain = one_look(gallery.world.record)
    plans = {"none": plain, "mean": Plan(learned.views), "learned": learned}
    scores = {name: Score() for name in plans}
    views = tuple(dict.fromkeys((*learned.views, *plain.views)))
    for stack, labels in gallery.stacks(names, views):
        for name, plan in plans.items():
            scores[name].add(plan.fuse(stack).numpy(), labels)
    return scores


def compare(gallery: Gallery, names: Sequence[str], learned: Plan) -> Verdict:
    """Returns how the three of `scored` compare, with intervals."""
    scores = scored(gallery, names, learned)
    classes = gallery.world.record.classes
    rows = {name: score.row(classes) for name, score in scores.items()}
    keys = ("miou", "miou_without_background", "f1", "accuracy", "nll", "ece")
    gained = gain(scores["learned"], scores["mean"], classes, keys)
    return Verdict(**rows, gain=gained, pictures=len(names))
