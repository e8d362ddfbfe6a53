"""A visitor's own model: its file, how it is read, and the world that it makes."""

import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import cv2

from tta_demo.models.feed import IMAGENET, PLAIN, Feed
from tta_demo.models.onnx_session import OnnxSession
from tta_demo.models.own import OwnModel, own_model
from tta_demo.pictures.palettes import Palette
from tta_demo.pictures.reading import Picture, working_size
from tta_demo.tasks.cache import KEPT
from tta_demo.tasks.worlds import World, own_world

__all__ = ["NO_MODEL", "PIXELS", "YOURS", "Own", "Reading", "palette_of", "text_of"]

YOURS = "yours"
"""The key of the visitor's own world, beside those of `WORLDS`."""
NO_MODEL = "There is no model of yours yet: upload one on the first tab, under Your model."

PIXELS: dict[str, Feed] = {"0..1": PLAIN, "0..255": Feed(highest=255), "ImageNet": IMAGENET}
"""How values of pictures are scaled, by the words on the page."""

_LOOKS = 15
"""Looks of one picture that have to fit into the cache together."""
_LINE = re.compile(r"(.*?)\s*(#[0-9a-fA-F]{6})?")
_LONGEST = 60
"""Letters of a class name."""


@dataclass(frozen=True)
class Reading:
    """How a model is read, as the controls say it: each field is one that can be corrected.

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
class Own:
    """A visitor's own model.

    Attributes:
        model: its record, and what was understood.
        path: of its file.
        folder: that the file lies in; goes with the last who knows the model.
    """

    model: OwnModel
    path: Path
    folder: TemporaryDirectory = field(repr=False, compare=False)

    @classmethod
    def read(cls, upload: Path, opened: Callable[[OnnxSession], object]) -> Self:
        """Returns the model of an uploaded file, out of a copy that nobody else can reach.

        Args:
            upload: the file.
            opened: gets an ONNX file's session before its first pass.

        Raises:
            ValueError: in a sentence, the file is no model that marks what is in a picture.
        """
        folder = TemporaryDirectory(prefix="tta-demo-")
        path = Path(shutil.copy(upload, folder.name))
        own = cls(own_model(path, opened=opened), path, folder)
        assert own.world  # refuses what gives no maps
        return own

    @cached_property
    def world(self) -> World:
        """Its world, without examples."""
        return replace(own_world(self.model.record), name=YOURS)

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
        """Returns the model, read in another way."""
        facts = self.model.facts
        if facts is not None:
            facts = replace(
                facts, logits=reading.scores == "logits", letterbox=reading.fit == "letterbox"
            )
        return self._again(reading.feed, self.model.record.palette, facts)

    def colored(self, palette: Palette) -> Self:
        """Returns the model with other names and colours of its classes."""
        return self._again(self.model.feed, palette, self.model.facts)

    def _again(self, feed: Feed, palette: Palette, facts: object) -> Self:
        return replace(self, model=own_model(self.path, feed, palette, facts))

    def fitted(self, picture: Picture) -> Picture:
        """Returns a picture, reduced where so many classes would not fit into the cache."""
        height, width = picture.rgb.shape[:2]
        most = KEPT.limit // (_LOOKS * 2 * len(self.model.record.classes))  # float16
        if height * width <= most:
            return picture
        h, w = working_size((height, width), most)
        rgb = cv2.resize(picture.rgb, (w, h), interpolation=cv2.INTER_AREA)
        note = f"Reduced to {w} x {h} pixels: so many classes need much memory."
        return replace(picture, rgb=rgb, notes=(*picture.notes, note))


def text_of(palette: Palette) -> str:
    """Returns classes as text, a line each: the name, and the colour as in a style sheet.

    Example:
        >>> print(text_of(Palette(("soil", "weed"), ((0, 0, 0), (255, 0, 128)))))
        soil #000000
        weed #ff0080
    """
    lines = zip(palette.names, palette.colors, strict=True)
    return "\n".join(f"{name} #{bytes(color).hex()}" for name, color in lines)


def palette_of(text: str, before: Palette) -> Palette:
    """Returns the classes of such a text; a line without a colour keeps the one before.

    Raises:
        ValueError: there are more or fewer lines than classes, or a name is missing, too long or
            there twice.

    Example:
        >>> before = Palette(("class 0", "class 1"), ((0, 0, 0), (128, 0, 0)))
        >>> palette_of(text_of(before).replace("class 1 #800000", "weed"), before).names
        ('class 0', 'weed')
    """
    lines = text.strip().splitlines()
    if len(lines) != len(before.names):
        raise ValueError(f"{len(lines)} lines for {len(before.names)} classes: write one a line")
    found = [_LINE.fullmatch(line.strip()).groups() for line in lines]
    names = tuple(name for name, _ in found)
    for number, name in enumerate(names):
        if not name or len(name) > _LONGEST or not name.isprintable():
            raise ValueError(f"line {number + 1} has no name of 1 to {_LONGEST} letters: {name!r}")
        if names.count(name) > 1:
            raise ValueError(f"two classes are called {name!r}: give each its own name")
    colors = tuple(
        tuple(bytes.fromhex(color[1:])) if color else old
        for (_, color), old in zip(found, before.colors, strict=True)
    )
    return Palette(names, colors)
