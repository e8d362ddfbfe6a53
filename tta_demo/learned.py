"""Learned weights: how much each view counts, fitted on labelled pictures.

The fit maximises the likelihood of the true classes, sum_i log sum_v w_v p_v(y_i), over the
simplex. That is concave, needs only each view's probability of the true class, and its optimum
comes with a certificate.

Sources: Shanmugam et al., "Better Aggregation in Test-Time Augmentation", 2021 (the idea); Kim et
al., "A Fast Algorithm for Maximum Likelihood Estimation of Mixture Proportions", 2018 (mixsqp).
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from scipy.optimize import nnls
from torch import Tensor, nn

from tta_demo.fusion import weighted_mean
from tta_demo.predict import Model, predict_views, to_tensor
from tta_demo.samples.labelled import LabelledPicture

__all__ = ["Fit", "LearnableTTA", "WeightFile", "fit_exact", "true_class_probs"]

_CHUNK = 2**18
"""Pixels a pass handles at a time; sums over chunks are in float64."""


class LearnableTTA(nn.Module):
    """Fuses the views' probabilities with weights that are on the simplex by construction.

    Args:
        views: number of views V.
        weights: `(V,)` to start from, sum 1; even if left out.

    Example:
        >>> tta = LearnableTTA(2, torch.tensor([0.25, 0.75]))
        >>> tta(torch.tensor([[[0.9, 0.1]], [[0.5, 0.5]]])).detach()  # (V, B, C)
        tensor([[0.6000, 0.4000]])
    """

    def __init__(self, views: int, weights: Tensor | None = None) -> None:
        super().__init__()
        start = torch.zeros(views) if weights is None else weights.clamp_min(1e-12).log()
        self.scores = nn.Parameter(start)

    @property
    def weights(self) -> Tensor:
        """Weights `(V,)`, positive, sum 1."""
        return self.scores.softmax(0)

    def forward(self, probs: Tensor, seen: Tensor | None = None) -> Tensor:
        """Returns fused probabilities `(B, C, H, W)`.

        Args:
            probs: `(V, B, C, H, W)` probabilities.
            seen: `(V, B, 1, H, W)` bool, the pixels that each view saw; None for all.
        """
        return weighted_mean(probs, seen, self.weights)


@dataclass(frozen=True)
class Fit:
    """The result of a fit.

    Attributes:
        weights: `(V,)` float64, non-negative, sum 1.
        history: mean log-likelihood after each step, the first with even weights.
        gap: max_v mean_i p_v(y_i) / p_mix(y_i) - 1; by concavity no weights have a mean
            log-likelihood higher than this one's by more than `gap`.
    """

    weights: np.ndarray
    history: tuple[float, ...]
    gap: float


def fit_exact(truth: np.ndarray, tolerance: float = 1e-6, steps: int = 100) -> Fit:
    """Returns the weights of maximum likelihood, by sequential quadratic programming.

    Args:
        truth: `(V, N)` each view's probability of the true class of N pixels that all views saw.
        tolerance: the gap to stop at.
        steps: most steps to take; `gap` tells whether they were enough.

    Raises:
        ValueError: there is no pixel, or a value is not a positive number.

    Example:
        >>> fit_exact(np.array([[0.9, 0.8, 0.9], [0.1, 0.5, 0.2]])).weights
        array([1., 0.])
    """
    if truth.ndim != 2 or truth.size == 0 or not (np.isfinite(truth) & (truth > 0)).all():
        raise ValueError(f"truth of shape {truth.shape}: give (V, N) probabilities > 0, N >= 1")
    weights = np.full(len(truth), 1 / len(truth))
    value, gradient, hessian = _moments(truth, weights)
    history = [value]
    while gradient.max() - 1 > tolerance and len(history) <= steps:
        target = _quadratic_step(gradient, hessian)
        weights, value = _line_search(truth, weights, target, value, gradient)
        _, gradient, hessian = _moments(truth, weights)
        history.append(value)
        if value <= history[-2]:  # as far as floating point can tell apart
            break
    return Fit(weights, tuple(history), float(gradient.max() - 1))


def true_class_probs(
    model: Model,
    pictures: Iterable[LabelledPicture],
    views: Sequence[str],
    pixels: int = 20_000,
    seed: int = 0,
) -> np.ndarray:
    """Returns each view's probability of the true class, `(V, N)` float32, what `fit_exact` needs.

    Only pixels that all views saw count: renormalising would make the fit non-concave.

    Args:
        model: gives logits.
        pictures: the calibration set, read one by one.
        views: V names.
        pixels: most pixels of one picture, drawn without replacement.
        seed: of the draw.
    """
    rng = np.random.default_rng(seed)
    parts = []
    for picture in pictures:
        stack = predict_views(model, to_tensor(picture.rgb), views)
        index = torch.from_numpy(picture.labels).long().expand(len(views), 1, -1, -1)
        truth = stack.log_probs.gather(1, index)[:, 0].float().exp().flatten(1)
        if stack.seen is not None:
            truth = truth[:, stack.seen.all(0).flatten()]
        count = min(pixels, truth.shape[1])
        parts.append(truth.numpy()[:, rng.choice(truth.shape[1], count, replace=False)])
    return np.concatenate(parts, axis=1)


def _moments(truth: np.ndarray, weights: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Returns mean log-likelihood, and with r = p_v / p_mix the means of r `(V,)` and r r^T."""
    views, pixels = truth.shape
    value, gradient, hessian = 0.0, np.zeros(views), np.zeros((views, views))
    for start in range(0, pixels, _CHUNK):
        part = truth[:, start : start + _CHUNK].astype(np.float64)
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
    slope = gradient @ (target - weights)
    size = 1.0
    while size > 1e-9:
        trial = weights + size * (target - weights)
        reached = _log_likelihood(truth, trial)
        if reached >= value + 1e-4 * size * slope:
            return trial, reached
        size /= 2
    return weights, value


