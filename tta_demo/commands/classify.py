"""The command that says what is in pictures."""

from pathlib import Path
from typing import Annotated

import typer

from tta_demo.commands import arguments
from tta_demo.commands.failing import for_each
from tta_demo.pictures.reading import read_picture
from tta_demo.tasks import classify as classification
from tta_demo.tasks.plan_file import read_plan
from tta_demo.tta.crops import CROP_SETS, CROP_VIEWS
from tta_demo.tta.fusion import FUSIONS
from tta_demo.tta.plan import Plan

__all__ = ["classify"]

_VIEWS = f"A set ({', '.join(CROP_SETS)}) or names of crops, by commas; ten-crop if left out."


def classify(
    pictures: arguments.Pictures,
    views: Annotated[str | None, typer.Option(help=_VIEWS)] = None,
    fusion: Annotated[
        str | None, typer.Option(help="How to combine, learned excepted; mean if left out.")
    ] = None,
    plan_file: arguments.PlanFile = None,
    model: arguments.Classifier = arguments.CLASSIFIER,
    swap: arguments.Swaps = None,
) -> None:
    """Says what is in pictures: the five likeliest classes of all looks together."""
    record = arguments.chosen_model(model, arguments.CLASSIFIERS, swap)
    if plan_file is None:
        plan = _chosen(views or "ten-crop", fusion or "mean")
    else:
        arguments.refuse_beside_plan(views=views, fusion=fusion)
        plan = read_plan(plan_file, record)

    def one(path: Path) -> None:
        result = classification.classify(record, read_picture(path), plan)
        answers = ", ".join(f"{record.classes[i]} {share:.1%}" for i, share in result.top())
        looks = len(plan.views)
        agreeing = f"{round(result.agreement * looks)} of {looks} looks agree"
        typer.echo(f"{path.name}: {answers} ({agreeing})")
        for note in result.notes:
            typer.echo(f"{path.name}: {note}", err=True)

    for_each(pictures, one)


def _chosen(views: str, fusion: str) -> Plan:
    """Returns the plan of crops without weights."""
    unweighted = [key for key, found in FUSIONS.items() if not found.weighted]
    arguments.one_of("--fusion", fusion, unweighted)
    crops = arguments.chosen_views(views, CROP_SETS, CROP_VIEWS)
    return Plan.chosen(crops, fusion, plain=classification.ONE_CROP.views[0])
