"""Looking at all pictures once, in a folder that a run which was cut off goes on from."""

from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from tta_demo.evaluation.failures import Failures
from tta_demo.evaluation.run import Entry, Progress, Run
from tta_demo.evaluation.spread import Spread
from tta_demo.evidence.job import Job
from tta_demo.evidence.stacks import NUMBERS, PIXELS, Looked

__all__ = ["gather"]


def gather(
    job: Job, folder: Path, progress: Progress = tqdm, spread: Spread = map
) -> tuple[Looked, Failures, dict[str, Sequence[str]]]:
    """Returns the looks at all pictures that can be read, why others cannot, and notes on truths.

    What is kept of a picture is a file in `looks/` in the folder; a picture whose file has changed
    is looked at again.

    Args:
        job: the looks to make.
        folder: made if it is missing.
        progress: wraps the names that are still to do.
        spread: where the looks are made.

    Raises:
        ValueError: no picture can be read, or the folder holds looks of other settings.
    """

    def path(name: str) -> Path:
        told = f"{name}\n{job.stamps.get(name)}".encode()
        return folder / "looks" / f"{blake2b(told, digest_size=8).hexdigest()}.npz"

    classes = job.record.classes
    settings = {"model": job.record.digest, "classes": list(classes), "views": list(job.views)}
    settings["pixels"] = [PIXELS, NUMBERS]
    log = Run(folder / "looks.jsonl", settings, lambda entry: path(entry["name"]).is_file())

    def keep(name: str, found: tuple[Any, Sequence[str]]) -> Entry:
        kept, notes = found
        path(name).parent.mkdir(exist_ok=True)
        with path(name).open("wb") as file:
            np.savez(file, **kept.arrays())
        return {"notes": list(notes)}

    done = log.over(job.stamps, job.look, progress, spread, keep)
    kept = tuple(_read(job.kind, entry["name"], path(entry["name"])) for entry in done)
    notes = {entry["name"]: entry["notes"] for entry in done}
    return job.kind(job.views, tuple(classes), kept), log.failures, notes


def _read(kind: type[Looked], name: str, path: Path) -> Any:  # noqa: ANN401 (of the kind)
    with np.load(path, allow_pickle=False) as file:
        return kind.keeps.of(name, file)
