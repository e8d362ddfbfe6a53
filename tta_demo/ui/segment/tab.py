"""The segmentation tab: which action each part starts."""

from typing import Any

import gradio as gr

from tta_demo.ui.kit.events import HEAVY, LIGHT, RAW
from tta_demo.ui.segment import actions, choices, opening
from tta_demo.ui.segment.layout import Inputs, build_inputs, build_results
from tta_demo.ui.segment.show import Panel, Session

__all__ = ["SegmentTab", "build_segment_tab"]

SHOW_RESULTS = """
() => { if (innerWidth <= 640) document.querySelector('#results').scrollIntoView() }
"""
"""On a phone the results stand above the inputs, out of sight of who just chose a picture."""


def build_segment_tab(page: gr.Blocks) -> "SegmentTab":
    """Lays out the tab inside the open page, and wires it."""
    with gr.Row(equal_height=False):
        with gr.Column(scale=2, min_width=320):
            inputs = build_inputs()
        with gr.Column(scale=3, min_width=320, elem_id="results") as box:
            panel, tabs = build_results(box)
    tab = SegmentTab(page, inputs, panel, tabs)
    tab.connect()
    return tab


class SegmentTab:
    """Connects the parts of the tab with the actions."""

    def __init__(self, page: gr.Blocks, inputs: Inputs, panel: Panel, tabs: gr.Tabs) -> None:
        self.page, self.inputs, self.panel, self.tabs = page, inputs, panel, tabs
        self.session = gr.State(Session())
        self.world = choices.WorldParts(
            inputs.examples, inputs.note, inputs.generator, inputs.canvas, panel.result
        )
        self.whole = [inputs.picture, inputs.mask, inputs.painting, inputs.difficulty, *panel]
        self.heavy = HEAVY | {"show_progress_on": panel.slider}

    def connect(self) -> None:
        """Starts an action from every part that a visitor can touch."""
        self._pictures()
        self._masks()
        self._views()
        session, panel = self.session, list(self.panel)
        self.panel.gallery.select(actions.select_view, session, panel, **LIGHT)
        self.panel.bars.select(actions.open_bar, session, [self.tabs, *panel], **LIGHT)

    def _settle(self, event: Any) -> None:  # noqa: ANN401 (gradio's own kind of dict)
        """After every action: new downloads, or on an error the inputs that fit the screen."""
        panel = self.panel
        downloads = [panel.index, panel.colors, panel.report]
        event.success(actions.files, self.session, downloads, **LIGHT)
        event.failure(actions.restore, self.session, self._restored, **LIGHT)

    def follow(self, event: Any) -> None:  # noqa: ANN401
        """After an action elsewhere changed the scene: the inputs and downloads that fit it."""
        event.success(actions.restore, self.session, self._restored, **LIGHT)
        self._settle(event)

    @property
    def _restored(self) -> list[Any]:
        inputs = self.inputs
        return [
            self.panel.box, inputs.picture, inputs.mask, inputs.world, inputs.fusion,
            inputs.background, inputs.domain, *self.world, *inputs.groups,
        ]  # fmt: skip

    def _pictures(self) -> None:
        inputs, session = self.inputs, self.session
        settings = [inputs.world, inputs.fusion, inputs.background, *inputs.groups]
        first = [session, gr.State(0), *settings]
        field = [session, inputs.difficulty, *settings]
        self._settle(self.page.load(opening.open_example, first, self.whole, **self.heavy))
        parts = [self.panel.box, inputs.domain, *self.world, *inputs.groups]
        changed = inputs.world.input(choices.change_world, inputs.world, parts, **LIGHT)
        self._settle(changed.success(opening.open_example, first, self.whole, **self.heavy))
        self._settle(inputs.difficulty.input(opening.same_field, field, self.whole, **self.heavy))
        example = [session, inputs.examples, *settings]
        upload = [session, inputs.picture, *settings]
        for event in (
            inputs.examples.click(opening.open_example, example, self.whole, **self.heavy),
            inputs.generate.click(opening.new_field, field, self.whole, **self.heavy),
            inputs.picture.upload(opening.open_picture, upload, self.whole, **RAW, **self.heavy),
        ):
            self._settle(event)
            event.success(None, js=SHOW_RESULTS)
        self._settle(inputs.picture.clear(actions.clear_picture, session, self.whole, **LIGHT))

    def _masks(self) -> None:
        inputs, session = self.inputs, self.session
        last = LIGHT | {"trigger_mode": "always_last"}
        inputs.painting.expand(actions.canvas, session, inputs.canvas, **LIGHT)
        upload, painted = [session, inputs.mask], [session, inputs.canvas]
        for event in (
            inputs.mask.upload(actions.open_mask, upload, self.whole, **RAW, **last),
            inputs.mask.clear(actions.clear_mask, session, self.whole, **last),
            inputs.use_painting.click(actions.use_painting, painted, self.whole, **last),
        ):
            self._settle(event)

    def _views(self) -> None:
        inputs, session, panel = self.inputs, self.session, list(self.panel)
        settings = [session, inputs.fusion, inputs.background, *inputs.groups]
        run = {"fn": actions.change_views, "inputs": settings, "outputs": panel, **self.heavy}
        ticked = {"outputs": inputs.groups, **LIGHT}
        last = LIGHT | {"trigger_mode": "always_last"}
        for event in (
            *(group.input(**run) for group in inputs.groups),
            inputs.domain.input(choices.tick_domain, inputs.domain, **ticked).success(**run),
            inputs.everything.click(choices.tick_all, None, **ticked).success(**run),
            inputs.fusion.input(actions.change_fusion, [session, inputs.fusion], panel, **last),
            inputs.background.input(
                actions.change_score, [session, inputs.background], panel, **last
            ),
        ):
            self._settle(event)
