"""What the Learn tab offers to choose from, as it follows from other choices."""

from typing import Any

import gradio as gr

from tta_demo.learning.fit_methods import METHODS
from tta_demo.ui.kit.html import paragraphs
from tta_demo.ui.kit.parts import options_of
from tta_demo.ui.kit.screen import Updates
from tta_demo.ui.learn.lesson import FIELDS, UPLOAD, LearnVisitor
from tta_demo.ui.segment.choices import PLACES

__all__ = [
    "FORMS",
    "SOURCES",
    "change_choose",
    "change_form",
    "change_source",
    "change_world",
    "follow",
    "keep_one",
    "meaning",
]

SOURCES = {FIELDS: "Fields, made on the spot", UPLOAD: "My own pictures and masks"}
FORMS = {"view": "One weight a look", "class": "One a look and class"}


def follow(
    visitor: LearnVisitor,
    first_world: str,
    first_models: list[str],
    world: str,
    models: list[str],
    files: list[dict[str, Any]] | None,
) -> Updates:
    """Takes over the first tab's world and models if they are others; not while it learns.

    Where they are the same here nothing is sent: it would undo what was chosen meanwhile.
    """
    first = (first_world, first_models)
    if first == visitor.followed or first_world not in PLACES or visitor.turn.locked():
        return {}
    visitor.followed = first
    if first == (world, models):
        return {}
    taken = {"world": first_world} | change_world(first_world, files)
    return taken | ({"models": first_models} if first_models else {})


def change_world(world: str, files: list[dict[str, Any]] | None) -> Updates:
    """Offers what a world has: models, and fields if it makes some and none were uploaded."""
    makes = getattr(PLACES[world], "generate", None) is not None
    source = FIELDS if makes and not files else UPLOAD
    sources = SOURCES if makes else {UPLOAD: SOURCES[UPLOAD]}
    looking = getattr(PLACES[world], "looking", ())
    return {
        "source": gr.Radio(choices=options_of(sources), value=source),
        "models": gr.CheckboxGroup(value=[*looking], visible=bool(looking)),
    } | change_source(source)


def keep_one(world: str, models: list[str]) -> Updates:
    """Ticks the world's own model again when the last one was unticked."""
    return {} if models else {"models": [*getattr(PLACES[world], "looking", ())]}


def change_source(source: str) -> Updates:
    """Shows what belongs to where the pictures come from."""
    return {
        "count": gr.Slider(visible=source == FIELDS),
        "upload": gr.Column(visible=source == UPLOAD),
    }


def meaning(method: str, why: str = "") -> str:
    """Returns what a method does, and why others cannot be chosen."""
    return paragraphs([METHODS[method].summary + why])


def change_form(form: str, method: str) -> Updates:
    """Offers the methods that can fit such weights."""
    fitting = {name: m for name, m in METHODS.items() if form == "view" or m.any_form}
    chosen = method if method in fitting else next(iter(fitting))
    why = "" if form == "view" else " With a weight per class no method can prove its answer best."
    return {
        "method": gr.Radio(choices=options_of(fitting), value=chosen),
        "meaning": meaning(chosen, why),
    }


def change_choose(choose: bool) -> Updates:
    """Offers the pull towards even where the pictures do not decide, and else by which score."""
    return {"prior": gr.Slider(interactive=not choose), "score": gr.Radio(interactive=choose)}
