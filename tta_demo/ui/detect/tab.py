"""The Detect tab: where its parts stand, and which action each starts."""

from typing import Any

import gradio as gr

from tta_demo.models.detectors import DETECTORS
from tta_demo.samples.weeds import DIFFICULTY
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.box_fusion import FUSERS
from tta_demo.tta.views import VIEW_SETS, VIEWS
from tta_demo.ui.detect import actions
from tta_demo.ui.detect.actions import DETECTOR, Finding, Shown
from tta_demo.ui.detect.show import HOVER_JS
from tta_demo.ui.kit.events import HEAVY, LIGHT, RAW
from tta_demo.ui.kit.html import legend_of

__all__ = ["build_detect_tab"]

SETS = {
    "mirror": ("Original and mirror", ("identity", "hflip")),
    "flips": ("4 flips", VIEW_SETS["flips"]),
    "d4": ("8 mirrored and turned", VIEW_SETS["d4"]),
    "all": ("All 15", VIEW_SETS["all"]),
}
FIRST = "d4"
EXACT = tuple(name for name, view in VIEWS.items() if not view.tilt)
"""Boxes of a tilted picture cannot be turned back."""

INTRO = """
**Where is every plant?** The detector draws boxes. It looks at the mirrored and turned field too;
its boxes are turned back, and boxes that belong together become one.
"""

MISTAKE = """
A box found in the mirrored picture has its x counted from the other side: x must become W − x,
W the width that the model saw. Copy the numbers as they are, and every box stands on the wrong
side, where it can only spoil the fusion.
"""

SHOW_RESULTS = """
() => { if (innerWidth <= 640) document.querySelector('#detect-results').scrollIntoView() }
"""


def build_detect_tab(tab: gr.Tab) -> None:
    """Lays out the tab inside the open page, and wires it; it looks when it is first opened."""
    gr.Markdown(INTRO)
    with gr.Row(equal_height=False):
        with gr.Column(scale=2, min_width=320):
            examples, difficulty, generate, picture = _build_pictures()
            preset, views, fusion, threshold, meaning = _build_choices()
        with gr.Column(scale=3, min_width=320, elem_id="detect-results") as box:
            shown = _build_results(box, meaning)
    finding = gr.State(Finding())
    settings = [views, fusion, threshold]
    whole = [picture, *shown]
    heavy = HEAVY | {"show_progress_on": shown.slider}
    tab.select(_first, [finding, *settings], whole, **heavy)
    events = [
        examples.click(actions.open_example, [finding, examples, *settings], whole, **heavy),
        generate.click(actions.new_field, [finding, difficulty, *settings], whole, **heavy),
        picture.upload(actions.open_upload, [finding, picture, *settings], whole, **RAW, **heavy),
    ]
    for event in events:
        event.success(None, js=SHOW_RESULTS)
    change = {
        "fn": actions.change, "inputs": [finding, *settings], "outputs": list(shown), **heavy
    }  # fmt: skip
    events += [
        preset.input(lambda name: list(SETS[name][1]), preset, views, **LIGHT).success(**change),
        views.input(**change),
        views.input(_preset, views, preset, **LIGHT),
        fusion.input(**change),
        threshold.input(**change),
    ]
    for event in events:
        event.failure(actions.restore, finding, [box, picture, *settings], **LIGHT)
    picture.clear(actions.clear, finding, whole, **LIGHT)


def _preset(views: list[str]) -> str | None:
    """Returns the set that these looks are, if they are one."""
    return next((name for name, (_, names) in SETS.items() if set(names) == set(views)), None)


def _first(finding: Finding, *settings: Any) -> Any:  # noqa: ANN401 (a generator of updates)
    """Opens the first example when the tab is opened for the first time."""
    if finding.rgb is None:
        yield from actions.open_example(finding, 0, *settings)


def _build_pictures() -> tuple[Any, ...]:
    gr.Markdown("### 1. Pick a field, make one, or upload a picture")
    examples = gr.Dataset(
        components=[gr.Image(visible=False)],
        samples=[[str(path)] for path in WORLDS["weeds"].examples],
        type="index",
        show_label=False,
        elem_id="detect-examples",
    )
    difficulty = gr.Slider(
        0, 1, DIFFICULTY, step=0.05, label="Difficulty of the new field",
        elem_id="detect-difficulty",
    )  # fmt: skip
    generate = gr.Button("New field", size="sm", elem_id="detect-new")
    picture = gr.Image(
        label="Picture", type="filepath", image_mode=None, sources=["upload", "clipboard"],
        format="png", buttons=[], height=210, elem_id="detect-picture",
    )  # fmt: skip
    record = DETECTORS[DETECTOR]
    gr.HTML(
        f"<p>{record.summary} Anything else puzzles it.</p>"
        f"<p class='classes'>{legend_of(record.palette)}</p>",
        elem_classes=["small"],
    )
    return examples, difficulty, generate, picture


def _build_choices() -> tuple[Any, ...]:
    gr.Markdown("### 2. How should it look again?")
    preset = gr.Radio(
        [(label, name) for name, (label, _) in SETS.items()],
        value=FIRST,
        show_label=False,
        label="Looks",
        elem_id="detect-preset",
    )
    with gr.Accordion("Choose single looks", open=False):
        views = gr.Dropdown(
            [(VIEWS[name].label, name) for name in EXACT],
            value=list(SETS[FIRST][1]),
            multiselect=True,
            show_label=False,
            label="Single looks",
            elem_id="detect-views",
        )
    gr.Markdown("### 3. How should the boxes become one?")
    fusion = gr.Radio(
        [(fuser.label, name) for name, fuser in FUSERS.items()],
        value="wbf",
        show_label=False,
        label="Fusion",
        elem_id="detect-fusion",
    )
    threshold = gr.Slider(
        0.05, 0.95, 0.3, step=0.05, label="Show boxes from this score on",
        elem_id="detect-threshold",
    )  # fmt: skip
    meaning = gr.HTML(elem_id="detect-meaning")
    return preset, views, fusion, threshold, meaning


def _build_results(box: gr.Column, meaning: gr.HTML) -> Shown:
    picture: dict[str, Any] = {"format": "png", "interactive": False}
    numbers = gr.HTML("Looking at the first field …", elem_id="detect-numbers", min_height=92)
    with gr.Tabs(overflow_behavior="wrap"):
        with gr.Tab("Which became which"):
            hover = gr.HTML(elem_id="detect-hover", js_on_load=HOVER_JS)
        with gr.Tab("Before and after"):
            slider = gr.ImageSlider(
                label="One look | all looks", elem_id="detect-slider", show_label=True, **picture
            )
        with gr.Tab("Each look"):
            gr.Markdown("In its own frame, and turned back.")
            gallery = gr.Gallery(
                show_label=False, label="Every look's boxes", columns=2, object_fit="contain",
                format="png", allow_preview=True, interactive=False, height="auto",
                elem_id="detect-gallery",
            )  # fmt: skip
        with gr.Tab("Step by step"):
            gr.Markdown(MISTAKE)
            steps = gr.Gallery(
                show_label=False, label="Turning a box back", columns=3, object_fit="contain",
                format="png", allow_preview=True, interactive=False, height="auto",
                elem_id="detect-steps",
            )  # fmt: skip
        with gr.Tab("Scores"):
            table = gr.HTML(elem_id="detect-table")
    notes = gr.Markdown(elem_classes=["notes"])
    return Shown(box, numbers, slider, hover, gallery, steps, table, meaning, notes)
