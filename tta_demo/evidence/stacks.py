"""Every look at labelled pictures, run once and kept small: all evidence follows from these."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from tta_demo.learning.answers import Answers
from tta_demo.models.ensemble import look_as
from tta_demo.pictures.palettes import IGNORED, class_ids
from tta_demo.samples.labelled import LabelledPicture
from tta_demo.tta.crops import predict_crops
from tta_demo.tta.predict import Look, Model, ViewStack, to_tensor
from tta_demo.tta.views import refuse_unknown

__all__ = ["NUMBERS", "PIXELS", "Kept", "Looked", "Stacks"]
__all__ += ["kept_crops", "kept_looks", "kept_of", "thinned"]

PIXELS = 8192
"""Most pixels that are kept of a picture; they lie on an even grid."""
NUMBERS = 2**20
"""Most log-probabilities that are kept of a picture: with many classes, fewer pixels."""


@dataclass(frozen=True, eq=False)
class Kept:
    """What is kept of one picture: the answers on a grid of pixels, and the truth there.

    Attributes:
        name: the picture's.
        log_probs: `(V, C, n)` float16; n is 1 for the class of a whole picture.
        truth: `(n,)` int64 class ids.
        seconds: `(V,)` what each look took.
    """

    name: str
    log_probs: np.ndarray
    truth: np.ndarray
    seconds: np.ndarray

    @property
    def probs(self) -> np.ndarray:
        """`(V, C, n)` float32."""
        return np.exp(self.log_probs.astype(np.float32))

    def arrays(self) -> dict[str, np.ndarray]:
        """Returns all but the name, to be kept in a file."""
        return {"logs": self.log_probs, "truth": self.truth, "seconds": self.seconds}

    @classmethod
    def of(cls, name: str, arrays: Mapping[str, np.ndarray]) -> "Kept":
        """Returns what `arrays` gave, under a name."""
        return cls(name, arrays["logs"], arrays["truth"], arrays["seconds"])


@dataclass(frozen=True)
class Looked:
    """The same looks at several labelled pictures, whatever the answers are.

    Attributes:
        views: V names; the first is the plain look, the picture as it is.
        classes: C names.
        pictures: at least one; each has a `name`, its `truth`, and the `seconds` of each look.

    Raises:
        ValueError: there is no picture.
    """

    views: tuple[str, ...]
    classes: tuple[str, ...]
    pictures: tuple[Any, ...]

    keeps: ClassVar[type]
    """Of what is kept of a picture."""

    def __post_init__(self) -> None:
        if not self.pictures:
            raise ValueError("no picture: evidence needs labelled pictures")

    @property
    def ms(self) -> np.ndarray:
        """`(V,)` milliseconds of each look, the median over pictures."""
        return 1000 * np.median([one.seconds for one in self.pictures], axis=0)

    def split(self, share: float = 0.5, seed: int = 0) -> tuple[Self, Self]:
        """Returns two parts of whole pictures, drawn with a seed: `share` of them, and the rest.

        Raises:
            ValueError: there are less than two pictures.
        """
        count = len(self.pictures)
        if count < 2:
            raise ValueError("1 picture cannot be split into two parts: give at least 2")
        order = np.random.default_rng(seed).permutation(count)
        cut = min(count - 1, max(1, round(share * count)))
        return self.take(sorted(order[:cut])), self.take(sorted(order[cut:]))

    def take(self, places: Sequence[int]) -> Self:
        """Returns those of some pictures, by their places."""
        return replace(self, pictures=tuple(self.pictures[i] for i in places))


@dataclass(frozen=True)
class Stacks(Looked):
    """Looks whose answers are probabilities: of the pixels, or of whole pictures.

    Raises:
        ValueError: there is no picture, or one does not fit the names.
    """

    pictures: tuple[Kept, ...]

    keeps = Kept

    def __post_init__(self) -> None:
        super().__post_init__()
        shape = len(self.views), len(self.classes)
        for one in self.pictures:
            if one.log_probs.shape != (*shape, len(one.truth)):
                told = f"{one.name}: answers {one.log_probs.shape}, truth {one.truth.shape}"
                raise ValueError(f"{told}: V, C must be {shape}, and n the same")

    @property
    def whole(self) -> bool:
        """Whether there is one class a picture instead of one a pixel."""
        return all(len(one.truth) == 1 for one in self.pictures)

    def looking(self, views: Sequence[str]) -> "Stacks":
        """Returns some of the looks alone, in their order here; refuses others."""
        refuse_unknown(views, self.views)
        rows = [row for row, view in enumerate(self.views) if view in views]
        pictures = tuple(
            replace(one, log_probs=one.log_probs[rows], seconds=one.seconds[rows])
            for one in self.pictures
        )
        return replace(self, views=tuple(self.views[row] for row in rows), pictures=pictures)

    def stack(self, place: int) -> ViewStack:
        """Returns the answers to one picture, `(V, C, n)`."""
        return ViewStack(self.views, torch.from_numpy(self.pictures[place].log_probs))

    def answers(self) -> Answers:
        """Returns what weights are learned from, all classes."""
        probs = tuple(one.probs for one in self.pictures)
        return Answers(probs, tuple(one.truth for one in self.pictures))


def thinned(
    name: str, log_probs: Tensor, labels: np.ndarray, seconds: Sequence[float], most: int = PIXELS
) -> Kept:
    """Returns what is kept of a picture: pixels on an even grid whose truth is not `IGNORED`.

    Args:
        name: of the picture.
        log_probs: every look's answer, `(V, C, H, W)`.
        labels: `(H, W)` class ids 0..C-1.
        seconds: V, what each look took.
        most: pixels to keep; with many classes, fewer are kept.

    Raises:
        ValueError: labels of another size, ids outside of the classes, or no pixel to keep.
    """
    views, classes, *size = log_probs.shape
    labels = class_ids(labels, classes)
    if labels.shape != tuple(size):
        raise ValueError(f"{name} is {tuple(size)}, its truth {labels.shape}: sizes differ")
    grid = _grid(labels.shape, min(most, _most(views, classes)))
    logs, truth = log_probs[grid].reshape(views, classes, -1), labels[grid].ravel()
    counts = truth != IGNORED
    if not counts.all():
        logs, truth = logs[..., counts], truth[counts]
    if not len(truth):
        raise ValueError(f"{name}: no pixel has a class and was seen by all looks; leave it out")
    kept = logs.to(torch.float16).contiguous().numpy()
    return Kept(name, kept, truth.astype(np.int64), np.asarray(seconds, np.float64))


def _most(views: int, classes: int) -> int:
    return max(1, min(PIXELS, NUMBERS // (views * classes)))


def _grid(size: tuple[int, int], most: int) -> tuple[slice, ...]:
    """Returns the finest even grid of at most so many pixels, away from the edge."""
    step = 1
    while True:
        start = min(step // 2, *(length - 1 for length in size))
        rows, columns = (len(range(start, length, step)) for length in size)
        if rows * columns <= most:
            return np.s_[..., start::step, start::step]
        step += 1


def kept_looks(
    model: Model | Mapping[str, Model],
    picture: LabelledPicture,
    rows: Sequence[str],
    stopped: Callable[[], bool] = lambda: False,
) -> Kept | None:
    """Returns what is kept of a picture to be segmented, where all looks saw it.

    Each look costs one forward pass.

    Args:
        model: as `load_model` gives it.
        picture: with its truth.
        rows: names of the looks, see `look_as`.
        stopped: asked before each look; if true, None is returned.
    """
    image = to_tensor(picture.rgb)
    looks = (look_as(model, image, row) for row in rows)
    return kept_of(looks, picture, len(rows), stopped)


def kept_of(
    looks: Iterator[Look],
    picture: LabelledPicture,
    count: int,
    stopped: Callable[[], bool] = lambda: False,
) -> Kept | None:
    """Returns what `kept_looks` does, of looks that are made elsewhere.

    Each is thinned before the next is asked for: the memory is that of one.

    Args:
        looks: at the picture.
        picture: with its truth.
        count: of the looks.
        stopped: as there.
    """
    labels, logs, seconds = picture.labels, [], []
    for _ in range(count):
        if stopped():
            return None
        one = next(looks)
        grid = _grid(labels.shape, _most(count, len(one.log_probs)))
        logs.append(one.log_probs[grid].to(torch.float16).contiguous())
        seconds.append(one.seconds)
        if one.seen is not None:
            labels = np.where(one.seen.numpy(), labels, IGNORED)
    return thinned(picture.name, torch.stack(logs), labels[grid], seconds)


def kept_crops(model: Model, name: str, rgb: np.ndarray, label: int, views: Sequence[str]) -> Kept:
    """Returns what is kept of a picture with one class; see `predict_crops`.

    All crops go through the model at once, so each is said to take the same time.
    """
    start = time.perf_counter()
    logs = predict_crops(model, rgb, views).log_probs
    each = (time.perf_counter() - start) / len(views)
    kept = logs[..., None].to(torch.float16).numpy()
    return Kept(name, kept, np.array([label]), np.full(len(views), each))
