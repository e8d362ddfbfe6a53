"""Where the commands' labelled pictures come from: a world's own splits, or anybody's folders."""

from functools import partial
from pathlib import Path

import typer

from tta_demo.samples.folders import find, pair, read_pair, read_palette
from tta_demo.samples.labelled import LabelledPicture, Source
from tta_demo.samples.weeds import COUNTS, DIFFICULTY, SEEDS
from tta_demo.tasks.worlds import World

__all__ = ["are_own", "labelled_pictures"]


def labelled_pictures(
    world: World,
    split: str,
    data: Path | None = None,
    masks: Path | None = None,
    colors: Path | None = None,
    count: int | None = None,
) -> dict[str, Source]:
    """Returns labelled pictures by name; tells which files have no partner.

    Without `data` the pictures are generated; else it is a folder with `images/` and `masks/`,
    one with the world's splits, or, with `masks`, one of pictures.

    Raises:
        ValueError: there is no picture, or a file makes no sense.
    """
    if data is None and world.generate is not None:
        seeds = SEEDS[split][: count or COUNTS[split]]
        made = (partial(world.generate, seed, DIFFICULTY) for seed in seeds)
        return {f"{world.name}-{seed}": Source(m) for seed, m in zip(seeds, made, strict=True)}
    if are_own(data, masks):
        pictures = list(world.pictures(split, data))[:count]
        return {picture.name: Source(partial(_itself, picture)) for picture in pictures}
    pairs = find(data) if masks is None else pair(_files(data), _files(masks))
    for lonely in pairs.lonely:
        typer.echo(f"{lonely} has no partner and is left out", err=True)
    palette = world.record.palette
    palette = palette if colors is None else read_palette(colors, palette.names)
    if not pairs.pairs:
        raise ValueError(f"{data} has no picture with a mask of the same name")
    return {
        both[0].stem: Source(partial(read_pair, *both, palette, world.complete), both)
        for both in pairs.pairs[:count]
    }


def are_own(data: Path | None, masks: Path | None) -> bool:
    """Returns whether the pictures are the world's own, with its splits."""
    return data is None or (masks is None and (data / "split.csv").is_file())


def _itself(picture: LabelledPicture) -> LabelledPicture:
    return picture


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder")
    return sorted(path for path in folder.iterdir() if path.is_file())
