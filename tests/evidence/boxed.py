"""Made-up looks of a detector at made-up objects: what each look is worth is known."""

import numpy as np

from tta_demo.evidence.boxes import BoxLooks, KeptBoxes
from tta_demo.tta.boxes import Boxes

CLASSES = ("ground", "leaf", "stem")
SIDE = 12.0


def objects(rng, count):
    """Objects that stand far apart, so that nothing but its own box fits one."""
    places = rng.permutation(25)[:count]
    corner = 40.0 * np.stack([places % 5, places // 5], 1) + rng.uniform(0, 5, (count, 2))
    labels = rng.integers(1, len(CLASSES), count)
    return Boxes(np.hstack([corner, corner + SIDE]), np.ones(count), labels)


def seen(rng, truth, blur, lost, false):
    """A look: boxes moved by so many pixels, a share of them lost, and so many false ones."""
    kept = truth.take(rng.random(len(truth)) >= lost)
    corner = kept.xyxy[:, :2] + blur * rng.standard_normal((len(kept), 2))
    right = Boxes(np.hstack([corner, corner + SIDE]), rng.uniform(0.5, 1, len(kept)), kept.labels)
    extra = rng.uniform(-200, -50, (false, 2))  # where no object stands
    scores, labels = rng.uniform(0.2, 0.9, false), rng.integers(1, len(CLASSES), false)
    wrong = Boxes(np.hstack([extra, extra + SIDE]), scores, labels)
    parts = (right, wrong)
    return Boxes(*(np.concatenate([getattr(p, k) for p in parts]) for k in vars(wrong)))


def boxed(views, pictures=16, count=8, seed=0):
    """Looks by name, each with (blur in pixels, share lost, false boxes a picture)."""
    rng, kept = np.random.default_rng(seed), []
    for number in range(pictures):
        truth = objects(rng, count)
        found = tuple(seen(rng, truth, *how) for how in views.values())
        kept.append(KeptBoxes(f"p{number}", found, truth, np.full(len(views), 0.01)))
    return BoxLooks(tuple(views), CLASSES, tuple(kept))
