"""The command that finds out when a plan may stop looking."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from tqdm import tqdm

from tta_demo.commands import arguments
from tta_demo.commands.failing import tell_left_out, tell_understood
from tta_demo.evaluation.run import write_json
from tta_demo.evidence.gather import gather
from tta_demo.evidence.job import segmenting
from tta_demo.evidence.sure import enough_looks, prefixes, sure_below, sure_plan
from tta_demo.tasks.plan_file import plan_facts

__all__ = ["sure"]


def sure(
    out: Annotated[Path, typer.Option(help="The plan's file, for predict --plan.")],
    name: arguments.AnyWorld = None,
    model: arguments.ModelNames = None,
    feed: arguments.FeedName = None,
    data: arguments.Data = None,
    masks: arguments.Masks = None,
    palette: arguments.Colors = None,
    swap: arguments.Swaps = None,
    count: arguments.Count = None,
    views: arguments.ViewNames = "d4",
    loss: Annotated[float, typer.Option(min=0, help="Points of mIoU that it may cost.")] = 0.1,
    looks: Annotated[
        Path | None, typer.Option(help="Folder to keep the looks in, to go on from.")
    ] = None,
) -> None:
    """Finds when to stop looking: a plan that ends as soon as the answer is certain enough.

    Weights, the order of the looks and the threshold are learned on labelled pictures, of which
    at least 8 are needed; there the loss, compared with all looks, is surely within --loss.
    """
    world = arguments.chosen_models(name, model, feed, palette, swap)
    sources = arguments.labelled_pictures(world, "calibration", data, masks, palette, count)
    job = segmenting(world.record, sources, arguments.chosen_views(views))
    with TemporaryDirectory() as folder:
        wait = partial(tqdm, unit="picture")
        stacks, failures, notes = gather(job, looks or Path(folder), wait)
    plan = sure_plan(stacks, stacks.views)
    found = prefixes(stacks, plan)
    below, most = sure_below(found, loss / 100), len(plan.views)
    learned_on = {"pictures": len(stacks.pictures), "first": stacks.pictures[0].name}
    known = {"sure_below": below, "loss": loss, "calibration": learned_on}
    out.parent.mkdir(parents=True, exist_ok=True)
    write_json(out, plan_facts(plan, world.record, **known))
    tell_understood(notes)
    typer.echo(
        f"{found.looks(below).mean():.1f} of {most} looks on average; always the same number "
        f"would be {enough_looks(found, loss / 100)}. To look so: --plan {out}"
    )
    tell_left_out(failures)
