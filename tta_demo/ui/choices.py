"""What the page offers to choose from, as it follows from the registries."""

from collections.abc import Sequence
from typing import Any

import gradio as gr

from tta_demo.views import DOMAINS, VIEW_SETS
from tta_demo.worlds import WORLDS

__all__ = ["GROUPS", "brush", "change_world", "colors", "note", "tick", "tick_all", "tick_domain"]

GROUPS: dict[str, tuple[str, ...]] = {
    "Mirror and turn": VIEW_SETS["d4"],
    "Zoom": ("zoom0.5", "zoom0.75", "zoom1.25", "zoom1.5"),
    "Light": ("darker", "brighter", "noise", "contrast+", "contrast-", "gamma+", "gamma-"),
    "Small moves": ("tilt-10", "tilt+10", "shift"),
}


def change_world(world: str) -> tuple[Any, ...]:
    """Returns what a world brings: examples, note, colours, views; the old result is dimmed."""
    place = WORLDS[world]
    return (
        gr.Column(elem_classes=["working"]),
        gr.Dataset(samples=[[str(path)] for path in place.examples]),
        note(world),
        gr.Column(visible=place.generate is not None),
        gr.ImageEditor(brush=brush(world)),
        gr.AnnotatedImage(color_map=colors(world)),
        place.domain,
        *tick_domain(place.domain),
    )


def note(world: str) -> str:
    """Returns what the world's model knows, and how to paint its classes."""
    record = WORLDS[world].record
    nothing, *painted = record.palette.names
    return (
        f"{record.summary} Anything else puzzles it. The right answer (a mask) is optional; "
        f"if you paint one: one colour each for {', '.join(painted)}; the rest is {nothing}."
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


def tick(names: Sequence[str]) -> list[list[str]]:
    """Returns the ticks of every group for these views."""
    return [[name for name in group if name in names] for group in GROUPS.values()]


def tick_domain(domain: str) -> list[list[str]]:
    """Ticks the views that suit a kind of picture."""
    return tick(DOMAINS[domain].views)


def tick_all() -> list[list[str]]:
    """Ticks the fifteen views of the set `all`."""
    return tick(VIEW_SETS["all"])
