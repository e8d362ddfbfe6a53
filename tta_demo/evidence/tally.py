"""What several answers to the same pictures came to, in numbers that add up over pictures."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import isfinite
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from tta_demo.evidence.stacks import Stacks
from tta_demo.scoring.interval import Difference, bootstrap
from tta_demo.tta.predict import ViewStack

__all__ = ["Answer", "Gain", "Reached", "Scores", "Tally", "tally"]

Answer = Callable[[ViewStack], Tensor]
"""From the looks at a picture to one answer, probabilities `(C, n)`."""


@dataclass(frozen=True)
class Gain:
    """How much more one score is than another, with a 95 % interval over pictures.

    `low` and `high` are None where there are too few pictures to tell.
    """

    value: float
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(cls, value: float, found: Difference | None) -> "Gain":
        """Returns a difference with the interval that was found for it, if there is any."""
        ends = (None, None) if found is None else (found.low, found.high)
        known = all(end is not None and isfinite(end) for end in ends)
        return cls(value, *(ends if known else (None, None)))

    def rounded(self) -> dict[str, float | None]:
        """Returns the numbers by name, 6 digits, ready for JSON."""
        pairs = vars(self).items()
        return {key: None if value is None else round(value, 6) for key, value in pairs}

    @property
    def up(self) -> bool:
        """Whether it is clearly above 0."""
        return self.low is not None and self.low > 0

    @property
    def down(self) -> bool:
        """Whether it is clearly below 0."""
        return self.high is not None and self.high < 0


class Reached(NamedTuple):
    """What one answer reached, and how much more that is than what another did.

    `nll` and its gain are None where answers are no probabilities.
    """

    score: float
    nll: float | None
    gain: Gain
    nll_gain: Gain | None


class Scores(ABC):
    """What K answers came to on the same pictures, however often each of these counts.

    Attributes:
        names: K, of the answers.
        count: P, the number of pictures.
    """

    names: tuple[str, ...]
    count: int

    @abstractmethod
    def scores(self, counts: np.ndarray | None = None) -> np.ndarray:
        """Returns `(K,)` scores, 0..1; each picture counts once, or as `counts` `(P,)` says."""

    @abstractmethod
    def nll(self, counts: np.ndarray | None = None) -> np.ndarray | None:
        """Returns `(K,)` the mean negative log-likelihood of the truth, if answers have any."""

    def gains(self, over: str | Sequence[str]) -> tuple[list[Gain], list[Gain | None]]:
        """Returns by how much each answer exceeds another in score, and in NLL; see `bootstrap`.

        Args:
            over: name of the other answer, or those of K, one for each.
        """
        named = [over] * len(self.names) if isinstance(over, str) else over
        others = [self.names.index(name) for name in named]

        def differences(counts: np.ndarray) -> list[float]:
            rows = (self.scores(counts), self.nll(counts))
            return [float(x) for row in rows if row is not None for x in row - row[others]]

        values = differences(np.ones(self.count))
        found = bootstrap(differences, self.count)
        gains = [Gain.of(*pair) for pair in zip(values, found, strict=True)]
        return gains[: len(self.names)], gains[len(self.names) :] or [None] * len(self.names)

    def reached(self, over: str | Sequence[str]) -> Iterator[Reached]:
        """Yields what each answer reached; `over` is as for `gains`."""
        losses = self.nll()
        known = [None] * len(self.names) if losses is None else losses.tolist()
        for row in zip(self.scores().tolist(), known, *self.gains(over), strict=True):
            yield Reached(*row)


@dataclass(frozen=True, eq=False)
class Tally(Scores):
    """What K answers of probabilities came to on P pictures of C classes.

    For the class of whole pictures all classes are counted as one: the score is the accuracy.

    Attributes:
        names: K, of the answers.
        hits: `(P, K, C)` pixels of a class that an answer found.
        given: `(P, K, C)` pixels that an answer gave to a class.
        true: `(P, C)` pixels of a class.
        losses: `(P, K)` summed negative log-probability of the truth.
        whole: whether there is one class a picture.
    """

    names: tuple[str, ...]
    hits: np.ndarray
    given: np.ndarray
    true: np.ndarray
    losses: np.ndarray
    whole: bool

    @classmethod
    def joined(cls, parts: Sequence["Tally"]) -> "Tally":
        """Returns what the same answers came to on the pictures of all parts."""
        arrays = ("hits", "given", "true", "losses")
        whole = {key: np.concatenate([getattr(one, key) for one in parts]) for key in arrays}
        return replace(parts[0], **whole)

    @property
    def count(self) -> int:
        """The number of pictures."""
        return len(self.true)

    def scores(self, counts: np.ndarray | None = None) -> np.ndarray:
        """Returns `(K,)` mean IoU over the truth's classes, or accuracy; 0..1.

        Each picture counts once, or as often as `counts` `(P,)` says.
        """
        counts = np.ones(len(self.true)) if counts is None else counts
        true = counts @ self.true
        hits, given = (self._summed(table, counts) for table in (self.hits, self.given))
        if self.whole:
            return hits.sum(1) / true.sum()
        there = true > 0
        return (hits / np.maximum(given + true - hits, 1e-12))[:, there].mean(1)

    def nll(self, counts: np.ndarray | None = None) -> np.ndarray:
        """Returns `(K,)` the mean negative log-likelihood of the truth."""
        counts = np.ones(len(self.true)) if counts is None else counts
        return counts @ self.losses / (counts @ self._pixels)

    @cached_property
    def _pixels(self) -> np.ndarray:
        return self.true.sum(1)

    @staticmethod
    def _summed(table: np.ndarray, counts: np.ndarray) -> np.ndarray:
        pictures, *shape = table.shape
        return (counts @ table.reshape(pictures, -1)).reshape(shape)


def tally(stacks: Stacks, answers: Mapping[str, Answer]) -> Tally:
    """Returns what the answers came to on all pictures.

    Args:
        stacks: the looks at labelled pictures.
        answers: by name; `Plan.fuse` for instance.
    """
    classes = 1 if stacks.whole else len(stacks.classes)
    rows: list[tuple[np.ndarray, ...]] = []
    for place, one in enumerate(stacks.pictures):
        stack, truth = stacks.stack(place), one.truth
        parts = [_counted(probs, truth, classes) for probs in _each(stack, answers)]
        hits, given, losses = (np.array(part) for part in zip(*parts, strict=True))
        rows.append((hits, given, _bins(truth, classes), losses))
    hits, given, true, losses = (
        np.stack(table).astype(float) for table in zip(*rows, strict=True)
    )
    return Tally(tuple(answers), hits, given, true, losses, stacks.whole)


def _each(stack: ViewStack, answers: Mapping[str, Answer]) -> Iterator[Tensor]:
    with torch.no_grad():
        for answer in answers.values():
            yield answer(stack)


def _counted(
    probs: Tensor, truth: np.ndarray, classes: int
) -> tuple[np.ndarray, np.ndarray, float]:
    labels = probs.max(0).indices.numpy()
    right = truth[labels == truth]
    true = probs.numpy()[truth, np.arange(len(truth))]
    loss = -float(np.log(true.clip(1e-7)).sum())  # as `Score` clips it
    return _bins(right, classes), _bins(labels, classes), loss


def _bins(labels: np.ndarray, classes: int) -> np.ndarray:
    return np.bincount(labels if classes > 1 else np.zeros_like(labels), minlength=classes)
