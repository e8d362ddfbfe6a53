"""Arguments that several commands share, and what they stand for: views, worlds, pictures."""

import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from tta_demo.evaluation.spread import Spread, over_ray
from tta_demo.models.domains import DOMAINS
from tta_demo.models.hub import HUB_MENU, hub_model
from tta_demo.models.own import FEEDS, OWN_ENDINGS, own_model
from tta_demo.models.record import ModelRecord
from tta_demo.models.registry import models_for
from tta_demo.models.swap import Pairs, likely_pairs
from tta_demo.pictures.palettes import Palette
from tta_demo.samples.folders import find, pair, read_pair
from tta_demo.samples.labelled import Source
from tta_demo.samples.palette_file import read_palette, read_swap
from tta_demo.samples.weeds import COUNTS, DIFFICULTY, SEEDS
from tta_demo.tasks.worlds import WORLDS, World, own_world, together, world_named
from tta_demo.tta.views import VIEW_SETS, VIEWS, refuse_unknown

__all__ = [
    "CLASSIFIER", "CLASSIFIERS", "DETECTOR", "DETECTORS", "AnyWorld", "Classifier", "Colors",
    "Count", "Data", "Detector", "FeedName", "Masks", "ModelNames", "OnRay", "Pictures",
    "PlanFile", "Results", "SplitFolder", "SuitedViews", "Swaps", "ViewNames", "are_own",
    "chosen_model", "chosen_models", "chosen_views", "chosen_world", "folder_for",
    "labelled_pictures", "one_of", "refuse_among_pictures", "refuse_beside_plan", "spread",
    "suited_views",
]  # fmt: skip

SEGMENTERS, CLASSIFIERS, DETECTORS = map(models_for, ("segment", "classify", "detect"))
CLASSIFIER, DETECTOR = next(iter(CLASSIFIERS)), next(iter(DETECTORS))
"""Used if none is named."""
_HUB = {
    task: f"a model of the Hugging Face Hub, {menu[0]} for instance, or its folder"
    for task, menu in HUB_MENU.items()
}
Pictures = Annotated[list[Path], typer.Argument(help="Picture files.")]
_WORLD = typer.Option("--world", help=f"Model and classes: {', '.join(WORLDS)}.")
AnyWorld = Annotated[str | None, _WORLD]
_MODEL = typer.Option(
    "--model",
    help=f"Instead of the world: {', '.join(SEGMENTERS)}; a file of your own model, ONNX or a "
    f"checkpoint of our U-Net's parameter names; or {_HUB['segment']}. Given several times, the "
    "models look together.",
)
ModelNames = Annotated[list[str] | None, _MODEL]
_FOR_FILES = "it is for a --model of your own, a file"
_FEED = f"How your own model wants pictures: {', '.join(FEEDS)}; found out if left out."
FeedName = Annotated[str | None, typer.Option("--feed", help=_FEED)]
_SWAP = "Classes that a mirror exchanges, as left_lung=right_lung; as often as there are pairs."
Swaps = Annotated[list[str] | None, typer.Option("--swap", help=_SWAP)]
_CLASSIFIER = f"{', '.join(CLASSIFIERS)}; an ONNX file; or {_HUB['classify']}."
Classifier = Annotated[str, typer.Option(help=_CLASSIFIER)]
Detector = Annotated[str, typer.Option(help=f"{', '.join(DETECTORS)}; or {_HUB['detect']}.")]
_VIEWS = f"A set ({', '.join(VIEW_SETS)}) or names separated by commas: {', '.join(VIEWS)}."
ViewNames = Annotated[str, typer.Option(help=_VIEWS)]
_SUITED = f"{_VIEWS} Those that suit the model's pictures if left out."
SuitedViews = Annotated[str | None, typer.Option(help=_SUITED)]
_PLAN = "A plan of advise, or for predict of sure, instead of --views and --fusion."
PlanFile = Annotated[Path | None, typer.Option("--plan", help=_PLAN)]
_DATA = (
    "Folder with images/ and masks/, paired by name; or, with --masks, the pictures'. "
    "For nuclei also BBBC038 with split.csv. Weeds are generated if it is left out."
)
Data = Annotated[Path | None, typer.Option(help=_DATA)]
_SPLIT = "Folder of BBBC038 with split.csv, for nuclei; weeds are generated."
SplitFolder = Annotated[Path | None, typer.Option(help=_SPLIT)]
Masks = Annotated[Path | None, typer.Option(help="Folder of the masks, paired by name.")]
_COLORS = (
    'JSON of the masks\' colours if they are others: {"class": [r, g, b], ...}; or {"classes": '
    '{...}, "swap": [["left", "right"], ...]} with the classes that a mirror exchanges; or '
    "categories as COCO and Cityscapes write them"
)
Colors = Annotated[Path | None, typer.Option(help=_COLORS)]
Count = Annotated[int | None, typer.Option(min=1, help="How many pictures; all if left out.")]
_RAY = (
    "Spread the pictures over a Ray cluster: RAY_ADDRESS, else the one that runs here, else this "
    "machine's cores. Files must be where they are here."
)
OnRay = Annotated[bool, typer.Option("--ray", help=_RAY)]
Results = Annotated[Path, typer.Option(help="Folder for the results; made if it is missing.")]


