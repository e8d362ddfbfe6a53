"""Measurements: how fast, and how good."""

import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from torch import Tensor, nn
from tqdm import tqdm

from tta_demo.evaluate import Plan, evaluate
from tta_demo.fusion import FUSIONS, fuse
from tta_demo.models.registry import MODELS, load_model, read_unet
from tta_demo.models.runner import pick_dtype
from tta_demo.pictures import Picture, read_picture
from tta_demo.predict import predict, to_tensor
from tta_demo.samples.nuclei import read_split
from tta_demo.segmentation import segment
from tta_demo.views import VIEW_SETS
from tta_demo.worlds import WORLDS

__all__ = ["app"]

app = typer.Typer(help="Measure speed and quality on this machine.", no_args_is_help=True)
D4 = VIEW_SETS["d4"]


@app.command("speed")
def speed() -> None:
    """Compares times within this run: D4 against plain passes and against ttach; fusion; memory.

    The test pictures are the page's four examples. Ratios of medians; other load on the machine
    makes them noisy, not wrong.
    """
    world = WORLDS["nuclei"]
    image = to_tensor(read_picture(world.examples[0]).rgb)
    exact = load_model(world.model, "cpu", torch.float32)
    typer.echo(machine())
    ours, plain = _medians(
        lambda: fuse(predict(exact, image, D4), "mean"), lambda: [exact(image[None]) for _ in D4]
    )
    _row("D4, even mean, 256x256, float32", ours, f"{ours / plain:.2f} x eight plain passes")
    if find_spec("ttach"):
        _compare_with_ttach(world.model, image)
    else:
        typer.echo("ttach is not installed: the comparison with it is left out")
    _fusions()
    _large_picture()


def _compare_with_ttach(model: str, image: Tensor) -> None:
    import ttach

    exact = load_model(model, "cpu", torch.float32)
    wrapper = ttach.SegmentationTTAWrapper(
        nn.Sequential(read_unet(MODELS[model].path), nn.Softmax(1)),
        ttach.aliases.d4_transform(),
        merge_mode="mean",
    )

    @torch.no_grad()
    def reference(picture: Tensor) -> Tensor:
        return wrapper(picture[None])[0]

    same = float((fuse(predict(exact, image, D4), "mean") - reference(image)).abs().max())
    ours, theirs = _medians(
        lambda: fuse(predict(exact, image, D4), "mean"), lambda: reference(image)
    )
    _row(
        "ttach d4, float32", theirs, f"{theirs / ours:.2f} x ours, probabilities within {same:.0e}"
    )
    if pick_dtype("cpu") != torch.bfloat16:
        typer.echo("this CPU has no bfloat16 instructions: the fast path is float32")
        return
    fast = load_model(model, "cpu", torch.bfloat16)
    ours, theirs = _medians(
        lambda: fuse(predict(fast, image, D4), "mean"), lambda: reference(image)
    )
    changed = []
    for path in WORLDS["nuclei"].examples:
        picture = to_tensor(read_picture(path).rgb)
        a, b = (fuse(predict(m, picture, D4), "mean").argmax(0) for m in (exact, fast))
        changed.append(float((a != b).float().mean()))
    _row("D4, even mean, bfloat16", ours, f"ttach takes {theirs / ours:.2f} x as long")
    typer.echo(f"labels that bfloat16 changes: {np.mean(changed):.3%} of the example pixels")


def _fusions() -> None:
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 255, (512, 512, 3), dtype=np.uint8)
    picture = Picture(rgb, (512, 512), (512, 512), 1, ())
    truth = np.zeros((512, 512), np.uint8)
    world = WORLDS["nuclei"]
    segment(world, picture, truth, D4, "mean")
    for name in FUSIONS:
        (taken,) = _medians(lambda name=name: segment(world, picture, truth, D4, name).matrices)
        _row(f"change to {name}, 512x512, 8 views", taken, "no forward pass, with scores")


def _large_picture() -> None:
    """Runs D4 on a picture of 12 megapixels in a process of its own, to see its memory alone."""
    done = subprocess.run(
        [sys.executable, "-c", _LARGE], capture_output=True, text=True, check=True
    )
    seconds, peak, note = done.stdout.strip().split("\t")
    typer.echo(f"4000x3000, D4: {seconds} s, peak memory {peak} MB. {note}")


_LARGE = """
import resource, tempfile, time
from pathlib import Path
import cv2, numpy as np
from tta_demo.pictures import read_picture
from tta_demo.segmentation import segment
from tta_demo.views import VIEW_SETS
from tta_demo.worlds import WORLDS
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "large.jpg"
    noise = np.random.default_rng(0).integers(0, 255, (300, 400, 3), dtype=np.uint8)
    cv2.imwrite(str(path), cv2.resize(noise, (4000, 3000)))
    start = time.perf_counter()
    result = segment(WORLDS["nuclei"], read_picture(path), None, VIEW_SETS["d4"], "mean")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{time.perf_counter() - start:.1f}", round(peak), result.notes[0], sep="\\t")
"""


def machine() -> str:
    """Returns the processor's kind and what else the times depend on."""
    threads = torch.get_num_threads()
    return (
        f"{platform.machine()} with {torch.backends.cpu.get_cpu_capability()}, {threads} threads"
    )


def _row(what: str, seconds: float, remark: str) -> None:
    typer.echo(f"{what:44} {1000 * seconds:7.1f} ms   {remark}")


@app.command("quality")
def quality(
    data: Annotated[Path, typer.Option(help="Folder of BBBC038 with split.csv.")],
    out: Annotated[Path, typer.Option(help="Folder for nuclei.json.")] = Path("assets/results"),
) -> None:
    """Scores no TTA, even mean and learned weights on the test split; saves the table."""
    world = WORLDS["nuclei"]
    plans = [Plan("none", VIEW_SETS["none"], "none")]
    for name in ("flips", "d4", "all"):
        views = VIEW_SETS[name]
        weights = world.weight_file(views).select(views, world.record.digest)
        plans += [
            Plan(f"{name}, mean", views, "mean"),
            Plan(f"{name}, learned", views, "learned", weights),
        ]
    pictures = list(read_split(data, "test"))
    scores = evaluate(load_model(world.model), tqdm(pictures, unit="picture"), plans)
    rows = {score.plan.name: score.row(world.record.palette.names) for score in scores}
    for name, row in rows.items():
        typer.echo(
            f"{name:16}" + "".join(f" {key} {row[key]:.4f}" for key in ("miou", "nll", "ece"))
        )
    out.mkdir(parents=True, exist_ok=True)
    result = {
        "command": "python -m tta_demo benchmark quality",
        "seed": 0,
        "date": date.today().isoformat(),
        "machine": machine(),
        "digest": world.record.digest,
        "pictures": len(pictures),
        "scores": rows,
    }
    (out / "nuclei.json").write_text(json.dumps(result, indent=1) + "\n")


def _medians(*calls: Callable[[], object], repeats: int = 15) -> list[float]:
    """Returns each call's median seconds; the calls take turns, so load meets all alike."""
    times: list[list[float]] = [[] for _ in calls]
    for _ in range(repeats + 2):
        for call, taken in zip(calls, times, strict=True):
            start = time.perf_counter()
            call()
            taken.append(time.perf_counter() - start)
    return [statistics.median(taken[2:]) for taken in times]
