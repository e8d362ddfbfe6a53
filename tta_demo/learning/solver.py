"""The exact fit: weights of maximum likelihood on the simplex, with a certificate.

The likelihood of the true classes, sum_i log sum_v w_v p_v(y_i), is concave in the weights and
needs only each view's probability of the true class. Expectation maximisation creeps where views
are alike; sequential quadratic programming takes a handful of passes.

Source: Kim et al., "A Fast Algorithm for Maximum Likelihood Estimation of Mixture Proportions",
2018 (mixsqp).
"""

from collections.abc import Iterator

import numpy as np
from scipy.optimize import nnls

__all__ = ["ascend", "certificate", "log_likelihood"]

_CHUNK = 2**18
"""Pixels a pass handles at a time; sums over chunks are in float64."""


def ascend(
    truth: np.ndarray, tolerance: float = 1e-6, steps: int = 100
) -> Iterator[tuple[np.ndarray, float]]:
    """Yields weights `(V,)` and their mean log-likelihood, even ones first; it never falls.

    Args:
        truth: `(V, N)` each view's probability of the true class of N pixels that all views saw.
        tolerance: the `certificate` to stop at.
        steps: most steps to take.

    Raises:
        ValueError: there is no pixel, or a value is not a positive number.

    Example:
        >>> *_, (weights, _) = ascend(np.array([[0.9, 0.8, 0.9], [0.1, 0.5, 0.2]]))
        >>> weights
        array([1., 0.])
    """
    if truth.ndim != 2 or truth.size == 0 or not (np.isfinite(truth) & (truth > 0)).all():
        raise ValueError(f"truth of shape {truth.shape}: give (V, N) probabilities > 0, N >= 1")
    weights = np.full(len(truth), 1 / len(truth))
    value, gradient, hessian = _moments(truth, weights)
    yield weights, value
    for _ in range(steps):
        if gradient.max() - 1 <= tolerance:
            return
        target = _quadratic_step(gradient, hessian)
        weights, reached = _line_search(truth, weights, target, value, gradient)
        yield weights, reached
        if reached <= value:  # as far as floating point can tell apart
            return
        value, gradient, hessian = _moments(truth, weights)


def certificate(truth: np.ndarray, weights: np.ndarray) -> float:
    """Returns max_v mean_i p_v(y_i) / p_mix(y_i) - 1, the gap of weights `(V,)`.

    By concavity no weights have a mean log-likelihood higher than theirs by more than this.

    Example:
        >>> round(certificate(np.array([[0.5], [0.25]]), np.array([0.5, 0.5])), 3)
        0.333
    """
    gaps = np.zeros(len(truth))
    for part in _parts(truth):
        gaps += (part / (weights @ part) - 1).sum(1)
    return float(gaps.max() / truth.shape[1])


def log_likelihood(truth: np.ndarray, weights: np.ndarray) -> float:
    """Returns mean_i log sum_v w_v p_v(y_i) of weights `(V,)` for `(V, N)` probabilities."""
    return float(sum(np.log(weights @ part).sum() for part in _parts(truth)) / truth.shape[1])


def _parts(truth: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, truth.shape[1], _CHUNK):
        yield truth[:, start : start + _CHUNK].astype(np.float64)


def _moments(truth: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Returns mean log-likelihood, and with r = p_v / p_mix the means of r `(V,)` and r r^T."""
    views, pixels = truth.shape
    value, gradient, hessian = 0.0, np.zeros(views), np.zeros((views, views))
    for part in _parts(truth):
        mix = weights @ part
        ratio = part / mix
        value += np.log(mix).sum()
        gradient += ratio.sum(1)
        hessian += ratio @ ratio.T
    return value / pixels, gradient / pixels, hessian / pixels


def _quadratic_step(gradient: np.ndarray, hessian: np.ndarray) -> np.ndarray:
    """Minimises the second-order model of -value + sum(w) over w >= 0.

    Adding sum(w) frees the weights from the simplex: the optimum sums to 1 by itself. As r.w = 1
    at every pixel, the model is w'Hw/2 - (2g - 1)'w, a non-negative least-squares problem.
    """
    # Identical views make it singular; relative to each view, as their scales differ by 1e10.
    factor = np.linalg.cholesky(hessian + 1e-10 * np.diag(np.diag(hessian)))
    target, _ = nnls(factor.T, np.linalg.solve(factor, 2 * gradient - 1))
    return target / target.sum()


def _line_search(
    truth: np.ndarray, weights: np.ndarray, target: np.ndarray, value: float, gradient: np.ndarray
) -> tuple[np.ndarray, float]:
    step = target - weights
    slope = gradient @ step
    for size in 0.5 ** np.arange(30):
        reached = log_likelihood(truth, weights + size * step)
        if reached >= value + 1e-4 * size * slope:
            return weights + size * step, reached
    return weights, value
