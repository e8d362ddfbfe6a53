"""The command that marks what is in pictures."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from tqdm import tqdm

from tta_demo.commands import arguments
from tta_demo.commands.failing import for_each
from tta_demo.evaluation.run import write_json
from tta_demo.pictures.decoding import MAX_PIXELS, WORKING_PIXELS
from tta_demo.pictures.draw import overlay
from tta_demo.pictures.masks import restore
from tta_demo.pictures.palettes import index_png, rgb_png
from tta_demo.pictures.reading import read_picture
from tta_demo.tasks.full_size import FullSize, segment_tiles
from tta_demo.tasks.plan_file import read_plan, read_sure
from tta_demo.tasks.segment import Segmentation, segment
from tta_demo.tasks.sure import look_until_sure
from tta_demo.tta.fusion import FUSIONS
from tta_demo.tta.plan import Plan

__all__ = ["predict"]


def predict(
    pictures: arguments.Pictures,
    out: arguments.Results,
    name: arguments.AnyWorld = None,
    model: arguments.ModelNames = None,
    feed: arguments.FeedName = None,
    palette: arguments.Colors = None,
    swap: arguments.Swaps = None,
    views: Annotated[str | None, typer.Option(help="As for advise; d4 if left out.")] = None,
    fusion: Annotated[
        str | None, typer.Option(help=f"One of {', '.join(FUSIONS)}; mean if left out.")
    ] = None,
    plan_file: arguments.PlanFile = None,
    masks: Annotated[
        Path | None, typer.Option(help="Folder of masks with the pictures' names, to score.")
    ] = None,
    full_size: Annotated[
        bool,
        typer.Option("--full-size", help="Reduce no picture: look at large ones tile by tile."),
    ] = False,
    device: Annotated[str, typer.Option(help="auto, cuda, mps or cpu.")] = "auto",
) -> None:
    """Segments pictures and writes, for each, mask, overlay and report.

    NAME-mask.png holds class ids at the picture's full size, NAME-overlay.png shows them over the
    picture, NAME.json has views, weights, and scores where there is a mask.
    """
    world = arguments.chosen_models(name, model, feed, palette, swap)
    if plan_file is None:
        plan, plan_notes = world.plan(arguments.chosen_views(views or "d4"), fusion or "mean")
        below = 0.0
    else:
        arguments.refuse_beside_plan(views=views, fusion=fusion)
        plan, plan_notes = read_plan(plan_file, world.record), ()
        below = read_sure(plan_file)
    if below and full_size:
        raise ValueError(
            f"{plan_file.name} stops when it is sure of a whole picture, not of a tile: leave "
            "--full-size out, or give --views"
        )
    arguments.folder_for(out, pictures, masks)

    def one(path: Path) -> None:
        def track(steps: Collection[Any]) -> Iterable[Any]:
            unit = "tile" if full_size else "look"
            return tqdm(steps, desc=path.name, unit=unit, leave=False, disable=None)

        most = MAX_PIXELS if full_size else WORKING_PIXELS
        picture, truth, truth_notes = read_picture(path, most), None, ()
        if masks is not None:
            truth, truth_notes = world.read_truth(_mask_for(path, masks), picture)
        picture = replace(picture, notes=picture.notes + truth_notes + plan_notes)
        look = segment_tiles if full_size else segment

        def answer(looks: Plan) -> Segmentation | FullSize:
            return look(world.record, picture, looks, truth, track=track, device=device)

        result = look_until_sure(answer, plan, below) if below else answer(plan)
        source = {"kind": "file", "name": path.name}
        _write(result, out, path.stem, world=name, source=source)
        if below:
            taken, most = len(result.plan.views), len(plan.views)
            typer.echo(f"{path.name}: {taken} of {most} looks were enough")
        for note in result.notes:
            typer.echo(f"{path.name}: {note}")

    for_each(pictures, one)


def _write(result: Segmentation | FullSize, out: Path, stem: str, **known: object) -> None:
    palette = result.model.palette
    labels = restore(result.labels, result.picture.size)
    (out / f"{stem}-mask.png").write_bytes(index_png(labels, palette))
    shown = overlay(result.picture.rgb, result.labels, palette)
    (out / f"{stem}-overlay.png").write_bytes(rgb_png(shown))
    write_json(out / f"{stem}.json", result.report(**known))


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
