"""Carrying a way to look, found on another tab, to the segmentation tab."""

from collections.abc import Sequence
from dataclasses import replace

from tta_demo.learning.weight_file import WeightFile
from tta_demo.models.ensemble import whose
from tta_demo.tasks.worlds import World
from tta_demo.ui.kit.screen import Updates
from tta_demo.ui.segment.actions import inputs_of
from tta_demo.ui.segment.case import SegmentCase, SegmentVisitor, Settings, example_case, tick
from tta_demo.ui.segment.looks import run
from tta_demo.ui.yours.actions import own_scene
from tta_demo.ui.yours.model import YOURS

__all__ = ["carry"]


def carry(
    visitor: SegmentVisitor,
    home: str,
    world: World,
    rows: Sequence[str],
    fusion: str,
    file: WeightFile | None = None,
) -> Updates:
    """Looks so at the picture on screen, or at the first example if the world is another one.

    Args:
        visitor: who has the turn.
        home: the key of the world, or of the visitor's own.
        world: the same, in which the models look that are to look.
        rows: names of their looks.
        fusion: a key of `FUSIONS`.
        file: learned weights to keep for these models, if there are any.
    """
    case = visitor.case
    if case is None or case.settings.world != home:
        case = _first(visitor, Settings(home, fusion, True, []))
    groups = tick([whose(row)[1] for row in rows])
    case = case.changed(fusion=fusion, groups=groups, models=[*world.looking])
    off = tuple(row for row in replace(case, off=()).rows if row not in rows)
    file = file or visitor.files.get(world.record.digest)
    case = replace(case, file=file, off=off)
    shown = run(case)
    visitor.case = case
    if file is not None:
        visitor.files[file.digest] = file
    return inputs_of(case) | shown


def _first(visitor: SegmentVisitor, settings: Settings) -> SegmentCase:
    """Returns the world's first example, or the picture on stage for the visitor's own model."""
    if settings.world != YOURS:
        return example_case(settings, 0)
    return own_scene(visitor, visitor.present, settings)
