"""A visitor's own model: a file or a name of the Hub, how it is read, the world it makes."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import cv2

from tta_demo.models.feed import IMAGENET, PLAIN, Feed
from tta_demo.models.onnx_session import OnnxSession
from tta_demo.models.own import OWN_ENDINGS, OwnModel, own_model
from tta_demo.models.record import ModelRecord
from tta_demo.models.swap import Pairs
from tta_demo.pictures.palettes import Palette
from tta_demo.pictures.reading import Picture, working_size
from tta_demo.tasks.cache import KEPT
from tta_demo.tasks.worlds import World, own_world

__all__ = ["ENDINGS", "NO_MODEL", "PIXELS", "YOURS", "File", "Own", "Reading"]

YOURS = "yours"
"""The key of the visitor's own world, beside those of `WORLDS`."""
NO_MODEL = "There is no model of yours yet: upload one on the first tab, under Your model."

ENDINGS = {"segment": OWN_ENDINGS, "classify": (".onnx",)}
"""Of the files that can be models, by task."""

PIXELS: dict[str, Feed] = {"0..1": PLAIN, "0..255": Feed(highest=255), "ImageNet": IMAGENET}
"""How values of pictures are scaled, by the words on the page."""

_LOOKS = 15
"""Looks of one picture that have to fit into the cache together."""
_ELSEWHERE = {
    "segment": "marks what is in a picture: bring it on the first tab",
    "classify": "gives scores of whole pictures, and marks nothing in them: bring it on the "
    "Classify tab",
}
"""What a model of another task does, and where it belongs."""


@dataclass(frozen=True)
class Reading:
    """How a file is read, as the controls say it: each field is one that can be corrected.

    Attributes:
        pixels: a key of `PIXELS`.
        order: `RGB` or `BGR`.
        scores: `logits` or `probabilities`; only an ONNX file leaves that open.
        fit: `letterbox` or `stretch`; only for a file of fixed size.
    """

    pixels: str
    order: str
    scores: str = "logits"
    fit: str = "letterbox"

    @property
    def feed(self) -> Feed:
        """How pictures are brought to the model's range."""
        return replace(PIXELS[self.pixels], order=self.order)


@dataclass(frozen=True)
class File:
    """The file of a visitor's own model.

    Attributes:
        model: its record, and what was understood.
        path: of a copy that nobody else can reach.
        folder: that the copy lies in; goes with the last who knows the file.
    """

    model: OwnModel
    path: Path
    folder: TemporaryDirectory = field(repr=False, compare=False)

    @property
    def reading(self) -> Reading:
        """How it is read."""
        feed, facts = self.model.feed, self.model.facts
        plain = replace(feed, order="RGB")
        pixels = next(name for name, one in PIXELS.items() if one == plain)
        if facts is None:
            return Reading(pixels, feed.order)
        scores = "logits" if facts.logits else "probabilities"
        fit = "letterbox" if facts.letterbox else "stretch"
        return Reading(pixels, feed.order, scores, fit)

    def corrected(self, reading: Reading) -> Self:
        """Returns the file, read in another way."""
        facts = self.model.facts
        if facts is not None:
            facts = replace(
                facts, logits=reading.scores == "logits", letterbox=reading.fit == "letterbox"
            )
        return replace(self, model=own_model(self.path, reading.feed, facts=facts))


@dataclass(frozen=True)
class Own:
    """A visitor's own model.

    Attributes:
        record: with the visitor's names, colours and pairs of classes.
        found: the same without them.
        file: that it comes from; None for a model of the Hub, whose own files say how it is read.
        seconds: that one look took when it was tried out, if it was.
    """

    record: ModelRecord
    found: ModelRecord
    file: File | None = None
    seconds: float | None = None

    @classmethod
    def read(cls, upload: Path, task: str, opened: Callable[[OnnxSession], object]) -> Self:
        """Returns the model of an uploaded file.

        Args:
            upload: the file.
            task: `segment` or `classify`.
            opened: gets an ONNX file's session before its first pass.

        Raises:
            ValueError: in a sentence, the file is no model for this task.
        """
        if upload.suffix.lower() not in ENDINGS[task]:
            raise ValueError(
                f"{upload.name} does not end in {' or '.join(ENDINGS[task])}: export the model"
            )
        folder = TemporaryDirectory(prefix="tta-demo-")
        path = Path(shutil.copy(upload, folder.name))
        model = own_model(path, opened=opened)
        if model.record.task != task:
            raise ValueError(f"{upload.name} {_ELSEWHERE[model.record.task]}")
        seconds = None if model.facts is None else model.facts.seconds
        return cls(model.record, model.record, File(model, path, folder), seconds)

    @cached_property
    def world(self) -> World:
        """Its world, without examples."""
        return replace(own_world(self.record), name=YOURS)

    def corrected(self, reading: Reading) -> Self:
        """Returns the model, its file read in another way; one of the Hub cannot be."""
        if self.file is None:
            raise ValueError(f"{self.record.label} says itself how it is read")
        file, before = self.file.corrected(reading), self.record
        classes = {"palette": before.palette, "names": before.names, "swap": before.swap}
        record = replace(file.model.record, **classes)
        return replace(self, record=record, found=file.model.record, file=file)

    def called(self, classes: Palette | Sequence[str]) -> Self:
        """Returns the model with other names of its classes, and colours if it has some.

        Raises:
            ValueError: they are more or fewer than its classes.
        """
        before = self.record
        names = classes.names if isinstance(classes, Palette) else tuple(classes)
        if len(names) != len(before.classes):
            raise ValueError(
                f"{before.label} has {len(before.classes)} classes: {len(names)} names do not fit"
            )
        swap = tuple((names[one], names[other]) for one, other in before.swap_ids)
        kept = {"names": names} if before.palette is None else {"palette": classes}
        return replace(self, record=replace(before, swap=swap, **kept))

    def swapping(self, pairs: Pairs) -> Self:
        """Returns the model with classes that a mirror exchanges; a `ValueError` for others."""
        return replace(self, record=replace(self.record, swap=pairs))

    def fitted(self, picture: Picture) -> Picture:
        """Returns a picture, reduced where so many classes would not fit into the cache."""
        height, width = picture.rgb.shape[:2]
        most = KEPT.limit // (_LOOKS * 2 * len(self.record.classes))  # float16
        if height * width <= most:
            return picture
        h, w = working_size((height, width), most)
        rgb = cv2.resize(picture.rgb, (w, h), interpolation=cv2.INTER_AREA)
        note = f"Reduced to {w} x {h} pixels: so many classes need much memory."
        return replace(picture, rgb=rgb, notes=(*picture.notes, note))
