"""Stop when sure: the threshold that keeps a promise, and how many looks are then taken.

Thresholds are tried from the strictest on, as long as the loss on the calibration pictures, some
of its standard errors added, is within what was allowed. The first that fails ends the search, so
that trying many costs no certainty. (An interval by bootstrap is of no use for the strictest, by
which hardly a picture changes: it would end the search at once.)

Source: Angelopoulos et al., "Learn then Test", 2021 (fixed sequence testing).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from tta_demo.evidence.options import learned_on
from tta_demo.evidence.stacks import Stacks
from tta_demo.evidence.tally import Answer, Tally, tally
from tta_demo.scoring.interval import LEAST, pseudo_values
from tta_demo.tasks.sure import first_looks, still_open, to_come
from tta_demo.tta.fusion import Weights
from tta_demo.tta.plan import Plan
from tta_demo.tta.predict import ViewStack

__all__ = ["ALL", "LOSS", "Prefixes", "enough_looks", "prefixes", "sure_below", "sure_plan"]
__all__ += ["surely_within"]

ALL = "all looks"
LOSS = 0.001
"""Of mean IoU or accuracy: what stopping may cost unless somebody says otherwise."""
TRIED = 100
"""Thresholds, at most."""
ERRORS = 2.5
"""Standard errors that are added to a loss. With rare, large losses of single pictures the promise
then held in 19 of 20 simulated calibrations on 30 pictures or more; two held it in 18."""


@dataclass(frozen=True, eq=False)
class Prefixes:
    """What the first 1..V looks of a plan came to on P pictures.

    Attributes:
        tally: of V answers, the last one that of all looks.
        open: `(P, V)` share of each answer that the looks to come may be expected to turn.
        origins: what each picture is a part or a version of; intervals are over these.
    """

    tally: Tally
    open: np.ndarray
    origins: tuple[str, ...]

    @property
    def most(self) -> int:
        """V, all looks."""
        return self.open.shape[1]

    def looks(self, below: float) -> np.ndarray:
        """Returns how many looks each picture takes, `(P,)` in 1..V; see `look_until_sure`."""
        sure = self.open < below
        sure[:, -1] = True
        return sure.argmax(1) + 1

    def taken(self, looks: Mapping[str, np.ndarray | int]) -> Tally:
        """Returns the tally of `ALL` looks and of others by name, over the origins.

        Args:
            looks: how many looks are taken, by every picture `(P,)` or the same by all.
        """
        rows = np.arange(len(self.open))[:, None]
        counts = [np.broadcast_to(count, len(self.open)) for count in (self.most, *looks.values())]
        chosen = np.stack(counts, axis=1) - 1
        names = list(dict.fromkeys(self.origins))
        member = np.array([[own == name for own in self.origins] for name in names], float)
        summed = {
            key: np.tensordot(member, getattr(self.tally, key)[rows, chosen], 1)
            for key in ("hits", "given", "losses")
        }
        true = member @ self.tally.true
        return replace(self.tally, names=(ALL, *looks), true=true, **summed)


def prefixes(stacks: Stacks, plan: Plan, origins: Sequence[str] | None = None) -> Prefixes:
    """Returns what the first looks of a plan came to, for every number of them.

    Args:
        stacks: looks at labelled pictures, those of the plan among them.
        plan: in the order of looking.
        origins: of each picture what it is a part or version of; itself if left out.
    """
    shares: list[float] = []

    def first(count: int) -> Answer:
        part, rest = first_looks(plan, count), to_come(plan, count)

        def answer(stack: ViewStack) -> Tensor:
            probs = part.fuse(stack)
            shares.append(still_open(probs, rest))
            return probs

        return answer

    most = len(plan.views)
    found = tally(stacks, {str(count): first(count) for count in range(1, most + 1)})
    names = tuple(origins or (one.name for one in stacks.pictures))
    return Prefixes(found, np.array(shares).reshape(-1, most), names)


def sure_plan(calibration: Stacks, views: Sequence[str], learned: bool = True) -> Plan:
    """Returns the plan of some looks in the order to take them: the plain one, then by help.

    Each look is the one that helps the even mean of those before it most.

    Args:
        calibration: the pictures to learn on; the plain look comes first.
        views: looks, the plain one among them.
        learned: whether they are weighed as learned here, or evenly.
    """
    looked = calibration.looking(views)
    truth = looked.answers().true_class().astype(np.float64)
    order, total = [0], truth[0]
    while len(order) < len(truth):
        left = sorted(set(range(len(truth))) - set(order))
        order.append(max(left, key=lambda v: float(np.log(total + truth[v]).mean())))
        total = total + truth[order[-1]]
    names = tuple(looked.views[v] for v in order)
    if not learned:
        return Plan(names)
    return Plan(names, "learned", Weights(learned_on(looked).weights[order]))


def sure_below(found: Prefixes, loss: float = LOSS) -> float:
    """Returns the highest threshold by which stopping surely loses no more than allowed.

    Args:
        found: on calibration pictures.
        loss: of mean IoU or accuracy, 0..1, compared with all looks.

    Returns:
        As `look_until_sure` takes it; 0, for all looks, where nothing is sure, as with fewer
        pictures than an interval needs.
    """
    shares = found.open[:, :-1]
    if not shares.size:
        return 0.0
    steps = np.unique(np.quantile(shares, np.linspace(0, 1, TRIED)))
    tried = [*steps.tolist(), float(np.nextafter(steps[-1], 1))]  # the last one stops all at one
    kept = _kept(found, [found.looks(below) for below in tried], loss)
    return tried[kept - 1] if kept else 0.0


def enough_looks(found: Prefixes, loss: float = LOSS) -> int:
    """Returns how few looks, the same for every picture, surely lose no more than allowed."""
    counts = range(found.most - 1, 0, -1)
    return found.most - _kept(found, [np.array(count) for count in counts], loss)


def _kept(found: Prefixes, ways: Sequence[np.ndarray], loss: float) -> int:
    """Returns how many of some ways, from the first on, surely lose no more."""
    tally = found.taken({str(place): way for place, way in enumerate(ways)})

    def losses(counts: np.ndarray) -> list[float]:
        scores = tally.scores(counts)
        return (scores[0] - scores[1:]).tolist()

    pictures = len(tally.true)
    # of whole pictures none may be lost here, and 3 in as many elsewhere: the rule of three
    return surely_within(losses, pictures, loss - 3 / pictures if tally.whole else loss)


def surely_within(
    losses: Callable[[np.ndarray], Sequence[float]], pictures: int, loss: float
) -> int:
    """Returns how many losses, from the first on, are surely no more than one that is allowed.

    Args:
        losses: from how often each picture counts, `(pictures,)`, to K losses.
        pictures: how many there are; with fewer than an interval needs nothing is sure.
        loss: allowed.

    Example:
        >>> each = np.array([[0.0, 0.1, 0.2, 0.0]] * 4 + [[0.0, 0.3, 0.6, 0.0]] * 4)
        >>> surely_within(lambda counts: counts @ each / counts.sum(), 8, 0.3)
        2
    """
    if pictures < LEAST:
        return 0
    each = pseudo_values(losses, pictures)
    error = each.std(0, ddof=1) / pictures**0.5
    fine = np.array(losses(np.ones(pictures))) + ERRORS * error <= loss
    return len(fine) if fine.all() else int(fine.argmin())
