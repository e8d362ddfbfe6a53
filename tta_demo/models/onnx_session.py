"""ONNX files, run by onnxruntime on the CPU: opened from bytes, stoppable, told plainly."""

import os
import re
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from functools import cache, partial
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from tta_demo.models.onnx_wire import read_onnx
from tta_demo.models.turns import PASSES

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, RunOptions

__all__ = ["MAX_BYTES", "OnnxSession"]

MAX_BYTES = 150_000_000
"""Larger files of people's own models are refused."""

MEMORY = 3 << 30
"""Bytes that the passes of all such models may take together: a file of 400 bytes can ask for all
that there is."""
SECONDS = 120
"""What one pass may take; it ends after the operation that is under way then."""
GRACE = 5
"""Seconds that this operation may take on; nobody waits for it any longer."""
NICENESS = 10
"""So much the work of files that nobody has checked gives way to other work; 19 is the most."""

_DRESSED = {
    b"PK\x03\x04": "a zip archive or a PyTorch checkpoint",
    b"\x80": "a Python pickle",
    b"\x1f\x8b": "a gzip archive",
    b"\x89HDF": "a Keras or HDF5 file",
}
_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}
_KNOWN = {"", "ai.onnx", "ai.onnx.ml", "com.microsoft"}


class OnnxSession:
    """A file's network; one pass at a time, safe to share between threads.

    Args:
        data: the bytes of the file.
        aside: whether its work gives way to all other work here.

    Attributes:
        shape: of its one input; None where any length will do.
        kind: the numbers that it takes.
        outputs: how many it gives.

    Raises:
        ValueError: one sentence on what is wrong with the file.
    """

    def __init__(self, data: bytes, aside: bool = True) -> None:
        _refuse_unfit(data)
        self._start = partial(_started, aside=aside)
        # the threads of its passes are made here, and inherit how much they give way
        self._session = self._start(partial(_opened, data)).result()
        inputs = self._session.get_inputs()
        if len(inputs) != 1:
            raise ValueError(f"the file takes {len(inputs)} inputs: one picture is all there is")
        self._name = inputs[0].name
        self.shape = tuple(n if isinstance(n, int) and n > 0 else None for n in inputs[0].shape)
        if inputs[0].type not in _TYPES:
            raise ValueError(f"the input is {inputs[0].type}, no picture: export one of floats")
        self.kind = _TYPES[inputs[0].type]
        outputs = self._session.get_outputs()
        self.outputs, self._first = len(outputs), outputs[0].name
        self._options: RunOptions | None = None
        self._pass: Future | None = None

    def run(self, values: np.ndarray) -> np.ndarray:
        """Returns the first output for an input; raises a `ValueError` if that fails."""
        return self._run([self._first], values)[0]

    def run_all(self, values: np.ndarray) -> list[np.ndarray]:
        """Returns all outputs for an input; raises a `ValueError` if that fails."""
        return self._run(None, values)

    def _run(self, names: list[str] | None, values: np.ndarray) -> list[np.ndarray]:
        import onnxruntime

        with PASSES.turn(self):
            if self._pass is not None and not self._pass.done():
                raise ValueError("the model's last pass has still not ended: use a smaller model")
            self._options = onnxruntime.RunOptions()
            self._options.log_severity_level = 4  # it is told below
            # what a pass took goes back to the system, for all share it
            self._options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
            feed = {self._name: np.ascontiguousarray(values, self.kind)}
            begun = monotonic()
            self._pass = self._start(partial(self._session.run, names, feed, self._options))
            try:
                answers = self._waited(self._pass, begun + SECONDS).result(0)
                return [np.asarray(answer) for answer in answers]
            except Exception as error:  # onnxruntime has no common type for them
                if self._options.terminate and monotonic() - begun < SECONDS:
                    raise ValueError("the model was stopped") from error
                if self._options.terminate:
                    told = f"the model takes more than {SECONDS} seconds for a picture"
                    raise ValueError(f"{told}: export a smaller one") from error
                raise ValueError(_of_pass(error)) from error
            finally:
                self._options = None

    def _waited(self, under_way: Future, until: float) -> Future:
        """Waits for a pass; for one that was stopped, or goes on for too long, a little longer."""
        while not wait([under_way], 0.1).done:
            if monotonic() > until:
                self.stop()
            if self._options.terminate:
                wait([under_way], GRACE)
                break
        return under_way

    def stop(self) -> None:
        """Ends the pass that is under way, if one is, from another thread."""
        options = self._options
        if options is not None:
            options.terminate = True


def _started(work: Callable[[], Any], aside: bool) -> Future:
    """Starts work in a thread of its own, which keeps nobody from leaving."""
    found: Future = Future()

    def go() -> None:
        if aside and sys.platform == "linux":  # elsewhere the whole process would give way
            os.nice(NICENESS)
        try:
            found.set_result(work())
        except Exception as error:
            found.set_exception(error)

    threading.Thread(target=go, daemon=True).start()
    return found


def _refuse_unfit(data: bytes) -> None:
    """Raises a `ValueError` for what onnxruntime should not even see."""
    if len(data) > MAX_BYTES:
        raise ValueError(
            f"the file has {len(data) / 1e6:.0f} MB: {MAX_BYTES / 1e6:.0f} MB are the limit"
        )
    for start, told in _DRESSED.items():
        if data.startswith(start):
            raise ValueError(f"the file is {told}, not an ONNX file: export it to ONNX")
    graph = read_onnx(data)
    if any(tensor.external for tensor in graph.tensors):
        raise ValueError("the file keeps its weights in another file: save it as a single one")


@cache
def _limit_memory() -> None:
    """Makes the memory that models share, once."""
    import onnxruntime

    kinds = onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, onnxruntime.OrtMemType.DEFAULT
    place = onnxruntime.OrtMemoryInfo("Cpu", kinds[0], 0, kinds[1])
    # 1: takes what is asked for, instead of twice as much as the last time
    limits = onnxruntime.OrtArenaCfg({"max_mem": MEMORY, "arena_extend_strategy": 1})
    onnxruntime.create_and_register_allocator(place, limits)


def _of_pass(error: Exception) -> str:
    """Returns why a pass failed."""
    if "smaller than requested" in str(error):
        told = f"the model takes more than {MEMORY >> 30} GB of memory for a picture"
        return f"{told}: export a smaller one"
    return f"the model fails on a picture: {_short(error)}"


def _opened(data: bytes) -> "InferenceSession":
    import onnxruntime  # the page opens without it

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = torch.get_num_threads()
    options.add_session_config_entry("session.use_env_allocators", "1")
    _limit_memory()
    try:
        return onnxruntime.InferenceSession(
            data,
            options,
            providers=["CPUExecutionProvider"],
            # it would compute, without an end, where nobody can stop it
            disabled_optimizers=["ConstantFolding"],
        )
    except Exception as error:
        foreign = {
            f"{n.op} of {n.domain}" for n in read_onnx(data).nodes if n.domain not in _KNOWN
        }
        named = re.search(r"No Op registered for (\w+)|:(\w+)\(-?\d+\) is not a reg", str(error))
        if foreign or named:
            operator = ", ".join(sorted(foreign)) or named[1] or named[2]
            raise ValueError(
                f"the file uses an operator that onnxruntime does not have: {operator}"
            ) from error
        raise ValueError(f"the file cannot be opened: {_short(error)}") from error


def _short(error: Exception) -> str:
    """Returns what onnxruntime says, without its codes, on one line."""
    said = re.sub(r"\[ONNXRuntimeError\] : \d+ : \w+ : ", "", str(error))
    return " ".join(said.split())[:200]
