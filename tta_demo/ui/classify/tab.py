"""The Classify tab: where its parts stand, and which action each starts."""

import gradio as gr

from tta_demo.tta.crops import CROP_SETS, CROP_VIEWS
from tta_demo.tta.fusion import FUSIONS
from tta_demo.ui.classify.actions import ACTIONS
from tta_demo.ui.classify.case import CLASSIFIER, PHOTOS, Settings
from tta_demo.ui.kit.events import HEAVY
from tta_demo.ui.kit.looking import wire
from tta_demo.ui.kit.parts import Presets, examples, picture_box, radio
from tta_demo.ui.kit.screen import Screen
from tta_demo.ui.kit.visitor import Viewer

__all__ = ["build_classify_tab"]

PRESETS = Presets(
    {
        "center": "Centre only", "mirror": "And its mirror", "five-crop": "Five crops",
        "ten-crop": "Ten crops", "d4": "Turned and mirrored", "all": "All",
    },
    CROP_SETS,
    CROP_VIEWS,
)  # fmt: skip

INTRO = """
**What is in this picture?** The model sees only a square of 224 pixels. Let it look at several
squares, mirrored too, and combine what it says. It knows 1,000 things; anything else puzzles it.
"""


def build_classify_tab(tab: gr.Tab) -> None:
    """Lays out the tab inside the open page, and wires it."""
    screen = Screen(Viewer(), restore=ACTIONS.restore)
    gr.Markdown(INTRO)
    with gr.Row(equal_height=False):
        with gr.Column(scale=2, min_width=320):
            _build_inputs(screen)
        with gr.Column(scale=3, min_width=320, elem_id="classify-results") as screen["box"]:
            _build_results(screen)
    screen["settings"] = Settings
    wire(screen, tab, ACTIONS, PRESETS, HEAVY | {"show_progress_on": screen["framed"]})


def _build_inputs(screen: Screen) -> None:
    gr.Markdown("### 1. Pick a photo, or upload your own")
    photos = (photo.path for photo in PHOTOS)
    screen.add_fixed(example=examples(photos, "classify-examples"))
    screen["picture"] = picture_box("Photo", "classify-picture", height=230)
    sources = sorted({photo.source for photo in PHOTOS})
    gr.Markdown(
        f"{CLASSIFIER.label}: {CLASSIFIER.summary} Examples come with {' and '.join(sources)}.",
        elem_classes=["small"],
    )
    gr.Markdown("### 2. How should it look again?")
    PRESETS.build(screen, "ten-crop", "classify")
    gr.Markdown("### 3. How should it combine the answers?")
    fusions = {name: f for name, f in FUSIONS.items() if name not in ("none", "learned")}
    screen["fusion"] = radio("Fusion", fusions, "classify-fusion", "mean")


def _build_results(screen: Screen) -> None:
    screen["numbers"] = gr.HTML(
        "Looking at the first example …", elem_id="classify-numbers", min_height=92
    )
    screen["answer"] = gr.HTML(elem_id="classify-answer")
    screen["framed"] = gr.Image(
        label="What the looks saw", format="png", interactive=False, buttons=["fullscreen"],
        elem_id="classify-framed",
    )  # fmt: skip
    screen["looks"] = gr.HTML(elem_id="classify-looks")
    screen["notes"] = gr.Markdown(elem_classes=["notes"])
