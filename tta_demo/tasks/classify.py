"""Classification from one end to the other: a picture in, the fused answer of its crops out."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import torch
from torch import Tensor

from tta_demo.models.efficientnet import CLASSIFIERS, load_classifier
from tta_demo.tta.crops import crop_views, cut
from tta_demo.tta.fusion import fuse
from tta_demo.tta.predict import FLOOR, Model, ViewStack

__all__ = ["ANSWERS", "Classification", "CropCache", "classify", "predict_crops"]

ONE_LOOK = "center"
"""The crop that stands for one look, without test-time augmentation."""


@dataclass(frozen=True)
class Classification:
    """What a classifier says of one picture: with one look and with several.

    Attributes:
        stack: the answers of the V chosen crops, log-probabilities `(V, C)`.
        one_look: `(C,)` probabilities of the centre crop alone.
        probs: `(C,)` fused probabilities.
        fusion: a key of `FUSIONS`.
        weights: what each crop counts, `(V,)`, or `(V, C)` for a weight per class and crop; None
            if the fusion has no weights.
        classes: C names.
    """

    stack: ViewStack
    one_look: Tensor
    probs: Tensor
    fusion: str
    weights: Tensor | None
    classes: tuple[str, ...]

    @property
    def views(self) -> tuple[str, ...]:
        """The names of the V chosen crops."""
        return self.stack.views

    def top(self, k: int = 5) -> list[tuple[int, float]]:
        """Returns the k likeliest classes of the fused answer, with their probabilities."""
        return _top(self.probs, k)

    def view_top(self, name: str, k: int = 5) -> list[tuple[int, float]]:
        """Returns the k likeliest classes of one crop's own answer, with their probabilities.

        Raises:
            ValueError: the crop is not among the chosen ones.
        """
        if name not in self.views:
            raise ValueError(f"crop {name!r} was not looked at: one of {', '.join(self.views)}")
        return _top(self.stack.probs[self.views.index(name)], k)

    @property
    def agreement(self) -> float:
        """The share of crops whose first choice is the fused first choice, 0..1."""
        return float((self.stack.probs.argmax(1) == self.probs.argmax()).float().mean())


class CropCache:
    """Answers to crops; the least recently used leave once all together pass a number of bytes.

    Thread-safe; a forward pass happens outside its lock.

    Args:
        limit: bytes.
    """

    def __init__(self, limit: int = 64 * 2**20) -> None:
        self.limit = limit
        self.nbytes = 0
        self._answers: OrderedDict[tuple[str, str, str], Tensor] = OrderedDict()
        self._lock = threading.Lock()

    def stack(self, model: Model, digest: str, rgb: np.ndarray, names: Sequence[str]) -> ViewStack:
        """Returns the crops' answers in float16; runs only what is missing, in one model call.

        Args:
            model: gives logits `(B, C)`.
            digest: tells this model from others.
            rgb: `(H, W, 3)` uint8.
            names: V keys of `CROP_VIEWS`.

        Raises:
            ValueError: as `predict_crops`.
        """
        picture = blake2b(rgb.tobytes() + str(rgb.shape).encode(), digest_size=16).hexdigest()
        found = {view.name: self._get((digest, picture, view.name)) for view in crop_views(names)}
        missing = [name for name, answer in found.items() if answer is None]
        if missing:
            fresh = predict_crops(model, rgb, missing).log_probs.half()
            for name, row in zip(missing, fresh, strict=True):
                found[name] = row.clone()  # a row alone would keep the whole batch in memory
                self._put((digest, picture, name), found[name])
        return ViewStack(tuple(found), torch.stack(list(found.values())))

    def _get(self, key: tuple[str, str, str]) -> Tensor | None:
        with self._lock:
            if key in self._answers:
                self._answers.move_to_end(key)
            return self._answers.get(key)

    def _put(self, key: tuple[str, str, str], answer: Tensor) -> None:
        with self._lock:
            if key not in self._answers:
                self.nbytes += answer.nbytes
            self._answers[key] = answer
            while self.nbytes > self.limit:
                self.nbytes -= self._answers.popitem(last=False)[1].nbytes


ANSWERS = CropCache()
"""The process-wide cache."""


@torch.no_grad()
def predict_crops(model: Model, rgb: np.ndarray, views: Sequence[str] = (ONE_LOOK,)) -> ViewStack:
    """Returns the stack of several crops of one picture, in one model call.

    Args:
        model: from crops `(V, 3, 224, 224)` float32 in 0..1 to logits `(V, C)`.
        rgb: `(H, W, 3)` uint8.
        views: V keys of `CROP_VIEWS`.

    Raises:
        ValueError: as `cut`, or logits of another shape.

    Example:
        >>> rgb = np.zeros((20, 30, 3), np.uint8)
        >>> predict_crops(lambda crops: crops.mean((2, 3)), rgb, ["center", "top-left"]).probs
        tensor([[0.3333, 0.3333, 0.3333],
                [0.3333, 0.3333, 0.3333]])
    """
    crops = cut(rgb, views)
    logits = model(crops)
    if logits.ndim != 2 or len(logits) != len(crops):
        raise ValueError(
            f"logits have shape {tuple(logits.shape)} for {len(crops)} crops: the model must give "
            f"({len(crops)}, C)"
        )
    return ViewStack(tuple(views), logits.float().cpu().log_softmax(1).clamp_min(FLOOR))


def classify(
    model: str,
    rgb: np.ndarray,
    views: Sequence[str] = (ONE_LOOK,),
    fusion: str = "mean",
    weights: Tensor | None = None,
    pool: str = "linear",
    device: str = "auto",
) -> Classification:
    """Returns the answer of one look and of all looks; runs only crops that are not cached.

    Args:
        model: a key of `CLASSIFIERS`.
        rgb: `(H, W, 3)` uint8.
        views: V keys of `CROP_VIEWS`; the centre crop is looked at in any case.
        fusion: a key of `FUSIONS`; `none` is the centre crop alone.
        weights: `(V,)` or `(V, C)` in the order of `views`, see `fuse`.
        pool: a key of `POOLS`, what learned weights weigh.
        device: `cuda`, `mps`, `cpu`, or `auto` for the fastest that is there.

    Raises:
        ValueError: as `load_classifier`, `cut` and `fuse`.
    """
    network, record = load_classifier(model, device), CLASSIFIERS[model]
    views = tuple(view.name for view in crop_views(views))
    needed = views if ONE_LOOK in views else (*views, ONE_LOOK)
    looked = ANSWERS.stack(network, record.digest, rgb, needed)
    stack = ViewStack(views, looked.log_probs[: len(views)])
    center = needed.index(ONE_LOOK)
    one_look = ViewStack(("identity",), looked.log_probs[center : center + 1])
    probs = fuse(one_look if fusion == "none" else stack, fusion, weights, pool)
    return Classification(stack, fuse(one_look, "none"), probs, fusion, weights, record.names)


def _top(probs: Tensor, k: int) -> list[tuple[int, float]]:
    values, classes = probs.topk(min(k, len(probs)))
    return list(zip(classes.tolist(), values.tolist(), strict=True))
