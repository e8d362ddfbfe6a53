"""Measuring crops, mirrors and learned weights on ImageNet's pictures."""

import csv
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tta_demo.commands import arguments
from tta_demo.commands.benchmark.measuring import about
from tta_demo.commands.failing import tell
from tta_demo.evaluation.classify import FUSED, PLANS, Result, Row, evaluate_classification
from tta_demo.evaluation.run import write_json
from tta_demo.models.portable import portable
from tta_demo.samples.imagenet import labelled_photos

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["measure_imagenet", "table", "write_results"]

OUT = Path("out/imagenet")


def measure_imagenet(
    data_dir: Annotated[
        Path, typer.Option(help="Pictures in folders named by class, or with a CSV of labels.")
    ],
    num_images: Annotated[
        int | None, typer.Option(min=2, help="How many to draw; all if left out.")
    ] = None,
    model: arguments.Classifier = arguments.CLASSIFIER,
    labels: Annotated[Path | None, typer.Option(help="CSV of files and classes.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for imagenet.json, .csv and .png.")] = OUT,
    seed: Annotated[int, typer.Option(help="Of the draw and the halves.")] = 0,
    ray: arguments.OnRay = False,
) -> None:
    """Compares crops and fusions on labelled photographs; a run that was cut off goes on."""
    record = arguments.chosen_model(model, arguments.CLASSIFIERS)
    arguments.refuse_among_pictures(out, data_dir, below=True)
    photos = labelled_photos(data_dir, record.synsets, record.classes, num_images, seed, labels)
    stamp = {"model": record.digest}
    network, where = portable(record), arguments.spread(ray)
    result = evaluate_classification(network, data_dir, photos, out, stamp, seed, spread=where)
    count = f" --num-images {num_images}" if num_images else ""
    given = " --labels CSV" if labels else ""
    command = f"imagenet --data-dir VAL{count} --model {model}{given} --seed {seed}"
    write_results(out, result, about(command, model=model, digest=record.digest))
    typer.echo(table(result.rows))
    tell(f"{name}: {message}" for name, message in result.failures.items())


def table(rows: Sequence[Row]) -> str:
    """Returns rows as text for people: shares in percent, columns aligned.

    Example:
        >>> print(table([Row("centre crop", 0.75, 0.925, 1, 1.0, 1.0478, "1000 (all)")]))
        method       top-1  top-5  views  slowdown  NLL     pictures
        centre crop  75.00  92.50  1      1.0x      1.0478  1000 (all)
    """
    cells = [("method", "top-1", "top-5", "views", "slowdown", "NLL", "pictures")]
    for row in rows:
        times = "" if row.slowdown is None else f"{row.slowdown:.1f}x"
        shares = (f"{100 * share:.2f}" for share in (row.top1, row.top5))
        cells.append((row.method, *shares, str(row.views), times, f"{row.nll:.4f}", row.pictures))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in cells)


def write_results(out: Path, result: Result, told: dict[str, Any]) -> None:
    """Writes `imagenet.json`, with what else is told of the run, `imagenet.csv` and its `.png`."""
    write_json(out / "imagenet.json", told | asdict(result))
    with (out / "imagenet.csv").open("w", encoding="utf-8", newline="") as file:
        rows = [asdict(row) for row in result.rows]
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    _figure(result.rows).savefig(out / "imagenet.png", dpi=120)


def _figure(rows: Sequence[Row]) -> "Figure":
    """Returns accuracy by number of views; only rows of all pictures can be compared in it."""
    from matplotlib.figure import Figure  # takes a second, which other commands need not wait

    figure = Figure(figsize=(8, 4), layout="constrained")
    one, *more = rows[: len(PLANS)]
    for axes, key in zip(figure.subplots(1, 2), ("top1", "top5"), strict=True):
        for how in FUSED.values():
            line = [one, *(row for row in more if row.method.endswith(how))]
            shares = [100 * getattr(row, key) for row in line]
            axes.plot([row.views for row in line], shares, marker="o", label=how)
        axes.set_xticks([row.views for row in line])
        axes.set_xlabel("views")
        axes.set_title(f"Top-{key[3:]} accuracy in %")
        axes.grid(alpha=0.3)
        axes.spines[["top", "right"]].set_visible(False)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    figure.suptitle(f"pictures: {one.pictures}")
    return figure
