"""What the page offers to choose from, as it follows from the registries."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import Any

import gradio as gr

from tta_demo.models.domains import DOMAINS
from tta_demo.pictures.words import signed
from tta_demo.tasks.choice import SHARES, Example, choice_of
from tta_demo.tasks.worlds import WORLDS, World
from tta_demo.tta.views import VIEW_SETS
from tta_demo.ui.kit.html import legend_of, tone
from tta_demo.ui.kit.looking import WORKING
from tta_demo.ui.kit.parts import samples, set_of
from tta_demo.ui.kit.screen import Updates
from tta_demo.ui.segment.case import SegmentCase, SegmentVisitor, tick
from tta_demo.ui.stage import BUSY
from tta_demo.ui.yours.model import YOURS

__all__ = [
    "PLACES", "average", "change_world", "controls_of", "domain_of", "note", "tick_all",
    "tick_domain", "verdicts",
]  # fmt: skip

PLACES: Mapping[str, Any] = {**WORLDS, YOURS: "Your model"}
"""The worlds to choose from."""

CLEAR = 0.5
"""From so many points on a gain is called clear."""


def change_world(visitor: SegmentVisitor, world: str) -> Updates:
    """Marks the result as old, and offers the examples, colours and looks of another world.

    Where the visitor's own model is still to come, the result stays.
    """
    panel = {"own_panel": gr.Column(visible=world == YOURS)}
    if world == YOURS and visitor.own is None:
        return panel
    place = visitor.place(world)
    domain = place.record.domain
    fusion = {} if place.weight_paths else {"fusion": "mean"}  # learned would be refused
    parts = world_parts(place) | panel | fusion
    return WORKING | {"stage": BUSY, "domain": domain} | parts | tick_domain(domain)


def controls_of(case: SegmentCase) -> Updates:
    """Returns how the controls stand for a case."""
    return world_parts(case.world) | {
        "domain": domain_of(case.world, case.settings.views),
        "settings": replace(case.settings, models=[*case.world.looking]),
        "own_panel": gr.Column(visible=case.own is not None),
    }


def world_parts(world: World) -> Updates:
    """Returns what differs from world to world."""
    examples = world.examples
    return {
        "example": gr.Dataset(samples=samples(examples), visible=bool(examples)),
        "average": average(world.name),
        "verdicts": verdicts(world.name),
        "note": note(world),
        "generator": gr.Column(visible=world.generate is not None),
        "team": gr.Column(visible=bool(world.models)),
        "models": [*world.looking],
    }


def average(world: str) -> str:
    """Returns what looking again is worth on the whole test set, and how examples were chosen."""
    choice = choice_of(world)
    if choice is None:
        return ""
    value, low, high = (signed(100 * part, 2, "±") for part in choice.gain)
    shares = ", ".join(f"{100 * share:.0f}" for share in SHARES)
    role = WORLDS[world].record.called.lower() if WORLDS[world].models else ""
    who = f", the {role} alone" if role else ""
    pool = "them" if choice.pool == choice.pictures else f"{choice.pool} pictures"
    return (
        f"<p>On all {choice.pictures} test pictures{who}: <b>{value} points</b> of overlap (mean "
        f"IoU; 95 % interval {low} to {high}). Below, of {pool} from the one that loses most "
        f"(0 %) to the one that gains most (100 %), those at {shares}\N{NO-BREAK SPACE}%.</p>"
    )


def verdicts(world: str) -> str:
    """Returns what looking again does to each example, in the order of the strip."""
    choice = choice_of(world)
    return "".join(map(_verdict, choice.examples)) if choice else ""


def _verdict(example: Example) -> str:
    points = 100 * example.gain
    said = {
        "better": "a clear win" if points > CLEAR else "a bit better",
        "worse": "it gets worse",
    }
    kind = tone(points)
    text = said.get(kind, "nothing changes")
    return f"<span class='{kind}'>{text}<b>{signed(points, 2, '±')}</b></span>"


def tick_domain(domain: str) -> Updates:
    """Ticks the views that suit a kind of picture."""
    return {"groups": tick(DOMAINS[domain].views)}


def tick_all() -> Updates:
    """Ticks the fifteen views of the set `all`."""
    return {"groups": tick(VIEW_SETS["all"])}


def domain_of(world: World, views: Sequence[str]) -> str | None:
    """Returns the domain that ticks these views, the world's own first; None if none does."""
    ordered = (world.record.domain, *DOMAINS)
    return set_of(views, {name: DOMAINS[name].views for name in ordered})


def note(world: World) -> str:
    """Returns what the world's model knows, its classes, and where the examples come from."""
    record, examples = world.record, ""
    if world.examples:
        examples = f"<p class='small'>Examples: {escape(world.source)}.</p>"
    return (
        f"<p>{escape(record.summary)} The truth (a mask) is optional.</p>"
        f"<p class='classes'>In masks: {legend_of(record.palette)}</p>{examples}"
    )
