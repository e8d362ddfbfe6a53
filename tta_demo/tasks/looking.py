"""Where a model looks: in this process, unless all looks are handed to somebody else."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from tta_demo.models.record import ModelRecord
from tta_demo.models.registry import load_model
from tta_demo.tta.box_views import BoxLook, predict_boxes
from tta_demo.tta.crops import predict_crops
from tta_demo.tta.predict import Look, look, to_tensor
from tta_demo.tta.views import VIEWS

__all__ = ["Looking", "hand_over", "look_here", "looks_at"]

Looking = Callable[[ModelRecord, np.ndarray, Sequence[str], str], Iterator[Any]]
"""What `looks_at` does: from a model, a picture, views and a device to the looks, in order."""


def looks_at(
    model: ModelRecord, rgb: np.ndarray, views: Sequence[str], device: str = "auto"
) -> Iterator[Look | BoxLook | torch.Tensor]:
    """Yields each view's look at a picture, in their order, as the model's task has it.

    That is a `Look` with the seconds that it took, a `BoxLook`, or log-probabilities `(C,)`; all
    log-probabilities are float16.

    Args:
        model: that looks.
        rgb: `(H, W, 3)` uint8.
        views: names, of the kind that the task has.
        device: `cuda`, `mps`, `cpu`, or `auto` for the fastest that is there.
    """
    return _looking(model, rgb, views, device)


def look_here(
    model: ModelRecord, rgb: np.ndarray, views: Sequence[str], device: str = "auto"
) -> Iterator[Look | BoxLook | torch.Tensor]:
    """Does what `looks_at` says, in this process, one look after another."""
    ready = load_model(model, device)
    if model.task == "classify":  # all crops at once
        for row in predict_crops(ready, rgb, views).log_probs.half():
            yield row.clone()  # a row alone would keep the whole batch in memory
        return
    image = to_tensor(rgb)
    for view in views:
        if model.task == "detect":
            yield predict_boxes(ready, image, [view])[view]
            continue
        start = time.perf_counter()
        one = look(ready, image, VIEWS[view])
        halved = one.log_probs.half()
        yield replace(one, log_probs=halved, seconds=time.perf_counter() - start)


def hand_over(looking: Looking = look_here) -> None:
    """Has all looks of this process made by somebody else from now on; by default, here again."""
    global _looking
    _looking = looking


_looking: Looking = look_here
