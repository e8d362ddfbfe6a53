"""Labelled pictures from anybody's files: pictures and masks that find each other by name."""

import os
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath

import numpy as np

from tta_demo.pictures.reading import Picture, read_picture
from tta_demo.samples.labelled import LabelledPicture

__all__ = ["Names", "Pairs", "blamed", "files_below", "find", "folded", "is_clutter", "is_picture"]
__all__ += ["pair", "read_pair", "split_mixed"]

ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".gif", ".bmp", ".avif"}
CLUTTER = {"__macosx", "thumbs.db", "desktop.ini"}
PICTURE_FOLDERS = ["images", "image", "img", "pictures", "photos", "jpegimages"]
MASK_FOLDERS = ["masks", "mask", "labels", "label", "annotations", "truth", "gt"]
MASK_FOLDERS += ["segmentationclass"]
INSTANCE_FOLDERS = ["instances", "instance"]
"""Hold masks too, where no folder of the others does."""
_KINDS = {"pictures": PICTURE_FOLDERS, "masks": MASK_FOLDERS, "instances": INSTANCE_FOLDERS}
TELLING = {name: kind for kind, names in _KINDS.items() for name in names}
"""What the names of folders say about the files in them."""
MASK_SUFFIX = re.compile(r"([-_](mask|labels|gt)|\.mask)$")

ReadTruth = Callable[[Path, Picture], tuple[np.ndarray, tuple[str, ...]]]
"""From a mask and its picture to class ids `(h, w)` at the working size, and notes."""


@dataclass(frozen=True)
class Pairs:
    """Pictures with their masks.

    Attributes:
        pairs: (picture, mask) by name, in natural order: `field9` comes before `field10`. The
            name is the picture's without ending, below the folders that tell it from others.
        lonely: names of the files without a partner, in natural order.
    """

    pairs: dict[str, tuple[Path, Path]]
    lonely: tuple[str, ...]


def is_picture(path: PurePath) -> bool:
    """Returns whether a file's ending is one of a picture.

    Example:
        >>> is_picture(PurePath("a.TIF")), is_picture(PurePath("a.txt"))
        (True, False)
    """
    return path.suffix.lower() in ENDINGS


def is_clutter(path: PurePath) -> bool:
    """Returns whether a file, or a folder that it lies in, is hidden or made by the system.

    Example:
        >>> is_clutter(PurePath("__MACOSX/a.png")), is_clutter(PurePath("photos/a.png"))
        (True, False)
    """
    return any(part.startswith(".") or part.lower() in CLUTTER for part in path.parts)


def folded(name: str) -> str:
    """Returns what spellings of one name share; Macs write umlauts as two characters."""
    return unicodedata.normalize("NFC", name.casefold())


@contextmanager
def blamed(path: Path, fault: str) -> Iterator[None]:
    """Raises what goes wrong with a file as a ValueError: its name, `fault` and the cause."""
    try:
        yield
    except OSError as error:
        raise ValueError(f"{path.name} cannot be opened: choose the file again") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path.name} {fault}: {error}") from error


