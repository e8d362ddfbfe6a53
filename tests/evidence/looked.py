"""Made-up looks at made-up pictures: what each look is worth is known."""

import numpy as np

from tta_demo.evidence.stacks import Kept, Stacks

CLASSES = ("ground", "leaf", "stem")


def stacks_of(logits, truth, views, seconds=None):
    """Stacks of logits `(V, C, n)` and truth `(n,)` a picture."""
    seconds = np.full(len(views), 0.01) if seconds is None else seconds
    kept = []
    for number, (rows, labels) in enumerate(zip(logits, truth, strict=True)):
        logs = rows - np.log(np.exp(rows).sum(1, keepdims=True))
        kept.append(Kept(f"p{number}", logs.clip(-16).astype(np.float16), labels, seconds))
    return Stacks(tuple(views), CLASSES[: logits[0].shape[1]], tuple(kept))


def evidence_for(truth, classes, clarity, noise, rng):
    """Logits `(C, n)` that speak for the truth, each pixel with noise of its own."""
    signal = clarity * np.eye(classes)[:, truth]
    return signal + noise * rng.standard_normal((classes, len(truth)))


def made(views, pictures=20, pixels=300, classes=3, clarity=3.0, shared=0.0, seed=0):
    """Looks by name, each with noise of so much on the logits, beside what all `shared`."""
    rng = np.random.default_rng(seed)
    logits, truths = [], []
    for _ in range(pictures):
        truth = rng.integers(0, classes, pixels)
        base = evidence_for(truth, classes, clarity, shared, rng)
        rows = [base + noise * rng.standard_normal(base.shape) for noise in views.values()]
        logits.append(np.stack(rows))
        truths.append(truth)
    return stacks_of(logits, truths, views)


def inverted(stacks, view):
    """The same stacks with one look that takes every class for the next one."""
    place = stacks.views.index(view)
    pictures = []
    for one in stacks.pictures:
        logs = one.log_probs.copy()
        logs[place] = np.roll(logs[0], 1, axis=0)
        pictures.append(Kept(one.name, logs, one.truth, one.seconds))
    return Stacks(stacks.views, stacks.classes, tuple(pictures))
