"""How likely answers are once they are as certain as they should be: calibrated likelihood.

Source: Guo et al., "On Calibration of Modern Neural Networks", 2017 (temperature); Ashukha et al.,
"Pitfalls of In-Domain Uncertainty Estimation and Ensembling in Deep Learning", 2020 (why answers
are to be compared with it).
"""

import numpy as np

__all__ = ["COLDEST", "HOTTEST", "calibrated"]

COLDEST, HOTTEST = 0.2, 5.0
"""Temperatures beyond these tell of answers that are all right, or worth nothing."""


def calibrated(
    log_probs: np.ndarray, labels: np.ndarray, start: float = 1.0
) -> tuple[float, float]:
    """Returns the best mean log-likelihood that any temperature gives, and that temperature.

    Logarithms are divided by it and made to sum to 1 again; above 1 it makes answers less certain.
    The likelihood is concave in its inverse: Newton's steps, kept between known bounds, find it.

    Args:
        log_probs: `(C, N)`, up to a constant a column.
        labels: `(N,)` class ids.
        start: a temperature to begin with.

    Example:
        >>> unsure = np.log([[0.6] * 4, [0.4] * 4])  # and right in three of four
        >>> value, temperature = calibrated(unsure, np.array([0, 0, 0, 1]))
        >>> round(float(np.exp(value)), 2), round(temperature, 2)
        (0.57, 0.37)
    """
    true = log_probs[labels, np.arange(len(labels))]
    low, high, inverse = 1 / HOTTEST, 1 / COLDEST, 1 / start
    while True:
        scaled = inverse * log_probs
        top = scaled.max(0)
        shares = np.exp(scaled - top)
        total = shares.sum(0)
        shares /= total
        mean = (shares * log_probs).sum(0)
        value = float((inverse * true - top - np.log(total)).mean(dtype=np.float64))
        slope = float((true - mean).mean(dtype=np.float64))
        bend = float(((shares * log_probs**2).sum(0) - mean**2).mean(dtype=np.float64))
        low, high = (inverse, high) if slope > 0 else (low, inverse)
        if slope**2 <= 2e-9 * bend or high - low < 1e-3:  # about twice what is left to gain
            return value, 1 / inverse
        step = inverse + slope / max(bend, 1e-12)
        inverse = step if low < step < high else (low + high) / 2
