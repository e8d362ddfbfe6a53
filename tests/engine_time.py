"""Prints what another engine would bring to the built-in networks, as a ratio to torch's time.

Run it on a quiet machine with `pip install onnx onnxscript openvino` and
`PYTHONPATH=. python tests/engine_time.py`; with `ONEDNN_MAX_CPU_ISA=AVX2` before it, torch and
OpenVINO work as on a processor without AVX-512 and bfloat16. onnxruntime does not listen to that:
compare its rows with torch's where torch may use all there is.
"""

import io
import json
import os
from collections.abc import Callable
from copy import deepcopy
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnxruntime
import torch
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_static
from torch import Tensor, nn

from tta_demo.commands.benchmark.measuring import machine, median_ms
from tta_demo.models.registry import load_model
from tta_demo.models.runner import Runner
from tta_demo.models.sized import Sized
from tta_demo.pictures.reading import read_picture
from tta_demo.tasks.worlds import WORLDS, World
from tta_demo.tta.predict import to_tensor

Engine = Callable[[], np.ndarray]
FLOAT = torch.float32
LIMIT = os.environ.get("ONEDNN_MAX_CPU_ISA")


def runner_of(model: Runner | Sized) -> Runner:
    """Returns what calls the network, at the size that it is given."""
    return model if isinstance(model, Runner) else model._model


def exported(network: nn.Module, image: Tensor) -> bytes:
    """Returns a network as an ONNX file for pictures of this size."""
    file = io.BytesIO()
    torch.onnx.export(network, (image,), file, input_names=["image"], dynamo=False)
    return file.getvalue()


class Pictures(CalibrationDataReader):
    """Pictures by which integers get their scale."""

    def __init__(self, images: list[Tensor]) -> None:
        self.rows = iter([{"image": image.numpy()} for image in images])

    def get_next(self) -> dict[str, np.ndarray] | None:
        """Returns the next one; None at the end."""
        return next(self.rows, None)


def quantized(content: bytes, images: list[Tensor]) -> bytes:
    """Returns the network in 8-bit integers, scaled by these pictures."""
    with TemporaryDirectory() as folder:
        whole, small = Path(folder) / "whole.onnx", Path(folder) / "small.onnx"
        whole.write_bytes(content)
        quantize_static(whole, small, Pictures(images), QuantFormat.QDQ, per_channel=True)
        return small.read_bytes()


def of_onnxruntime(content: bytes, image: np.ndarray) -> Engine:
    """Returns a call of onnxruntime, on as many threads as torch has."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"image": image})[0]


def of_openvino(content: bytes, image: np.ndarray, precision: str) -> Engine:
    """Returns a call of OpenVINO, in `f32` or `bf16`."""
    import openvino  # no other test or tool needs it

    core = openvino.Core()
    how = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": torch.get_num_threads()}
    compiled = core.compile_model(core.read_model(content), "CPU", how)
    return lambda: compiled([image])[0]


def engines(world: World) -> dict[str, Engine]:
    """Returns a forward pass of the world's first example by every engine."""
    exact, own = (runner_of(load_model(world.model, "cpu", dtype)) for dtype in (FLOAT, None))
    network = deepcopy(exact.network).to(memory_format=torch.contiguous_format)
    images = [to_tensor(read_picture(path).rgb)[None] for path in world.examples]
    size = min(image.shape[-2] for image in images), min(image.shape[-1] for image in images)
    height, width = (side - side % exact.stride for side in size)
    images = [image[..., :height, :width].contiguous() for image in images]
    content = exported(network, images[0])
    array = images[0].numpy()
    compiled = torch.compile(exact.network)
    laid_out = images[0].to(memory_format=torch.channels_last)
    calls: dict[str, Engine] = {
        "torch float32": lambda: exact(images[0]).numpy(),
        "torch.compile float32": torch.no_grad()(lambda: compiled(laid_out).numpy()),
        "onnxruntime float32": of_onnxruntime(content, array),
        "onnxruntime int8": of_onnxruntime(quantized(content, images), array),
        "OpenVINO float32": of_openvino(content, array, "f32"),
        "OpenVINO int8": of_openvino(quantized(content, images), array, "f32"),
    }
    if LIMIT is None:
        calls["torch as shipped"] = lambda: own(images[0]).numpy()
        calls["OpenVINO bfloat16"] = of_openvino(content, array, "bf16")
    return calls


def main() -> None:
    """Measures, and prints JSON."""
    rows = []
    for name in WORLDS:
        calls = engines(WORLDS[name])
        exact, *_ = (call().argmax(1) for call in calls.values())
        times = median_ms(*calls.values(), repeats=25)
        for (engine, call), ms in zip(calls.items(), times, strict=True):
            changed = float((call().argmax(1) != exact).mean())
            row = {"world": name, "engine": engine, "ms": round(ms, 1)}
            rows.append(row | {"faster": round(times[0] / ms, 2), "changed": round(changed, 5)})
    command = "PYTHONPATH=. python tests/engine_time.py"
    facts = {"command": f"ONEDNN_MAX_CPU_ISA={LIMIT} {command}" if LIMIT else command}
    facts |= {"date": date.today().isoformat(), "machine": machine()}
    print(json.dumps(facts | {"rows": rows}, indent=1))


if __name__ == "__main__":
    main()
