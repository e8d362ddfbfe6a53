"""Greedy search over looks of a detector: look by look, the one that helps the fused boxes most.

As `greedy`, with average precision instead of likelihood, which boxes have not.
"""

from collections.abc import Iterator, Mapping, Sequence

from tta_demo.learning.greedy import Step
from tta_demo.scoring.box_metrics import average_precision
from tta_demo.tta.box_fusion import fuse_boxes
from tta_demo.tta.boxes import Boxes

__all__ = ["forward_boxes"]


def forward_boxes(
    found: Sequence[Mapping[str, Boxes]], truth: Sequence[Boxes], classes: Sequence[int]
) -> Iterator[Step]:
    """Yields all V looks in the order in which each helps the boxes that `wbf` fuses most.

    A step's value is AP@[.5:.95]; of equals the first look is taken. V (V + 1) / 2 times all
    pictures are fused.

    Args:
        found: for each picture the boxes by view, the same V views.
        truth: each picture's true boxes.
        classes: the labels that count.

    Raises:
        ValueError: there is no true box.

    Example:
        >>> true = Boxes([[0, 0, 10, 10]], [1], [1])
        >>> far = Boxes([[0, 0, 10, 14]], [0.9], [1])
        >>> [step.view for step in forward_boxes([{"identity": far, "hflip": true}], [true], [1])]
        [1, 0]
    """
    if not any(len(one) for one in truth):
        raise ValueError(f"{len(truth)} pictures without a true box: nothing to choose by")
    views, chosen = tuple(found[0]), []
    left = list(range(len(views)))
    while left:
        values = {}
        for place in left:
            names = [views[one] for one in (*chosen, place)]
            fusion = "wbf" if chosen else "none"
            fused = [fuse_boxes([boxes[x] for x in names], fusion).boxes for boxes in found]
            values[place] = average_precision(fused, truth, classes).ap
        best = max(left, key=values.__getitem__)
        yield Step(best, values[best])
        chosen.append(best)
        left.remove(best)
