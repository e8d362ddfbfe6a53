"""The commands that learn weights and measure what they are worth on labelled pictures."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from tqdm import tqdm

from tta_demo.commands.arguments import ViewNames
from tta_demo.commands.labelled import fingerprint, is_own, labelled_sources, place_named
from tta_demo.evaluation.boxes import evaluate_coco
from tta_demo.evaluation.maps import Outcome, evaluate_folder, score_table
from tta_demo.learning.answers import Answers
from tta_demo.learning.fit import Fit, fit_steps
from tta_demo.learning.fit_methods import METHODS, needs_all_classes
from tta_demo.learning.weight_file import WeightFile
from tta_demo.models.registry import MODELS, load_model
from tta_demo.scoring.score import Plan
from tta_demo.tasks.gallery import Load, file_of
from tta_demo.tasks.segment import learned_for
from tta_demo.tasks.worlds import WORLDS, World
from tta_demo.tta.fusion import POOLS
from tta_demo.tta.predict import ViewStack, predict_views, to_tensor
from tta_demo.tta.views import VIEW_SETS, parse_views

__all__ = ["evaluate_command", "learn_command"]

World_ = Annotated[
    str | None, typer.Option("--world", help=f"Model and classes: {', '.join(WORLDS)}.")
]
Model = Annotated[
    str | None, typer.Option("--model", help=f"Instead of the world: {', '.join(MODELS)}.")
]
Data = Annotated[
    Path | None,
    typer.Option(
        help="Folder with images/ and masks/, paired by name; or, with --masks, the pictures'. "
        "For nuclei also BBBC038 with split.csv. Weeds are generated if it is left out."
    ),
]
Masks = Annotated[Path | None, typer.Option(help="Folder of the masks, paired by name.")]
Colors = Annotated[
    Path | None,
    typer.Option(help='JSON of the masks\' colours if they are others: {"class": [r, g, b], ...}'),
]
Count = Annotated[int | None, typer.Option(min=1, help="How many pictures; all if left out.")]


def learn_command(
    out: Annotated[Path, typer.Option(help="Weights file to write (JSON).")],
    world: World_ = None,
    model: Model = None,
    data: Data = None,
    masks: Masks = None,
    palette: Colors = None,
    count: Count = None,
    views: ViewNames = "d4",
    method: Annotated[str, typer.Option(help=f"One of {', '.join(METHODS)}.")] = "exact",
    per_class: Annotated[bool, typer.Option(help="A weight per class and view.")] = False,
    pool: Annotated[str, typer.Option(help=f"What to weigh: {', '.join(POOLS)}.")] = "linear",
    shrink: Annotated[
        str, typer.Option(help="0 (as found) .. 1 (even), or auto: cross-validated over pictures.")
    ] = "0",
    pixels: Annotated[int, typer.Option(min=1, help="Most pixels of one picture.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Seed of the draw of pixels.")] = 0,
) -> None:
    """Learns how much each view counts on labelled pictures that were not used for training."""
    name, place = place_named(world, model)
    names = parse_views(views)
    how = {"method": method, "per_class": per_class, "pool": pool}
    whole, amount = needs_all_classes(**how), _number(shrink)
    sources = labelled_sources(place, name, "calibration", data, masks, palette, count)
    failures: dict[str, str] = {}
    answers = Answers.of(_looked(place, sources, names, failures), whole, pixels, seed)
    *_, found = fit_steps(answers, shrink=amount, **how)
    used = [source for source in sources if source not in failures]
    calibration = {
        "data": f"{name}, calibration split" if is_own(data, masks) else "a folder of pictures",
        "first": used[0],
        "pictures": len(used),
        "seed": seed,
    }
    if not is_own(data, masks):
        calibration["names"] = used  # so that scores on the same pictures can say so
    file_of(name, place, names, found, pool, calibration, {}).save(out)
    _tell(found, names, place.record.palette.names)
    _report(failures)


def _looked(
    world: World, sources: dict[str, Load], views: tuple[str, ...], failures: dict[str, str]
) -> Iterator[tuple[ViewStack, np.ndarray]]:
    """Yields the views' answers to each picture, and its truth; notes what cannot be read."""
    model = load_model(world.model)
    for name, load in tqdm(sources.items(), unit="picture", disable=None):
        try:
            picture = load()
        except (ValueError, OSError) as error:
            failures[name] = str(error)
            continue
        yield predict_views(model, to_tensor(picture.rgb), views), picture.labels


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


