"""The exact fit: weights of maximum likelihood on the simplex, with a certificate.

The likelihood of the true classes, sum_i log sum_v w_v p_v(y_i), is concave in the weights and
needs only each view's probability of the true class. Expectation maximisation creeps where views
are alike; sequential quadratic programming takes a handful of passes. A Dirichlet prior, which
draws the weights towards even ones, is a made-up pixel for each view, which no other view sees:
the problem stays concave, and the certificate covers it.

Source: Kim et al., "A Fast Algorithm for Maximum Likelihood Estimation of Mixture Proportions",
2018 (mixsqp).
"""

from collections.abc import Iterator

import numpy as np
from scipy.optimize import nnls

__all__ = ["ascend", "certificate", "log_likelihood", "log_prior"]

_CHUNK = 2**18
"""Pixels a pass handles at a time; sums over chunks are in float64."""

_SIZES = (1, 0.9, *0.5 ** np.arange(1, 30))
"""Of a step; where a whole one takes all of a view's weight, .9 of it leaves a tenth."""


def ascend(
    truth: np.ndarray,
    prior: float = 0.0,
    start: np.ndarray | None = None,
    tolerance: float = 1e-6,
    steps: int = 100,
) -> Iterator[tuple[np.ndarray, float]]:
    """Yields weights `(V,)` and their mean log-likelihood, the first ones first.

    The likelihood plus `log_prior` never falls.

    Args:
        truth: `(V, N)` each view's probability of the true class of N pixels that all views saw.
        prior: what the prior counts, from 0 on, where all pixels together count 1; infinity
            leaves the weights even.
        start: `(V,)` the first weights, of sum 1; with a prior none is 0. Even if left out.
        tolerance: the `certificate` to stop at.
        steps: most steps to take.

    Raises:
        ValueError: there is no pixel, a value is not a positive number, or the prior is below 0.

    Example:
        >>> truth = np.array([[0.9, 0.8, 0.9], [0.1, 0.5, 0.2]])
        >>> for prior in (0, 1, np.inf):
        ...     *_, (weights, _) = ascend(truth, prior)
        ...     print(weights.round(2))
        [1. 0.]
        [0.69 0.31]
        [0.5 0.5]
    """
    if truth.ndim != 2 or truth.size == 0 or not (np.isfinite(truth) & (truth > 0)).all():
        raise ValueError(f"truth of shape {truth.shape}: give (V, N) probabilities > 0, N >= 1")
    if not prior >= 0:
        raise ValueError(f"the prior is {prior}: give 0 (none) to infinity (even weights)")
    weights = np.full(len(truth), 1 / len(truth))
    if np.isinf(prior):
        yield weights, log_likelihood(truth, weights)
        return
    weights = weights if start is None else start
    value, gradient, hessian = _moments(truth, weights, prior)
    yield weights, value - log_prior(weights, prior)
    for _ in range(steps):
        if gradient.max() - (1 + prior) <= tolerance:
            return
        target = _quadratic_step(gradient, hessian, prior)
        weights, reached = _line_search(truth, weights, target, value, gradient, prior)
        yield weights, reached - log_prior(weights, prior)
        if reached <= value:  # as far as floating point can tell apart
            return
        value, gradient, hessian = _moments(truth, weights, prior)


def certificate(truth: np.ndarray, weights: np.ndarray, prior: float = 0.0) -> float:
    """Returns how far weights `(V,)` may be from the best; inf with a prior and a weight of 0.

    That is max_v mean_i p_v(y_i) / p_mix(y_i) + prior / (V w_v), less 1 + prior: by concavity no
    weights have a mean log-likelihood plus `log_prior` that is higher than theirs by more. With an
    infinite prior even weights are the best, by definition.

    Example:
        >>> round(certificate(np.array([[0.5], [0.25]]), np.array([0.5, 0.5])), 3)
        0.333
    """
    if np.isinf(prior):
        return 0.0 if np.ptp(weights) < 1e-12 else np.inf
    gaps = np.zeros(len(truth))
    for part in _parts(truth):
        gaps += (part / (weights @ part) - 1).sum(1)
    gaps /= truth.shape[1]
    if prior:
        gaps += prior * (np.divide(1 / len(weights), weights, where=weights > 0,
                                   out=np.full(len(weights), np.inf)) - 1)  # fmt: skip
    return float(gaps.max())


def log_likelihood(truth: np.ndarray, weights: np.ndarray) -> float:
    """Returns mean_i log sum_v w_v p_v(y_i) of weights `(V,)` for `(V, N)` probabilities."""
    return float(sum(np.log(weights @ part).sum() for part in _parts(truth)) / truth.shape[1])


def log_prior(weights: np.ndarray, prior: float) -> float:
    """Returns prior times the mean of log w over the views `(V,)`; 0 without a prior.

    Example:
        >>> log_prior(np.array([0.5, 0.5]), 2.0), log_prior(np.array([1.0, 0.0]), 0.0)
        (-1.3862943611198906, 0.0)
    """
    return float(prior * np.log(weights).mean()) if prior else 0.0


def _parts(truth: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, truth.shape[1], _CHUNK):
        yield truth[:, start : start + _CHUNK].astype(np.float64)


def _moments(
    truth: np.ndarray, weights: np.ndarray, prior: float
) -> tuple[float, np.ndarray, np.ndarray]:
    """Returns the objective, and with r = p_v / p_mix the means of r `(V,)` and r r^T.

    A made-up pixel's r is 1 / w_v for its view v and 0 for the others.
    """
    views, pixels = truth.shape
    value, gradient, hessian = 0.0, np.zeros(views), np.zeros((views, views))
    for part in _parts(truth):
        mix = weights @ part
        ratio = part / mix
        value += np.log(mix).sum()
        gradient += ratio.sum(1)
        hessian += ratio @ ratio.T
    value, gradient, hessian = value / pixels, gradient / pixels, hessian / pixels
    if prior:
        value += log_prior(weights, prior)
        gradient += prior / views / weights
        hessian += np.diag(prior / views / weights**2)
    return value, gradient, hessian


def _quadratic_step(gradient: np.ndarray, hessian: np.ndarray, prior: float) -> np.ndarray:
    """Minimises the second-order model of -value + (1 + prior) sum(w) over w >= 0.

    Adding the sum frees the weights from the simplex: the optimum sums to 1 by itself. As r.w = 1
    at every pixel, the model is w'Hw/2 - (2g - 1 - prior)'w, a non-negative least-squares problem.
    """
    # Identical views make it singular; relative to each view, as their scales differ by 1e10.
    factor = np.linalg.cholesky(hessian + 1e-10 * np.diag(np.diag(hessian)))
    target, _ = nnls(factor.T, np.linalg.solve(factor, 2 * gradient - 1 - prior))
    return target / target.sum()


def _line_search(
    truth: np.ndarray,
    weights: np.ndarray,
    target: np.ndarray,
    value: float,
    gradient: np.ndarray,
    prior: float,
) -> tuple[np.ndarray, float]:
    step = target - weights
    slope = gradient @ step
    for size in _SIZES:
        tried = weights + size * step
        if prior and tried.min() <= 0:
            continue
        reached = log_likelihood(truth, tried) + log_prior(tried, prior)
        if reached >= value + 1e-4 * size * slope:
            return tried, reached
    return weights, value
