"""The examples of a world, chosen by rule, and what looking again is worth on the whole test set.

`python -m tta_demo benchmark examples WORLD` writes what is read here.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tta_demo.pictures.assets import ASSETS, fault_of
from tta_demo.scoring.interval import Difference

__all__ = ["SHARES", "Choice", "Example", "choice_of"]

SHARES = (0.9, 0.5, 0.1)
"""Which pictures are shown, of all of them in the order of what they gain: 0 is the worst."""


@dataclass(frozen=True)
class Example:
    """A picture that stands for others.

    Attributes:
        file: its name; its mask is beside it.
        share: one of `SHARES`.
        gain: of its mIoU by looking again, -1..1, over the classes that its truth has.
    """

    file: str
    share: float
    gain: float

    @property
    def path(self) -> Path:
        """Where the picture is."""
        return ASSETS / "examples" / self.file


@dataclass(frozen=True)
class Choice:
    """What was chosen from what.

    Attributes:
        examples: one for each of `SHARES`, in their order.
        pool: number of pictures that they were chosen from.
        pictures: number of pictures in the test set.
        gain: of the mIoU over the test set by looking again, -1..1, with its interval.
    """

    examples: tuple[Example, ...]
    pool: int
    pictures: int
    gain: Difference


@cache
def choice_of(world: str) -> Choice | None:
    """Returns the choice for a world, by its name; None if there is none that can be read."""
    path = ASSETS / "results" / f"examples-{world}.json"
    if fault_of(path):
        return None
    found = json.loads(path.read_text("utf-8"))
    examples = tuple(Example(**one) for one in found["examples"])
    return Choice(examples, found["pool"], found["pictures"], Difference(**found["gain"]))
