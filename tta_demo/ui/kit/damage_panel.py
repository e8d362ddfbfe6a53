"""The panel that damages the picture on purpose, on every tab that answers about one picture."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import gradio as gr

from tta_demo.pictures.damage import AMOUNTS, WORDS
from tta_demo.ui.kit.screen import Action, Screen, Updates
from tta_demo.ui.kit.visitor import Case, Viewer

__all__ = ["build_damage", "damage_title", "undamaged", "wire_damage"]

TITLE = "Damage it"


def undamaged() -> list[float]:
    """Returns how the sliders stand where nothing is damaged."""
    return [0.0] * len(AMOUNTS)


def build_damage(screen: Screen, elem_id: str) -> gr.Accordion:
    """Lays out the panel: a slider for every amount, and the button that resets them."""
    with gr.Accordion(TITLE, open=False, elem_id=elem_id) as panel:
        with gr.Row():
            screen["damage"] = [_slider(name, f"{elem_id}-{name}") for name in AMOUNTS]
        screen.add_fixed(undamage=gr.Button("Reset", size="sm", elem_id=f"{elem_id}-reset"))
    screen["damage_panel"] = panel
    return panel


def _slider(name: str, elem_id: str) -> gr.Slider:
    label = WORDS[name][0].upper() + WORDS[name][1:]
    how = {"step": 0.05, "min_width": 150, "buttons": [], "elem_id": elem_id}
    return gr.Slider(0, 1, 0, label=label, **how)


def damage_title(case: Case) -> Updates:
    """Returns what the closed panel says of a case: what is damaged."""
    told = case.damage.told
    return {"damage_panel": gr.Accordion(label=f"{TITLE}: {told}" if told else TITLE)}


def wire_damage(screen: Screen, change: Action, heavy: dict[str, Any]) -> None:
    """Looks again when an amount is moved, or all are taken away.

    Args:
        screen: has the panel, and `settings` with a field `damage`.
        change: the action that looks with new settings.
        heavy: how events are sent that run the model.
    """

    def undamage(visitor: Viewer, settings: object) -> Iterator[Updates]:
        yield {"damage": undamaged()}
        yield from change(visitor, replace(settings, damage=undamaged()))

    moved = [slider.input for slider in screen["damage"]]
    screen.act(partial(gr.on, moved), change, heavy)
    screen.act(screen["undamage"].click, undamage, heavy)
