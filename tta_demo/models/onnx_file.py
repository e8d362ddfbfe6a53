"""A model out of somebody's ONNX file: what it takes and gives is found out, and can be corrected.

The file is data: it is read into memory, never unpickled, and may name no other file.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from tta_demo.models.feed import PLAIN, Feed
from tta_demo.models.framing import Frame
from tta_demo.models.onnx_session import OnnxSession
from tta_demo.pictures import palettes

__all__ = ["MAX_CLASSES", "OnnxFacts", "OnnxModel", "find_out", "load_onnx"]

MAX_CLASSES = {"segment": palettes.MAX_CLASSES, "classify": 1000}
"""Nobody reads more names than ImageNet has."""

_STRIDE = 32
"""Models of free size are shown multiples of it, as most of them need."""
_PROBE = (96, 128)
"""Size of the picture that finds out what a model of free size answers."""
_FLOOR = 1e-7
"""Lowest probability that is told; log 0 would be no logit."""
_GREY = (0.299, 0.587, 0.114)
"""How much red, green and blue count in a grey picture (ITU-R BT.601)."""


@dataclass(frozen=True)
class OnnxFacts:
    """What was found out about a file; `dataclasses.replace` corrects it.

    Attributes:
        task: `segment`, or `classify` if it gives one row of scores.
        classes: C, two for a single score.
        channels: 3, or 1 for grey pictures.
        channels_last: the input is `(B, H, W, C)`.
        size: `(H, W)` if the file fixes it; None if any will do.
        answers_last: the classes are the last axis of the answer.
        logits: scores are logits; else probabilities.
        outputs: how many the file gives; the first counts.
        feed: how pictures are brought to its range; a guess.
        letterbox: pictures keep their aspect in a fixed size, else they are stretched to it.
        seconds: what one look took.
    """

    task: str
    classes: int
    channels: int
    channels_last: bool
    size: tuple[int, int] | None
    answers_last: bool
    logits: bool
    outputs: int = 1
    feed: Feed = PLAIN
    letterbox: bool = True
    seconds: float = 0.0

    @property
    def sentence(self) -> str:
        """What was understood, for people: "5 classes, 512x512 fixed, looks like logits"."""
        told = [f"{self.classes} classes" + (" of the whole picture" * (self.task == "classify"))]
        if self.size is None:
            told.append(f"any size (continued to multiples of {_STRIDE})")
        else:
            how = "letterboxed" if self.letterbox else "stretched"
            told.append(f"{self.size[1]}x{self.size[0]} fixed ({how})")
        told.append(f"looks like {'logits' if self.logits else 'probabilities'}")
        told.append(f"fed {'grey' if self.channels == 1 else ''} {self.feed.sentence}".strip())
        if self.outputs > 1:
            told.append(f"the first of {self.outputs} outputs")
        return ", ".join(told).replace("  ", " ")


class OnnxModel:
    """Answers pictures of any size; safe to share between threads.

    Args:
        session: the file's network.
        facts: how to feed it, and how to read its answers.
        frame: how pictures are placed in front of it; as the facts say if left out.
    """

    def __init__(self, session: OnnxSession, facts: OnnxFacts, frame: Frame | None = None) -> None:
        self.facts = facts
        self._session = session
        self._frame = frame or Frame(facts.size, facts.letterbox, _STRIDE)
        self.stop = session.stop

    @property
    def own_size(self) -> tuple[int, int] | None:
        """`(H, W)` that it is shown everything in; None if any will do."""
        return self.facts.size

    def for_picture(self, size: tuple[int, int]) -> "OnnxModel":
        """Returns the model for views of a picture of `(H, W)` pixels; see `Frame`."""
        return OnnxModel(self._session, self.facts, self._frame.for_picture(size))

    def __call__(self, images: Tensor) -> Tensor:
        """Returns logits `(B, C, H, W)` or `(B, C)` of pictures `(B, 3, H, W)` in 0..1.

        Raises:
            ValueError: the network fails, was stopped, or answers with NaN or in another shape.
        """
        answers = []
        for image in images.cpu():
            placed = self._frame.place(image[None])
            probs = self._probs(self._session.run(fed(placed.shown, self.facts)))
            probs = placed.undo(probs[None])[0] if probs.ndim == 3 else probs
            answers.append(probs.clamp_min(_FLOOR).log())
        return torch.stack(answers)

    def _probs(self, answer: np.ndarray) -> Tensor:
        """Returns probabilities `(C, h, w)` or `(C,)`."""
        x = torch.from_numpy(answer.astype(np.float32))[0]
        if self.facts.answers_last:
            x = x.movedim(-1, 0)
        if x.isnan().any():
            raise ValueError("the model answers with NaN: check the file, and how it is fed")
        if len(x) == 1:
            one = x.sigmoid() if self.facts.logits else x.clamp(0, 1)
            return torch.cat([1 - one, one])
        if self.facts.logits:
            return x.softmax(0)
        x = x.clamp_min(0)
        return x / x.sum(0, keepdim=True).clamp_min(_FLOOR)


def fed(shown: Tensor, facts: OnnxFacts) -> np.ndarray:
    """Returns pictures `(B, 3, H, W)` in 0..1 as the file takes them."""
    values = facts.feed(shown)
    if facts.channels == 1:
        colors = _GREY if facts.feed.order == "RGB" else _GREY[::-1]
        values = (values * torch.tensor(colors).view(3, 1, 1)).sum(1, keepdim=True)
    return (values.movedim(1, -1) if facts.channels_last else values).numpy()


def find_out(session: OnnxSession, feed: Feed | None = None) -> OnnxFacts:
    """Returns what the file is, from its input and from its answer to one picture.

    Raises:
        ValueError: the input is no picture, or the answer no scores of classes; in a sentence.
    """
    channels, channels_last, size = _input(session.shape)
    byte = session.kind == np.uint8
    feed = feed or Feed(highest=255 if byte else 1)
    facts = OnnxFacts(
        "segment", 0, channels, channels_last, size, channels_last, True, session.outputs, feed
    )
    picture = torch.rand(1, 3, *(size or _PROBE), generator=torch.Generator().manual_seed(0))
    begun = perf_counter()
    answer = session.run(fed(picture, facts))
    seconds = perf_counter() - begun
    return _answered(facts, answer, picture.shape[-2:], seconds)


def _input(shape: tuple[int | None, ...]) -> tuple[int, bool, tuple[int, int] | None]:
    """Returns channels, whether they come last, and the size if it is fixed."""
    told = " x ".join("any" if n is None else str(n) for n in shape) or "a single number"
    if len(shape) != 4:
        raise ValueError(f"the input is {told}, no picture: batch, colours, height and width")
    last = shape[3] in (1, 3) and shape[1] not in (1, 3)
    channels = shape[3] if last else shape[1]
    if channels is None:
        channels = 3  # free: pictures have three
    if channels not in (1, 3):
        raise ValueError(f"the input is {told}: a picture has 1 or 3 channels, not {channels}")
    if shape[0] not in (None, 1):
        raise ValueError(f"the input is {told}: it must take one picture at a time")
    height, width = shape[1:3] if last else shape[2:4]
    if (height is None) != (width is None):
        raise ValueError(f"the input is {told}: fix both height and width, or none")
    return channels, last, None if height is None else (height, width)


def _answered(
    facts: OnnxFacts, answer: np.ndarray, size: tuple[int, int], seconds: float
) -> OnnxFacts:
    told = " x ".join(map(str, answer.shape)) or "a single number"
    if answer.ndim not in (2, 4) or answer.shape[0] != 1 or answer.dtype.kind != "f":
        raise ValueError(
            f"the answer is {answer.dtype} {told}: scores of every class are wanted, 1 x classes "
            "x height x width, or 1 x classes"
        )
    if np.isnan(answer).any():
        raise ValueError("the model answers a picture with NaN: check the file")
    last = answer.ndim == 4 and facts.channels_last and _alike(answer.shape[1:3], size)
    if answer.ndim == 4 and not last and not _alike(answer.shape[2:4], size):
        raise ValueError(f"the answer is {told}, no map of a picture of {size[0]} x {size[1]}")
    scores = answer.shape[-1 if last or answer.ndim == 2 else 1]
    task = "segment" if answer.ndim == 4 else "classify"
    classes = max(2, scores)
    if classes > MAX_CLASSES[task]:
        raise ValueError(
            f"the answer is {told}: {classes:,} classes are too many, {MAX_CLASSES[task]} at most"
        )
    total = answer.sum(-1 if last or answer.ndim == 2 else 1)
    shares = answer.min() >= 0 and answer.max() <= 1
    logits = not (shares and (scores == 1 or np.allclose(total, 1, atol=0.02)))
    return replace(
        facts, task=task, classes=classes, answers_last=last, logits=logits, seconds=seconds
    )


def _alike(one: tuple[int, ...], size: tuple[int, int]) -> bool:
    """Tells whether a map has the aspect of a picture, give or take a pixel."""
    scale = max(one) / max(size)
    if max(one) < 2:  # scores of the whole picture
        return False
    return all(abs(a - scale * b) <= 1 for a, b in zip(one, size, strict=True))


def load_onnx(
    path: Path,
    device: str = "cpu",
    dtype: torch.dtype | None = None,
    facts: OnnxFacts | None = None,
) -> OnnxModel:
    """Returns the model of a file, ready to answer; found out, or as the facts say.

    It runs on the CPU, in what the file computes in, whatever is asked for.
    """
    session = OnnxSession(path.read_bytes())
    return OnnxModel(session, facts or find_out(session))
