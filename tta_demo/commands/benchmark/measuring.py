"""What all measurements share: medians of times, what was run, when and on which machine."""

import platform
import statistics
from collections.abc import Callable
from datetime import date
from pathlib import Path
from timeit import timeit
from typing import Any

import torch

__all__ = ["RESULTS", "about", "machine", "median_ms"]

RESULTS = Path("results")
"""Where results go; those that the README shows are in `assets/results`, and go there if asked."""


def about(command: str, **facts: Any) -> dict[str, Any]:  # noqa: ANN401 (JSON)
    """Returns a measurement's results: the command after `python -m tta_demo benchmark`, and more.

    Facts are what else there is to know, the model's digest for instance; JSON.
    """
    told = f"python -m tta_demo benchmark {command}"
    return {"command": told, "date": date.today().isoformat(), "machine": machine()} | facts


def machine() -> str:
    """Returns the processor's kind and what else the times depend on."""
    kind, threads = torch.backends.cpu.get_cpu_capability(), torch.get_num_threads()
    return f"{platform.machine()} with {kind}, {threads} threads"


def median_ms(*calls: Callable[[], object], repeats: int = 15) -> list[float]:
    """Returns each call's median; the calls take turns, so that other load meets all alike.

    Two turns before the `repeats` that are measured only warm up.
    """
    turns = [[timeit(call, number=1) for call in calls] for _ in range(repeats + 2)]
    return [1000 * statistics.median(taken) for taken in zip(*turns[2:], strict=True)]
