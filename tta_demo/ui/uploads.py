"""What a visitor uploads to learn from: many files or zips, as labelled pictures."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tta_demo.palettes import Palette
from tta_demo.samples.archives import MAX_BYTES, unpack
from tta_demo.samples.folders import pair, read_pair, split_mixed
from tta_demo.samples.labelled import LabelledPicture
from tta_demo.study import Load
from tta_demo.ui.steps import uploaded
from tta_demo.worlds import World

__all__ = ["MAX_PICTURES", "Bag", "open_bag"]

MAX_PICTURES = 200


@dataclass(frozen=True)
class Bag:
    """The labelled pictures of one upload.

    Attributes:
        sources: how to read each picture with its mask, by name.
        lonely: files that have no partner.
        folder: where zips were unpacked; goes with the bag.
    """

    sources: dict[str, Load]
    lonely: tuple[str, ...]
    folder: TemporaryDirectory | None = field(default=None, repr=False)


def open_bag(uploads: list[dict[str, Any]] | None, world: World) -> Bag:
    """Returns the pairs of picture and mask among uploaded files and in uploaded zips.

    Raises:
        ValueError: nothing was uploaded, a zip is unsafe, or the limits are passed.
    """
    paths = [uploaded(upload) for upload in uploads or []]
    if not paths:
        raise ValueError("No pictures yet: choose pictures and their masks, or one zip of both.")
    size = sum(path.stat().st_size for path in paths)
    if size > MAX_BYTES:
        raise ValueError(
            f"The files have {size / 1e6:.0f} MB together, the limit is {MAX_BYTES / 1e6:.0f} MB: "
            "choose fewer, or smaller copies."
        )
    folder = TemporaryDirectory(prefix="tta-demo-")
    files: list[Path] = []
    for number, path in enumerate(paths):
        is_zip = path.suffix.lower() == ".zip"
        files += unpack(path, Path(folder.name) / str(number)) if is_zip else [path]
    pairs = pair(*split_mixed(files))
    if len(pairs.pairs) > MAX_PICTURES:
        raise ValueError(
            f"{len(pairs.pairs)} pictures are too many, the limit is {MAX_PICTURES}: choose fewer."
        )
    if not pairs.pairs:
        raise ValueError(
            "No picture has a mask of the same name (plant.png and plant-mask.png, or folders "
            f"images and masks). Without a partner: {', '.join(pairs.lonely[:8]) or 'nothing'}."
        )
    palette = world.record.palette
    sources = {
        picture.stem: partial(_read, picture, mask, palette, world)
        for picture, mask in pairs.pairs
    }
    return Bag(sources, pairs.lonely, folder)


def _read(picture: Path, mask: Path, palette: Palette, world: World) -> LabelledPicture:
    return read_pair(picture, mask, palette, world.complete)
