"""Photographs with one class each, in the layouts that ImageNet's validation set comes in."""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from tta_demo.samples.folders import Names, blamed, files_below, is_picture

__all__ = ["labelled_photos"]

FILE_COLUMNS = ("file", "filename", "image", "path", "name", "id", "imageid")
LABEL_COLUMNS = ("label", "class", "synset", "wnid", "index", "predictionstring")
"""The last of each are Kaggle's; a `PredictionString` is a synset and a box, several times."""


def labelled_photos(
    folder: Path,
    synsets: Sequence[str],
    names: Sequence[str],
    limit: int | None = None,
    seed: int = 0,
    labels: Path | None = None,
) -> dict[Path, int]:
    """Returns the pictures of a folder and everything below it, in order, with their class ids.

    Either each picture lies in a folder called like its class, or a table says which it is: the
    CSV file `labels`, or the only one in the folder. Its header names a column of files
    (`file, filename, image, path, name, id`; with or without the ending) and one of classes
    (`label, class, synset, wnid, index`). Rows of pictures that are not there do no harm.
    A class is written as its synset, its index or its name; case does not matter, and `_` is a
    space. Of a name like `tench, Tinca tinca`, a part is enough.

    Args:
        folder: where the pictures are, see `files_below`.
        synsets: WordNet ids like `n01440764`, by class id.
        names: by class id.
        limit: most pictures to return, drawn at random over all; all if left out.
        seed: of the draw.
        labels: a CSV file.

    Raises:
        ValueError: no picture, no way to tell the classes, a class that is unknown or could be
            one of several, or a picture that the table leaves out.
    """
    files, classes = files_below(folder), _Classes(synsets, names)
    pictures = {name: path for name, path in files.items() if is_picture(path)}
    if not pictures:
        raise ValueError(f"{folder} holds no pictures: give the folder that they are in")
    table = labels or _table_in(folder, files, pictures, classes)
    found = _by_table(table, pictures, classes) if table else _by_folder(pictures, classes)
    if limit is None or limit >= len(found):
        return found
    drawn = np.random.default_rng(seed).choice(len(found), limit, replace=False)
    pairs = list(found.items())
    return dict(pairs[i] for i in sorted(drawn))


class _Classes:
    """Finds class ids by everything that a class is called."""

    def __init__(self, synsets: Sequence[str], names: Sequence[str]) -> None:
        self.expected = (
            f"a synset like {synsets[0]}, a name like {names[0]!r} or an index 0..{len(names) - 1}"
        )
        self._ids: dict[str, set[int]] = defaultdict(set)
        for i, (synset, name) in enumerate(zip(synsets, names, strict=True)):
            for word in (synset, str(i), name, *name.split(",")):
                self._ids[_key(word)].add(i)

    def __contains__(self, label: str) -> bool:
        return _key(label) in self._ids

    def find(self, label: str, where: str) -> int:
        """Returns the id; `where` tells where the label was found.

        Raises:
            ValueError: there is none, or more than one.
        """
        if label not in self:
            raise ValueError(f"{where} {label!r} is no class of the model: give {self.expected}")
        found = sorted(self._ids[_key(label)])
        if len(found) > 1:
            among = " and ".join(map(str, found))
            raise ValueError(f"{where} {label!r} could be class {among}: use synset or index")
        return found[0]


def _key(label: str) -> str:
    words = " ".join(label.casefold().replace("_", " ").split())
    return str(int(words)) if words.isdecimal() else words


def _table_in(
    folder: Path, files: dict[str, Path], pictures: Iterable[str], classes: _Classes
) -> Path | None:
    """Returns the CSV file that tells the classes; None if the folders do."""
    inner = {path.rpartition("/")[0].partition("/")[0] for path in pictures}
    if all(name in classes for name in inner):
        return None
    tables = [name for name in files if "/" not in name and name.endswith(".csv")]
    if len(tables) == 1:
        return files[tables[0]]
    if tables:
        told = ", ".join(tables)
        raise ValueError(f"{folder} has several tables ({told}): give the one of the labels")
    if "" not in inner:
        return None  # which of the folders is unknown will be told
    raise ValueError(
        f"nothing tells the classes of the pictures in {folder}: put them into folders named by "
        f"{classes.expected}, or add a CSV file of labels"
    )


def _by_folder(pictures: dict[str, Path], classes: _Classes) -> dict[Path, int]:
    ids: dict[str, int] = {}
    for name in (path.partition("/")[0] for path in pictures):
        ids[name] = ids[name] if name in ids else classes.find(name, "folder")
    return {picture: ids[path.partition("/")[0]] for path, picture in pictures.items()}


def _by_table(table: Path, pictures: dict[str, Path], classes: _Classes) -> dict[Path, int]:
    names = Names(pictures)
    found: dict[str, int] = {}
    for line, file, label in _rows(table):
        where = f"{table.name}, line {line}:"
        path = names.find(file, where)
        one = classes.find(label, f"{where} label") if path else 0
        if path and found.setdefault(path, one) != one:
            raise ValueError(f"{where} {file!r} had another label before")
    lacking = [path for path in pictures if path not in found]
    if lacking:
        raise ValueError(
            f"{len(lacking)} of {len(pictures)} pictures have no label in {table.name}, "
            f"for instance {lacking[0]}: add rows, or take the pictures out"
        )
    return {picture: found[path] for path, picture in pictures.items()}


def _rows(table: Path) -> Iterator[tuple[int, str, str]]:
    """Yields line number, file and label of each row of a CSV file."""
    with blamed(table, "cannot be read as a table of text"):
        text = table.read_text("utf-8-sig")
    first = text.partition("\n")[0].strip()
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count))
    header = [re.sub("[^a-z]", "", cell.casefold()) for cell in next(rows, [])]
    file = next((header.index(name) for name in FILE_COLUMNS if name in header), None)
    label = next((header.index(name) for name in LABEL_COLUMNS if name in header), None)
    if file is None or label is None:
        raise ValueError(
            f"{table.name} starts with {first[:80]!r}: its first line must name a column of files "
            f"({', '.join(FILE_COLUMNS[:-1])}) and one of classes "
            f"({', '.join(LABEL_COLUMNS[:-1])})"
        )
    for row in filter(None, rows):
        if len(row) <= max(file, label):
            raise ValueError(f"{table.name}, line {rows.line_num}: {len(row)} cells are too few")
        boxed = header[label] == "predictionstring"
        yield (
            rows.line_num,
            row[file].strip(),
            row[label].partition(" ")[0] if boxed else row[label],
        )
