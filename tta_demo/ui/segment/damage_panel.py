"""The panel that damages the picture on purpose."""

import gradio as gr

from tta_demo.pictures.damage import AMOUNTS, WORDS
from tta_demo.ui.kit.screen import Updates
from tta_demo.ui.segment.case import SegmentCase

__all__ = ["UNDAMAGED", "build_damage", "damage_parts"]

TITLE = "Damage it"
UNDAMAGED = [0.0] * len(AMOUNTS)
"""How the sliders stand where nothing is damaged."""


def build_damage() -> tuple[gr.Accordion, list[gr.Slider], gr.Checkbox, gr.Button]:
    """Returns the panel, its sliders, what to compare with, and the button that resets it."""
    with gr.Accordion(TITLE, open=False, elem_id="damage") as panel:
        with gr.Row(elem_id="damage-amounts"):
            sliders = [_slider(name) for name in AMOUNTS]
        itself = gr.Checkbox(
            label="Compare with its own answer on the undamaged picture",
            info="There is no mask. Its own answer is not the truth: it may be wrong as well.",
            visible=False,
            elem_id="itself",
        )
        reset = gr.Button("Reset", size="sm", elem_id="damage-reset")
    return panel, sliders, itself, reset


def damage_parts(case: SegmentCase) -> Updates:
    """Returns what the panel says of a case: what is damaged, and what it is compared with."""
    how = case.damage
    title = f"{TITLE}: {how.told}" if how.amounts else TITLE
    return {
        "damage_panel": gr.Accordion(label=title),
        "itself": gr.Checkbox(visible=case.truth is None),
    }


def _slider(name: str) -> gr.Slider:
    label = WORDS[name][0].upper() + WORDS[name][1:]
    how = {"step": 0.05, "min_width": 150, "buttons": [], "elem_id": f"damage-{name}"}
    return gr.Slider(0, 1, 0, label=label, **how)
