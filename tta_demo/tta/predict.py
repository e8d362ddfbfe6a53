"""Running a model over views: a stack of every view's answer, turned back."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import Tensor

from tta_demo.tta.views import VIEWS, View, refuse_unknown

__all__ = [
    "FLOOR", "Look", "Model", "Track", "ViewStack", "for_picture", "look", "predict_views",
    "to_labels", "to_tensor",
]  # fmt: skip

Model = Callable[[Tensor], Tensor]
"""From pictures `(B, 3, H, W)` float32 in 0..1 to logits `(B, C, H, W)`, for any H and W.

One that resizes what it is shown may have `for_picture(size)`: the model for the views of a
picture of `(H, W)` pixels, so that a view that zooms still shows it smaller or larger.
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
        log_probs = torch.stack([one.log_probs for one in looks.values()])
        return cls(tuple(looks), log_probs, _seen([one.seen for one in looks.values()]))


def for_picture(model: Callable[..., Any], size: tuple[int, int]) -> Callable[..., Any]:
    """Returns the model for views of a picture of `(H, W)` pixels, see `Model`."""
    return model.for_picture(size) if hasattr(model, "for_picture") else model


def look(model: Model, image: Tensor, view: View) -> Look:
    """Returns one view's answer to an image `(3, H, W)` in 0..1; costs one forward pass."""
    frame, back = _answer(model, image, view)
    size = image.shape[-2], image.shape[-1]
    return Look(_log(back), view.seen(size), to_labels(back), to_labels(frame))


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
        ValueError: no view, an unknown or repeated one, or an image of another shape.

    Example:
        >>> stack = predict_views(lambda x: x, torch.rand(3, 5, 8), ["identity", "rot90"])
        >>> stack.log_probs.shape
        torch.Size([2, 3, 5, 8])
    """
    if image.ndim != 3 or image.shape[0] != 3:
        raise ValueError(f"image has shape {tuple(image.shape)}: give (3, H, W), values in 0..1")
    refuse_unknown(views)
    wanted = [VIEWS[name] for name in views]
    size = image.shape[-2], image.shape[-1]
    backs = [_answer(model, image, view)[1] for view in track(wanted)]
    return ViewStack(tuple(views), _log(torch.stack(backs)), _seen([v.seen(size) for v in wanted]))


def to_tensor(rgb: np.ndarray) -> Tensor:
    """Returns pixels `(H, W, 3)` uint8 as an image `(3, H, W)` float32 in 0..1.

    Example:
        >>> to_tensor(np.full((1, 1, 3), 255, np.uint8)).flatten()
        tensor([1., 1., 1.])
    """
    return torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1).float() / 255


def to_labels(probs: Tensor) -> np.ndarray:
    """Returns the class of the highest probability, `(H, W)` uint8.

    Args:
        probs: `(C, H, W)`, C at most 256.

    Example:
        >>> to_labels(torch.tensor([[[0.2, 0.7]], [[0.8, 0.3]]]))
        array([[1, 0]], dtype=uint8)
    """
    # The same as argmax, which is 20 times slower along an axis that is not the last.
    return probs.max(0).indices.to(torch.uint8).numpy()


@torch.no_grad()
def _answer(model: Model, image: Tensor, view: View) -> tuple[Tensor, Tensor]:
    """Returns probabilities as the model was shown it `(C, h, w)`, and turned back `(C, H, W)`."""
    size = image.shape[-2], image.shape[-1]
    probs = for_picture(model, size)(view.augment(image[None])).float().softmax(1)
    back = view.deaugment_map(probs, size)
    return probs[0].cpu(), back[0].cpu()


def _log(probs: Tensor) -> Tensor:
    return probs.log().clamp_min(FLOOR)


def _seen(each: Sequence[Tensor | None]) -> Tensor | None:
    """Returns `(V, H, W)` bool from every view's seen pixels; None if all saw all."""
    shapes = [one.shape for one in each if one is not None]
    if not shapes:
        return None
    everything = torch.ones(shapes[0], dtype=torch.bool)
    return torch.stack([everything if one is None else one for one in each])
