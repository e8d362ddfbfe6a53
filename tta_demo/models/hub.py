"""Models of the Hugging Face Hub, by name, through `transformers`: from a name to a record."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache, partial
from importlib.util import find_spec
from itertools import count
from pathlib import Path

from tta_demo.models.hub_files import PREPROCESSOR, WEIGHTS, HubFiles, Progress, find_files
from tta_demo.models.hub_networks import load_hub, read_config
from tta_demo.models.onnx_file import MAX_CLASSES
from tta_demo.models.preprocessor import feed_of, size_of
from tta_demo.models.record import ModelRecord
from tta_demo.pictures.palettes import Palette, numbered_palette

__all__ = ["HUB_MENU", "hub_model"]

HUB_MENU: dict[str, tuple[str, ...]] = {
    "segment": (
        "nvidia/segformer-b0-finetuned-ade-512-512",
        "nvidia/segformer-b0-finetuned-cityscapes-1024-1024",
        "google/deeplabv3_mobilenet_v2_1.0_513",
        "nvidia/segformer-b2-finetuned-ade-512-512",
    ),
    "classify": ("microsoft/resnet-18",),
    "detect": ("hustvl/yolos-tiny", "facebook/detr-resnet-50"),
}
"""Names that are offered, by task; any other of the same kind will do as well."""

_BRANCHES = {"facebook/detr-resnet-50": "no_timm"}
"""Of those whose main branch needs one more package."""


def hub_model(
    name: str,
    task: str,
    palette: Palette | None = None,
    menu_only: bool = False,
    progress: Progress | None = None,
) -> ModelRecord:
    """Returns the model of a name; downloaded the first time, the same record every time after.

    Only data is read: JSON and safetensors of at most `MAX_HUB_BYTES`, never code of its own.

    Args:
        name: `OWNER/MODEL` of the Hub, or a folder that `save_pretrained` has made.
        task: `segment`, `classify` or `detect`.
        palette: names and colours of its classes; those of its config if left out.
        menu_only: takes the names of `HUB_MENU` alone, as a page for everybody must.
        progress: is told while the weights come.

    Raises:
        ValueError: in a sentence, the name is not offered or unknown, the Hub cannot be reached
            and the cache has no such model, the model is too large, damaged, no safetensors, or
            made for another task; the palette has more or fewer classes; or `transformers` is
            not installed.
    """
    if menu_only and name not in HUB_MENU[task]:
        raise ValueError(f"{name!r} is not offered here: choose {' or '.join(HUB_MENU[task])}")
    if find_spec("transformers") is None:
        raise ValueError(f'{name} needs transformers: pip install "tta-demo[hub]"')
    files = find_files(name, _BRANCHES.get(name, "main"))
    record = _record(files, task)  # refused before the weights come
    files.fetch_weights(progress)
    return record if palette is None else _recolored(record, palette)


def _recolored(record: ModelRecord, palette: Palette) -> ModelRecord:
    if len(palette.names) != len(record.classes):
        raise ValueError(
            f"the palette has {len(palette.names)} classes, {record.name} {len(record.classes)}"
        )
    return replace(record, palette=palette)


@lru_cache(maxsize=32)
def _record(files: HubFiles, task: str) -> ModelRecord:
    names, colors = _classes(files, task)
    try:
        stored = json.loads((files.folder / PREPROCESSOR).read_text("utf-8"))
        feed, size = feed_of(stored), size_of(stored, task)
    except (ValueError, TypeError, AttributeError, ZeroDivisionError) as error:
        raise ValueError(f"{files.name} cannot be fed: {error}") from error
    told = f"{len(names)} classes, shown at {size.sentence}, fed {feed.sentence}"
    if task == "detect":
        names = ("background", *names)
    return ModelRecord(
        name=files.name,
        task=task,
        label=files.name,
        summary=f"A model of the Hub: {told}.",
        source=files.source,
        domain="natural",
        weights=partial(Path, files.folder / WEIGHTS),
        load=partial(load_hub, name=files.name, task=task, feed=feed, size=size),
        palette=None if task == "classify" else _palette(names, colors),
        names=names if task == "classify" else (),
        reading=told,
    )


def _classes(files: HubFiles, task: str) -> tuple[tuple[str, ...], object]:
    """Returns the names of the classes, and whatever stands for their colours, if anything does.

    Raises:
        ValueError: the model is of another task or of a kind that cannot be run, or has too many
            classes.
    """
    config = read_config(files.folder, files.name, task)
    names = _distinct([str(config.id2label[key]) for key in sorted(config.id2label)])
    if task != "classify" and len(names) >= MAX_CLASSES["segment"]:
        raise ValueError(
            f"{files.name} has {len(names):,} classes: {MAX_CLASSES['segment'] - 1} are the most"
        )
    return names, getattr(config, "palette", None)


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Returns names that are all different, those without any numbered.

    Example:
        >>> _distinct(["N/A", "cat", "N/A", "LABEL_3"])
        ('N/A', 'cat', 'N/A 2', 'class 3')
    """
    taken = dict.fromkeys(names)
    named = []
    for number, name in enumerate(names):
        if name in named:
            name = next(f"{name} {n}" for n in count(number) if f"{name} {n}" not in taken)
        named.append(re.sub(r"^LABEL_(\d+)$", r"class \1", name))
    return tuple(named)


def _palette(names: tuple[str, ...], colors: object) -> Palette:
    """Returns the classes in the colours of the model, or, if these make no sense, in ours."""
    try:
        return Palette(names, tuple(tuple(int(x) for x in color) for color in colors))
    except (TypeError, ValueError):
        return replace(numbered_palette(len(names)), names=names)
