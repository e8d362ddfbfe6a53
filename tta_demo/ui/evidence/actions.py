"""What a visitor can do on the Evidence tab: choose a world, try, stop, use a plan."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, TypeVar

import gradio as gr

from tta_demo.evidence.findings import Evidence, sets_for, weigh
from tta_demo.evidence.options import ONE, Option
from tta_demo.evidence.stored import stored_evidence
from tta_demo.learning.weight_file import WeightFile, weights_by_name
from tta_demo.samples.labelled import understood
from tta_demo.tasks.worlds import World
from tta_demo.ui.detect.actions import carry as carry_boxes
from tta_demo.ui.detect.case import LEARNED, DetectVisitor
from tta_demo.ui.evidence.places import BOXES, PLACES, BoxWorld, place_of
from tta_demo.ui.evidence.report import NOTHING, offer, report
from tta_demo.ui.evidence.trial import EvidenceVisitor, Finding, Trial, Wanted, pictures_for
from tta_demo.ui.kit.looking import READY, WORKING
from tta_demo.ui.kit.parts import options_of
from tta_demo.ui.kit.screen import Updates
from tta_demo.ui.kit.waiting import LESSONS
from tta_demo.ui.learn import choices
from tta_demo.ui.learn.actions import GRACE
from tta_demo.ui.learn.lesson import FIELDS
from tta_demo.ui.learn.show import status
from tta_demo.ui.segment.carry import carry
from tta_demo.ui.segment.case import SegmentVisitor

__all__ = ["begin", "change_world", "failed", "follow", "show_stored", "use", "use_boxes"]

W = TypeVar("W", World, BoxWorld)

STOPPED = "Stopped. Pictures that were looked at are kept: Start goes on from there."
UNDER_WAY = "A trial is under way: stop it first, or wait."
FOUND = "Done: your trial is on screen."


def follow(
    visitor: EvidenceVisitor,
    looker: SegmentVisitor,
    first_world: str,
    world: str,
    files: list[dict[str, Any]] | None,
) -> Updates:
    """Takes over the first tab's world if that is another one; not while a trial is under way.

    Where it is the same here no control is sent: it would undo what was chosen meanwhile.
    """
    if first_world == visitor.followed or first_world not in PLACES or visitor.turn.locked():
        return {}
    visitor.followed = first_world
    if first_world == world:
        return _about(visitor, looker, world)
    return {"world": first_world} | change_world(visitor, looker, first_world, files)


def change_world(
    visitor: EvidenceVisitor,
    looker: SegmentVisitor,
    world: str,
    files: list[dict[str, Any]] | None,
) -> Updates:
    """Shows what is known about a world: the visitor's last trial, or else the stored results.

    Raises:
        ValueError: a trial is under way, or the world is unknown.
    """
    if visitor.turn.locked():
        raise ValueError(UNDER_WAY)
    if world not in PLACES:
        raise ValueError(f"The world {world!r} is unknown: choose another.")
    return _sources(world, files) | _about(visitor, looker, world)


def _about(visitor: EvidenceVisitor, looker: SegmentVisitor, world: str) -> Updates:
    visitor.world = world
    return _present(visitor, visitor.found.get(world) or _stored(looker, world))


def _sources(world: str, files: list[dict[str, Any]] | None) -> Updates:
    """Offers where a world's pictures may come from; true boxes cannot be uploaded."""
    if world in BOXES:
        fields = options_of({FIELDS: choices.SOURCES[FIELDS]})
        return {"source": gr.Radio(choices=fields, value=FIELDS)} | choices.change_source(FIELDS)
    offered = choices.change_world(world, files)
    del offered["models"]  # here each world's own model looks
    return offered


def show_stored(visitor: EvidenceVisitor, looker: SegmentVisitor) -> Updates:
    """Goes from the visitor's trial to the stored results, and back."""
    if visitor.turn.locked():
        raise ValueError(UNDER_WAY)
    own = visitor.found.get(visitor.world)
    back = visitor.shown is not own and own is not None
    return _present(visitor, own if back else _stored(looker, visitor.world))


