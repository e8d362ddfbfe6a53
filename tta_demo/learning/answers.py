"""What weights are learned from: the views' answers at labelled pixels."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from tta_demo.pictures.palettes import IGNORED
from tta_demo.tta.predict import ViewStack

__all__ = ["NUMBERS", "Answers"]

NUMBERS = 2**20
"""Most that is kept of one picture; with many classes fewer pixels."""


@dataclass(frozen=True)
class Answers:
    """What the views answered at labelled pixels that all of them saw, picture by picture.

    Renormalising over the views that saw a pixel would make the fit non-concave.

    Attributes:
        probs: `(V, C, n)` float32 a picture, n differs; or `(V, 1, n)`, the true class alone.
        labels: `(n,)` int64 a picture.
    """

    probs: tuple[np.ndarray, ...]
    labels: tuple[np.ndarray, ...]

    @classmethod
    def of(
        cls,
        looked: Iterable[tuple[ViewStack, np.ndarray]],
        whole: bool = False,
        pixels: int = 20_000,
        seed: int = 0,
    ) -> "Answers":
        """Returns the answers at drawn pixels of each picture; takes pictures one by one.

        Args:
            looked: a stack `(V, C, ...)` and class ids `(...)` a picture, the same views in all;
                pixels that are `IGNORED` have no say.
            whole: whether to keep all classes, V C numbers a pixel; else V, the true class's.
            pixels: most drawn of one picture, without replacement; with all classes also so few
                that their answers are at most `NUMBERS`.
            seed: of the draw.

        Raises:
            ValueError: no picture, stacks of other views, or no pixel that all views saw.
        """
        rng = np.random.default_rng(seed)
        parts, truths, first = [], [], None
        for stack, label in looked:
            first = first or stack.views
            if stack.views != first:
                told = f"one stack has views {', '.join(first)}, another {', '.join(stack.views)}"
                raise ValueError(f"{told}: give the same ones, in one order")
            label, logs = np.asarray(label), stack.log_probs
            if label.shape != tuple(logs.shape[2:]):
                raise ValueError(
                    f"labels have shape {label.shape} and the answers {tuple(logs.shape)}: give "
                    "class ids of the shape that follows V, C"
                )
            truth = torch.from_numpy(label.ravel()).long()
            logs = logs.reshape(*logs.shape[:2], -1)
            if (truth == IGNORED).any():
                logs, truth = logs[..., truth != IGNORED], truth[truth != IGNORED]
            if not whole:
                logs = logs.gather(1, truth.expand(len(logs), 1, -1))
            if stack.seen is not None:
                everywhere = stack.seen.reshape(len(logs), -1).all(0)
                logs, truth = logs[..., everywhere], truth[everywhere]
            most = min(pixels, max(1, NUMBERS // (logs.shape[0] * logs.shape[1])))
            if len(truth) > most:
                drawn = torch.from_numpy(rng.choice(len(truth), most, replace=False))
                logs, truth = logs[..., drawn], truth[drawn]
            parts.append(logs.float().exp().numpy())
            truths.append(truth.numpy())
        if not sum(len(truth) for truth in truths):
            raise ValueError(f"{len(truths)} pictures have no pixel that all views saw: add some")
        return cls(tuple(parts), tuple(truths))

    @property
    def pixels(self) -> int:
        """Number of pixels of all pictures."""
        return sum(len(truth) for truth in self.labels)

    @property
    def pictures(self) -> int:
        """Number of pictures that have pixels."""
        return sum(len(truth) > 0 for truth in self.labels)

    @property
    def classes(self) -> int:
        """Number of classes C, or 1 for the true class alone."""
        return self.probs[0].shape[1]

    @property
    def views(self) -> int:
        """Number of views V."""
        return len(self.probs[0])

    def take(self, pictures: Sequence[int]) -> "Answers":
        """Returns those of some pictures, by their places."""
        both = (self.probs, self.labels)
        return Answers(*(tuple(parts[i] for i in pictures) for parts in both))

    def thinned(self, pixels: int) -> "Answers":
        """Returns those of the pictures that have any, at so many pixels of each at most."""
        used = [i for i, truth in enumerate(self.labels) if len(truth)]
        steps = {i: -(-len(self.labels[i]) // pixels) for i in used}
        return Answers(
            tuple(np.ascontiguousarray(self.probs[i][..., :: steps[i]]) for i in used),
            tuple(self.labels[i][:: steps[i]] for i in used),
        )

    def true_class(self) -> np.ndarray:
        """Returns each view's probability of the true class, `(V, N)`."""
        pairs = zip(self.probs, self.labels, strict=True)
        rows = [p[:, 0] if p.shape[1] == 1 else p[:, y, np.arange(len(y))] for p, y in pairs]
        return np.concatenate(rows, axis=1)
