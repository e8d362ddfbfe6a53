"""The segmentation tab: which action each part starts."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from tta_demo.ui import actions, choices
from tta_demo.ui.layout import Inputs, build_inputs, build_results
from tta_demo.ui.panel import Panel

__all__ = ["build_segment_tab"]

LIGHT: dict[str, Any] = {"show_progress": "hidden", "concurrency_id": "light"}
"""For actions without a forward pass."""

RAW = {"preprocess": False}
"""For uploads: gradio would open the file itself, and fail before our own words are reached."""

SHOW_RESULTS = """
() => { if (innerWidth <= 640) document.querySelector('#results').scrollIntoView() }
"""
"""On a phone the results stand above the inputs, out of sight of who just chose a picture."""


def build_segment_tab(page: gr.Blocks) -> None:
    """Lays out the tab inside the open page, and wires it."""
    scene = gr.State(None)
    with gr.Row(equal_height=False):
        with gr.Column(scale=2, min_width=320):
            inputs = build_inputs()
        with gr.Column(scale=3, min_width=320, elem_id="results") as box:
            panel, tabs, downloads = build_results(box)
    panel.gallery.select(actions.select_view, scene, list(panel), **LIGHT)
    panel.bars.select(actions.open_bar, scene, [tabs, *panel], **LIGHT)
    inputs.painting.expand(actions.canvas, scene, inputs.canvas, **LIGHT)

    def settle(event: Any) -> None:  # noqa: ANN401 (gradio's own kind of dict)
        """After every action: new downloads, or on an error the inputs that fit the screen."""
        event.success(actions.files, scene, downloads, **LIGHT)
        restored = [box, inputs.picture, inputs.mask, inputs.fusion, *inputs.groups]
        event.failure(actions.restore, scene, restored, **LIGHT)

    _wire_pictures(page, scene, inputs, panel, settle)
    _wire_views(scene, inputs, panel, settle)


def _wire_pictures(
    page: gr.Blocks, scene: gr.State, inputs: Inputs, panel: Panel, settle: Callable[[Any], None]
) -> None:
    settings = [inputs.world, inputs.fusion, inputs.background, *inputs.groups]
    heavy: dict[str, Any] = {
        "concurrency_id": "model",
        "concurrency_limit": 4,
        "show_progress_on": panel.slider,
    }
    whole = [scene, inputs.picture, inputs.mask, inputs.painting, *panel]
    first = [gr.State(0), *settings]
    settle(page.load(actions.open_example, first, whole, **heavy))
    world_out = [
        panel.box,
        inputs.examples,
        inputs.note,
        inputs.generator,
        inputs.canvas,
        panel.result,
        inputs.domain,
        *inputs.groups,
    ]
    changed = inputs.world.input(choices.change_world, inputs.world, world_out, **LIGHT)
    settle(changed.success(actions.open_example, first, whole, **heavy))
    field = [inputs.difficulty, *settings]
    settle(inputs.difficulty.release(actions.same_field, [scene, *field], whole, **heavy))
    for event in (
        inputs.examples.click(actions.open_example, [inputs.examples, *settings], whole, **heavy),
        inputs.generate.click(actions.new_field, field, whole, **heavy),
        inputs.picture.upload(
            actions.open_picture, [inputs.picture, *settings], whole, **RAW, **heavy
        ),
    ):
        settle(event)
        event.success(None, js=SHOW_RESULTS)
    settle(inputs.picture.clear(actions.clear_picture, None, whole, **LIGHT))
    settle(inputs.mask.upload(actions.open_mask, [inputs.mask, scene], whole, **RAW, **LIGHT))
    settle(inputs.mask.clear(actions.clear_mask, scene, whole, **LIGHT))
    settle(inputs.use_painting.click(actions.use_painting, [inputs.canvas, scene], whole, **LIGHT))


def _wire_views(
    scene: gr.State, inputs: Inputs, panel: Panel, settle: Callable[[Any], None]
) -> None:
    settings = [scene, inputs.fusion, inputs.background]
    outputs = [scene, *panel]
    run: dict[str, Any] = {
        "fn": actions.change_views,
        "inputs": [*settings, *inputs.groups],
        "outputs": outputs,
        "concurrency_id": "model",
        "show_progress_on": panel.slider,
    }
    for group in inputs.groups:
        settle(group.input(**run, trigger_mode="always_last"))
    settle(inputs.domain.input(choices.tick_domain, inputs.domain, inputs.groups).success(**run))
    settle(inputs.everything.click(choices.tick_all, None, inputs.groups).success(**run))
    for control, action in (
        (inputs.fusion, actions.change_fusion),
        (inputs.background, actions.change_score),
    ):
        settle(
            control.input(action, [scene, control], outputs, trigger_mode="always_last", **LIGHT)
        )
