"""Measuring how fast views and fusions are, within one run."""

import subprocess
import sys
from collections.abc import Callable, Iterable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from timeit import repeat, timeit
from typing import Annotated

import numpy as np
import torch
import typer
from torch import Tensor, nn
from tqdm import tqdm

from tta_demo.commands.benchmark.measuring import machine, median_ms
from tta_demo.models.nanodet import SIDE
from tta_demo.models.onnx_session import OnnxSession
from tta_demo.models.registry import MODELS, load_model
from tta_demo.models.runner import Runner, pick_dtype
from tta_demo.models.unet import read_unet
from tta_demo.pictures.assets import ASSETS
from tta_demo.pictures.draw import overlay
from tta_demo.pictures.reading import Picture, read_picture
from tta_demo.samples.labelled import LabelledPicture
from tta_demo.samples.weeds import SEEDS, field
from tta_demo.scoring.metrics import confusion
from tta_demo.tasks.segment import segment
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.box_views import predict_boxes
from tta_demo.tta.fusion import FUSIONS, fuse
from tta_demo.tta.predict import predict_views, to_labels, to_tensor
from tta_demo.tta.views import VIEW_SETS

__all__ = ["measure_speed"]

D4 = VIEW_SETS["d4"]


def measure_speed(
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
    times = median_ms(*calls.values())
    for name, ms in zip(calls, times, strict=True):
        typer.echo(f"{name:28} {ms:7.1f} ms   {ms / times[0]:.2f} x our float32")
    if fast.dtype != torch.float32:
        _changed_labels("weeds", WORLDS["weeds"].pictures("test", None))
        if data is not None:
            _changed_labels("nuclei", world.pictures("test", data))
    _fusions()
    _large_picture()
    _fields()
    _objects()


def _d4_mean(model: Runner, image: Tensor) -> Tensor:
    return fuse(predict_views(model, image, D4))


def _ttach(model: str) -> Callable[[Tensor], Tensor]:
    """Returns PyPI's ttach over the same weights, as its users call it."""
    from ttach import SegmentationTTAWrapper, aliases

    network = nn.Sequential(read_unet(MODELS[model].weights()), nn.Softmax(1))
    wrapped = SegmentationTTAWrapper(network, aliases.d4_transform(), merge_mode="mean")
    return torch.no_grad()(wrapped)


def _changed_labels(world: str, pictures: Iterable[LabelledPicture]) -> None:
    """Prints the share of test pixels whose label the fast arithmetic changes."""
    name = WORLDS[world].model
    models = [load_model(name, "cpu", dtype) for dtype in (torch.float32, pick_dtype("cpu"))]
    changed = []
    for picture in tqdm(pictures, desc=world, unit="picture", leave=False):
        exact, fast = (to_labels(_d4_mean(m, to_tensor(picture.rgb))) for m in models)
        changed.append(float((exact != fast).mean()))
    share = f"{np.mean(changed):.3%} of the labels ({len(changed)} pictures)"
    typer.echo(f"{world}: bfloat16 changes {share}")


def _fusions() -> None:
    rgb = np.random.default_rng(0).integers(0, 255, (512, 512, 3), dtype=np.uint8)
    picture, truth = Picture.of(rgb), np.zeros((512, 512), np.uint8)
    world, what = WORLDS["nuclei"], "512x512, 8 views, with overlays and scores"

    def change(fusion: str) -> None:
        result = segment(world.record, picture, world.plan(D4, fusion)[0], truth)
        for labels in (result.one_look, result.labels):
            overlay(rgb, labels, world.record.palette)
            confusion(truth, labels, 3)

    change("mean")  # runs the views; the next calls find them in the cache
    for fusion in FUSIONS:
        (ms,) = median_ms(partial(change, fusion))
        typer.echo(f"change the fusion to {fusion:12} {ms:5.1f} ms   {what}")


def _large_picture() -> None:
    """Runs D4 on a picture of 12 megapixels in a process of its own, to see its memory alone."""
    if not Path("/proc/self/status").exists():
        typer.echo("memory is not measured: this system has no /proc")
        return
    command = [sys.executable, "-c", _LARGE]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    seconds, peak, note = done.stdout.strip().split("\t")
    typer.echo(f"4000x3000, D4: {seconds} s, peak memory {peak} MB. {note}")


_LARGE = """
import tempfile, time
from pathlib import Path
import cv2, numpy as np
from tta_demo.pictures.reading import read_picture
from tta_demo.tasks.segment import segment
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.plan import Plan
from tta_demo.tta.views import VIEW_SETS
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "large.jpg"
    noise = np.random.default_rng(0).integers(0, 255, (300, 400, 3), dtype=np.uint8)
    cv2.imwrite(str(path), cv2.resize(noise, (4000, 3000)))
    start = time.perf_counter()
    result = segment(WORLDS["nuclei"].record, read_picture(path), Plan(VIEW_SETS["d4"]))
    result.labels  # fuses
    # not ru_maxrss, which a new process takes over from the one that started it
    (peak,) = [x for x in Path("/proc/self/status").read_text().split("\\n") if "VmHWM" in x]
    seconds = time.perf_counter() - start
    print(f"{seconds:.1f}", int(peak.split()[1]) // 1024, result.notes[0], sep="\\t")
"""


def _fields() -> None:
    times = [1000 * timeit(partial(field, seed), number=1) for seed in SEEDS["test"][:100]]
    half, most, all_of = (f"{share:.0f} ms" for share in np.percentile(times, (50, 95, 100)))
    told = f"median {half}, 95 of 100 within {most}, all within {all_of}"
    typer.echo(f"a weed field of 256x256: {told}")


def _objects() -> None:
    """Compares a look of the everyday detector with its network alone; quickest of 30 each."""
    record = MODELS["nanodet-g"]
    model, session = load_model(record), OnnxSession(record.weights().read_bytes())
    shown = np.zeros((1, 3, SIDE, SIDE), np.float32)
    image = to_tensor(read_picture(ASSETS / "examples" / "astronaut.jpg").rgb)
    calls = (lambda: predict_boxes(model, image), lambda: session.run_all(shown))
    look, bare = (1000 * min(repeat(call, number=1, repeat=30)) for call in calls)
    told = f"its network alone {bare:.0f} ms, {look / bare:.2f} x (at most 60 ms)"
    typer.echo(f"a look of {record.name} at 512x512: {look:.0f} ms, {told}")
