"""The commands that look at single photographs: what is in them, and where."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from tqdm import tqdm

from tta_demo.commands.arguments import ViewNames
from tta_demo.models.detectors import DETECTORS, load_detector
from tta_demo.models.efficientnet import CLASSIFIERS
from tta_demo.pictures.draw import boxes_drawn
from tta_demo.pictures.palettes import rgb_png
from tta_demo.pictures.reading import read_picture
from tta_demo.tasks.classify import classify
from tta_demo.tta.box_fusion import FUSERS
from tta_demo.tta.box_views import detect
from tta_demo.tta.crops import CROP_SETS, CROP_VIEWS
from tta_demo.tta.fusion import FUSIONS
from tta_demo.tta.predict import to_tensor
from tta_demo.tta.views import parse_views

__all__ = ["classify_command", "detect_command"]

Pictures = Annotated[list[Path], typer.Argument(help="Picture files.")]


def classify_command(
    pictures: Pictures,
    views: Annotated[
        str, typer.Option(help=f"A set ({', '.join(CROP_SETS)}) or names of crops, by commas.")
    ] = "ten-crop",
    fusion: Annotated[str, typer.Option(help="How to combine, learned excepted.")] = "mean",
    model: Annotated[str, typer.Option(help=f"One of {', '.join(CLASSIFIERS)}.")] = next(
        iter(CLASSIFIERS)
    ),
) -> None:
    """Says what is in pictures: the five likeliest classes of all looks together."""
    names = CROP_SETS.get(views) or tuple(name.strip() for name in views.split(","))
    unknown = [name for name in names if name not in CROP_VIEWS]
    if unknown:
        raise ValueError(
            f"crops {', '.join(unknown)} are unknown: choose among {', '.join(CROP_VIEWS)}"
        )
    if fusion not in FUSIONS or FUSIONS[fusion].weighted:
        plain = [name for name in FUSIONS if not FUSIONS[name].weighted]
        raise ValueError(f"fusion {fusion!r}: choose one of {', '.join(plain)}")

    def one(path: Path) -> None:
        result = classify(model, read_picture(path).rgb, names, fusion)
        answers = ", ".join(f"{result.classes[i]} {share:.1%}" for i, share in result.top())
        agreeing = f"{round(result.agreement * len(names))} of {len(names)} looks agree"
        typer.echo(f"{path.name}: {answers} ({agreeing})")

    _each(pictures, one)


def detect_command(
    pictures: Pictures,
    out: Annotated[Path, typer.Option(help="Folder for NAME-boxes.png and NAME.json.")],
    views: ViewNames = "d4",
    fusion: Annotated[str, typer.Option(help=f"One of {', '.join(FUSERS)}.")] = "wbf",
    threshold: Annotated[float, typer.Option(min=0, max=1, help="Lowest score drawn.")] = 0.3,
    model: Annotated[str, typer.Option(help=f"One of {', '.join(DETECTORS)}.")] = next(
        iter(DETECTORS)
    ),
) -> None:
    """Finds boxes in pictures; writes them all as JSON, and those above the threshold drawn."""
    names, detector = parse_views(views), load_detector(model)
    if fusion not in FUSERS:
        raise ValueError(f"fusion {fusion!r} is unknown: choose one of {', '.join(FUSERS)}")
    palette = DETECTORS[model].palette
    out.mkdir(parents=True, exist_ok=True)

    def one(path: Path) -> None:
        rgb = read_picture(path).rgb
        boxes = FUSERS[fusion].run(detect(detector, to_tensor(rgb), names)).boxes
        shown = boxes.take(boxes.scores >= threshold)
        (out / f"{path.stem}-boxes.png").write_bytes(rgb_png(boxes_drawn(rgb, shown, palette)))
        rows: list[dict[str, Any]] = [
            {"class": palette.names[label], "score": round(score, 4), "xyxy": corners}
            for label, score, corners in zip(
                boxes.labels.tolist(),
                boxes.scores.tolist(),
                boxes.xyxy.round(2).tolist(),
                strict=True,
            )
        ]
        report = {"size": rgb.shape[:2], "views": names, "fusion": fusion, "boxes": rows}
        (out / f"{path.stem}.json").write_text(json.dumps(report, indent=1) + "\n")

    _each(pictures, one)


def _each(pictures: list[Path], work: Callable[[Path], None]) -> None:
    """Does the work on every picture; one that fails is told, and lets the exit code say so."""
    failures = 0
    for path in tqdm(pictures, unit="picture", disable=len(pictures) < 2):
        try:
            work(path)
        except ValueError as error:
            failures += 1
            typer.echo(str(error), err=True)
    if failures:
        raise typer.Exit(2)
