"""How sure a difference is: one bootstrap over pictures for every score.

Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993 (percentile interval).
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

__all__ = ["Difference", "bootstrap"]


class Difference(NamedTuple):
    """How much more one score is than another, and a 95 % interval of that over pictures.

    With a single picture there is no interval: `low` and `high` are NaN.
    """

    value: float
    low: float
    high: float

    @property
    def clear(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0

    def rounded(self, digits: int = 6) -> dict[str, float]:
        """Returns the numbers by name, ready for JSON."""
        return {key: round(value, digits) for key, value in self._asdict().items()}


def bootstrap(
    differences: Callable[[np.ndarray], Sequence[float]],
    pictures: int,
    draws: int = 1000,
    seed: int = 0,
) -> list[Difference]:
    """Returns differences of scores with their intervals.

    Pictures are drawn with replacement, not pixels or boxes: those of one picture are alike.

    Args:
        differences: from how often each picture counts, `(pictures,)`, to one or more numbers.
        pictures: how many there are.
        draws: number of resamples.
        seed: of the draws.

    Example:
        >>> gains = np.array([1.0, 2.0, 3.0])
        >>> bootstrap(lambda counts: [counts @ gains / counts.sum()], 3)
        [Difference(value=2.0, low=1.0, high=3.0)]
    """
    rng = np.random.default_rng(seed)
    resamples = rng.multinomial(pictures, np.full(pictures, 1 / pictures), draws)
    rows = np.array([differences(counts) for counts in (np.ones(pictures), *resamples)])
    low, high = np.full((2, rows.shape[1]), np.nan)
    known = ~np.isnan(rows[0])  # a score that the pictures lack has no interval either
    if pictures > 1 and known.any():
        low[known], high[known] = np.nanpercentile(rows[1:, known], (2.5, 97.5), axis=0)
    return [Difference(*row) for row in np.array([rows[0], low, high]).T.tolist()]
