"""The command that learns weights on labelled pictures."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from math import isinf
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
from tta_demo.learning.module import LEARNABLE, Form
from tta_demo.learning.prior import ENOUGH, FEW, SCORES
from tta_demo.learning.weight_file import WeightFile
from tta_demo.models.ensemble import look_as, rows_of
from tta_demo.models.registry import load_model
from tta_demo.samples.labelled import Source
from tta_demo.tta.predict import Model, ViewStack, to_tensor

__all__ = ["learn"]


def learn(
    out: Annotated[Path, typer.Option(help="Weights file to write (JSON).")],
    name: arguments.AnyWorld = None,
    model: arguments.ModelNames = None,
    feed: arguments.FeedName = None,
    data: arguments.Data = None,
    masks: arguments.Masks = None,
    palette: arguments.Colors = None,
    swap: arguments.Swaps = None,
    count: arguments.Count = None,
    views: arguments.ViewNames = "d4",
    method: Annotated[str, typer.Option(help=f"One of {', '.join(METHODS)}.")] = "exact",
    per_class: Annotated[bool, typer.Option(help="A weight per class and view.")] = False,
    pool: Annotated[str, typer.Option(help=f"What to weigh: {', '.join(LEARNABLE)}.")] = "linear",
    prior: Annotated[
        str,
        typer.Option(
            help="How many pictures the pull towards even weights counts, 0 to inf; or auto: "
            f"{FEW:g}, chosen by cross-validation from {ENOUGH} pictures on; inf where they do "
            "not show that some views deserve more."
        ),
    ] = "auto",
    score: Annotated[
        str, typer.Option(help=f"What that choice looks at: {', '.join(SCORES)}.")
    ] = "miou",
    pixels: Annotated[int, typer.Option(min=1, help="Most pixels of one picture.")] = 20_000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the draw of pixels.")] = 0,
) -> None:
    """Learns how much each view counts on labelled pictures that were not used for training."""
    world = arguments.chosen_models(name, model, feed, palette, swap)
    names = rows_of(world.record, arguments.chosen_views(views))
    if out.is_dir():
        raise ValueError(f"--out {out} is a folder: name the file to write")
    record, form, amount = world.record, Form(per_class, pool), _number(prior)
    arguments.one_of("--score", score, SCORES)
    whole, failures = needs_all_classes(method, form, amount, score), Failures()
    sources = arguments.labelled_pictures(world, "calibration", data, masks, palette, count)
    out.parent.mkdir(parents=True, exist_ok=True)  # before the work, which would be lost
    notes: dict[str, tuple[str, ...]] = {}
    looked = _looked(load_model(record), sources, names, failures, notes)
    answers = Answers.of(looked, whole, pixels, seed)
    *_, found = fit_steps(answers, method, amount, form, score=score)
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
    model: Model | Mapping[str, Model],
    sources: Mapping[str, Source],
    rows: tuple[str, ...],
    failures: Failures,
    notes: dict[str, tuple[str, ...]],
) -> Iterator[tuple[ViewStack, np.ndarray]]:
    """Yields the answers of the rows, models x views, to each picture, and its truth.

    Adds how the truths were understood to `notes`, and what cannot be read to `failures`.
    """
    for name, source in tqdm(sources.items(), unit="picture", disable=None):
        with failures.of(name):
            picture = source.read()
            notes[name] = picture.notes
            image = to_tensor(picture.rgb)
            looks = {row: look_as(model, image, row) for row in rows}
            yield ViewStack.of(looks), picture.labels
    failures.refuse_if_nothing_read(sources)


def _tell(found: Fit, rows: tuple[str, ...], classes: tuple[str, ...]) -> None:
    width = max(14, *map(len, rows))
    for row, weights in zip(rows, found.weights, strict=True):
        one = np.atleast_1d(weights)
        said = zip(classes, one, strict=True) if len(one) > 1 else (("", one[0]),)
        typer.echo(f"{row:{width}}" + "".join(f" {name} {weight:6.3f}" for name, weight in said))
    even = isinf(found.prior)
    pulled = "the weights stay even" if even else f"the prior counts {found.prior:g} pictures"
    proved = found.gap is not None and not even
    sure = f", certified within {found.gap:.1e} of the best" if proved else ""
    typer.echo(
        f"{len(found.history) - 1} steps; NLL {-found.history[0]:.6f} even, "
        f"{-found.history[-1]:.6f} found{sure}; {pulled}; {found.pixels} pixels"
    )


def _number(prior: str) -> float | None:
    if prior == "auto":
        return None
    with suppress(ValueError):
        if float(prior) >= 0:
            return float(prior)
    raise ValueError(f"--prior {prior}: give a number of pictures from 0 on, inf, or auto")