def _log_likelihood(truth: np.ndarray, weights: np.ndarray) -> float:
    chunks = range(0, truth.shape[1], _CHUNK)
    total = sum(
        np.log(weights @ truth[:, i : i + _CHUNK].astype(np.float64)).sum() for i in chunks
    )
    return float(total / truth.shape[1])


@dataclass(frozen=True)
class WeightFile:
    """Learned weights as data (JSON), and where they come from.

    Attributes:
        world: the world that they were learned in.
        model: name of the model.
        digest: of the model's weights; another model needs other weights.
        weights: by view, non-negative, sum 1.
        method: how they were fitted.
        calibration: what they were fitted on.
        scores: what they reached, and where.
        date: ISO date.
    """

    world: str
    model: str
    digest: str
    weights: dict[str, float]
    method: str = "exact"
    calibration: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)
    date: str = ""

    FORMAT = 1
    _TOP = ("world", "method", "calibration", "scores", "date")

    def save(self, path: Path) -> None:
        """Writes the file."""
        entries = [
            {"model": self.model, "digest": self.digest, "view": v, "class": None, "weight": w}
            for v, w in self.weights.items()
        ]
        fixed = {"format": self.FORMAT, "task": "segment", "shrink": 0, "pool": "linear"}
        data = fixed | {k: v for k, v in asdict(self).items() if k in self._TOP}
        path.write_text(json.dumps(data | {"entries": entries}, indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> "WeightFile":
        """Returns the file's content.

        Raises:
            ValueError: the file is missing, of another format, or its weights are no weights.
        """
        try:
            data = json.loads(path.read_text())
            if data["format"] != cls.FORMAT or data["pool"] != "linear":
                raise ValueError(f"format {data['format']!r}, pool {data['pool']!r}")
            entries = data["entries"]
            weights = {entry["view"]: float(entry["weight"]) for entry in entries}
            if len(weights) < len(entries) or any(entry["class"] for entry in entries):
                raise ValueError("more than one weight a view")
            if len({(entry["model"], entry["digest"]) for entry in entries}) > 1:
                raise ValueError("more than one model")
            if not all(w >= 0 for w in weights.values()) or abs(sum(weights.values()) - 1) > 1e-3:
                raise ValueError(f"weights {weights} are negative or do not sum to 1")
            model, digest = entries[0]["model"], entries[0]["digest"]
            top = {key: data[key] for key in cls._TOP}
        except OSError as error:
            raise ValueError(f"{path.name} cannot be read ({error.strerror})") from error
        except (KeyError, TypeError, IndexError, ValueError) as error:
            raise ValueError(
                f"{path.name} is no weights file of format {cls.FORMAT} ({error}): "
                "write one with `python -m tta_demo learn`"
            ) from error
        return cls(model=model, digest=digest, weights=weights, **top)

    def select(self, views: Sequence[str], digest: str) -> Tensor:
        """Returns the weights `(V,)` of these views, renormalised if they are not all.

        Args:
            views: V names.
            digest: of the model that is to be used.

        Raises:
            ValueError: the file is for another model, lacks a view, or gives these no weight.
        """
        if digest != self.digest:
            raise ValueError(
                f"the weights were learned for {self.model} ({self.digest}), not for this model "
                f"({digest}): learn them again"
            )
        missing = [view for view in views if view not in self.weights]
        if missing:
            raise ValueError(
                f"no weight was learned for {', '.join(missing)}: leave it out, or choose another "
                "fusion"
            )
        chosen = torch.tensor([self.weights[view] for view in views], dtype=torch.float32)
        if chosen.sum() <= 0:
            raise ValueError(
                f"the learned weights of {', '.join(views)} are all 0: choose more views or "
                "another fusion"
            )
        return chosen / chosen.sum()
