"""The plans that are put on trial: chosen, or learned, on the calibration pictures alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tta_demo.evidence.stacks import Looked
from tta_demo.evidence.task import Learned, task_of
from tta_demo.tta.fusion import Weights
from tta_demo.tta.plan import Plan

__all__ = ["EVEN", "GREEDY", "LEARNED", "ONE", "Option", "learned_on", "options"]

ONE, EVEN, GREEDY, LEARNED = "one look", "all", "greedy", "learned"
"""Names of options that are always there, but `GREEDY` for boxes: the plain look, all looks
evenly, and both learned."""

LEAST = 0.25
"""A look that counts less than this part of an even share is not worth its time: left out."""


@dataclass(frozen=True)
class Option:
    """A way to look, by its name.

    Attributes:
        name: unique among its like.
        views: in the order of the weights.
        fusion: a key of `FUSIONS`, or of `FUSERS` for boxes.
        weights: one a view, sum 1; None for a fusion that takes none.
    """

    name: str
    views: tuple[str, ...]
    fusion: str = "mean"
    weights: tuple[float, ...] | None = None

    @property
    def plan(self) -> Plan:
        """The plan, to look and fuse by."""
        weights = None if self.weights is None else Weights(np.array(self.weights))
        return Plan(self.views, self.fusion, weights)


def options(
    calibration: Looked,
    sets: Mapping[str, Sequence[str]],
    order: Sequence[str],
    learned: Learned,
    ahead: Sequence[int] = (),
) -> tuple[Option, ...]:
    """Returns the plans to try, each set of looks once, the plain look first.

    Args:
        calibration: the pictures to learn on.
        sets: looks by name, fused evenly; those with a look that is not there are left out.
        order: the looks as forward selection found them.
        learned: weights of all looks, of these pictures.
        ahead: how many of the first of them are tried as well.
    """
    plain, everything = calibration.views[0], calibration.views
    even = task_of(calibration).even
    found = [Option(ONE, (plain,), "none")]
    named = {name: tuple(views) for name, views in sets.items() if set(views) <= set(everything)}
    chosen = {_first_of(k): tuple(order[:k]) for k in ahead}
    for name, views in ({EVEN: everything} | named | chosen).items():
        if all(set(one.views) != set(views) for one in found):
            found.append(Option(name, views, even if len(views) > 1 else "none"))
    return (*found, *_weighted(calibration, learned))


def learned_on(calibration: Looked) -> Learned:
    """Returns the weights of all looks, learned as the library does it unless told otherwise."""
    return task_of(calibration).learn(calibration)


def _first_of(count: int) -> str:
    return f"best {count}" if count > 1 else "best single"


def _weighted(calibration: Looked, learned: Learned) -> Iterator[Option]:
    """Yields what is left of learned weights without the looks that count next to nothing."""
    task = task_of(calibration)
    for name, weights in ((GREEDY, task.policy(calibration)), (LEARNED, learned.weights)):
        if weights is None:
            continue
        used = [v for v, weight in enumerate(weights) if weight * len(weights) >= LEAST]
        kept = np.array(weights)[used]
        views = tuple(calibration.views[v] for v in used)
        yield Option(name, views, task.weighted, tuple((kept / kept.sum()).tolist()))
