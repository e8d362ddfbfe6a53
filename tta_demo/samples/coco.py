"""Pictures with boxes as COCO keeps them: a folder of files and one JSON that knows them all.

Source: Lin et al., "Microsoft COCO: Common Objects in Context", 2014; its format for instances.
"""

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from tta_demo.pictures.reading import read_picture
from tta_demo.samples.folders import Names, blamed, files_below, is_picture
from tta_demo.tta.boxes import Boxes

__all__ = ["CocoFolder", "CocoPicture", "coco_pictures"]

LISTS = ("images", "annotations", "categories")
JSON = re.compile(r"(annotations/)?[^/]*\.json")

_Found = dict[int | str, list[tuple[list[float], int]]]
"""Corners and label of each box, by picture."""


@dataclass(frozen=True, eq=False)
class CocoPicture:
    """A picture file and what is to be found in it.

    Attributes:
        path: the file; whether it is there shows when it is read.
        boxes: the true boxes in pixels of the file, score 1.
        size: `(H, W)` of the file as the JSON tells it, or None.
    """

    path: Path
    boxes: Boxes
    size: tuple[int, int] | None

    def read(self) -> tuple[np.ndarray, Boxes]:
        """Returns the pixels `(h, w, 3)` uint8 at the working size, and the true boxes in them.

        Raises:
            ValueError: as `read_picture`, or the upright file has another size than told.
        """
        picture = read_picture(self.path)
        (height, width), (h, w) = picture.size, picture.rgb.shape[:2]
        if self.size not in (None, picture.size):
            told = "{1} x {0}".format(*self.size)
            raise ValueError(
                f"{self.path.name} is {width} x {height} when upright, its boxes are for {told}: "
                "annotate the file as it is"
            )
        scale = (w / width, h / height) * 2
        return picture.rgb, Boxes(self.boxes.xyxy * scale, self.boxes.scores, self.boxes.labels)


@dataclass(frozen=True)
class CocoFolder:
    """What a folder holds.

    Attributes:
        annotations: the JSON file.
        pictures: by `file_name`, in the order of the JSON.
        notes: plain sentences on what was left out.
    """

    annotations: Path
    pictures: dict[str, CocoPicture]
    notes: tuple[str, ...]


def coco_pictures(folder: Path, names: Sequence[str]) -> CocoFolder:
    """Returns the pictures that a COCO JSON lists, with their boxes.

    Pictures are found by their `file_name` anywhere below the folder, see `Names`. The JSON is
    the only one in the folder or its `annotations/`. Boxes get the label 1 for the first of the
    detector's `names`, and so on; case does not matter. Crowds, no single things, are left out.

    Raises:
        ValueError: there is not one JSON, it cannot be read or makes no sense, or has boxes of a
            class that the detector does not know; names the file and what is wrong with it.
    """
    files = files_below(folder)
    path = _only_json(files, folder)
    with blamed(path, "is no COCO file for this detector"):
        content = json.loads(path.read_text("utf-8-sig"))
        images, entries, kinds = (_list(content, key) for key in LISTS)
        crowds = [entry for entry in entries if entry.get("iscrowd")]
        entries = [entry for entry in entries if not entry.get("iscrowd")]
        boxes = _boxes(entries, _labels(kinds, entries, names))
        pictures = _pictures(images, boxes, files, folder)
    left = f"{len(crowds)} crowds are left out: what is found in them counts as wrong."
    return CocoFolder(path, pictures, (left,) if crowds else ())


def _only_json(files: dict[str, Path], folder: Path) -> Path:
    found = [path for name, path in files.items() if JSON.fullmatch(name)]
    if len(found) != 1:
        told = ", ".join(path.name for path in found) or "none"
        raise ValueError(f"{folder} must have one JSON file of annotations; there are: {told}")
    return found[0]


def _list(content: object, key: str) -> list[dict[str, Any]]:
    entries = content.get(key) if isinstance(content, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError(f"it needs a list {key!r} of objects")
    return entries


def _value(entry: dict[str, Any], key: str, *kinds: type) -> Any:  # noqa: ANN401 (JSON)
    """Returns an entry's value, which must be there and of one of these types."""
    if type(entry.get(key)) not in kinds:
        told = str(entry)[:80]
        raise ValueError(f"{key!r} of {told} must be {' or '.join(k.__name__ for k in kinds)}")
    return entry[key]


def _labels(
    categories: Sequence[dict[str, Any]], entries: Sequence[dict[str, Any]], names: Sequence[str]
) -> dict[int | str, int]:
    """Returns the detector's label by category id; those without a box do not matter."""
    known = {name.casefold(): label for label, name in enumerate(names, 1)}
    called = {_value(one, "id", int, str): _value(one, "name", str) for one in categories}
    used = {_value(entry, "category_id", int, str) for entry in entries}
    labels = {i: known.get(called.get(i, "").strip().casefold(), 0) for i in used}
    unknown = sorted(f"{called.get(i, i)!r}" for i, label in labels.items() if not label)
    if unknown:
        raise ValueError(
            f"categories {', '.join(unknown)} are unknown, choose among {', '.join(names)}"
        )
    return labels


def _boxes(entries: Sequence[dict[str, Any]], labels: dict[int | str, int]) -> _Found:
    found = defaultdict(list)
    for entry in entries:
        box = _value(entry, "bbox", list)
        numbers = all(type(x) in (int, float) and abs(x) < 1e9 for x in box)
        if not (numbers and len(box) == 4 and min(box[2:]) >= 0):
            raise ValueError(f"'bbox' {str(box)[:80]}: give [x, y, width, height] in pixels")
        x, y, width, height = box
        label = labels[entry["category_id"]]
        found[_value(entry, "image_id", int, str)].append(([x, y, x + width, y + height], label))
    return found


def _pictures(
    images: Sequence[dict[str, Any]], boxes: _Found, files: dict[str, Path], folder: Path
) -> dict[str, CocoPicture]:
    names = Names(name for name, path in files.items() if is_picture(path))
    ids = [_value(image, "id", int, str) for image in images]
    pictures: dict[str, CocoPicture] = {}
    for i, image in zip(ids, images, strict=True):
        name, own = _value(image, "file_name", str), boxes.get(i, [])
        known = names.find(name, "file_name")
        # nothing outside of the folder: what is lost there will be missed when it is read
        path = files[known] if known else folder / PurePosixPath(name.replace("\\", "/")).name
        truth = Boxes([b for b, _ in own], np.ones(len(own)), np.array([c for _, c in own], int))
        told = image.get("height") is not None and image.get("width") is not None
        size = (_value(image, "height", int), _value(image, "width", int)) if told else None
        pictures[name] = CocoPicture(path, truth, size)
    if not len(images) == len(pictures) == len(set(ids)):
        raise ValueError("two of its 'images' share an id or a file_name")
    if not pictures or set(boxes) - set(ids):
        told = ", ".join(map(str, sorted(set(boxes) - set(ids), key=str)[:3]))
        raise ValueError(f"it lists no pictures {told}".rstrip())
    return pictures
