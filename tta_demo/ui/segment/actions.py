"""What a visitor can do with the picture on the segmentation tab: one function an action.

Every action takes its turn and changes the case on screen only when it succeeds.
"""

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from html import escape
from typing import Any

import gradio as gr

from tta_demo.models.ensemble import one_look, rows_of, whose
from tta_demo.samples.weeds import DIFFICULTY, SEEDS
from tta_demo.tta.views import VIEWS
from tta_demo.ui.kit.files import uploaded
from tta_demo.ui.kit.looking import READY
from tta_demo.ui.kit.measured import sent
from tta_demo.ui.kit.screen import Updates
from tta_demo.ui.kit.visitor import NO_PICTURE
from tta_demo.ui.segment.case import (
    SegmentCase,
    SegmentVisitor,
    Settings,
    example_case,
    field_case,
    own_case,
    tick,
)
from tta_demo.ui.segment.choices import controls_of
from tta_demo.ui.segment.link import Link, links_to_scene
from tta_demo.ui.segment.looks import look
from tta_demo.ui.segment.show import EMPTY, show, show_fusion, show_score
from tta_demo.ui.segment.staging import scene_of
from tta_demo.ui.stage import pack, painted
from tta_demo.ui.yours.actions import look_with_own
from tta_demo.ui.yours.model import YOURS

__all__ = [
    "begin", "change_fusion", "change_score", "change_views", "clear_mask", "clear_picture",
    "first_scene", "inputs_of", "new_field", "open_example", "open_first", "open_link",
    "open_mask", "open_picture", "restore", "same_field", "switch", "use_painting",
]  # fmt: skip


def open_example(visitor: SegmentVisitor, example: int, settings: Settings) -> Iterator[Updates]:
    """Opens an example of the world with its mask, and runs."""
    with visitor.looking() as wanted:
        yield from _open(visitor, wanted, example_case(settings, example), difficulty=DIFFICULTY)


def open_first(visitor: SegmentVisitor, settings: Settings) -> Iterator[Updates]:
    """Opens the world's first example, or looks at the picture on stage with one's own model."""
    if settings.world != YOURS:
        yield from open_example(visitor, 0, settings)
        return
    with visitor.looking() as wanted:
        yield from look_with_own(visitor, wanted, settings)


def first_scene(settings: Settings) -> dict[str, Any]:
    """Returns what is on stage when the page opens: the first example, before any request."""
    case = example_case(settings, 0)
    return pack(scene_of(case, case.segment(), "full"))


def begin(visitor: SegmentVisitor, settings: Settings, request: gr.Request) -> Iterator[Updates]:
    """Opens what the address names; else makes the first example, on stage already, one's own."""
    if links_to_scene(request.query_params):
        visitor.early = None
        yield from open_link(visitor, _read_link(request.query_params))
        return
    with visitor.looking() as wanted:
        early, visitor.early = visitor.early or {}, None
        if not wanted():
            return
        case = example_case(settings, 0)
        shown = show(case, case.segment())
        del shown["stage"]
        visitor.case = case
        yield shown | {"picture": case.picture.rgb, "mask": case.mask}
        if early:  # after what the page opened with: the address tells the difference
            visitor.case = case.changed(**early)
            yield show(visitor.case, visitor.case.segment())


def _read_link(query: Mapping[str, str]) -> Link:
    """Returns the link of an address; says what is wrong with it, and returns the default."""
    try:
        return Link.read(query)
    except ValueError as error:
        gr.Warning(f"This link cannot be opened: {escape(str(error))}.", duration=12)
        return Link()


def open_link(visitor: SegmentVisitor, link: Link) -> Iterator[Updates]:
    """Sets up the whole tab as a link says: controls, picture, and the stage, which plays."""
    with visitor.looking() as wanted:
        case = link.case()
        controls = controls_of(case) | {"mask": case.mask, "difficulty": link.difficulty}
        yield from look(visitor, case, wanted, "full", link.mode, **controls)


def new_field(visitor: SegmentVisitor, difficulty: float, settings: Settings) -> Iterator[Updates]:
    """Generates a picture that nobody has seen, with its mask, and runs."""
    with visitor.looking() as wanted:
        if visitor.place(settings.world).generate is None:
            return  # the world was changed after the click
        seed = random.choice(SEEDS["test"])
        yield from _open(visitor, wanted, field_case(settings, seed, difficulty))


def same_field(
    visitor: SegmentVisitor, difficulty: float, settings: Settings
) -> Iterator[Updates]:
    """Generates the field on screen at another difficulty; leaves an uploaded picture alone."""
    with visitor.looking() as wanted:
        case = visitor.case
        same_world = case is not None and case.settings.world == settings.world
        if same_world and case.seed is not None:
            yield from _open(visitor, wanted, field_case(settings, case.seed, difficulty))


def open_picture(
    visitor: SegmentVisitor, picture: dict[str, Any], settings: Settings
) -> Iterator[Updates]:
    """Opens an uploaded picture; the mask of the one before does not belong to it, and goes."""
    with visitor.looking() as wanted:
        own = visitor.own if settings.world == YOURS else None
        if own is None and settings.world == YOURS:  # until the model comes, the last world looks
            settings = replace(settings, world=visitor.present.settings.world)
        yield from _open(visitor, wanted, own_case(settings, uploaded(picture), own))