def chosen_views(
    text: str, sets: Mapping[str, tuple[str, ...]] = VIEW_SETS, registry: Collection[str] = VIEWS
) -> tuple[str, ...]:
    """Returns the views that a set's name or comma-separated names, none twice, stand for.

    Example:
        >>> chosen_views("flips"), chosen_views("identity,zoom0.5")
        (('identity', 'hflip', 'vflip', 'rot180'), ('identity', 'zoom0.5'))
    """
    names = sets.get(text) or tuple(name.strip() for name in text.split(",") if name.strip())
    try:
        refuse_unknown(names, registry)
    except ValueError as error:
        raise ValueError(f"{error}; or give a set: {', '.join(sets)}") from error
    return names


def spread(ray: bool) -> Spread:
    """Returns where the work on pictures is done: over Ray, or here."""
    return over_ray if ray else map


def suited_views(text: str | None, record: ModelRecord) -> tuple[str, ...]:
    """Returns the views that were chosen, or else those that suit the pictures of a model."""
    return DOMAINS[record.domain].views if text is None else chosen_views(text)


def chosen_models(
    name: str | None,
    models: Sequence[str] | None,
    feed: str | None = None,
    colors: Path | None = None,
    swap: Sequence[str] | None = None,
) -> World:
    """Returns the world of one model or of several that look together; see `chosen_world`."""
    return together([chosen_world(name, one, feed, colors, swap) for one in models or (None,)])


def chosen_world(
    name: str | None,
    model: str | None,
    feed: str | None = None,
    colors: Path | None = None,
    swap: Sequence[str] | None = None,
) -> World:
    """Returns the world that was named, itself or by its model; or raises a `ValueError`.

    A model may be a file of somebody's own: then `feed` says how it wants pictures. Of such a one
    or one of the Hub, `colors` is a file of the classes, in the order of their ids. `swap` are
    pairs like `left_lung=right_lung`; those of `colors` if there are none. Classes that look like
    a pair, but are none, are told.
    """
    world = _named_world(name, model, feed, colors)
    pairs = tuple(_pair(text) for text in swap or ())
    if not pairs and colors is not None:
        pairs = read_swap(colors)
    record = _swapping(world.record, pairs)
    return replace(world, model=record) if pairs else world


def _swapping(record: ModelRecord, pairs: Pairs) -> ModelRecord:
    """Returns the model with these pairs; without any, tells of classes that look like some."""
    if pairs:
        return replace(record, swap=pairs)
    for one, other in likely_pairs(record.classes):
        told = f"classes {one} and {other} look like a pair"
        typer.echo(f"{told}: add --swap {shlex.quote(f'{one}={other}')}", err=True)
    return record


def _pair(text: str) -> tuple[str, str]:
    one, sign, other = text.partition("=")
    if not sign:
        raise ValueError(f"--swap {text}: give two classes, left_lung=right_lung for instance")
    return one.strip(), other.strip()


def _named_world(
    name: str | None, model: str | None, feed: str | None, colors: Path | None
) -> World:
    if model is not None and model not in SEGMENTERS:
        palette = None if name is not None or colors is None else read_palette(colors)
        record = _own_record(model, SEGMENTERS, feed, palette)
        return own_world(record, None if name is None else world_named(name))
    if feed is not None:
        raise ValueError(f"--feed {feed}: {_FOR_FILES}")
    palette = None if model is None else SEGMENTERS[model].palette
    fitting = [world for world in WORLDS.values() if world.record.palette == palette]
    if name is None and not fitting:
        raise ValueError("name the world: --world " + " or --world ".join(WORLDS))
    world = fitting[0] if name is None else world_named(name)
    if model in (None, world.model):
        return world
    if world not in fitting:
        raise ValueError(f"model {model!r} is not of the world {name!r}: leave one of them out")
    return own_world(SEGMENTERS[model], world)


