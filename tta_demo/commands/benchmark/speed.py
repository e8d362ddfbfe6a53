"""Measurements: how fast, and how good."""

import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from datetime import date
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from torch import Tensor, nn
from tqdm import tqdm

from tta_demo.models.registry import MODELS, load_model, read_unet
from tta_demo.models.runner import Runner, pick_dtype
from tta_demo.pictures.draw import overlay
from tta_demo.pictures.reading import Picture, read_picture
from tta_demo.samples.labelled import LabelledPicture
from tta_demo.samples.weeds import SEEDS, field
from tta_demo.scoring.metrics import confusion
from tta_demo.scoring.score import Difference, Plan, evaluate, gain
from tta_demo.tasks.segment import learned_for, segment
from tta_demo.tasks.worlds import WORLDS, world_named
from tta_demo.tta.fusion import FUSIONS, fuse
from tta_demo.tta.predict import predict_views, to_labels, to_tensor
from tta_demo.tta.views import VIEW_SETS

__all__ = ["app"]

app = typer.Typer(help="Measure speed and quality on this machine.", no_args_is_help=True)
D4 = VIEW_SETS["d4"]


@app.command("speed")
def speed(
    data: Annotated[
        Path | None, typer.Option(help="Folder of BBBC038, to add its test split.")
    ] = None,
) -> None:
    """Compares times within this run: D4 against plain passes and ttach, fusion, a large picture.

    Calls take turns and medians are compared; other load makes the ratios noisy, not wrong.
    """
    typer.echo(machine())
    world = WORLDS["nuclei"]
    image = to_tensor(read_picture(world.examples[0]).rgb)
    exact = load_model(world.model, "cpu", torch.float32)
    fast = load_model(world.model, "cpu", pick_dtype("cpu"))
    calls = {
        "D4 and mean": lambda: _d4_mean(exact, image),
        "eight plain passes": lambda: [exact(image[None]) for _ in D4],
        f"D4 and mean, {fast.dtype}": lambda: _d4_mean(fast, image),
    }
    if find_spec("ttach"):
        reference = _ttach(world.model)
        calls["ttach d4"] = lambda: reference(image[None])
        same = float((_d4_mean(exact, image) - reference(image[None])[0]).abs().max())
        typer.echo(f"probabilities differ from ttach's by at most {same:.0e}")
    else:
        typer.echo("ttach is not installed: the comparison with it is left out")
    times = dict(zip(calls, _medians(*calls.values()), strict=True))
    for name, seconds in times.items():
        ratio = seconds / times["D4 and mean"]
        typer.echo(f"{name:28} {1000 * seconds:7.1f} ms   {ratio:.2f} x our float32")
    if fast.dtype != torch.float32:
        _changed_labels("weeds", WORLDS["weeds"].pictures("test", None))
        if data is not None:
            _changed_labels("nuclei", world.pictures("test", data))
    _fusions()
    _large_picture()
    _fields()


def _d4_mean(model: Runner, image: Tensor) -> Tensor:
    return fuse(predict_views(model, image, D4), "mean")


def _ttach(model: str) -> Callable[[Tensor], Tensor]:
    """Returns PyPI's ttach over the same weights, as its users call it."""
    import ttach

    network = nn.Sequential(read_unet(MODELS[model].path), nn.Softmax(1))
    return torch.no_grad()(
        ttach.SegmentationTTAWrapper(network, ttach.aliases.d4_transform(), merge_mode="mean")
    )


def _changed_labels(world: str, pictures: Iterable[LabelledPicture]) -> None:
    """Prints the share of test pixels whose label the fast arithmetic changes."""
    name = WORLDS[world].model
    models = [load_model(name, "cpu", dtype) for dtype in (torch.float32, pick_dtype("cpu"))]
    changed = []
    for picture in tqdm(pictures, desc=world, unit="picture", leave=False):
        exact, fast = (to_labels(_d4_mean(m, to_tensor(picture.rgb))) for m in models)
        changed.append(float((exact != fast).mean()))
    typer.echo(
        f"{world}: bfloat16 changes {np.mean(changed):.3%} of the labels ({len(changed)} pictures)"
    )


def _fusions() -> None:
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 255, (512, 512, 3), dtype=np.uint8)
    picture = Picture(rgb, (512, 512), (512, 512), 1, ())
    truth = np.zeros((512, 512), np.uint8)
    world = WORLDS["nuclei"]

    def change(fusion: str) -> None:
        result = segment(world, picture, truth, D4, fusion)
        for labels in (result.one_look, result.labels):
            overlay(rgb, labels, world.record.palette)
            confusion(truth, labels, 3)

    change("mean")  # runs the views; the next calls find them in the cache
    for fusion in FUSIONS:
        (seconds,) = _medians(partial(change, fusion))
        typer.echo(
            f"change the fusion to {fusion:12} {1000 * seconds:5.1f} ms   512x512, 8 views, "
            "with overlays and scores"
        )


