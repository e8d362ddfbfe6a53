"""What a visitor uploads to learn from: many files or zips, as labelled pictures."""

import threading
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tta_demo.pictures.workers import guard
from tta_demo.samples.archives import MAX_BYTES, MAX_FILES, unpack
from tta_demo.samples.folders import pair, read_pair, split_mixed
from tta_demo.samples.labelled import Source
from tta_demo.tasks.worlds import World
from tta_demo.ui.kit.files import uploaded
from tta_demo.ui.kit.visitor import Visitor

__all__ = ["MAX_PICTURES", "Bag", "Uploader", "open_bag"]

MAX_PICTURES = 200


@dataclass(frozen=True)
class Bag:
    """The labelled pictures of one upload.

    Attributes:
        sources: how to read each picture with its mask, by name.
        lonely: files that have no partner.
        folder: where zips were unpacked; goes with the bag.
    """

    sources: dict[str, Source]
    lonely: tuple[str, ...]
    folder: TemporaryDirectory | None = field(default=None, repr=False)

    @cached_property
    def nbytes(self) -> int:
        """Bytes of what was unpacked."""
        own = Path(self.folder.name) if self.folder else None
        files = {file for source in self.sources.values() for file in source.files}
        return sum(file.stat().st_size for file in files if own and file.is_relative_to(own))


class Uploader(Visitor):
    """A visitor of a tab that takes labelled pictures, and takes minutes over them.

    Attributes:
        upload: the last upload, by what it was.
        halt: set to stop what is under way.
    """

    def __init__(self) -> None:
        super().__init__()
        self.upload: dict[tuple[World | str, ...], Bag] = {}
        self.halt = threading.Event()

    @property
    def nbytes(self) -> int:
        """Bytes of what was unpacked."""
        return sum(bag.nbytes for bag in self.upload.values())

    def lighten(self) -> None:
        """Forgets what was unpacked: the next start unpacks it again."""
        self.upload = {}

    def bag(self, uploads: list[dict[str, Any]] | None, world: World) -> Bag:
        """Returns what `open_bag` does; the last upload is opened once."""
        key = (world, *sorted(str((upload or {}).get("path")) for upload in uploads or []))
        if key not in self.upload:
            self.upload = {key: open_bag(uploads, world)}
        return self.upload[key]


def open_bag(uploads: list[dict[str, Any]] | None, world: World) -> Bag:
    """Returns the pairs of picture and mask among uploaded files and in uploaded zips.

    Raises:
        ValueError: nothing was uploaded, a zip is unsafe, or the limits are passed.
    """
    paths = list(dict.fromkeys(uploaded(upload) for upload in uploads or []))
    _check(paths)
    folder = TemporaryDirectory(prefix="tta-demo-")
    guard(Path(folder.name))
    files = unpack(paths[0], Path(folder.name)) if _is_zip(paths[0]) else paths
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
    sources = {
        name: Source(partial(read_pair, *both, world.read_truth), both)
        for name, both in pairs.pairs.items()
    }
    return Bag(sources, pairs.lonely, folder)


def _is_zip(path: Path) -> bool:
    return path.suffix.lower() == ".zip"


def _check(paths: list[Path]) -> None:
    """Raises a `ValueError` unless the files are there, of one kind and within the limits."""
    if not paths:
        raise ValueError("No pictures yet: choose pictures and their masks, or one zip of both.")
    if any(map(_is_zip, paths)) and len(paths) > 1:
        raise ValueError("Choose either one zip or single files, not both.")
    if len(paths) > MAX_FILES:
        raise ValueError(f"{len(paths)} files are too many, the limit is {MAX_FILES}: use fewer.")
    gone = [path.name for path in paths if not path.is_file()]
    if gone:
        raise ValueError(f"{gone[0]} is no longer on the server: choose the files again.")
    size = sum(path.stat().st_size for path in paths)
    if size > MAX_BYTES:
        raise ValueError(
            f"The files have {size / 1e6:.0f} MB together, the limit is {MAX_BYTES / 1e6:.0f} MB: "
            "choose fewer, or smaller copies."
        )
