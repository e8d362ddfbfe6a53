"""Looks at pictures with true boxes: what is kept of them, and what their answers came to."""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from tta_demo.evidence.stacks import Looked
from tta_demo.evidence.tally import Scores
from tta_demo.scoring.box_metrics import Matches
from tta_demo.tta.box_views import BoxLook
from tta_demo.tta.boxes import Boxes

__all__ = ["BoxLooks", "BoxTally", "Found", "KeptBoxes", "box_tally", "kept_boxes"]

Found = Mapping[str, Boxes]
"""The boxes that each look found in a picture, by view."""


@dataclass(frozen=True, eq=False)
class KeptBoxes:
    """What is kept of one picture.

    Attributes:
        name: the picture's.
        found: V, the boxes of each look in the picture's frame.
        truth: the true boxes.
        seconds: `(V,)` what each look took.
    """

    name: str
    found: tuple[Boxes, ...]
    truth: Boxes
    seconds: np.ndarray

    def arrays(self) -> dict[str, np.ndarray]:
        """Returns all but the name, to be kept in a file."""
        sets = (*self.found, self.truth)
        joined = {
            key: np.concatenate([getattr(one, key) for one in sets])
            for key in ("xyxy", "scores", "labels")
        }
        return joined | {"counts": np.array([len(one) for one in sets]), "seconds": self.seconds}

    @classmethod
    def of(cls, name: str, arrays: Mapping[str, np.ndarray]) -> "KeptBoxes":
        """Returns what `arrays` gave, under a name."""
        ends = arrays["counts"].cumsum()[:-1]
        columns = (np.split(arrays[key], ends) for key in ("xyxy", "scores", "labels"))
        *found, truth = (Boxes(*row) for row in zip(*columns, strict=True))
        return cls(name, tuple(found), truth, arrays["seconds"])


@dataclass(frozen=True)
class BoxLooks(Looked):
    """Looks whose answers are boxes; labels are places in `classes`, of which 0 is no thing.

    Raises:
        ValueError: there is no picture, or one has another number of looks.
    """

    pictures: tuple[KeptBoxes, ...]

    keeps = KeptBoxes

    def __post_init__(self) -> None:
        super().__post_init__()
        for one in self.pictures:
            if len(one.found) != len(self.views):
                told = f"{one.name} has boxes of {len(one.found)} looks"
                raise ValueError(f"{told}: there are {len(self.views)}")

    @property
    def labels(self) -> range:
        """The labels that count."""
        return range(1, len(self.classes))

    @property
    def truth(self) -> list[Boxes]:
        """The true boxes of each picture."""
        return [one.truth for one in self.pictures]

    @property
    def found(self) -> list[Found]:
        """What the looks found, picture by picture."""
        return [dict(zip(self.views, one.found, strict=True)) for one in self.pictures]


@dataclass(frozen=True, eq=False)
class BoxTally(Scores):
    """What K answers of boxes came to: the score is COCO's AP of all pictures together.

    Attributes:
        names: K, of the answers.
        matches: of each answer, which boxes are right.
        count: the number of pictures.
    """

    names: tuple[str, ...]
    matches: tuple[Matches, ...]
    count: int

    def scores(self, counts: np.ndarray | None = None) -> np.ndarray:
        """Returns `(K,)` AP, the mean over IoU .50:.05:.95 and classes; as `Scores.scores`."""
        counts = np.ones(self.count) if counts is None else counts
        return np.array([one.scores(counts).ap for one in self.matches])

    def nll(self, counts: np.ndarray | None = None) -> None:
        """Returns None: boxes are no probabilities."""


def box_tally(looks: BoxLooks, answers: Mapping[str, Callable[[Found], Boxes]]) -> BoxTally:
    """Returns what the answers came to on all pictures.

    Args:
        looks: at pictures with true boxes.
        answers: by name, from what the looks at a picture found to one set of boxes.

    Raises:
        ValueError: no picture has a true box.
    """
    if not any(len(one) for one in looks.truth):
        raise ValueError(f"{looks.pictures[0].name} ...: no picture has a true box to be found")
    found = looks.found
    matches = tuple(
        Matches([answer(one) for one in found], looks.truth, looks.labels)
        for answer in answers.values()
    )
    return BoxTally(tuple(answers), matches, len(found))


def kept_boxes(
    looks: Iterator[BoxLook],
    name: str,
    truth: Boxes,
    count: int,
    stopped: Callable[[], bool] = lambda: False,
) -> KeptBoxes | None:
    """Returns what is kept of a picture.

    Args:
        looks: at the picture, made when they are asked for.
        name: of the picture.
        truth: its true boxes.
        count: of the looks.
        stopped: asked before each look; if true, None is returned.
    """
    found, seconds = [], []
    for _ in range(count):
        if stopped():
            return None
        start = time.perf_counter()
        found.append(next(looks).boxes)
        seconds.append(time.perf_counter() - start)
    return KeptBoxes(name, tuple(found), truth, np.array(seconds))
