"""The visitor's own model on the segmentation tab."""

from collections.abc import Iterator
from dataclasses import replace

from tta_demo.models.domains import DOMAINS
from tta_demo.tta.fusion import FUSIONS
from tta_demo.ui.kit.looking import READY
from tta_demo.ui.kit.screen import Updates
from tta_demo.ui.segment.case import SegmentCase, SegmentVisitor, Settings, tick
from tta_demo.ui.segment.choices import controls_of
from tta_demo.ui.segment.looks import look
from tta_demo.ui.yours.bringing import OwnActions
from tta_demo.ui.yours.model import YOURS
from tta_demo.ui.yours.owner import Wanted
from tta_demo.ui.yours.panel import panel_of, told

__all__ = ["OWN", "look_with_own", "own_scene"]


def look_with_own(
    visitor: SegmentVisitor, wanted: Wanted, settings: Settings, first: bool = False
) -> Iterator[Updates]:
    """Looks at the picture on stage with the visitor's own model, if there are both.

    A first model is for another kind of picture: the looks for that are ticked.
    """
    own, before = visitor.own, visitor.case
    if own is not None and first:
        settings = replace(settings, groups=tick(DOMAINS[own.record.domain].views))
    if own is None or before is None:
        more = " Now give it a picture."
        yield READY | panel_of(own) | ({"own_told": told(own, more=more)} if own else {})
        return
    case = own_scene(visitor, before, settings)
    at_once = controls_of(case) | panel_of(own) | {"mask": case.mask}
    for update in look(visitor, case, wanted, "fast", **at_once):
        if visitor.case is case:  # the last update; one more could outrun it in the browser
            seconds = case.segment().seconds["looks"]["identity"]
            update |= at_once | {"own_told": told(own, seconds)}
        yield update


OWN = OwnActions("segment", look_with_own)
"""What a visitor can do with a model on this tab."""


def own_scene(visitor: SegmentVisitor, before: SegmentCase, settings: Settings) -> SegmentCase:
    """Returns the picture of a case, for the visitor's own model.

    Only the truth for a model of their own, with as many classes, stays.
    """
    own = visitor.mine
    file = visitor.files.get(own.record.digest)
    weighted = FUSIONS[settings.fusion].weighted
    fusion = "mean" if weighted and file is None else settings.fusion
    case = SegmentCase(
        name=before.name,
        picture=own.fitted(before.picture),
        settings=replace(settings, world=YOURS, fusion=fusion),
        file=file,
        own=own,
    )
    classes = len(before.world.record.classes)
    fits = case.picture is before.picture and classes == len(own.record.classes)
    if before.own is None or not fits:
        return case
    return replace(
        case, truth=before.truth, own_mask=before.own_mask, mask_notes=before.mask_notes
    )
