"""The Classify tab: where its parts stand, and which action each starts."""

import gradio as gr

from tta_demo.tta.crops import CROP_SETS, CROP_VIEWS
from tta_demo.tta.fusion import FUSIONS
from tta_demo.ui.classify.actions import ACTIONS, OWN, change_model, look_with_chosen, name_truth
from tta_demo.ui.classify.case import CLASSIFIER, DEMO, ClassifyVisitor, Settings
from tta_demo.ui.classify.show import note, truths
from tta_demo.ui.classify.strip import EXAMPLES, FIRST, average, averages, strip
from tta_demo.ui.kit.damage_panel import build_damage
from tta_demo.ui.kit.events import HEAVY, LATEST
from tta_demo.ui.kit.looking import wire
from tta_demo.ui.kit.parts import Presets, picture_box, radio
from tta_demo.ui.kit.screen import Screen
from tta_demo.ui.stage import stage
from tta_demo.ui.yours.model import YOURS
from tta_demo.ui.yours.panel import build_panel

__all__ = ["build_classify_tab"]

PRESETS = Presets(
    {
        "center": "Middle only", "mirror": "And its mirror", "five-crop": "Five crops",
        "ten-crop": "Ten crops", "d4": "Turned and mirrored", "all": "All",
    },
    CROP_SETS,
    CROP_VIEWS,
)  # fmt: skip


def build_classify_tab(tab: gr.Tab) -> None:
    """Lays out the tab inside the open page, and wires it."""
    screen = Screen(ClassifyVisitor(), restore=ACTIONS.restore)
    with gr.Row(equal_height=False, elem_classes=["bench", "stays"]):
        with gr.Column(elem_classes=["steps"]):
            _build_inputs(screen)
        with gr.Column(elem_id="classify-results") as screen["box"]:
            screen["ranking"] = stage(None, "ranking", "ranking")
            screen["notes"] = gr.HTML(elem_classes=["notes"])
    screen["settings"] = Settings
    heavy = HEAVY | {"show_progress_on": screen["notes"]}
    wire(screen, tab, ACTIONS, PRESETS, heavy)
    screen.act(screen["truth"].input, name_truth, LATEST)
    chosen = screen.on(screen["model"].input, change_model)
    screen.act(chosen.success, look_with_chosen, heavy)
    OWN.wire(screen, ACTIONS.restore, heavy)


def _build_inputs(screen: Screen) -> None:
    gr.Markdown("### 1. Pick a photograph, or upload your own")
    models = {DEMO: "The demo's model", YOURS: "Your model"}
    screen["model"] = radio("Model", models, "classify-model")
    build_panel(screen, "classify", "classify-")
    with gr.Column() as screen["examples"]:
        _build_examples(screen)
    screen["picture"] = picture_box("Photograph", "classify-picture", height=150)
    build_damage(screen, "classify-damage")
    screen["truth"] = gr.Dropdown(
        truths(CLASSIFIER),
        multiselect=True,
        label="The true answer, if you know it",
        info="One or more of the things that the model knows.",
        elem_id="classify-truth",
    )
    gr.Markdown("### 2. How should it look again?")
    PRESETS.build(screen, FIRST, "classify")
    gr.Markdown("### 3. How should it combine the answers?")
    fusions = {name: f for name, f in FUSIONS.items() if name not in ("none", "learned")}
    screen["fusion"] = radio("Fusion", fusions, "classify-fusion", "mean")
    screen["note"] = gr.HTML(note(CLASSIFIER), elem_id="classify-note")


def _build_examples(screen: Screen) -> None:
    """Lays out the examples, and what looking again is worth to them with the demo's model."""
    screen.add_fixed(example=strip("classify-examples"))
    gr.Markdown(average(), elem_classes=["small", "measured"])
    with gr.Accordion("The same for other looks", open=False, elem_classes=["measured"]):
        gr.HTML(averages(PRESETS.labels), elem_id="classify-average")
        sources = sorted({photo.source for photo in EXAMPLES})
        gr.Markdown(
            "The photographs stand in the order of what looking again, mirrored, is worth to the "
            "truth in points of probability. No class: not one of the 1,000 things that the model "
            f"knows. From {'; '.join(sources)}.",
            elem_classes=["small"],
        )
