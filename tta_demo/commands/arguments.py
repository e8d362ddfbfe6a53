"""Arguments that several commands share, and what their text stands for."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated

import typer

from tta_demo.models.record import ModelRecord
from tta_demo.models.registry import models_for
from tta_demo.tasks.worlds import WORLDS, World, world_named
from tta_demo.tta.views import VIEW_SETS, VIEWS, refuse_unknown

__all__ = [
    "CLASSIFIER",
    "CLASSIFIERS",
    "DETECTOR",
    "DETECTORS",
    "AnyWorld",
    "Classifier",
    "Colors",
    "Count",
    "Data",
    "Detector",
    "Masks",
    "ModelName",
    "Pictures",
    "Results",
    "SplitFolder",
    "ViewNames",
    "WorldName",
    "chosen_model",
    "chosen_views",
    "chosen_world",
    "one_of",
    "refuse_among_pictures",
]

SEGMENTERS, CLASSIFIERS, DETECTORS = map(models_for, ("segment", "classify", "detect"))
CLASSIFIER, DETECTOR = next(iter(CLASSIFIERS)), next(iter(DETECTORS))
"""Used if none is named."""

Pictures = Annotated[list[Path], typer.Argument(help="Picture files.")]
_WORLD = typer.Option("--world", help=f"Model and classes: {', '.join(WORLDS)}.")
WorldName, AnyWorld = Annotated[str, _WORLD], Annotated[str | None, _WORLD]
ModelName = Annotated[
    str | None,
    typer.Option("--model", help=f"Instead of the world: {', '.join(models_for('segment'))}."),
]
Classifier = Annotated[str, typer.Option(help=f"One of {', '.join(models_for('classify'))}.")]
Detector = Annotated[str, typer.Option(help=f"One of {', '.join(models_for('detect'))}.")]
ViewNames = Annotated[
    str,
    typer.Option(
        help=f"A set ({', '.join(VIEW_SETS)}) or names separated by commas: {', '.join(VIEWS)}."
    ),
]
Data = Annotated[
    Path | None,
    typer.Option(
        help="Folder with images/ and masks/, paired by name; or, with --masks, the pictures'. "
        "For nuclei also BBBC038 with split.csv. Weeds are generated if it is left out."
    ),
]
SplitFolder = Annotated[
    Path | None,
    typer.Option(help="Folder of BBBC038 with split.csv, for nuclei; weeds are generated."),
]
Masks = Annotated[Path | None, typer.Option(help="Folder of the masks, paired by name.")]
Colors = Annotated[
    Path | None,
    typer.Option(help='JSON of the masks\' colours if they are others: {"class": [r, g, b], ...}'),
]
Count = Annotated[int | None, typer.Option(min=1, help="How many pictures; all if left out.")]
Results = Annotated[Path, typer.Option(help="Folder for the results; made if it is missing.")]


def chosen_views(
    text: str,
    sets: Mapping[str, tuple[str, ...]] = VIEW_SETS,
    registry: Collection[str] = VIEWS,
) -> tuple[str, ...]:
    """Returns the views that a set's name or comma-separated view names stand for.

    Raises:
        ValueError: a name is unknown or given twice, or there is none.

    Example:
        >>> chosen_views("flips"), chosen_views("identity,zoom0.5")
        (('identity', 'hflip', 'vflip', 'rot180'), ('identity', 'zoom0.5'))
    """
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    names = sets.get(text, names)
    try:
        refuse_unknown(names, registry)
    except ValueError as error:
        raise ValueError(f"{error}; or give a set: {', '.join(sets)}") from error
    return names


def chosen_world(name: str | None, model: str | None) -> World:
    """Returns the world that was named, itself or by its model.

    Raises:
        ValueError: there is none, or the model is another world's.
    """
    if model is not None:
        one_of("--model", model, SEGMENTERS)
    fitting = [world for world in WORLDS.values() if world.model == model]
    if name is None and not fitting:
        raise ValueError("name the world: --world " + " or --world ".join(WORLDS))
    world = fitting[0] if name is None else world_named(name)
    if model not in (None, world.model):
        raise ValueError(f"model {model!r} is not of the world {name!r}: leave one of them out")
    return world


def chosen_model(name: str, among: Mapping[str, ModelRecord]) -> ModelRecord:
    """Returns the model that was named, or raises a `ValueError`."""
    one_of("--model", name, among)
    return among[name]


def one_of(option: str, value: str, choices: Collection[str]) -> None:
    """Raises a `ValueError` if an option's value is none of the choices."""
    if value not in choices:
        raise ValueError(f"{option} {value!r} is unknown: choose one of {', '.join(choices)}")


def refuse_among_pictures(out: Path, *folders: Path | None, below: bool = False) -> None:
    """Raises a `ValueError` if results would go where pictures or masks are, or `below` there."""
    place = out.resolve()
    for folder in (folder.resolve() for folder in folders if folder):
        if place == folder or (below and place.is_relative_to(folder)):
            raise ValueError(f"--out {out} is where pictures or masks are: choose another folder")
