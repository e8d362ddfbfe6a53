"""The command line. Expected failures are one sentence on stderr and exit code 2."""

import json
import logging
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from tta_demo.commands.arguments import DataFolder, ViewNames, WorldName
from tta_demo.commands.benchmark import detect, imagenet, learn, speed  # noqa: F401 (their commands)
from tta_demo.commands.detect import classify_command, detect_command
from tta_demo.commands.learn import evaluate_command, learn_command
from tta_demo.models.detectors import DETECTORS
from tta_demo.pictures.draw import overlay
from tta_demo.pictures.masks import restore
from tta_demo.pictures.palettes import index_png, rgb_png
from tta_demo.pictures.reading import read_picture
from tta_demo.samples.nuclei import cut_examples
from tta_demo.samples.weeds import DIFFICULTY, PALETTE, SEEDS
from tta_demo.tasks.segment import Segmentation, learned_for, segment
from tta_demo.tasks.worlds import WORLDS, World, world_named
from tta_demo.training import centernet as train_detector
from tta_demo.training.centernet_card import write_detector_card
from tta_demo.training.unet import RECIPES, train
from tta_demo.training.unet_card import write_card
from tta_demo.tta.fusion import FUSIONS
from tta_demo.tta.views import View, parse_views

__all__ = ["main"]

