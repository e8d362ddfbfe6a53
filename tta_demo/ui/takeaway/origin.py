"""Where the picture on screen comes from."""

from pathlib import Path
from typing import Any

import numpy as np

from tta_demo.pictures.reading import read_picture
from tta_demo.ui.segment.case import ITSELF, SegmentCase

__all__ = ["example_of", "known_of", "own_truth"]


def example_of(case: SegmentCase) -> Path | None:
    """Returns the example whose pixels the case's are; None for any other picture."""
    for path in case.world.examples:
        if path.stem == case.name and np.array_equal(read_picture(path).rgb, case.picture.rgb):
            return path
    return None


def own_truth(case: SegmentCase) -> bool:
    """Tells whether the truth is the visitor's, and cannot be had again without a file."""
    return case.truth is not None and (case.own_mask or _kind(case) == "upload")


def known_of(case: SegmentCase) -> dict[str, Any]:
    """Returns what the report cannot know of itself, ready for JSON."""
    source: dict[str, Any] = {"kind": _kind(case), "name": case.name}
    if case.seed is not None:
        source |= {"seed": case.seed, "difficulty": case.difficulty}
    how = case.damage
    harmed: dict[str, Any] = {"damage": how.amounts | {"seed": how.seed}} if how.amounts else {}
    if case.itself:
        harmed["compared_with"] = f"{ITSELF}, not the truth"
    return harmed | {
        "world": case.settings.world,
        "source": source | {"own_truth": own_truth(case)},
        "background_counts": case.settings.background,
    }


def _kind(case: SegmentCase) -> str:
    if example_of(case):
        return "example"
    return "upload" if case.seed is None else "field"
