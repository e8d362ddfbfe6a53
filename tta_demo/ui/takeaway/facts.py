"""What the report tells of a result: what changed, doubt, and every look by itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import log2, nan
from typing import Any

import torch

from tta_demo.insight.changes import BROKEN, CHANGED, FIXED, Changes, changes
from tta_demo.insight.doubt import Doubt, doubt
from tta_demo.insight.equivariance import gaps
from tta_demo.models.ensemble import whose
from tta_demo.pictures.words import several
from tta_demo.tasks.segment import Segmentation
from tta_demo.tta.plan import ONE_LOOK
from tta_demo.tta.predict import ViewStack
from tta_demo.ui.kit.html import percent
from tta_demo.ui.segment.case import ITSELF, SegmentCase
from tta_demo.ui.takeaway.origin import known_of
from tta_demo.ui.takeaway.snippet import snippet

__all__ = ["Takeaway"]


STRIP = 2**22
"""Probabilities that are taken at once."""


@dataclass(frozen=True, eq=False)
class Takeaway:
    """The picture on screen and its answer, ready to be written down; each part made once.

    Attributes:
        case: what is on screen.
        result: its answer.
    """

    case: SegmentCase
    result: Segmentation

    @cached_property
    def report(self) -> dict[str, Any]:
        """Everything but the pixels, ready for JSON."""
        return self.result.report(**known_of(self.case))

    @cached_property
    def code(self) -> str:
        """The script that repeats the answer."""
        return snippet(self.case, self.result)

    @cached_property
    def changes(self) -> Changes:
        """What all looks together changed of what one look said."""
        return changes(self.result.one_look, self.result.labels, self.result.truth)

    @cached_property
    def doubt(self) -> Doubt:
        """The doubt of the looks' mean: by the learned weight of each look, if it has one."""
        weights = self.result.plan.weights
        one_each = weights is not None and weights.values.ndim == 1
        values = weights.values if one_each else None
        strips = [doubt(strip, values) for strip in _strips(self.result.stack())]
        return Doubt(*(torch.cat(parts) for parts in zip(*strips, strict=True)))

    @property
    def most_doubt(self) -> float:
        """The doubt in bits that all classes alike have."""
        return log2(len(self.result.model.classes))

    @cached_property
    def gaps(self) -> dict[str, float]:
        """Each look's equivariance gap, 0..1; NaN where its model has no plain look."""
        result, found = self.result, {}
        for row in dict.fromkeys((result.plain, *result.plan.views)):
            plain = row.removesuffix(whose(row)[1]) + ONE_LOOK.views[0]
            if row == plain:
                found[row] = 0.0
            elif plain in result.looks:
                found[row] = gaps(result.stack(plain, row), plain)[row]
            else:
                found[row] = nan
        return found

    @property
    def sentence(self) -> str:
        """What came of looking again, in one or two sentences."""
        found, looks = self.changes, len(self.result.plan.views)
        together = several(looks, "look") + (" together" if looks > 1 else "")
        if self.result.truth is None:
            changed = found.count(CHANGED)
            share = percent(self.result.changed, 2)
            pixels = several(changed, "pixel")
            return f"{together} changed {pixels} of what one look said, {share} of all."
        start = f"One look got {several(found.before, 'pixel')} wrong."
        good, bad = ("fixed", "broke")
        if self.case.itself:
            start = f"One look differs from {ITSELF} in {several(found.before, 'pixel')}."
            good, bad = ("restored", "lost")
        fixed, broken = found.count(FIXED), found.count(BROKEN)
        if not fixed and not broken:
            return f"{start} {together} made no difference."
        return f"{start} {together} {good} {fixed:,} of them and {bad} {broken:,} others."


def _strips(stack: ViewStack) -> Iterator[ViewStack]:
    """Yields a stack from top to bottom: whole, its probabilities could take gigabytes."""
    views, classes, height, width = stack.log_probs.shape
    rows = max(1, STRIP // (views * classes * width))
    for top in range(0, height, rows):
        strip = slice(top, top + rows)
        seen = None if stack.seen is None else stack.seen[:, strip]
        yield ViewStack(stack.views, stack.log_probs[:, :, strip], seen)
