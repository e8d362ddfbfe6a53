"""The command that finds things in pictures."""

from pathlib import Path
from typing import Annotated

import typer

from tta_demo.commands import arguments
from tta_demo.commands.failing import for_each
from tta_demo.evaluation.run import write_json
from tta_demo.pictures.draw import boxes_drawn
from tta_demo.pictures.palettes import rgb_png
from tta_demo.pictures.reading import read_picture
from tta_demo.tasks import detect as detection
from tta_demo.tasks.plan_file import read_plan
from tta_demo.tta.box_fusion import FUSERS
from tta_demo.tta.plan import Plan

__all__ = ["detect"]


def detect(
    pictures: arguments.Pictures,
    out: Annotated[Path, typer.Option(help="Folder for NAME-boxes.png and NAME.json.")],
    views: arguments.SuitedViews = None,
    fusion: Annotated[
        str | None, typer.Option(help=f"One of {', '.join(FUSERS)}; wbf if left out.")
    ] = None,
    plan_file: arguments.PlanFile = None,
    threshold: Annotated[float, typer.Option(min=0, max=1, help="Lowest score drawn.")] = 0.3,
    model: arguments.Detector = arguments.DETECTOR,
    swap: arguments.Swaps = None,
) -> None:
    """Finds boxes in pictures; writes them all as JSON, and those above the threshold drawn."""
    record = arguments.chosen_model(model, arguments.DETECTORS, swap)
    if plan_file is None:
        fusion = fusion or "wbf"
        arguments.one_of("--fusion", fusion, FUSERS)
        plan = Plan.chosen(arguments.suited_views(views, record), fusion)
    else:
        arguments.refuse_beside_plan(views=views, fusion=fusion)
        plan = read_plan(plan_file, record)
    arguments.folder_for(out, pictures)

    def one(path: Path) -> None:
        picture = read_picture(path)
        result = detection.detect(record, picture, plan)
        shown = result.boxes.take(result.boxes.scores >= threshold)
        drawn = boxes_drawn(picture.rgb, shown, record.palette)
        (out / f"{path.stem}-boxes.png").write_bytes(rgb_png(drawn))
        write_json(out / f"{path.stem}.json", {"size": picture.rgb.shape[:2]} | result.report())
        for note in result.notes:
            typer.echo(f"{path.name}: {note}", err=True)

    for_each(pictures, one)