def evaluate_command(
    out: Annotated[Path, typer.Option(help="Folder for the results; made if it is missing.")],
    weights: Annotated[Path | None, typer.Option(help="Weights file to compare with.")] = None,
    world: World_ = None,
    model: Model = None,
    data: Data = None,
    masks: Masks = None,
    palette: Colors = None,
    count: Count = None,
    views: Annotated[
        str | None, typer.Option(help="As for learn; those of the weights, else d4.")
    ] = None,
    background: Annotated[str, typer.Option(help="in or out of the means.")] = "in",
    mean: Annotated[str, typer.Option(help="pooled or per-image.")] = "pooled",
    task: Annotated[str, typer.Option(help="segment, or detect: find boxes.")] = "segment",
) -> None:
    """Compares no TTA, even mean and learned weights on labelled pictures; resumes where it was.

    Writes scores_none.csv, scores_mean.csv, scores_learned.csv, summary.json, summary.png,
    joint/NAME.png (picture, truth, prediction) and mask/NAME.png.

    With --task detect, compares no TTA and every fusion of boxes on a folder of pictures with one
    COCO JSON; --model may name a detector. Writes scores.csv and summary.json.
    """
    _one_of("--task", task, ("segment", "detect"))
    if task == "detect":
        others = {"--weights": weights, "--world": world, "--masks": masks, "--palette": palette}
        others |= {"--background": background != "in", "--mean": mean != "pooled"}
        wrong = [option for option, value in others.items() if value]
        if wrong:
            raise ValueError(f"{', '.join(wrong)} cannot go with --task detect: leave it out")
        _detect(out, data, model, count, views)
        return
    _one_of("--background", background, ("in", "out"))
    _one_of("--mean", mean, ("pooled", "per-image"))
    file = None if weights is None else WeightFile.load(weights)
    name, place = place_named(world or (file.world if file and not model else None), model)
    names = parse_views(views) if views else file.views if file else VIEW_SETS["d4"]
    plans = [Plan("none", ("identity",), "none"), Plan("mean", names, "mean")]
    if file:
        learned, _ = learned_for(place, names, "learned", file)
        plans.append(Plan("learned", names, "learned", *learned))
    for folder in (data, masks):
        if folder is not None and out.resolve() == folder.resolve():
            raise ValueError(f"--out {out} holds the pictures or masks: choose another folder")
    sources = labelled_sources(place, name, "test", data, masks, palette, count)
    stamp = {
        "world": name,
        "data": fingerprint(sources),
        "model": place.record.digest,
        "views": list(names),
        "weights": asdict(file) if file else None,
    }
    outcome = evaluate_folder(
        load_model(place.model),
        sources,
        plans,
        place.record.palette,
        out,
        stamp,
        background=background == "in",
        per_image=mean == "per-image",
    )
    known = set(file.calibration.get("names", ())) & set(sources) if file else ()
    if known:
        told = f"{len(known)} of these pictures are those that the weights were learned on"
        typer.echo(f"{told}: the scores flatter them", err=True)
    _tell_scores(outcome, place.record.palette.names, background == "in", mean == "per-image")
    _report(outcome.failures)


def _detect(
    out: Path, data: Path | None, model: str | None, count: int | None, views: str | None
) -> None:
    if data is None:
        raise ValueError("name the pictures: --data, a folder with one COCO JSON")
    outcome = evaluate_coco(data, out, model, parse_views(views or "d4"), count)
    for text in (*outcome.notes, outcome.table()):
        typer.echo(text)
    _report(outcome.failures)


def _tell_scores(
    outcome: Outcome, classes: tuple[str, ...], background: bool, per_image: bool
) -> None:
    """Prints IoU by class and the mean for each plan, with frames a second."""
    typer.echo(f"{'IoU':10}" + "".join(f"{name:>12}" for name in (*classes, "Mean", "frames/s")))
    for name, score in outcome.scores.items():
        values = [*score_table(score, background, per_image)[:, 1]]
        speed = len(score.matrices) / score.seconds
        cells = "".join(f"{value:12.4f}" for value in values)
        typer.echo(f"{name:10}{cells}{speed:12.1f}")


def _one_of(option: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ValueError(f"{option} {value!r} is unknown: choose {' or '.join(choices)}")


def _number(shrink: str) -> float | None:
    """Returns the shrink, None for `auto`."""
    if shrink == "auto":
        return None
    try:
        value = float(shrink)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise ValueError(f"--shrink {shrink}: give a number from 0 to 1, or auto")
    return value


def _report(failures: dict[str, str]) -> None:
    """Tells what was left out, and lets the exit code say so."""
    for message in failures.values():
        typer.echo(message, err=True)
    if failures:
        typer.echo(f"{len(failures)} pictures were left out", err=True)
        raise typer.Exit(2)