def _large_picture() -> None:
    """Runs D4 on a picture of 12 megapixels in a process of its own, to see its memory alone."""
    if not Path("/proc/self/status").exists():
        typer.echo("memory is not measured: this system has no /proc")
        return
    done = subprocess.run(
        [sys.executable, "-c", _LARGE], capture_output=True, text=True, check=True
    )
    seconds, peak, note = done.stdout.strip().split("\t")
    typer.echo(f"4000x3000, D4: {seconds} s, peak memory {peak} MB. {note}")


_LARGE = """
import tempfile, time
from pathlib import Path
import cv2, numpy as np
from tta_demo.pictures.reading import read_picture
from tta_demo.tasks.segment import segment
from tta_demo.tta.views import VIEW_SETS
from tta_demo.tasks.worlds import WORLDS
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "large.jpg"
    noise = np.random.default_rng(0).integers(0, 255, (300, 400, 3), dtype=np.uint8)
    cv2.imwrite(str(path), cv2.resize(noise, (4000, 3000)))
    start = time.perf_counter()
    result = segment(WORLDS["nuclei"], read_picture(path), None, VIEW_SETS["d4"], "mean")
    # not ru_maxrss, which a new process takes over from the one that started it
    (peak,) = [x for x in Path("/proc/self/status").read_text().split("\\n") if "VmHWM" in x]
    seconds = time.perf_counter() - start
    print(f"{seconds:.1f}", int(peak.split()[1]) // 1024, result.notes[0], sep="\\t")
"""


def _fields() -> None:
    times = []
    for seed in SEEDS["test"][:100]:
        start = time.perf_counter()
        field(seed)
        times.append(1000 * (time.perf_counter() - start))
    middle, most, all_of = statistics.median(times), np.percentile(times, 95), max(times)
    typer.echo(
        f"a weed field of 256x256: median {middle:.0f} ms, 95 of 100 within {most:.0f} ms, "
        f"all within {all_of:.0f} ms"
    )


def machine() -> str:
    """Returns the processor's kind and what else the times depend on."""
    threads = torch.get_num_threads()
    return (
        f"{platform.machine()} with {torch.backends.cpu.get_cpu_capability()}, {threads} threads"
    )


@app.command("quality")
def quality(
    world: Annotated[str, typer.Argument(help=f"One of {', '.join(WORLDS)}.")],
    data: Annotated[
        Path | None, typer.Option(help="Folder of BBBC038 with split.csv, for nuclei.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for WORLD.json.")] = Path("assets/results"),
) -> None:
    """Scores no TTA, even mean and learned weights on the test split; saves the table."""
    place = world_named(world)
    plans = [Plan("none", VIEW_SETS["none"], "none")]
    for name in ("flips", "d4", "all"):
        views = VIEW_SETS[name]
        weights, pool = learned_for(place, views, "learned")[0]
        plans += [
            Plan(f"{name}, mean", views, "mean"),
            Plan(f"{name}, learned", views, "learned", weights, pool),
        ]
    pictures = list(place.pictures("test", data))
    scores = evaluate(load_model(place.model), tqdm(pictures, unit="picture"), plans)
    classes = place.record.palette.names
    rows = {score.plan.name: score.row(classes) for score in scores}
    by_name = {score.plan.name: score for score in scores}
    gains = {
        name: gain(by_name[f"{name}, learned"], by_name[f"{name}, mean"], classes)
        for name in ("flips", "d4", "all")
    }
    for name, row in rows.items():
        typer.echo(
            f"{name:16}" + "".join(f" {key} {row[key]:.4f}" for key in ("miou", "nll", "ece"))
        )
    out.mkdir(parents=True, exist_ok=True)
    options = ["--data BBBC038"] if data else []
    result = {
        "command": " ".join(["python -m tta_demo benchmark quality", world, *options]),
        "first": pictures[0].name,
        "date": date.today().isoformat(),
        "machine": machine(),
        "digest": place.record.digest,
        "pictures": len(pictures),
        "scores": rows,
        "learned_minus_mean": {name: _rounded(found) for name, found in gains.items()},
    }
    (out / f"{world}.json").write_text(json.dumps(result, indent=1) + "\n")


def _rounded(found: dict[str, Difference]) -> dict[str, dict[str, float]]:
    return {
        key: {name: round(value, 6) for name, value in one._asdict().items()}
        for key, one in found.items()
    }


def _medians(*calls: Callable[[], object], repeats: int = 15) -> list[float]:
    """Returns each call's median seconds; the calls take turns, so load meets all alike."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(repeats + 2):
        for call, taken in zip(calls, times, strict=True):
            start = time.perf_counter()
            call()
            taken.append(time.perf_counter() - start)
    return [statistics.median(taken[2:]) for taken in times]