def files_below(folder: Path) -> dict[str, Path]:
    """Returns the files in a folder and below it, in order, by their paths from there.

    Hidden and system files are left out, links are followed.

    Raises:
        ValueError: it is no folder.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder: give the one that the pictures are in")
    found: dict[str, Path] = {}
    for place, inner, names in os.walk(folder, followlinks=True):
        inner[:] = sorted(name for name in inner if not is_clutter(PurePath(name)))
        paths = (Path(place, name) for name in sorted(names) if not is_clutter(PurePath(name)))
        found |= {path.relative_to(folder).as_posix(): path for path in paths}
    return found


class Names:
    """Finds files by their paths, or the ends of these, in any case, with or without the ending.

    Example:
        >>> names = Names(["x/a.jpg", "y/a.jpg", "y/b.jpg"])
        >>> [names.find(name, "row") for name in ("B", "data/Y/a.jpg", "c.jpg")]
        ['y/b.jpg', 'y/a.jpg', None]
    """

    def __init__(self, paths: Iterable[str]) -> None:
        self._called: dict[str, list[str]] = defaultdict(list)
        for path in paths:
            parts = folded(path).split("/")
            for start in range(len(parts)):
                end = "/".join(parts[start:])
                self._called[end].append(path)
                self._called[end.rpartition(".")[0]].append(path)

    def find(self, name: str, where: str) -> str | None:
        """Returns the path that fits the most of a name; None if not even the file's name does.

        Raises:
            ValueError: it could be one of several; `where` tells where the name stands.
        """
        wanted = PurePosixPath(name.replace("\\", "/"))
        for start in range(len(wanted.parts)):
            found = self._called.get(folded("/".join(wanted.parts[start:])), [])
            if str(wanted) in found:
                return str(wanted)
            if len(found) > 1:
                raise ValueError(f"{where} {name!r} could be {' or '.join(found[:2])}")
            if found:
                return found[0]
        return None


def pair(pictures: Iterable[Path], masks: Iterable[Path]) -> Pairs:
    """Returns which mask belongs to which picture, by nothing but their names without ending.

    A mask may have its picture's name, or that name and `-mask`, `_mask`, `.mask`, `-labels`,
    `_labels`, `-gt` or `_gt`. Case does not matter. Of pictures of one name, the one in a folder
    like the mask's counts: `images/north/1.png` and `masks/north/1.png`. Files that are no
    pictures stay lonely.

    Raises:
        ValueError: two pictures of one folder have one name, or two masks belong to one picture.

    Example:
        >>> found = pair([Path("b10.png"), Path("b9.JPG")], [Path("B9-mask.png")])
        >>> {name: mask.name for name, (_, mask) in found.pairs.items()}, found.lonely
        ({'b9': 'B9-mask.png'}, ('b10.png',))
    """
    pictures, masks = list(pictures), list(masks)
    shown, truths = ([file for file in files if is_picture(file)] for files in (pictures, masks))
    stems = Counter(folded(picture.stem) for picture in shown)
    picture_of: dict[tuple[str, ...], Path] = {}
    for picture, places in zip(shown, _places(shown), strict=True):
        key = folded(picture.stem)
        _put(picture_of, (*places, key) if stems[key] > 1 else (key,), picture, "have one name")
    mask_of: dict[tuple[str, ...], Path] = {}
    for mask, places in zip(truths, _places(truths), strict=True):
        key = folded(mask.stem)
        key = key if key in stems else MASK_SUFFIX.sub("", key)
        whole = (*places, key) if stems[key] > 1 else (key,)
        if whole in picture_of:
            _put(mask_of, whole, mask, "are masks of one picture")
    pairs = {_name(picture_of[key], key): (picture_of[key], mask) for key, mask in mask_of.items()}
    paired = {file for both in pairs.values() for file in both}
    lonely = [file.name for file in (*pictures, *masks) if file not in paired]
    in_order = {name: pairs[name] for name in sorted(pairs, key=_natural)}
    return Pairs(in_order, tuple(sorted(lonely, key=_natural)))


def _places(files: Sequence[Path]) -> list[tuple[str, ...]]:
    """Returns the folders that each file lies in below what all share, but those named `images`.

    Neither are those that are called like masks.
    """
    root = Path(os.path.commonpath([file.parent for file in files])) if files else Path()
    folders = ([folded(part) for part in f.relative_to(root).parent.parts] for f in files)
    return [tuple(part for part in parts if part not in TELLING) for parts in folders]


def _name(picture: Path, key: tuple[str, ...]) -> str:
    return "/".join((*key[:-1], picture.stem))


def split_mixed(files: Iterable[Path]) -> tuple[list[Path], list[Path]]:
    """Returns the pictures and the masks of one bag of files.

    Folders decide where one is named like `images` and one like `masks`; files in neither count
    as pictures. Else the masks are the files named like `NAME-mask`, see `pair`; or, if there are
    none, the PNG files beside another picture of their name. Hidden and system files are left out.

    Example:
        >>> pictures, masks = split_mixed([Path("a.png"), Path("a_gt.png")])
        >>> [file.name for file in pictures], [file.name for file in masks]
        (['a.png'], ['a_gt.png'])
    """
    files = list(files)
    # Above the folder that all files share, a name like `images` says nothing about any of them.
    root = Path(os.path.commonpath([file.parent for file in files])) if files else Path()
    files = [file for file in files if not is_clutter(file.relative_to(root))]
    pictures, masks = _by_folder(files, root)
    if pictures and masks:
        known = {folded(file.stem) for file in pictures}
        # in neither folder: to be named as lonely, unless a picture of that name is there
        others = set(files) - {*pictures, *masks}
        return [*pictures, *(f for f in sorted(others) if folded(f.stem) not in known)], masks
    masks = [file for file in files if MASK_SUFFIX.search(folded(file.stem))] or _twins(files)
    return [file for file in files if file not in masks], masks


def _twins(files: Iterable[Path]) -> list[Path]:
    """Returns the PNG files beside one other picture of their name: `1.png` beside `1.bmp`."""
    alike: dict[tuple[Path, str], list[Path]] = defaultdict(list)
    for file in filter(is_picture, files):
        alike[file.parent, folded(file.stem)].append(file)
    pairs = (group for group in alike.values() if len(group) == 2)
    png = ([file for file in pair if file.suffix.lower() == ".png"] for pair in pairs)
    return [one for found in png if len(found) == 1 for one in found]


def find(folder: Path) -> Pairs:
    """Returns the pairs below a folder that has `images/` and `masks/`, or see `split_mixed`.

    Raises:
        ValueError: there are no masks, or as `files_below` and `pair`.
    """
    files = files_below(folder).values()
    pictures, masks = _by_folder(files, folder)
    if not pictures and not masks:
        pictures, masks = split_mixed(files)
    if not pictures or not masks:
        raise ValueError(
            f"{folder} has no {'masks' if pictures else 'pictures'}: looked for files in folders "
            f"named {' or '.join(PICTURE_FOLDERS)}, and "
            f"{' or '.join(MASK_FOLDERS + INSTANCE_FOLDERS)}; or for names like 1-mask.png"
        )
    return pair(pictures, masks)


def read_pair(picture: Path, mask: Path, read_truth: ReadTruth) -> LabelledPicture:
    """Returns a picture with its truth, both at the working size.

    Raises:
        ValueError: as `read_picture` and `read_truth`; names the file.
    """
    shown = read_picture(picture)
    labels, notes = read_truth(mask, shown)
    return LabelledPicture(picture.stem, shown.rgb, labels, notes=notes)


def _natural(name: str) -> tuple[list[str | int], str]:
    """Returns a sorting key that counts digits as numbers."""
    parts = re.split(r"(\d+)", name.casefold())
    return [int(part) if i % 2 else part for i, part in enumerate(parts)], name


def _put(found: dict[tuple[str, ...], Path], key: tuple[str, ...], file: Path, clash: str) -> None:
    """Adds a file under its key, or tells with which other it clashes."""
    if key in found:
        raise ValueError(f"{found[key].name} and {file.name} {clash}: remove one of them")
    found[key] = file


def _by_folder(files: Iterable[Path], root: Path) -> tuple[list[Path], list[Path]]:
    """Returns the pictures and the masks by the nearest folder below `root` that tells."""
    found = defaultdict(list)
    for file in files:
        folders = (folder.lower() for folder in file.relative_to(root).parent.parts)
        telling = [TELLING[folder] for folder in folders if folder in TELLING]
        if telling:
            found[telling[-1]].append(file)
    return found["pictures"], found["masks"] or found["instances"]
