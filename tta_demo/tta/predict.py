"""Running a model over views: a stack of every view's answer, turned back."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tta_demo.tta.views import VIEWS, View, refuse_unknown

__all__ = ["FLOOR", "Look", "Model", "Stacked", "Track", "ViewStack", "asked", "for_picture"]
__all__ += ["look", "predict_views", "refuse_unfit", "to_labels", "to_tensor", "unmirrored"]
__all__ += ["unmirrored_ids"]

Model = Callable[[Tensor], Tensor]
"""From pictures `(B, 3, H, W)` float32 in 0..1 to logits `(B, C, H, W)`, for any H and W.

One that resizes what it is shown may have `for_picture(size)`: the model for the views of a
picture of `(H, W)` pixels, so that a view that zooms still shows it smaller or larger. One whose
classes tell left from right may have `swap`: pairs of class ids that a mirror exchanges.
"""

Track = Callable[[Sequence[View]], Iterable[View]]
"""Wraps the views that need a forward pass, to show progress; `iter` shows none."""

FLOOR = -16.0
"""Lowest stored log-probability; log 0 would make 0 * log 0 a NaN."""


@dataclass(frozen=True)
class Look:
    """One view's answer.

    Attributes:
        log_probs: `(C, H, W)` in the picture's frame, at least `FLOOR`.
        seen: `(H, W)` bool, the pixels that the view really saw; None for all.
        labels: `(H, W)` uint8, the class of the highest probability, in the picture's frame.
        frame: `(h, w)` uint8, the same in the frame that the model was shown.
        seconds: that it took; None if nobody measured.
    """

    log_probs: Tensor
    seen: Tensor | None
    labels: np.ndarray
    frame: np.ndarray
    seconds: float | None = None

    @property
    def nbytes(self) -> int:
        """Memory in bytes."""
        tensors = [self.log_probs] if self.seen is None else [self.log_probs, self.seen]
        return sum(t.nbytes for t in tensors) + self.labels.nbytes + self.frame.nbytes


@dataclass(frozen=True)
class ViewStack:
    """Every view's answer to one picture, in the picture's frame.

    Attributes:
        views: V names.
        log_probs: `(V, C, H, W)`, or `(V, C)` for classification.
        seen: `(V, H, W)` bool, the pixels that each view really saw; None for all.
    """

    views: tuple[str, ...]
    log_probs: Tensor
    seen: Tensor | None = None

    @cached_property
    def probs(self) -> Tensor:
        """Probabilities, the shape of `log_probs`, float32; 0 where a view saw nothing."""
        probs = self.log_probs.float().exp()
        return probs if self.seen is None else probs * self.seen_by_class

    @property
    def seen_by_class(self) -> Tensor | None:
        """`seen` with an axis of length 1 for C, `(V, 1, H, W)`."""
        return None if self.seen is None else self.seen[:, None]

    def take(self, views: Sequence[str]) -> "ViewStack":
        """Returns the stack of some of its views, in this order; refuses others."""
        if tuple(views) == self.views:
            return self
        refuse_unknown(views, self.views)
        rows = [self.views.index(name) for name in views]
        seen = None if self.seen is None else self.seen[rows]
        return ViewStack(tuple(views), self.log_probs[rows], seen)

    @classmethod
    def of(cls, looks: Mapping[str, Look]) -> "ViewStack":
        """Returns the stack of looks by view name."""
        log_probs, seen = torch.stack([one.log_probs for one in looks.values()]), None
        if any(one.seen is not None for one in looks.values()):
            everything = torch.ones(log_probs.shape[-2:], dtype=torch.bool)
            each = (everything if one.seen is None else one.seen for one in looks.values())
            seen = torch.stack([*each])
        return cls(tuple(looks), log_probs, seen)

    @classmethod
    def of_array(cls, answers: "Stacked", views: Sequence[str] | None = None) -> "ViewStack":
        """Returns the stack of answers that a loop of your own has made, turned back already.

        Args:
            answers: `(V, C, H, W)` or `(V, C)` float, probabilities (0..1, sum 1 over C) or
                logits; a stack is returned as it is.
            views: V names; numbers if left out. What does not fit is a `ValueError`.

        Example:
            >>> ViewStack.of_array(np.array([[0.25, 0.75], [0.5, 0.5]])).probs
            tensor([[0.2500, 0.7500],
                    [0.5000, 0.5000]])
        """
        if isinstance(answers, ViewStack):
            return answers
        values = torch.as_tensor(answers).detach().cpu()
        names = tuple(views or map(str, range(values.shape[0] if values.ndim else 1)))
        fits = values.ndim in (2, 4) and values.shape[1] > 1 and values.is_floating_point()
        wrong = not values.numel() or not values.isfinite().all()
        if not fits or wrong or len(values) != len(names):
            told = f"answers have shape {tuple(values.shape)} of {values.dtype}"
            wanted = f"(V, C, H, W) or (V, C), V = {len(names)} and C at least 2"
            raise ValueError(f"{told}: give finite numbers {wanted}")
        values = values.float()
        if values.min() < -1e-6 or values.max() > 1.001:
            values = values.log_softmax(1)
        elif ((values.sum(1) - 1).abs() < 0.01).all():
            values = values.log()
        else:
            told = "answers are in 0..1, but do not sum to 1 over C"
            raise ValueError(f"{told}: give those of a softmax (a sigmoid's: 1 - p, p), or logits")
        return cls(names, values.nan_to_num(FLOOR).clamp_min(FLOOR))


Stacked = ViewStack | Tensor | np.ndarray
"""A stack, or what `ViewStack.of_array` makes one of."""


def for_picture(model: Callable[..., Any], size: tuple[int, int]) -> Callable[..., Any]:
    """Returns the model for views of a picture of `(H, W)` pixels, see `Model`."""
    return model.for_picture(size) if hasattr(model, "for_picture") else model


@torch.no_grad()
def look(model: Model, image: Tensor, view: View) -> Look:
    """Returns one view's answer to an image `(3, H, W)` in 0..1; costs one forward pass."""
    refuse_unfit(image, model)
    size = image.shape[-2], image.shape[-1]
    probs = asked(for_picture(model, size), view.augment(image[None])).softmax(1)
    back = unmirrored(view.deaugment_map(probs, size), model, view)[0].cpu()
    labels = to_labels(back), to_labels(probs[0].cpu())  # before the logarithm takes their place
    return Look(back.log_().clamp_min_(FLOOR), view.seen(size), *labels)


