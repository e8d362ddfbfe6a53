"""What the page offers to choose from, as it follows from the registries."""

from collections.abc import Sequence
from html import escape

import gradio as gr

from tta_demo.models.domains import DOMAINS
from tta_demo.tasks.choice import SHARES, Example, choice_of
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.views import VIEW_SETS
from tta_demo.ui.kit.html import legend_of, signed, tone
from tta_demo.ui.kit.looking import WORKING
from tta_demo.ui.kit.parts import samples, set_of
from tta_demo.ui.kit.screen import Updates
from tta_demo.ui.segment.case import tick
from tta_demo.ui.stage import BUSY

__all__ = [
    "average", "change_world", "domain_of", "note", "tick_all", "tick_domain",
    "verdicts", "world_parts",
]  # fmt: skip

CLEAR = 0.5
"""From so many points on a gain is called clear."""


def change_world(world: str) -> Updates:
    """Marks the result as old, and offers the examples, colours and looks of another world."""
    domain = WORLDS[world].record.domain
    fusion = {} if WORLDS[world].weight_paths else {"fusion": "mean"}  # learned would be refused
    parts = world_parts(world) | fusion
    return WORKING | {"stage": BUSY, "domain": domain} | parts | tick_domain(domain)


def world_parts(world: str) -> Updates:
    """Returns what differs from world to world."""
    return {
        "example": gr.Dataset(samples=samples(WORLDS[world].examples)),
        "average": average(world),
        "verdicts": verdicts(world),
        "note": note(world),
        "generator": gr.Column(visible=WORLDS[world].generate is not None),
    }


def average(world: str) -> str:
    """Returns what looking again is worth on the whole test set, and how examples were chosen."""
    choice = choice_of(world)
    if choice is None:
        return ""
    value, low, high = (signed(100 * part, 2, "±") for part in choice.gain)
    shares = ", ".join(f"{100 * share:.0f}" for share in SHARES)
    pool = "them" if choice.pool == choice.pictures else f"{choice.pool} pictures"
    return (
        f"<p>On all {choice.pictures} test pictures: <b>{value} points</b> of overlap (mean IoU; "
        f"95 % interval {low} to {high}). Below, of {pool} from the one that loses most (0 %) to "
        f"the one that gains most (100 %), those at {shares}\N{NO-BREAK SPACE}%.</p>"
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


def domain_of(world: str, views: Sequence[str]) -> str | None:
    """Returns the domain that ticks these views, the world's own first; None if none does."""
    ordered = (WORLDS[world].record.domain, *DOMAINS)
    return set_of(views, {name: DOMAINS[name].views for name in ordered})


def note(world: str) -> str:
    """Returns what the world's model knows, its classes, and where the examples come from."""
    record = WORLDS[world].record
    return (
        f"<p>{escape(record.summary)} The truth (a mask) "
        f"is optional.</p><p class='classes'>{legend_of(record.palette)}</p>"
        f"<p class='small'>Examples: {escape(WORLDS[world].source)}.</p>"
    )