def chosen_model(
    name: str, among: Mapping[str, ModelRecord], swap: Sequence[str] | None = None
) -> ModelRecord:
    """Returns the model that was named, one of these or of somebody's own for the same task.

    `swap` is as for `chosen_world`. Raises a `ValueError` if there is no such model.
    """
    record = among[name] if name in among else _own_record(name, among)
    return _swapping(record, tuple(map(_pair, swap or ())))


def _own_record(
    model: str,
    among: Mapping[str, ModelRecord],
    feed: str | None = None,
    palette: Palette | None = None,
) -> ModelRecord:
    """Returns the model of a file, of a folder or of the Hub, and tells what was understood."""
    is_file = model.lower().endswith(OWN_ENDINGS)
    if not (is_file or "/" in model or Path(model).is_dir()):
        one_of("--model", model, among)
    if feed is not None:
        if not is_file:
            raise ValueError(f"--feed {feed}: {_FOR_FILES}")
        one_of("--feed", feed, FEEDS)
    if is_file:
        record = own_model(Path(model), feed and FEEDS[feed], palette).record
    else:
        record = hub_model(model, next(iter(among.values())).task, palette)
    typer.echo(f"{record.summary} It is {record.source}.", err=True)
    return record


def one_of(option: str, value: str, choices: Collection[str]) -> None:
    """Raises a `ValueError` if an option's value is none of the choices."""
    if value not in choices:
        raise ValueError(f"{option} {value!r} is unknown: choose one of {', '.join(choices)}")


def refuse_beside_plan(**options: str | None) -> None:
    """Raises a `ValueError` if one of the options is given that a plan's file stands for."""
    if given := [f"--{name} {value}" for name, value in options.items() if value is not None]:
        raise ValueError(f"--plan says how to look, and so does {given[0]}: leave one of them out")


def refuse_among_pictures(out: Path, *folders: Path | None, below: bool = False) -> None:
    """Raises a `ValueError` if results would go where pictures or masks are, or `below` there."""
    place = out.resolve()
    for folder in (folder.resolve() for folder in folders if folder):
        if place == folder or (below and place.is_relative_to(folder)):
            raise ValueError(f"--out {out} is where pictures or masks are: choose another folder")


def folder_for(out: Path, pictures: Sequence[Path], masks: Path | None = None) -> None:
    """Makes a folder for what is found in pictures, called by their names.

    Raises a `ValueError` if two share a name, or the folder is that of pictures or masks.
    """
    names = {path.stem.casefold() for path in pictures}  # some systems know no case
    if len(names) < len(pictures):
        told = f"{len(pictures)} pictures share {len(names)} names"
        raise ValueError(f"{told}: rename, or run twice")
    refuse_among_pictures(out, masks, *(path.parent for path in pictures))
    out.mkdir(parents=True, exist_ok=True)


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
    one with the world's splits, or, with `masks`, one of pictures. Raises a `ValueError` if there
    is no picture, or a file makes no sense.
    """
    alone = "--masks" if masks else "--palette" if colors else ""
    if data is None and alone:
        raise ValueError(f"{alone} needs --data: the folder that the pictures are in")
    if data is None and world.generate is not None:
        seeds = SEEDS[split][: count or COUNTS[split]]
        made = (partial(world.generate, seed, DIFFICULTY) for seed in seeds)
        return {f"{world.name}-{seed}": Source(m) for seed, m in zip(seeds, made, strict=True)}
    if are_own(data, masks):
        pictures = list(world.pictures(split, data))[:count]
        return {one.name: Source(lambda one=one: one) for one in pictures}
    pairs = find(data) if masks is None else pair(_files(data), _files(masks))
    for lonely in pairs.lonely:
        typer.echo(f"{lonely} has no partner and is left out", err=True)
    own = world.record.palette
    palette = own if colors is None else read_palette(colors, own.names)
    read_truth = partial(world.read_truth, palette=palette)
    if not pairs.pairs:
        raise ValueError(f"{data} has no picture with a mask of the same name")
    return {
        name: Source(partial(read_pair, *both, read_truth), both)
        for name, both in [*pairs.pairs.items()][:count]
    }


def are_own(data: Path | None, masks: Path | None) -> bool:
    """Returns whether the pictures are the world's own, with its splits."""
    return data is None or (masks is None and (data / "split.csv").is_file())


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder")
    return sorted(path for path in folder.iterdir() if path.is_file())
