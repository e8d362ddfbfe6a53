"""Measuring what it saves to stop looking when sure."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from tta_demo.commands import arguments
from tta_demo.commands.benchmark.harm import CACHE
from tta_demo.commands.benchmark.harm_sets import GRID, kept, sets
from tta_demo.commands.benchmark.measuring import RESULTS, about
from tta_demo.commands.benchmark.sure_boxes import DETECTOR, boxes_row
from tta_demo.commands.benchmark.sure_run import really_run
from tta_demo.commands.benchmark.sure_sets import CLASSIFIER, SEED, Looked, photographed, row
from tta_demo.evaluation.run import write_json
from tta_demo.evidence.sure import LOSS
from tta_demo.models.domains import DOMAINS
from tta_demo.models.registry import MODELS
from tta_demo.tasks.worlds import MEASURED
from tta_demo.tta.views import VIEW_SETS

__all__ = ["measure_sure"]

TILED, TILES = "weeds, usual", (2, 4, 8)
"""The set that is also cut into tiles, for D4, and how many along a side."""
SIDE, MARGIN = 256, 32
"""Pixels of a side of its pictures, and of what surrounds a tile to make sense of it: a third of
what the network can see, so that tiles cost rather too little here."""
D4, EVERY, NATURAL = VIEW_SETS["d4"], VIEW_SETS["all"], DOMAINS["natural"].views
SETS = {
    TILED: (D4, EVERY),
    "weeds, novice": (D4, EVERY),
    "nuclei": (D4, EVERY),
    "photographs, damaged": (NATURAL,),
}


def measure_sure(
    data: arguments.SplitFolder = None,
    cache: Annotated[
        Path, typer.Option(help="Folder that keeps what the models answered, as for harm.")
    ] = CACHE,
    runs: Annotated[
        int, typer.Option(min=1, help="Test pictures that the shipped plans really run on.")
    ] = 40,
    out: Annotated[Path, typer.Option(help="Folder for sure.json.")] = RESULTS,
) -> None:
    """Measures how many looks are taken, and at what loss, if looking stops when sure.

    Thresholds are set on some pictures for a loss of .1 points, and judged on others. Looks take a
    while the first time; what they saw is kept.
    """
    rows = []
    for one in _rows(data, cache):
        rows.append(one)
        typer.echo(_line(one))
    shipped = []
    for world in MEASURED.values():
        if world.generate or data:
            pictures = world.pictures("test", None if world.generate else data)
            shipped.append(really_run(world, islice(pictures, runs)))
    for one in shipped:
        typer.echo(str(one))
    result = about(
        f"sure --runs {runs}" + (" --data BBBC038" if data else ""),
        models={name: MODELS[name].digest for name in sorted({one["model"] for one in rows})},
        seed=SEED,
        loss=LOSS,
        pixels=f"a grid of {GRID} x {GRID} of each picture",
        rows=rows,
        shipped=shipped,
    )
    write_json(out / "sure.json", result)


def _rows(data: Path | None, cache: Path) -> Iterator[dict[str, Any]]:
    for name, (model, pictures) in sets(data).items():
        if name in SETS:
            looked = Looked.by(kept(name, model, pictures, cache))
            for views in SETS[name]:
                tiles = TILES if (name, views) == (TILED, D4) else ()
                for found in _by_parts(looked, views, tiles):
                    yield {"set": name, "model": model} | found
    classified = photographed()
    found = row(classified, classified.stacks.views)
    yield {"set": "photographs, classified", "model": CLASSIFIER} | found
    yield {"set": "weeds, boxes", "model": DETECTOR} | boxes_row()


def _by_parts(
    looked: Looked, views: Sequence[str], tiles: Sequence[int]
) -> Iterator[dict[str, Any]]:
    """Yields what stopping came to by whole pictures, and by tiles with what surrounds them."""
    yield row(looked, views)
    for count in tiles:
        found = row(looked, views, count)
        padded = (1 + 2 * MARGIN * count / SIDE) ** 2
        passes = round(1 + (found["looks"] - 1) * padded, 2)
        yield found | {"unit": f"{count} x {count} tiles", "passes": passes}


def _line(found: dict[str, Any]) -> str:
    def points(gain: dict[str, Any]) -> str:
        low, high = (
            "?" if gain[end] is None else f"{100 * gain[end]:+.2f}" for end in ("low", "high")
        )
        return f"{100 * gain['value']:+.2f} points ({low} to {high})"

    return (
        f"{found['set']}, by {found['unit']}: {found['looks']:.2f} of {found['views']} looks, "
        f"{points(found['sure_over_all'])}; always {found['fixed']:g}: "
        f"{points(found['fixed_over_all'])}; cost {found['passes']:.2f} passes"
    )