def begin(visitor: EvidenceVisitor, wanted: Wanted, looker: SegmentVisitor) -> Iterator[Updates]:
    """Looks at pictures in all ways, weighs what was seen, and shows it."""
    with visitor.free_turn(UNDER_WAY, GRACE), LESSONS.place() as place:
        visitor.halt.clear()
        world = place_of(looker, wanted.world)
        pictures = pictures_for(visitor, wanted, world)
        yield WORKING | _says("Getting ready …", True)
        yield from (_says(told, True) for told in place.wait(visitor.halt))
        trial = Trial(world, pictures, visitor.halt.is_set)
        stacks = yield from trial.look()
        if stacks is None:
            yield READY | _says(STOPPED)
            return
        yield _says("All seen. Weighing the evidence takes some seconds more …")
        record = world.record
        told = f"{world.label}: {pictures.told}"
        found = weigh(stacks, sets_for(record), told, record.name, record.digest)
        notes = (*pictures.notes, *trial.broken.values(), *understood(trial.notes))
        visitor.found[wanted.world] = finding = Finding(world, found, notes)
        visitor.tried += pictures.fields
        visitor.world = wanted.world
        shown = _present(visitor, finding)
        yield shown | {"world": wanted.world} | _says(FOUND)


def _says(text: str, stops: bool = False) -> Updates:
    """Returns how far it is, and whether that can be stopped."""
    return {"live": gr.Row(visible=True), "status": status(text), "stop": gr.Button(visible=stops)}


def failed(visitor: EvidenceVisitor) -> Updates:
    """Returns to what was there before an error, which a message has told."""
    if visitor.turn.locked():
        return {"world": visitor.world}
    world = {} if visitor.world is None else {"world": visitor.world}
    return READY | world | _says("Nothing new was found: see the message.")


def use(learner: EvidenceVisitor, visitor: SegmentVisitor, option: str) -> Updates:
    """Ticks the looks of a plan on the first tab, and combines them so."""
    with visitor.turn:
        world, chosen, file = _chosen(learner, option, World)
        fusion = "learned" if file else "mean"
        shown = carry(visitor, world.name, world, chosen.views, fusion, file)
        return shown | {"page_tabs": gr.Tabs(selected="segment")}


def use_boxes(learner: EvidenceVisitor, visitor: DetectVisitor, option: str) -> Updates:
    """Ticks the looks of a plan for boxes on the Detect tab, and combines them so."""
    with visitor.turn:
        world, chosen, file = _chosen(learner, option, BoxWorld)
        fusion = LEARNED if file else "none" if option == ONE else "wbf"
        shown = carry_boxes(visitor, world.place, chosen.views, fusion, file)
        return shown | {"page_tabs": gr.Tabs(selected="detect")}


def _chosen(
    learner: EvidenceVisitor, name: str, kind: type[W]
) -> tuple[W, Option, WeightFile | None]:
    """Returns a plan on screen by its name, the world that it is for, and its weights."""
    finding = learner.shown
    fits = finding is not None and isinstance(finding.world, kind)
    if not fits or name not in [one.option.name for one in finding.evidence.plans]:
        raise ValueError("There is no such plan on screen: choose one.")
    return finding.world, finding.evidence.plan(name).option, _weights(finding, name)


def _weights(finding: Finding, name: str) -> WeightFile | None:
    """Returns a plan's weights as other tabs take them; None without weights."""
    evidence = finding.evidence
    about, option = evidence.protocol, evidence.plan(name).option
    if option.weights is None:
        return None
    return WeightFile(
        world=finding.world.name,
        model=about.model,
        digest=about.digest,
        weights=weights_by_name(option.views, list(option.weights), about.classes),
        method=name,
        calibration={"pictures": len(about.calibration)},
        date=about.date,
    )


def _known(world: str) -> Evidence | None:
    """Returns the stored evidence; None where there is none that can be read."""
    with suppress(ValueError):
        return stored_evidence(world)
    return None


def _stored(looker: SegmentVisitor, name: str) -> Finding | None:
    found = _known(name)
    return None if found is None else Finding(place_of(looker, name), found, stored=True)


def _present(visitor: EvidenceVisitor, finding: Finding | None) -> Updates:
    """Shows a finding, and makes it the visitor's."""
    visitor.shown = finding
    if finding is None:
        return READY | NOTHING
    own = visitor.found.get(visitor.world)
    other = (
        ""
        if own is None or _known(visitor.world) is None
        else ("Show the stored results" if finding is own else "Show my trial")
    )
    return (
        READY
        | report(finding)
        | offer(finding)
        | {"other": gr.Button(other or "Show the stored results", visible=bool(other))}
    )
