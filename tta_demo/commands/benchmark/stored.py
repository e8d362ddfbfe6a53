"""What every measurement tells of itself: what was run, when and on which machine."""

import platform
from datetime import date
from pathlib import Path
from typing import Any

import torch

__all__ = ["RESULTS", "about", "machine"]

RESULTS = Path("assets/results")
"""Where the results are that the README shows."""


def about(command: str, **facts: Any) -> dict[str, Any]:  # noqa: ANN401 (JSON)
    """Returns the start of a measurement's results.

    Args:
        command: what follows `python -m tta_demo benchmark`.
        facts: what else there is to know, the model's digest for instance; JSON.
    """
    told = f"python -m tta_demo benchmark {command}"
    return {"command": told, "date": date.today().isoformat(), "machine": machine()} | facts


def machine() -> str:
    """Returns the processor's kind and what else the times depend on."""
    threads = torch.get_num_threads()
    return (
        f"{platform.machine()} with {torch.backends.cpu.get_cpu_capability()}, {threads} threads"
    )
