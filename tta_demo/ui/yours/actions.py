"""What a visitor can do with a model of their own: bring it, correct it, look with it, stop it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from tta_demo.models.domains import DOMAINS
from tta_demo.models.registry import load_model
from tta_demo.samples.palette_file import read_palette
from tta_demo.tta.fusion import FUSIONS
from tta_demo.ui.kit.files import uploaded
from tta_demo.ui.kit.looking import READY
from tta_demo.ui.kit.screen import Updates
from tta_demo.ui.segment.case import SegmentCase, SegmentVisitor, Settings, tick
from tta_demo.ui.segment.choices import controls_of
from tta_demo.ui.segment.looks import look
from tta_demo.ui.yours.model import NO_MODEL, YOURS, Own, Reading, palette_of
from tta_demo.ui.yours.panel import panel_of, refused, told, under_way

__all__ = ["correct", "look_with_own", "open_model", "own_scene", "recolor", "rename", "stop"]


def open_model(
    visitor: SegmentVisitor, own_file: dict[str, Any], settings: Settings
) -> Iterator[Updates]:
    """Reads an uploaded model, says what it is, and looks with it at the picture on stage."""

    def made() -> Own:
        return Own.read(uploaded(own_file), visitor.hold)

    yield from _adopt(visitor, settings, made, "Reading the file, and trying it once …")


def correct(visitor: SegmentVisitor, reading: Reading, settings: Settings) -> Iterator[Updates]:
    """Reads the model in another way, and looks again."""
    yield from _adopt(visitor, settings, lambda: _present(visitor).corrected(reading))


def rename(visitor: SegmentVisitor, class_names: str, settings: Settings) -> Iterator[Updates]:
    """Gives the classes other names and colours; no forward pass."""

    def made() -> Own:
        own = _present(visitor)
        return own.colored(palette_of(class_names, own.model.record.palette))

    yield from _adopt(visitor, settings, made)


def recolor(
    visitor: SegmentVisitor, own_palette: dict[str, Any], settings: Settings
) -> Iterator[Updates]:
    """Takes the classes' names and colours from a file; no forward pass."""

    def made() -> Own:
        return _present(visitor).colored(read_palette(uploaded(own_palette)))

    yield from _adopt(visitor, settings, made)


def stop(visitor: SegmentVisitor) -> None:
    """Ends what is under way, in the middle of an ONNX file's pass; does not wait for its turn."""
    visitor.call_off()
    running = [visitor.session]
    if visitor.own is not None:
        running.append(load_model(visitor.own.model.record))
    for one in running:
        if hasattr(one, "stop"):  # a checkpoint's pass cannot be stopped, only the next one
            one.stop()


def _present(visitor: SegmentVisitor) -> Own:
    if visitor.own is None:
        raise ValueError(NO_MODEL)
    return visitor.own


def _adopt(
    visitor: SegmentVisitor,
    settings: Settings,
    made: Callable[[], Own],
    sign: str = "Reading it again …",
) -> Iterator[Updates]:
    """Makes a model the visitor's, and looks with it; if it is refused, all stays as it was."""
    with visitor.looking() as wanted:
        yield {"own_told": under_way(sign)}
        try:
            own = made()
        except (ValueError, OSError) as error:
            yield panel_of(visitor.own) | {"own_told": refused(error)}
            return
        if not wanted():
            yield panel_of(visitor.own)
            return
        if visitor.own is None:  # the looks for another kind of picture are ticked
            domain = DOMAINS[own.model.record.domain]
            settings = replace(settings, groups=tick(domain.views))
        visitor.adopt(own)
        yield from look_with_own(visitor, wanted, settings)


def look_with_own(
    visitor: SegmentVisitor, wanted: Callable[[], bool], settings: Settings
) -> Iterator[Updates]:
    """Looks at the picture on stage with the visitor's own model, if there are both."""
    own, before = visitor.own, visitor.case
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


def own_scene(visitor: SegmentVisitor, before: SegmentCase, settings: Settings) -> SegmentCase:
    """Returns the picture of a case, for the visitor's own model.

    Only the truth for a model of their own, with as many classes, stays.
    """
    own = _present(visitor)
    file = visitor.files.get(own.model.record.digest)
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
    fits = case.picture is before.picture and classes == len(own.model.record.classes)
    if before.own is None or not fits:
        return case
    return replace(
        case, truth=before.truth, own_mask=before.own_mask, mask_notes=before.mask_notes
    )
