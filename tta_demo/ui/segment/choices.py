"""What the page offers to choose from, as it follows from the registries."""

from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

import gradio as gr

from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.views import DOMAINS, VIEW_SETS, VIEWS
from tta_demo.ui.kit.html import legend_of

__all__ = [
    "GROUPS",
    "WorldParts",
    "brush",
    "change_world",
    "colors",
    "domain_of",
    "note",
    "tick",
    "tick_all",
    "tick_domain",
    "world_parts",
]

GROUPS: dict[str, tuple[str, ...]] = {
    group: tuple(name for name, view in VIEWS.items() if view.group == group)
    for group in dict.fromkeys(view.group for view in VIEWS.values())
}


class WorldParts(NamedTuple):
    """What differs from world to world: components once built, values when returned."""

    examples: Any
    note: Any
    generator: Any
    canvas: Any
    result: Any


def world_parts(world: str) -> WorldParts:
    """Returns the parts for a world."""
    place = WORLDS[world]
    return WorldParts(
        examples=gr.Dataset(samples=[[str(path)] for path in place.examples]),
        note=note(world),
        generator=gr.Column(visible=place.generate is not None),
        canvas=gr.ImageEditor(brush=brush(world)),
        result=gr.AnnotatedImage(color_map=colors(world)),
    )


def change_world(world: str) -> tuple[Any, ...]:
    """Returns the dimmed result, the kind of picture, the parts and the ticks of a world."""
    domain = WORLDS[world].domain
    dimmed = gr.Column(elem_classes=["working"])
    return dimmed, domain, *world_parts(world), *tick_domain(domain)


def note(world: str) -> str:
    """Returns what the world's model knows, its classes, and where the examples come from."""
    place = WORLDS[world]
    classes = legend_of(place.record.palette)
    return (
        f"<p>{escape(place.record.summary)} Anything else puzzles it. The truth (a mask) "
        f"is optional.</p><p class='classes'>{classes}</p>"
        f"<p class='small'>Examples: {escape(place.source)}.</p>"
    )


def colors(world: str) -> dict[str, str]:
    """Returns the classes' colours as `#rrggbb` by name."""
    palette = WORLDS[world].record.palette
    return {
        name: "#{:02x}{:02x}{:02x}".format(*color)
        for name, color in zip(palette.names, palette.colors, strict=True)
    }


def brush(world: str) -> gr.Brush:
    """Returns a brush with the colours of all classes but the background."""
    painted = list(colors(world).values())[1:]
    return gr.Brush(10, colors=painted, default_color=painted[0], color_mode="fixed")


def domain_of(world: str, views: Sequence[str]) -> str | None:
    """Returns the domain that ticks these views, the world's own first; None if none does."""
    own = WORLDS[world].domain
    fitting = [name for name in (own, *DOMAINS) if set(DOMAINS[name].views) == set(views)]
    return fitting[0] if fitting else None


def tick(names: Sequence[str]) -> list[list[str]]:
    """Returns the ticks of every group for these views."""
    return [[name for name in group if name in names] for group in GROUPS.values()]


def tick_domain(domain: str) -> list[list[str]]:
    """Ticks the views that suit a kind of picture."""
    return tick(DOMAINS[domain].views)


def tick_all() -> list[list[str]]:
    """Ticks the fifteen views of the set `all`."""
    return tick(VIEW_SETS["all"])
