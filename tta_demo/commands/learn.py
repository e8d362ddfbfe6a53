"""The command that learns weights on labelled pictures."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from tqdm import tqdm

from tta_demo.commands import arguments
from tta_demo.commands.failing import tell_left_out, tell_understood
from tta_demo.evaluation.failures import Failures
from tta_demo.learning.answers import Answers
from tta_demo.learning.fit import Fit, fit_steps
from tta_demo.learning.fit_methods import METHODS, needs_all_classes
from tta_demo.learning.module import Form
from tta_demo.learning.weight_file import WeightFile
from tta_demo.models.registry import load_model
from tta_demo.samples.labelled import Source
from tta_demo.tta.fusion import POOLS
from tta_demo.tta.predict import Model, ViewStack, predict_views, to_tensor

__all__ = ["learn"]


def learn(
    out: Annotated[Path, typer.Option(help="Weights file to write (JSON).")],
    name: arguments.AnyWorld = None,
    model: arguments.ModelName = None,
    feed: arguments.FeedName = None,
    data: arguments.Data = None,
    masks: arguments.Masks = None,
    palette: arguments.Colors = None,
    swap: arguments.Swaps = None,
    count: arguments.Count = None,
    views: arguments.ViewNames = "d4",
    method: Annotated[str, typer.Option(help=f"One of {', '.join(METHODS)}.")] = "exact",
    per_class: Annotated[bool, typer.Option(help="A weight per class and view.")] = False,
    pool: Annotated[str, typer.Option(help=f"What to weigh: {', '.join(POOLS)}.")] = "linear",
    shrink: Annotated[
        str, typer.Option(help="0 (as found) .. 1 (even), or auto: cross-validated over pictures.")
    ] = "0",
    pixels: Annotated[int, typer.Option(min=1, help="Most pixels of one picture.")] = 20_000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draw of pixels.")] = 0,
) -> None:
    """Learns how much each view counts on labelled pictures that were not used for training."""
    world = arguments.chosen_world(name, model, feed, palette, swap)
    names = arguments.chosen_views(views)
    if out.is_dir():
        raise ValueError(f"--out {out} is a folder: name the file to write")
    record, form, amount = world.record, Form(per_class, pool), _number(shrink)
    whole, failures = needs_all_classes(method, form), Failures()
    sources = arguments.labelled_pictures(world, "calibration", data, masks, palette, count)
    out.parent.mkdir(parents=True, exist_ok=True)  # before the work, which would be lost
    notes: dict[str, tuple[str, ...]] = {}
    looked = _looked(load_model(record), sources, names, failures, notes)
    *_, found = fit_steps(Answers.of(looked, whole, pixels, seed), method, amount, form)
    used = [source for source in sources if source not in failures]
    own = arguments.are_own(data, masks)
    which = f"{world.name}, calibration split" if own else "a folder of pictures"
    calibration = {"data": which, "first": used[0], "pictures": len(used), "seed": seed}
    if not own:
        calibration["names"] = used  # so that scores on the same pictures can say so
    belongs = {"world": world.name, "model": record.name, "digest": record.digest}
    WeightFile.of(found, names, record.classes, calibration, {}, **belongs).save(out)
    tell_understood(notes)
    _tell(found, names, record.classes)
    tell_left_out(failures)


def _looked(
    model: Model,
    sources: Mapping[str, Source],
    views: tuple[str, ...],
    failures: Failures,
    notes: dict[str, tuple[str, ...]],
) -> Iterator[tuple[ViewStack, np.ndarray]]:
    """Yields the views' answers to each picture, and its truth.

    Adds how the truths were understood to `notes`, and what cannot be read to `failures`.
    """
    for name, source in tqdm(sources.items(), unit="picture", disable=None):
        with failures.of(name):
            picture = source.read()
            notes[name] = picture.notes
            yield predict_views(model, to_tensor(picture.rgb), views), picture.labels
    failures.refuse_if_nothing_read(sources)


def _tell(found: Fit, views: tuple[str, ...], classes: tuple[str, ...]) -> None:
    for view, row in zip(views, found.weights, strict=True):
        one = np.atleast_1d(row)
        said = zip(classes, one, strict=True) if len(one) > 1 else (("", one[0]),)
        typer.echo(f"{view:14}" + "".join(f" {name} {weight:6.3f}" for name, weight in said))
    sure = "" if found.gap is None else f", certified within {found.gap:.1e} of the best"
    typer.echo(
        f"{len(found.history) - 1} steps; NLL {-found.history[0]:.6f} even, "
        f"{-found.history[-1]:.6f} found{sure}; shrink {found.shrink}; {found.pixels} pixels"
    )


def _number(shrink: str) -> float | None:
    if shrink == "auto":
        return None
    with suppress(ValueError):
        if 0 <= float(shrink) <= 1:
            return float(shrink)
    raise ValueError(f"--shrink {shrink}: give a number from 0 to 1, or auto")