def predict_views(
    model: Model, image: Tensor, views: Sequence[str] = ("identity",), track: Track = iter
) -> ViewStack:
    """Returns the stack of several views of one picture.

    Args:
        model: gives logits.
        image: `(3, H, W)` float32 in 0..1.
        views: names in `VIEWS`.
        track: shows progress; `tqdm` for instance.

    Raises:
        ValueError: no view, an unknown or repeated one, an image of another shape or range, or an
            answer that makes no sense.

    Example:
        >>> stack = predict_views(lambda x: x, torch.rand(3, 5, 8), ["identity", "rot90"])
        >>> stack.log_probs.shape
        torch.Size([2, 3, 5, 8])
    """
    refuse_unknown(views)
    looks = {view.name: look(model, image, view) for view in track([VIEWS[v] for v in views])}
    return ViewStack.of(looks)


def to_tensor(rgb: np.ndarray) -> Tensor:
    """Returns pixels `(H, W, 3)` uint8 as an image `(3, H, W)` float32 in 0..1.

    Example:
        >>> to_tensor(np.full((1, 1, 3), 255, np.uint8)).flatten()
        tensor([1., 1., 1.])
    """
    return torch.from_numpy(np.array(rgb, order="C")).permute(2, 0, 1).float() / 255


def to_labels(probs: Tensor) -> np.ndarray:
    """Returns the class of the highest of `(C, H, W)` probabilities, `(H, W)` uint8; C <= 256.

    Example:
        >>> to_labels(torch.tensor([[[0.2, 0.7]], [[0.8, 0.3]]]))
        array([[1, 0]], dtype=uint8)
    """
    # The same as argmax, which is 20 times slower along an axis that is not the last.
    return probs.max(0).indices.to(torch.uint8).numpy()


def refuse_unfit(image: Tensor, model: object) -> None:
    """Raises a `ValueError` if an image is not `(3, H, W)` in 0..1, or a model is in training."""
    if image.ndim != 3 or image.shape[0] != 3 or not image.is_floating_point():
        told = f"image has shape {tuple(image.shape)} of {image.dtype}"
        raise ValueError(f"{told}: give (3, H, W) float, values in 0..1")
    low, high = image.aminmax()
    if not -0.5 < low <= high < 1.5:  # nor NaN; resizing may pass 0..1 a little
        raise ValueError(f"image goes from {low:.4g} to {high:.4g}: give values in 0..1")
    if getattr(model, "training", False):
        raise ValueError("the model is in training mode: call its eval() before it looks")


@torch.no_grad()
def asked(model: Model, shown: Tensor, maps: bool = True) -> Tensor:
    """Returns logits `(B, C, H, W)`, or `(B, C)` without `maps`, float32; or a `ValueError`."""
    logits = model(shown)
    (count, _, *size), found = shown.shape, tuple(getattr(logits, "shape", ()))
    size = size if maps else []
    fits = isinstance(logits, Tensor) and len(found) == 2 + len(size) and found[1] > 1
    if not fits or [found[0], *found[2:]] != [count, *size]:
        told = f"{type(logits).__name__} {found} for pictures {tuple(shown.shape)}"
        wanted = ", ".join(map(str, (count, "C", *size)))
        told = f"the model gives {told}: it must give logits ({wanted}), C at least 2"
        raise ValueError(f"{told}; as_model enlarges coarser ones, and makes two classes of one")
    if not logits.amax(1).isfinite().all():  # -inf is fine: a class that cannot be
        raise ValueError("logits have NaN or infinite values: check the model and its precision")
    return logits.float()


def unmirrored_ids(ids: Sequence[int], model: object, view: View) -> list[int]:
    """Returns class ids that a model gave in a view, as they are in the picture itself."""
    pairs = getattr(model, "swap", ()) if view.symmetry.flip else ()
    partner = {one: other for pair in pairs for one, other in (pair, pair[::-1])}
    return [partner.get(one, one) for one in ids]


def unmirrored(scores: Tensor, model: object, view: View) -> Tensor:
    """Returns scores `(B, C, ...)` of a view's classes as those of the picture's."""
    ids = list(range(scores.shape[1]))
    order = unmirrored_ids(ids, model, view)
    if sorted(order) != ids:
        raise ValueError(f"swap {model.swap} of {len(ids)} classes: give pairs of ids, each once")
    return scores if order == ids else scores[:, order]
