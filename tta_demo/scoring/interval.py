"""How sure a difference is: one bootstrap over pictures for every score.

Percentiles of resamples are too narrow for few pictures: called 95 %, they cover 88 % with 8 (see
`tests/scoring/test_interval.py`). Here resamples say how far a difference is off in units of its
own standard error (bootstrap-t). A difference of scores that are pooled over pictures becomes a
mean by the pseudo-values of the jackknife, one a picture.

Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993 (chapters 11 and 12).
"""

from collections.abc import Callable, Sequence
from math import isnan
from typing import NamedTuple

import numpy as np

__all__ = ["LEAST", "Difference", "bootstrap", "pseudo_values"]

LEAST = 8
"""Pictures, below which there is no interval: none keeps its promise there."""

_AT_ONCE = 2**20
"""Numbers of a table of resamples."""


class Difference(NamedTuple):
    """How much more one score is than another, and a 95 % interval of that over pictures.

    With fewer than `LEAST` pictures there is no interval: `low` and `high` are NaN.
    """

    value: float
    low: float
    high: float

    @property
    def known(self) -> bool:
        """Whether there is an interval."""
        return not isnan(self.low)

    @property
    def clear(self) -> bool:
        """Whether there is an interval that leaves out 0."""
        return self.low > 0 or self.high < 0

    def rounded(self, digits: int = 6) -> dict[str, float]:
        """Returns the numbers by name, ready for JSON."""
        return {key: round(value, digits) for key, value in self._asdict().items()}


def bootstrap(
    differences: Callable[[np.ndarray], Sequence[float]],
    pictures: int,
    draws: int = 2000,
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
        >>> gains = np.arange(8.0)
        >>> (found,) = bootstrap(lambda counts: [counts @ gains / counts.sum()], 8)
        >>> found.rounded(1)
        {'value': 3.5, 'low': 1.3, 'high': 5.8}
    """
    whole = np.array(differences(np.ones(pictures)), float)
    low, high = np.full((2, len(whole)), np.nan)
    if pictures >= LEAST:
        each = pseudo_values(differences, pictures)
        error, off = _off(each, draws, seed)
        known = ~np.isnan(error)  # a score that hangs on one picture has no interval
        tail = 2.5 - 5 / pictures  # a little more, as skewed gains need it
        above, below = np.nanpercentile(off[:, known], (100 - tail, tail), axis=0)
        ends = whole[known] - np.array([above, below]) * error[known]
        # few and very skewed gains would give ends that no picture comes near
        low[known], high[known] = np.clip(ends, each[:, known].min(0), each[:, known].max(0))
    return [Difference(*row) for row in np.array([whole, low, high]).T.tolist()]


def pseudo_values(
    differences: Callable[[np.ndarray], Sequence[float]], pictures: int
) -> np.ndarray:
    """Returns what each picture adds, `(pictures, K)`: of a mean, its own value (jackknife).

    `differences` is as for `bootstrap`.
    """
    counts = np.ones(pictures)
    whole, rows = np.array(differences(counts), float), []
    for left_out in range(pictures):
        counts = np.ones(pictures)
        counts[left_out] = 0
        rows.append(differences(counts))
    return pictures * whole - (pictures - 1) * np.array(rows, float)


def _off(values: np.ndarray, draws: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the standard error of the mean over pictures `(K,)`, and how far resamples are off.

    That is `(draws, K)`, in units of each resample's own error; NaN where it has none.
    """
    rng, count = np.random.default_rng(seed), len(values)
    values = values - values.mean(0)
    error = np.sqrt((values**2).sum(0) / (count - 1) / count)
    off = np.full((draws, values.shape[1]), np.nan)
    for part in np.array_split(off, -(-draws * count // _AT_ONCE)):
        times = rng.multinomial(count, np.full(count, 1 / count), len(part))
        mean = times @ values / count
        spread = np.maximum(times @ values**2 / count - mean**2, 0)
        own = np.sqrt(spread / (count - 1))
        np.divide(mean, own, out=part, where=own > 1e-6 * error)
    return error, np.where(np.isnan(off).all(0), 0, off)