app = typer.Typer(
    help="Test-time augmentation: look at a picture several times, undo each change, combine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(speed.app, name="benchmark")


def main() -> None:
    """Runs the command line."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    try:
        app()
    except (ValueError, OSError) as error:
        typer.echo(str(error), err=True)
        sys.exit(2)


@app.command("predict")
def predict_command(
    pictures: Annotated[list[Path], typer.Argument(help="Picture files.")],
    out: Annotated[Path, typer.Option(help="Folder for the results; made if it is missing.")],
    world: WorldName,
    views: ViewNames = "d4",
    fusion: Annotated[str, typer.Option(help=f"One of {', '.join(FUSIONS)}.")] = "mean",
    masks: Annotated[
        Path | None, typer.Option(help="Folder of masks with the pictures' names, to score.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
) -> None:
    """Segments pictures and writes, for each, mask, overlay and report.

    NAME-mask.png holds class ids at the picture's full size, NAME-overlay.png shows them over the
    picture, NAME.json has views, weights, and scores where there is a mask.
    """
    names, place = parse_views(views), world_named(world)
    learned_for(place, names, fusion)  # a wrong choice fails once, not for every picture
    twins = {path.stem for path in pictures}
    if len(twins) < len(pictures):
        raise ValueError(
            f"{len(pictures)} pictures share {len(twins)} names: rename, or run twice"
        )
    sources = {folder.resolve() for folder in (masks, *(p.parent for p in pictures)) if folder}
    if out.resolve() in sources:
        raise ValueError(f"--out {out} is where pictures or masks are: choose another folder")
    out.mkdir(parents=True, exist_ok=True)
    failures = 0
    for path in tqdm(pictures, unit="picture", disable=len(pictures) < 2):
        try:
            result = _predict(path, masks, place, names, fusion, device)
        except ValueError as error:
            failures += 1
            typer.echo(str(error), err=True)
            continue
        _write(result, out, path.stem)
        for note in result.notes:
            typer.echo(f"{path.name}: {note}")
    if failures:
        raise typer.Exit(2)


def _predict(
    path: Path, masks: Path | None, world: World, views: tuple[str, ...], fusion: str, device: str
) -> Segmentation:
    picture = read_picture(path)
    truth = None
    if masks is not None:
        truth, notes = world.read_truth(_mask_for(path, masks), picture)
        picture = replace(picture, notes=picture.notes + notes)

    def track(missing: Sequence[View]) -> Iterable[View]:
        return tqdm(missing, desc=path.name, unit="look", leave=False, disable=None)

    return segment(world, picture, truth, views, fusion, track, device)


def _write(result: Segmentation, out: Path, stem: str) -> None:
    palette = result.world.record.palette
    labels = restore(result.labels, result.picture.size)
    (out / f"{stem}-mask.png").write_bytes(index_png(labels, palette))
    shown = overlay(result.picture.rgb, result.labels, palette)
    (out / f"{stem}-overlay.png").write_bytes(rgb_png(shown))
    (out / f"{stem}.json").write_text(json.dumps(result.report(), indent=1) + "\n")


app.command("learn")(learn_command)
app.command("evaluate")(evaluate_command)
app.command("classify")(classify_command)
app.command("detect")(detect_command)


@app.command("train")
def train_command(
    world: Annotated[str, typer.Argument(help=f"One of {', '.join((*RECIPES, *DETECTORS))}.")],
    out: Annotated[Path, typer.Option(help="Weights file to write (safetensors).")],
    data: DataFolder = None,
) -> None:
    """Trains the world's model, or a detector, with its recipe; writes weights and model card."""
    command = f"python -m tta_demo train {world} --out {out}" + (f" --data {data}" if data else "")
    if world in DETECTORS:
        if data is not None:
            raise ValueError(f"--data {data}: weed fields are generated, leave --data out")
        write_detector_card(out, world, train_detector.train(out), command)
        return
    place = world_named(world)
    pictures, validation = (
        list(tqdm(place.pictures(split, data), desc=f"{split} pictures", unit=""))
        for split in ("train", "val")
    )
    history = train(
        RECIPES[world], len(place.record.palette.names), pictures, validation, out, progress=tqdm
    )
    write_card(out, world, history, place.pictures("test", data), command)


@app.command("sample")
def sample_command(
    world: Annotated[str, typer.Argument(help="A world that generates pictures: weeds.")],
    out: Annotated[Path, typer.Option(help="Folder for images/NAME.png and masks/NAME.png.")],
    count: Annotated[int, typer.Option(min=1, help="How many.")] = 10,
    first: Annotated[int, typer.Option(min=0, help="The first seed.")] = SEEDS["test"].start,
    difficulty: Annotated[float, typer.Option(min=0, max=1, help="From easy to hard.")] = (
        DIFFICULTY
    ),
) -> None:
    """Writes generated pictures and their masks (class ids in the world's colours)."""
    place = world_named(world)
    if place.generate is None:
        raise ValueError(f"world {world!r} generates no pictures: use weeds")
    for folder in ("images", "masks"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for seed in tqdm(range(first, first + count), unit="picture"):
        made = place.generate(seed, difficulty)
        (out / "images" / f"{made.name}.png").write_bytes(rgb_png(made.rgb))
        mask = index_png(made.labels, place.record.palette)
        (out / "masks" / f"{made.name}.png").write_bytes(mask)


@app.command("examples")
def examples_command(
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    data: Annotated[
        Path | None, typer.Option(help="Folder with img2d.tif and mask2d.tif of stardist.")
    ] = None,
) -> None:
    """Makes the page's examples: the first test fields, or, with --data, the nuclei's."""
    if data is not None:
        cut_examples(data, out)
        return
    out.mkdir(parents=True, exist_ok=True)
    for seed in SEEDS["test"][:4]:
        made = WORLDS["weeds"].generate(seed, DIFFICULTY)
        (out / f"{made.name}.png").write_bytes(rgb_png(made.rgb))
        (out / f"{made.name}-mask.png").write_bytes(index_png(made.labels, PALETTE))


def _mask_for(picture: Path, folder: Path) -> Path:
    """Returns the one mask of a picture: its name, or its name with -mask, any ending."""
    if not folder.is_dir():
        raise ValueError(f"{folder} is no folder: --masks must name one")
    stems = (picture.stem, f"{picture.stem}-mask")
    found = [
        path
        for path in sorted(folder.iterdir())
        if path.stem in stems and path.suffix != ".json" and path.resolve() != picture.resolve()
    ]
    if len(found) != 1:
        raise ValueError(f"{picture.name} has {len(found)} masks in {folder}: there must be one")
    return found[0]
