"""Where the commands' labelled pictures come from: a world's own splits, or anybody's folders."""

import json
from functools import partial
from hashlib import blake2b
from pathlib import Path

import typer

from tta_demo.models.registry import MODELS
from tta_demo.samples.folders import find, pair, read_pair, read_palette
from tta_demo.samples.labelled import LabelledPicture
from tta_demo.samples.weeds import COUNTS, DIFFICULTY, SEEDS
from tta_demo.tasks.gallery import Load
from tta_demo.tasks.worlds import WORLDS, World, world_named

__all__ = ["fingerprint", "is_own", "labelled_sources", "place_named"]


def place_named(world: str | None, model: str | None) -> tuple[str, World]:
    """Returns the world that was named, itself or by its model."""
    if model is not None and model not in MODELS:
        raise ValueError(f"model {model!r} is unknown: choose one of {', '.join(MODELS)}")
    if world is None:
        fitting = [name for name, place in WORLDS.items() if place.model == model]
        if not fitting:
            raise ValueError("name the world: --world " + " or --world ".join(WORLDS))
        world = fitting[0]
    place = world_named(world)
    if model not in (None, place.model):
        raise ValueError(f"model {model!r} is not of the world {world!r}: leave one of them out")
    return world, place


def is_own(data: Path | None, masks: Path | None) -> bool:
    """Returns whether the pictures are the world's own, with its splits."""
    return data is None or (masks is None and (data / "split.csv").is_file())


def labelled_sources(
    world: World,
    name: str,
    split: str,
    data: Path | None,
    masks: Path | None,
    colors: Path | None,
    count: int | None,
) -> dict[str, Load]:
    """Returns how to get each labelled picture, by name."""
    if data is None and world.generate is not None:
        seeds = SEEDS[split][: count or COUNTS[split]]
        return {f"{name}-{seed}": partial(world.generate, seed, DIFFICULTY) for seed in seeds}
    if is_own(data, masks):
        pictures = list(world.pictures(split, data))[:count]
        return {picture.name: partial(_itself, picture) for picture in pictures}
    pairs = find(data) if masks is None else pair(_files(data), _files(masks))
    for lonely in pairs.lonely:
        typer.echo(f"{lonely} has no partner and is left out", err=True)
    palette = world.record.palette
    palette = palette if colors is None else read_palette(colors, palette.names)
    sources = {
        picture.stem: partial(read_pair, picture, mask, palette, world.complete)
        for picture, mask in pairs.pairs[:count]
    }
    if not sources:
        raise ValueError(f"{data} has no picture with a mask of the same name")
    return sources


def fingerprint(sources: dict[str, Load]) -> str:
    """Returns what tells these pictures and masks from others, or from these before a change."""
    files = {
        name: [
            (path.name, path.stat().st_size, path.stat().st_mtime_ns)
            for path in getattr(load, "args", ())
            if isinstance(path, Path)
        ]
        for name, load in sorted(sources.items())
    }
    return blake2b(json.dumps(files).encode(), digest_size=8).hexdigest()


def _itself(picture: LabelledPicture) -> LabelledPicture:
    return picture


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder")
    return sorted(path for path in folder.iterdir() if path.is_file())
