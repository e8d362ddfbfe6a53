"""Whether looking again is running at all: signs of a model, or of a wrapper, that undoes it."""

from collections.abc import Iterable, Mapping

import numpy as np
import torch

from tta_demo.insight.box_changes import partners
from tta_demo.tta.box_views import BoxLook
from tta_demo.tta.predict import Look
from tta_demo.tta.symmetry import IDENTITY
from tta_demo.tta.views import VIEWS

__all__ = ["alike", "alike_boxes", "alike_scores", "unturned", "unturned_boxes"]

PLAIN = "identity"
"""The view to compare with."""
_NOTHING = 0.01
"""A difference of log-probabilities that half precision makes; looks of a network differ more."""

_ENOUGH = 0.002
"""The share of pixels below which nothing is said."""


def alike(looks: Mapping[str, Look]) -> bool:
    """Returns whether all of at least two looks answer the same on what they saw."""
    base = looks[PLAIN]
    return len(looks) > 1 and all(one is base or _alike(one, base) for one in looks.values())


def alike_scores(looks: Iterable[torch.Tensor]) -> bool:
    """Returns whether all of at least two looks give the same log-probabilities `(C,)`.

    Example:
        >>> sure, guess = torch.tensor([[0.9, 0.1], [0.5, 0.5]]).log()
        >>> alike_scores([sure, sure]), alike_scores([sure, guess])
        (True, False)
    """
    base, *others = looks
    return bool(others) and all((one - base).abs().max() <= _NOTHING for one in others)


def alike_boxes(looks: Mapping[str, BoxLook]) -> bool:
    """Returns whether all of at least two looks find the same boxes, and any at all."""
    base, *others = (_sorted(one) for one in looks.values())
    return bool(others and len(base)) and all(
        one.shape == base.shape and np.allclose(one, base, rtol=0, atol=_NOTHING) for one in others
    )


def unturned(labels: Mapping[str, np.ndarray]) -> tuple[str, ...]:
    """Returns the views whose answers seem not to be turned back, or to be so twice.

    Turned once more, forth or back, such an answer differs from the plain one in less than half as
    many pixels.

    Args:
        labels: class ids `(H, W)` by name in `VIEWS`, in the picture's frame.

    Example:
        >>> plain = np.array([[0, 0, 1]])
        >>> unturned({"identity": plain, "hflip": plain[:, ::-1], "vflip": plain})
        ('hflip',)
    """
    base, found = labels[PLAIN], []
    for name, own in labels.items():
        symmetry, wrong = VIEWS[name].symmetry, np.count_nonzero(own != base)
        if symmetry == IDENTITY or wrong <= _ENOUGH * own.size:
            continue
        given = torch.from_numpy(np.ascontiguousarray(own))
        again = [move(given).numpy() for move in {symmetry, symmetry.inverse}]
        differ = [np.count_nonzero(one != base) for one in again if one.shape == base.shape]
        if differ and min(differ) < wrong / 2:
            found.append(name)
    return tuple(found)


def unturned_boxes(looks: Mapping[str, BoxLook]) -> tuple[str, ...]:
    """Returns the views whose boxes fit the plain ones far better before they are turned back."""
    base, found = looks[PLAIN].boxes, []
    for name, one in looks.items():
        as_given, turned = ((partners(own, base) >= 0).sum() for own in (one.frame, one.boxes))
        if VIEWS[name].symmetry != IDENTITY and as_given > 2 * turned:
            found.append(name)
    return tuple(found)


def _alike(one: Look, base: Look) -> bool:
    seen = torch.ones(base.labels.shape, dtype=torch.bool) if one.seen is None else one.seen
    if base.seen is not None:
        seen = seen & base.seen
    there = seen.numpy()
    if not np.array_equal(one.labels[there], base.labels[there]):
        return False  # the usual case, and the cheap one
    gap = (one.log_probs - base.log_probs).abs().amax(0)
    return bool((gap * seen).max() <= _NOTHING)


def _sorted(look: BoxLook) -> np.ndarray:
    """Returns rows of label, corners and score in an order that does not depend on the view."""
    boxes = look.boxes
    rows = np.column_stack([boxes.labels, boxes.xyxy, boxes.scores])
    return rows[np.lexsort(rows.round(1).T)]