def change_views(visitor: SegmentVisitor, settings: Settings) -> Iterator[Updates]:
    """Runs the looks that are new, or all where the damage is; the last model stays ticked."""
    with visitor.looking(opens=False) as wanted:
        before, chosen = visitor.present, visitor.latest(settings)
        models = chosen.models or [*before.world.looking]
        settings = replace(chosen, world=before.settings.world, models=models)
        case = before.after(settings)
        if case.models != before.models:
            case = _weighed(visitor, case)
        # sent back only where they differ: later choices may be on their way already
        now = {"models": settings.models, "fusion": case.settings.fusion}
        controls = {name: value for name, value in now.items() if value != getattr(chosen, name)}
        yield from look(visitor, case, wanted, **controls)


def _weighed(visitor: SegmentVisitor, case: SegmentCase) -> SegmentCase:
    """Returns the case with the weights for its models; without any, all looks count the same."""
    case = replace(case, file=visitor.files.get(case.world.record.digest))
    try:
        case.world.plan(case.rows, case.settings.fusion, case.file)
    except ValueError:
        gr.Info("No weights are learned for these models yet: all their looks count the same.")
        return case.changed(fusion="mean")
    return case


def switch(visitor: SegmentVisitor, event: gr.EventData) -> Iterator[Updates]:
    """Takes looks out or in, as their rows on the stage say; unticks and ticks them."""
    at, switched = sent(event, "at", float), sent(event, "on", list)
    fused = sent(event, "fused", bool)
    with visitor.looking(opens=False) as wanted:
        if at < visitor.switched:
            return  # a later switch had its turn before this one
        visitor.switched = at
        case = visitor.present
        record = case.world.record
        rows = {*case.rows, *case.off, *one_look(record).views}
        on = rows.intersection(switched)
        groups = tick([whose(row)[1] for row in on])
        if visitor.chosen(groups=groups)["groups"] != groups:
            return  # later ticks had their turn before this
        chosen = replace(case.settings, groups=groups)
        # a view that one model alone now looks with is off for the others
        off = {*rows, *rows_of(record, chosen.views)} - on
        off = tuple(row for row in rows_of(record, VIEWS) if row in off)
        case = replace(case, settings=chosen, off=off)
        # where the browser has fused already, only the rest of the page follows
        updates = look(visitor, case, wanted, groups=chosen.groups)
        for update in updates:
            if fused:
                update.pop("stage", None)
            yield update


def _open(
    visitor: SegmentVisitor, wanted: Callable[[], bool], case: SegmentCase, **at_once: object
) -> Iterator[Updates]:
    if not wanted():
        return
    latest = visitor.latest(case.settings)
    if latest.world == case.settings.world:  # else what was chosen is for a picture to come
        case = replace(case, settings=latest)
    case = replace(case, file=visitor.files.get(case.world.record.digest))
    yield from look(visitor, case, wanted, "fast", mask=case.mask, **at_once)


def open_mask(visitor: SegmentVisitor, mask: dict[str, Any]) -> Updates:
    """Reads an uploaded mask and scores; no forward pass."""
    with visitor.turn:
        case = visitor.present
        truth, notes = case.world.read_truth(uploaded(mask), case.picture)
        return _score(visitor, replace(case, truth=truth, mask_notes=notes, own_mask=True))


def use_painting(visitor: SegmentVisitor, event: gr.EventData) -> Updates:
    """Takes what was painted on the stage as the mask, and scores; no forward pass."""
    with visitor.turn:
        case = visitor.present
        classes = len(case.world.record.classes)
        labels = painted(event._data, case.picture.rgb.shape[:2], classes)
        truth, notes = case.world.complete(labels)
        return _score(visitor, replace(case, truth=truth, mask_notes=notes, own_mask=True))


def clear_mask(visitor: SegmentVisitor) -> Updates:
    """Forgets the mask."""
    with visitor.turn:
        if visitor.case is None:
            return {}
        return _score(visitor, replace(visitor.case, truth=None, mask_notes=(), own_mask=False))


def clear_picture(visitor: SegmentVisitor) -> Updates:
    """Empties the page: no old result without its picture."""
    with visitor.looking():
        visitor.case = None
        empty = {"mask": None, "numbers": f"<p>{NO_PICTURE}</p>"}
        return READY | EMPTY | empty


def change_fusion(visitor: SegmentVisitor, fusion: str) -> Updates:
    """Fuses again; no forward pass."""
    with visitor.turn:
        case = visitor.choose(fusion=fusion)
        if case is None:
            return {}
        shown = show_fusion(case, case.segment())
        visitor.case = case
        return shown


def change_score(visitor: SegmentVisitor, background: bool) -> Updates:
    """Scores again, with or without the background."""
    with visitor.turn:
        case = visitor.choose(background=background)
        if case is None:
            return {}
        shown = show_score(case, case.segment())
        visitor.case = case
        return shown


def _score(visitor: SegmentVisitor, case: SegmentCase) -> Updates:
    """Returns the mask and the result scored anew, and makes the case the visitor's."""
    shown = show(case, case.segment())
    visitor.case = case
    return shown | {"mask": case.mask}


def restore(visitor: SegmentVisitor) -> Updates:
    """Puts the inputs back to what belongs to the result on screen, after an error."""
    with visitor.turn:
        case = visitor.case
        if case is None:
            return inputs_of(case) | {"stage": None}
        inputs = inputs_of(case)
        del inputs["own_panel"]  # there a model can be corrected that could not look
        # what the visitor switched on the stage may be what was refused
        stage = {"stage": pack(scene_of(case, case.segment(), "none"))}
        return inputs | stage


def inputs_of(case: SegmentCase | None) -> Updates:
    """Returns the inputs that belong to a case."""
    if case is None:
        return READY | {"picture": None, "mask": None}
    return READY | controls_of(case) | {"picture": case.picture.rgb, "mask": case.mask}
