"""A model of somebody's own: from a file to a record, with what was understood."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from tta_demo.models import checkpoint
from tta_demo.models.feed import IMAGENET, PLAIN, Feed
from tta_demo.models.onnx_file import MAX_CLASSES, OnnxFacts, find_out, load_onnx
from tta_demo.models.onnx_session import MAX_BYTES, OnnxSession
from tta_demo.models.record import ModelRecord
from tta_demo.pictures.palettes import Palette, numbered_palette

__all__ = ["FEEDS", "OWN_ENDINGS", "OwnModel", "own_model"]

OWN_ENDINGS = (".onnx", *checkpoint.ENDINGS)
"""Of the files that can be models."""

FEEDS: dict[str, Feed] = {
    "rgb": PLAIN,
    "bgr": Feed(order="BGR"),
    "rgb255": Feed(highest=255),
    "bgr255": Feed(highest=255, order="BGR"),
    "imagenet": IMAGENET,
}
"""The usual ways to feed a model, by name."""


@dataclass(frozen=True)
class OwnModel:
    """A record made at run time, and what was understood of its file.

    Attributes:
        record: to be used like those of the registry.
        feed: how pictures are brought to its range.
        facts: of an ONNX file; None for a checkpoint.
    """

    record: ModelRecord
    feed: Feed
    facts: OnnxFacts | None = None


def own_model(
    path: Path,
    feed: Feed | None = None,
    palette: Palette | None = None,
    facts: OnnxFacts | None = None,
    opened: Callable[[OnnxSession], object] = lambda session: None,
) -> OwnModel:
    """Returns the model of a file, opened once to see what it is.

    Args:
        path: `.onnx`, `.pth`, `.pt` or `.safetensors`; it must stay where it is.
        feed: how pictures are brought to its range; the usual way for such a file if left out.
        palette: names and colours of its classes; numbers if left out.
        facts: of an ONNX file, corrected; found out if left out.
        opened: gets the session of an ONNX file before its first pass, to stop it if need be.

    Raises:
        ValueError: in a sentence, the file is missing, too large, of another kind, damaged, or
            does not fit; or the palette has more or fewer classes.
    """
    if not path.is_file():
        raise ValueError(f"{path} is no file: give one that ends in {', '.join(OWN_ENDINGS)}")
    if path.suffix.lower() not in OWN_ENDINGS:
        raise ValueError(f"{path.name} ends in none of {', '.join(OWN_ENDINGS)}: export the model")
    if path.stat().st_size > MAX_BYTES:
        megabytes = path.stat().st_size / 1e6
        raise ValueError(
            f"{path.name} has {megabytes:.0f} MB: {MAX_BYTES / 1e6:.0f} MB are the limit"
        )
    if path.suffix.lower() != ".onnx":
        return _of_checkpoint(path, feed or checkpoint.FEED, palette)
    if facts is None:
        session = OnnxSession(path.read_bytes())
        opened(session)
        facts = find_out(session, feed)
    elif feed is not None:
        facts = replace(facts, feed=feed)
    load = partial(load_onnx, facts=facts)
    record = _record(path, facts.task, facts.sentence, facts.classes, load, palette)
    return OwnModel(record, facts.feed, facts)


def _of_checkpoint(path: Path, feed: Feed, palette: Palette | None) -> OwnModel:
    outputs = checkpoint.read_checkpoint(path).outputs
    classes = max(2, outputs.out_channels)
    if classes > MAX_CLASSES["segment"]:
        raise ValueError(
            f"{path.name} has {classes:,} classes: {MAX_CLASSES['segment']} are the most"
        )
    told = f"U-Net of width {outputs.in_channels}, {classes} classes, fed {feed.sentence}"
    load = partial(checkpoint.load_checkpoint, feed=feed)
    return OwnModel(_record(path, "segment", told, classes, load, palette), feed)


def _record(
    path: Path, task: str, told: str, classes: int, load: partial, palette: Palette | None
) -> ModelRecord:
    if palette is not None and len(palette.names) != classes:
        raise ValueError(f"the palette has {len(palette.names)} classes, {path.name} {classes}")
    maps = task == "segment"
    return ModelRecord(
        name=path.stem,
        task=task,
        label=path.name,
        summary=f"Your own model: {told}.",
        source=f"the file {path.name}",
        domain="natural",
        weights=partial(Path, path),
        load=load,
        palette=(palette or numbered_palette(classes)) if maps else None,
        names=() if maps else tuple(f"class {number}" for number in range(classes)),
        reading=told,
    )
