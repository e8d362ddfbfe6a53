"""The Classify tab: where its parts stand, and which action each starts."""

from typing import Any

import gradio as gr

from tta_demo.models.efficientnet import CLASSIFIERS
from tta_demo.tta.crops import CROP_SETS, CROP_VIEWS
from tta_demo.tta.fusion import FUSIONS
from tta_demo.ui.classify import actions
from tta_demo.ui.classify.actions import CLASSIFIER, PHOTOS, Snapshot, View
from tta_demo.ui.kit.events import HEAVY, LIGHT, RAW

__all__ = ["build_classify_tab"]

SETS = {
    "center": "Centre only", "mirror": "And its mirror", "five-crop": "Five crops",
    "ten-crop": "Ten crops", "d4": "Turned and mirrored", "all": "All",
}  # fmt: skip
FIRST = "ten-crop"
FUSE = tuple(name for name in FUSIONS if name not in ("none", "learned"))

INTRO = """
**What is in this picture?** The model sees only a square of 224 pixels. Let it look at several
squares, mirrored too, and combine what it says. It knows 1,000 things; anything else puzzles it.
"""

SHOW_RESULTS = """
() => { if (innerWidth <= 640) document.querySelector('#classify-results').scrollIntoView() }
"""


def build_classify_tab(tab: gr.Tab) -> None:
    """Lays out the tab inside the open page, and wires it; it looks when it is first opened."""
    gr.Markdown(INTRO)
    with gr.Row(equal_height=False):
        with gr.Column(scale=2, min_width=320):
            examples, picture, preset, views, fusion = _build_inputs()
        with gr.Column(scale=3, min_width=320, elem_id="classify-results") as box:
            shown = _build_results(box)
    snapshot = gr.State(Snapshot())
    settings = [views, fusion]
    whole = [picture, *shown]
    heavy = HEAVY | {"show_progress_on": shown.framed}
    tab.select(_first, [snapshot, *settings], whole, **heavy)
    events = [
        examples.click(actions.open_example, [snapshot, examples, *settings], whole, **heavy),
        picture.upload(actions.open_upload, [snapshot, picture, *settings], whole, **RAW, **heavy),
    ]
    for event in events:
        event.success(None, js=SHOW_RESULTS)
    change = {
        "fn": actions.change, "inputs": [snapshot, *settings], "outputs": list(shown), **heavy
    }  # fmt: skip
    events += [
        preset.input(lambda name: list(CROP_SETS[name]), preset, views, **LIGHT).success(**change),
        views.input(**change),
        views.input(_preset, views, preset, **LIGHT),
        fusion.input(**change),
    ]
    for event in events:
        event.failure(actions.restore, snapshot, [box, picture, views, fusion], **LIGHT)
    picture.clear(actions.clear, snapshot, whole, **LIGHT)


def _preset(views: list[str]) -> str | None:
    """Returns the set that these looks are, if they are one."""
    return next((name for name in SETS if set(CROP_SETS[name]) == set(views)), None)


def _first(snapshot: Snapshot, views: list[str], fusion: str) -> Any:  # noqa: ANN401 (generator)
    """Opens the first example when the tab is opened for the first time."""
    if snapshot.rgb is None:
        yield from actions.open_example(snapshot, 0, views, fusion)


def _build_inputs() -> tuple[Any, ...]:
    gr.Markdown("### 1. Pick a photo, or upload your own")
    examples = gr.Dataset(
        components=[gr.Image(visible=False)],
        samples=[[str(photo.path)] for photo in PHOTOS],
        type="index",
        show_label=False,
        elem_id="classify-examples",
    )
    picture = gr.Image(
        label="Photo", type="filepath", image_mode=None, sources=["upload", "clipboard"],
        format="png", buttons=[], height=230, elem_id="classify-picture",
    )  # fmt: skip
    record = CLASSIFIERS[CLASSIFIER]
    sources = sorted({photo.source for photo in PHOTOS})
    gr.Markdown(
        f"{record.label}: {record.summary} Examples come with {' and '.join(sources)}.",
        elem_classes=["small"],
    )
    gr.Markdown("### 2. How should it look again?")
    preset = gr.Radio(
        [(label, name) for name, label in SETS.items()],
        value=FIRST,
        label="Looks",
        show_label=False,
        elem_id="classify-preset",
    )
    with gr.Accordion("Choose single looks", open=False):
        views = gr.Dropdown(
            [(view.label, name) for name, view in CROP_VIEWS.items()],
            value=list(CROP_SETS[FIRST]),
            multiselect=True,
            show_label=False,
            label="Single looks",
            elem_id="classify-views",
        )
    gr.Markdown("### 3. How should it combine the answers?")
    fusion = gr.Radio(
        [(FUSIONS[name].label, name) for name in FUSE],
        value="mean",
        show_label=False,
        label="Fusion",
        elem_id="classify-fusion",
    )
    return examples, picture, preset, views, fusion


def _build_results(box: gr.Column) -> View:
    numbers = gr.HTML("Looking at the first example …", elem_id="classify-numbers", min_height=92)
    answer = gr.HTML(elem_id="classify-answer")
    framed = gr.Image(
        label="What the looks saw", format="png", interactive=False, buttons=["fullscreen"],
        elem_id="classify-framed",
    )  # fmt: skip
    looks = gr.HTML(elem_id="classify-looks")
    notes = gr.Markdown(elem_classes=["notes"])
    return View(box, numbers, framed, answer, looks, notes)
