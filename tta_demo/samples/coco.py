"""Pictures with boxes as COCO keeps them: a folder of files and one JSON that knows them all.

Source: Lin et al., "Microsoft COCO: Common Objects in Context", 2014; its format for instances.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

import numpy as np

from tta_demo.pictures.reading import read_picture
from tta_demo.samples.folders import is_clutter, is_picture
from tta_demo.tta.boxes import Boxes

__all__ = ["CocoFolder", "CocoPicture", "coco_pictures"]


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


def coco_pictures(
    folder: Path, names: Sequence[str], annotations: Path | None = None
) -> CocoFolder:
    """Returns the pictures that a COCO JSON lists, with their boxes.

    Pictures are found by their `file_name` anywhere below the folder. Boxes get the label 1 for
    the first name, and so on; case does not matter. Crowds are left out: they are no single
    things.

    Args:
        folder: where the pictures are.
        names: the C classes of the detector, background not counted.
        annotations: the JSON; the only one in the folder or its `annotations/` if left out.

    Raises:
        ValueError: there is not one JSON, it cannot be read or makes no sense, or has boxes of a
            class that the detector does not know; names the file and what is wrong with it.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder: give the one that the pictures are in")
    path = annotations or _only_json(folder)
    try:
        content = json.loads(path.read_text("utf-8-sig"))
        images, entries, kinds = (
            _list(content, key) for key in ("images", "annotations", "categories")
        )
        crowds = [entry for entry in entries if entry.get("iscrowd")]
        entries = [entry for entry in entries if not entry.get("iscrowd")]
        pictures = _pictures(images, _boxes(entries, _labels(kinds, entries, names)), folder)
    except OSError as error:
        raise ValueError(f"{path.name} cannot be opened: choose the file again") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path.name} is no COCO file for this detector: {error}") from error
    left = f"{len(crowds)} crowds are left out: what is found in them counts as wrong."
    return CocoFolder(path, pictures, (left,) if crowds else ())


def _only_json(folder: Path) -> Path:
    found = [*folder.glob("*.json"), *folder.glob("annotations/*.json")]
    found = sorted(path for path in found if not is_clutter(path.relative_to(folder)))
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
    lost = sorted(used - set(called), key=str)
    unknown = sorted(
        f"{called.get(i, i)!r}" for i in used if i in lost or not _of(known, called[i])
    )
    if unknown:
        raise ValueError(
            f"categories {', '.join(unknown)} are unknown, choose among {', '.join(names)}"
        )
    return {i: _of(known, called[i]) for i in used}


def _of(known: dict[str, int], name: str) -> int:
    return known.get(name.strip().casefold(), 0)


def _boxes(
    entries: Sequence[dict[str, Any]], labels: dict[int | str, int]
) -> dict[int | str, list[tuple[list[float], int]]]:
    """Returns corners and label of each box, by picture."""
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
    images: Sequence[dict[str, Any]],
    boxes: dict[int | str, list[tuple[list[float], int]]],
    folder: Path,
) -> dict[str, CocoPicture]:
    files: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.rglob("*")):
        if is_picture(path) and not is_clutter(path.relative_to(folder)):
            files[path.name].append(path)
    ids = [_value(image, "id", int, str) for image in images]
    pictures: dict[str, CocoPicture] = {}
    for i, image in zip(ids, images, strict=True):
        name, own = _value(image, "file_name", str), boxes.get(i, [])
        truth = Boxes([b for b, _ in own], np.ones(len(own)), np.array([c for _, c in own], int))
        told = image.get("height") is not None and image.get("width") is not None
        size = (_value(image, "height", int), _value(image, "width", int)) if told else None
        pictures[name] = CocoPicture(_place(files, folder, name), truth, size)
    if not len(images) == len(pictures) == len(set(ids)):
        raise ValueError("two of its 'images' share an id or a file_name")
    if not pictures or set(boxes) - set(ids):
        told = ", ".join(map(str, sorted(set(boxes) - set(ids), key=str)[:3]))
        raise ValueError(f"it lists no pictures {told}".rstrip())
    return pictures


def _place(files: dict[str, list[Path]], folder: Path, name: str) -> Path:
    """Returns the file that a name means: as it stands there, else by its end."""
    wanted = PurePath(name.replace("\\", "/"))
    paths = {path.relative_to(folder).as_posix(): path for path in files.get(wanted.name, [])}
    if wanted.as_posix() in paths:
        return paths[wanted.as_posix()]
    ending = [path for path in paths if path.endswith(f"/{wanted.as_posix()}")] or [*paths]
    if len(ending) > 1:
        raise ValueError(f"file_name {name!r} could be {' or '.join(ending[:2])}")
    return paths[ending[0]] if ending else folder / wanted.name
