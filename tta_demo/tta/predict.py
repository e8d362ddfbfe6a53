"""Running a model over views: a stack of every view's answer, turned back, and a cache of them.

The cache is what makes the page quick: another fusion costs no forward pass, one more view one.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import blake2b

import numpy as np
import torch
from torch import Tensor

from tta_demo.tta.views import VIEWS, View

__all__ = [
    "Look",
    "LookCache",
    "Model",
    "Track",
    "ViewStack",
    "answer",
    "look",
    "predict_views",
    "to_labels",
    "to_tensor",
]

Model = Callable[[Tensor], Tensor]
"""From pictures `(B, 3, H, W)` float32 in 0..1 to logits `(B, C, H, W)`, for any H and W."""

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
    """

    log_probs: Tensor
    seen: Tensor | None
    labels: np.ndarray
    frame: np.ndarray

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

    @classmethod
    def of(cls, looks: dict[str, Look]) -> "ViewStack":
        """Returns the stack of looks by view name."""
        log_probs = torch.stack([one.log_probs for one in looks.values()])
        return cls(tuple(looks), log_probs, _seen([one.seen for one in looks.values()]))


@torch.no_grad()
def answer(model: Model, image: Tensor, view: View) -> tuple[Tensor, Tensor]:
    """Returns one view's probabilities; costs one forward pass.

    Args:
        model: gives logits.
        image: `(3, H, W)` float32 in 0..1.
        view: how to look.

    Returns:
        `(C, h, w)` in the frame that the model was shown, and `(C, H, W)` turned back.
    """
    probs = model(view.augment(image[None])).float().softmax(1)
    back = view.deaugment_map(probs, (image.shape[-2], image.shape[-1]))
    return probs[0].cpu(), back[0].cpu()


def look(model: Model, image: Tensor, view: View) -> Look:
    """Returns one view's answer with its labels; see `answer`."""
    frame, back = answer(model, image, view)
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
        ValueError: no view, an unknown one, or an image of another shape.

    Example:
        >>> stack = predict_views(lambda x: x, torch.rand(3, 5, 8), ["identity", "rot90"])
        >>> stack.log_probs.shape
        torch.Size([2, 3, 5, 8])
    """
    if image.ndim != 3 or image.shape[0] != 3:
        raise ValueError(f"image has shape {tuple(image.shape)}: give (3, H, W), values in 0..1")
    wanted = _known(views)
    size = image.shape[-2], image.shape[-1]
    backs = [answer(model, image, view)[1] for view in track(wanted)]
    names = tuple(view.name for view in wanted)
    return ViewStack(names, _log(torch.stack(backs)), _seen([v.seen(size) for v in wanted]))


class LookCache:
    """The least recently used looks leave once all together pass a number of bytes.

    Thread-safe; a forward pass happens outside its lock.

    Args:
        limit: bytes.
    """

    def __init__(self, limit: int = 512 * 2**20) -> None:
        self.limit = limit
        self._looks: OrderedDict[tuple[str, str, str], Look] = OrderedDict()
        self._lock = threading.Lock()

    def looks(
        self,
        model: Model,
        digest: str,
        rgb: np.ndarray,
        views: Sequence[str],
        track: Track = iter,
    ) -> dict[str, Look]:
        """Returns the looks by view name, log-probabilities in float16; runs only what is missing.

        Args:
            model: gives logits.
            digest: tells this model from others.
            rgb: `(H, W, 3)` uint8.
            views: names in `VIEWS`.
            track: wraps the missing views, to show progress.

        Raises:
            ValueError: no view, or an unknown one.
        """
        wanted = _known(views)
        picture = blake2b(rgb.tobytes() + str(rgb.shape).encode(), digest_size=16).hexdigest()
        found = {view.name: self._get((digest, picture, view.name)) for view in wanted}
        missing = [view for view in wanted if found[view.name] is None]
        if missing:
            image = to_tensor(rgb)
            for view in track(missing):
                one = look(model, image, view)
                found[view.name] = replace(one, log_probs=one.log_probs.half())
                self._put((digest, picture, view.name), found[view.name])
        return found

    @property
    def nbytes(self) -> int:
        """Memory in use, in bytes."""
        with self._lock:
            return sum(one.nbytes for one in self._looks.values())

    def _get(self, key: tuple[str, str, str]) -> Look | None:
        with self._lock:
            if key in self._looks:
                self._looks.move_to_end(key)
            return self._looks.get(key)

    def _put(self, key: tuple[str, str, str], one: Look) -> None:
        with self._lock:
            self._looks[key] = one
            used = sum(kept.nbytes for kept in self._looks.values())
            while used > self.limit:
                used -= self._looks.popitem(last=False)[1].nbytes


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


def _log(probs: Tensor) -> Tensor:
    return probs.log().clamp_min(FLOOR)


def _seen(each: Sequence[Tensor | None]) -> Tensor | None:
    """Returns `(V, H, W)` bool from every view's seen pixels; None if all saw all."""
    shapes = [one.shape for one in each if one is not None]
    if not shapes:
        return None
    everything = torch.ones(shapes[0], dtype=torch.bool)
    return torch.stack([everything if one is None else one for one in each])


def _known(views: Sequence[str]) -> list[View]:
    if not views:
        raise ValueError("no view is chosen: tick at least one")
    unknown = [name for name in views if name not in VIEWS]
    if unknown:
        raise ValueError(
            f"views {', '.join(unknown)} are unknown: choose among {', '.join(VIEWS)}"
        )
    return [VIEWS[name] for name in dict.fromkeys(views)]
