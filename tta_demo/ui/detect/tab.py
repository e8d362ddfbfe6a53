"""The Detect tab: where its parts stand, and which action each starts."""

import gradio as gr

from tta_demo.samples.weeds import DIFFICULTY
from tta_demo.tta.box_fusion import FUSERS
from tta_demo.ui.detect.actions import ACTIONS, new_field, open_place
from tta_demo.ui.detect.case import DetectVisitor, Settings
from tta_demo.ui.detect.choices import FUSIONS, PRESETS, change_place, note
from tta_demo.ui.detect.places import PLACES
from tta_demo.ui.kit.damage_panel import build_damage
from tta_demo.ui.kit.events import HEAVY, LATEST
from tta_demo.ui.kit.looking import open_with, wire
from tta_demo.ui.kit.parts import examples, picture_box, radio
from tta_demo.ui.kit.screen import Screen
from tta_demo.ui.stage import stage

__all__ = ["build_detect_tab"]

FIRST = next(iter(PLACES.values()), None)
"""Where the tab opens."""

INTRO = """
**What is where?** The detector draws boxes. It looks again, mirrored, turned or smaller; its boxes
are turned back, and boxes that belong together become one.
"""


def build_detect_tab(tab: gr.Tab) -> Screen:
    """Lays out the tab inside the open page, wires it, and returns its parts by name."""
    screen = Screen(DetectVisitor(), restore=ACTIONS.restore)
    gr.Markdown(INTRO)
    with gr.Row(equal_height=False, elem_classes=["bench"]):
        with gr.Column(elem_classes=["steps"]):
            _build_pictures(screen)
            _build_choices(screen)
        with gr.Column(elem_id="detect-results") as screen["box"]:
            _build_results(screen)
    screen["settings"] = Settings
    heavy = HEAVY | {"show_progress_on": screen["progress"]}
    wire(screen, tab, ACTIONS, PRESETS, heavy)
    changed = screen.on(screen["place"].input, change_place, LATEST)
    open_with(screen, changed.success, open_place, heavy)
    open_with(screen, screen["generate"].click, new_field, heavy)
    screen.act(screen["threshold"].input, ACTIONS.change, heavy)
    return screen


def _build_pictures(screen: Screen) -> None:
    gr.Markdown("### 1. Pick a picture, or upload your own")
    screen["place"] = radio("World", PLACES, "detect-place")
    # gradio shows files from outside of the working directory only if it is told
    gr.set_static_paths([path for place in PLACES.values() for path in place.examples])
    screen["example"] = examples(FIRST.examples, "detect-examples")
    with gr.Column(visible=FIRST.generates, elem_id="detect-generator") as screen["generator"]:
        screen.add_fixed(
            difficulty=gr.Slider(
                0, 1, DIFFICULTY, step=0.05, label="Difficulty of the new field",
                elem_id="detect-difficulty",
            ),
            generate=gr.Button("New field", size="sm", elem_id="detect-new"),
        )  # fmt: skip
    screen["picture"] = picture_box("Picture", "detect-picture")
    build_damage(screen, "detect-damage")
    screen["note"] = gr.HTML(note(FIRST), elem_id="detect-note", elem_classes=["small"])


def _build_choices(screen: Screen) -> None:
    gr.Markdown("### 2. How should it look again?")
    PRESETS.build(screen, FIRST.ticked, "detect", offered=FIRST.sets)
    gr.Markdown("### 3. How should the boxes become one?")
    screen["fusion"] = radio("Fusion", FUSERS, "detect-fusion", "wbf")
    screen.offers("fusion", FUSIONS)
    screen["threshold"] = gr.Slider(
        0.05, 0.95, FIRST.threshold, step=0.05, label="Show boxes from this score on",
        elem_id="detect-threshold",
    )  # fmt: skip
    screen["meaning"] = gr.HTML(elem_id="detect-meaning")


def _build_results(screen: Screen) -> None:
    screen["stage"] = stage(None, "detect-stage", "boxes")
    screen.add_fixed(progress=gr.HTML(elem_id="detect-progress"))
    screen["numbers"] = gr.HTML(elem_id="detect-numbers", min_height=92)
    with gr.Accordion("Scores", open=False):
        screen["table"] = gr.HTML(elem_id="detect-table")
    screen["notes"] = gr.HTML(elem_classes=["notes"])
