"""Answers of made-up views whose best weights are known, and slow references pixel by pixel."""

import numpy as np
import torch

from tta_demo.learning.answers import Answers
from tta_demo.learning.fit import fit_steps
from tta_demo.tta.predict import ViewStack

PLANTED = np.array([0.5, 0.3, 0.2, 0.0])
PLANTED_BY_CLASS = np.array([[0.8, 0.1, 0.3], [0.1, 0.8, 0.3], [0.1, 0.1, 0.4]])


def slow_pool(probs, weights, pool="linear"):
    """One pixel's fused answer `(C,)`, from those of the views that saw it, class by class."""
    views, classes = probs.shape
    table = weights if weights.ndim > 1 else np.repeat(weights[:, None], classes, 1)
    scores = []
    for c in range(classes):
        share = [table[v, c] / sum(table[:, c]) for v in range(views)]
        if pool == "logits":
            share = list(table[:, c])
        if pool == "linear":
            scores.append(sum(share[v] * probs[v, c] for v in range(views)))
        else:
            logs = [max(np.log(probs[v, c]), -16) if probs[v, c] else -16 for v in range(views)]
            scores.append(np.exp(sum(share[v] * logs[v] for v in range(views))))
    return np.array(scores) / sum(scores)


def planted(weights, pixels, classes=3, seed=0):
    """Answers `(V, C, N)` of independent views, and labels drawn from their weighted mean."""
    rng = np.random.default_rng(seed)
    weights = np.asarray(weights, float)
    probs = rng.dirichlet(np.full(classes, 0.5), (len(weights), pixels)).clip(1e-6)
    probs /= probs.sum(2, keepdims=True)
    table = weights if weights.ndim > 1 else np.repeat(weights[:, None], classes, 1)
    mix = np.einsum("vc,vnc->nc", table, probs)
    mix /= mix.sum(1, keepdims=True)
    labels = (rng.random((pixels, 1)) > mix.cumsum(1)).sum(1).clip(max=classes - 1)
    return probs.transpose(0, 2, 1), labels


def gallery(probs, labels, pictures=1, seen=None):
    """Stacks and labels of pictures that share the pixels out."""
    views = tuple(f"view{v}" for v in range(len(probs)))
    logs = torch.from_numpy(np.ascontiguousarray(np.log(probs))).float().chunk(pictures, 2)
    covers = [None] * pictures if seen is None else seen.chunk(pictures, 1)
    stacks = [ViewStack(views, one, cover) for one, cover in zip(logs, covers, strict=True)]
    return stacks, np.array_split(labels, pictures)


def answers_of(probs, labels, pictures=1):
    parts = np.array_split(probs.astype(np.float32), pictures, 2)
    return Answers(tuple(parts), tuple(np.array_split(labels, pictures)))


def last(*args, **options):
    *_, done = fit_steps(*args, **options)
    return done


def slow_log_likelihood(answers, weights, pool="linear"):
    """The mean over pixels of the log of the fused probability of the true class."""
    total = []
    for probs, labels in zip(answers.probs, answers.labels, strict=True):
        for i, label in enumerate(labels):
            total.append(np.log(slow_pool(probs[..., i].astype(float), weights, pool)[label]))
    return np.mean(total)
