"""The Learn tab: where its parts stand, and which action each starts."""

from typing import Any, NamedTuple

import gradio as gr

from tta_demo.learning.fit_methods import METHODS
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.views import VIEW_SETS, VIEWS
from tta_demo.ui.kit.events import HEAVY, LIGHT, LONG, RAW
from tta_demo.ui.learn import actions
from tta_demo.ui.learn.actions import Results
from tta_demo.ui.learn.lesson import FIELDS, HELD_OUT, UPLOAD, Lesson
from tta_demo.ui.learn.show import status, stored_table
from tta_demo.ui.segment.tab import SegmentTab

__all__ = ["build_learn_tab"]

SETS = {"flips": "4 flips", "d4": "8 mirrored and turned", "all": "All 15"}
COUNT = 24

SHOW_RESULTS = """
() => { if (innerWidth <= 640) document.querySelector('#learn-results').scrollIntoView() }
"""
"""On a phone the results stand below the choices."""

INTRO = """
How much should each look count? Learn it from pictures whose right answer is known, and check it
on pictures that were **not** used. It may help, do nothing, or hurt: see for yourself.
"""


class _Inputs(NamedTuple):
    """The components on the left."""

    source: gr.Radio
    count: gr.Slider
    upload: gr.Column
    files: gr.File
    world: gr.Radio
    preset: gr.Radio
    views: gr.Dropdown
    form: gr.Radio
    method: gr.Radio
    meaning: gr.Markdown
    shrink: gr.Slider
    choose: gr.Checkbox
    start: gr.Button
    stop: gr.Button


def build_learn_tab(tabs: gr.Tabs, segment: SegmentTab) -> None:
    """Lays out the tab inside the open page, and wires it.

    Args:
        tabs: the page's tabs, to go back to the first.
        segment: the tab that learned weights are carried to.
    """
    gr.Markdown(INTRO)
    with gr.Row(equal_height=False):
        with gr.Column(scale=2, min_width=320):
            inputs = _Inputs(*_build_pictures(), *_build_choices())
        with gr.Column(scale=3, min_width=320, elem_id="learn-results"):
            results, own, load = _build_results()
    _wire(inputs, results, own, load, tabs, segment)


def _build_pictures() -> tuple[Any, ...]:
    gr.Markdown("### 1. Pictures whose answer is known")
    source = gr.Radio(
        [("Fields, made on the spot", FIELDS), ("My own pictures and masks", UPLOAD)],
        value=FIELDS,
        show_label=False,
        label="Pictures",
        elem_id="learn-source",
    )
    count = gr.Slider(
        4, 200, COUNT, step=4, label="Fields to learn on", elem_id="learn-count",
        info=f"{HELD_OUT} other fields are for checking.",
    )  # fmt: skip
    with gr.Column(visible=False) as upload:
        files = gr.File(
            label="Pictures and masks, or one zip of both",
            file_count="multiple",
            file_types=["image", ".zip"],
            height=150,
            elem_id="learn-files",
        )
        world = gr.Radio(
            [(place.label, name) for name, place in WORLDS.items()],
            value=next(iter(WORLDS)),
            label="Model",
            elem_id="learn-world",
        )
        gr.Markdown(
            "Paired by name: `plant.png` with `plant-mask.png`, or folders `images` and `masks`. "
            "At most 200 pictures and 200 MB. A third of them is kept for checking.",
            elem_classes=["small"],
        )
    return source, count, upload, files, world


def _build_choices() -> tuple[Any, ...]:
    gr.Markdown("### 2. What to learn, and how")
    preset = gr.Radio(
        [(label, name) for name, label in SETS.items()],
        value="d4",
        label="Looks",
        elem_id="learn-preset",
    )
    with gr.Accordion("Choose single looks", open=False):
        views = gr.Dropdown(
            [(view.label, name) for name, view in VIEWS.items()],
            value=list(VIEW_SETS["d4"]),
            multiselect=True,
            show_label=False,
            label="Single looks",
            elem_id="learn-views",
        )
    form = gr.Radio(
        [("One weight a look", "view"), ("One a look and class", "class")],
        value="view",
        label="Weights",
        elem_id="learn-form",
    )
    method = gr.Radio(
        [(method.label, name) for name, method in METHODS.items()],
        value="exact",
        label="Method",
        elem_id="learn-method",
    )
    meaning = gr.Markdown(METHODS["exact"].summary, elem_classes=["small"])
    with gr.Accordion("Few pictures? Hold the weights back", open=False):
        shrink = gr.Slider(
            0, 1, 0, step=0.1, label="Draw back towards even", elem_id="learn-shrink",
            info="0: as found. 1: all looks count the same.",
        )  # fmt: skip
        choose = gr.Checkbox(
            label="Choose it by cross-validation over pictures", elem_id="learn-choose"
        )
    with gr.Row():
        start = gr.Button("Start learning", variant="primary", elem_id="learn-start")
        stop = gr.Button("Stop", elem_id="learn-stop")
    return preset, views, form, method, meaning, shrink, choose, start, stop


def _build_results() -> tuple[Results, gr.Button, gr.UploadButton]:
    first = status("Nothing learned yet: press Start. It takes about half a minute.")
    state = gr.HTML(first, elem_id="learn-status")
    verdict = gr.HTML(elem_id="learn-verdict")
    curve = gr.HTML(elem_id="learn-curve")
    bars = gr.HTML(elem_id="learn-bars")
    held_out = gr.HTML(elem_id="learn-held-out")
    with gr.Row():
        use = gr.Button("Use these weights", variant="primary", interactive=False, elem_id="use")
        save = gr.DownloadButton("Download weights", interactive=False, elem_id="learn-save")
        load = gr.UploadButton("Load a weights file", file_types=[".json"], elem_id="learn-load")
    own = gr.Button("Back to the demo's own weights", size="sm", elem_id="learn-own")
    notes = gr.HTML(elem_id="learn-notes")
    with gr.Accordion("On the pictures it learned on", open=False, elem_id="learn-on-own"):
        calibration = gr.HTML("<p>Learn first.</p>", elem_id="learn-calibration")
    with gr.Accordion("Stored results: both worlds, whole test sets", open=True):
        gr.HTML(stored_table(), elem_id="stored")
    return (
        Results(state, verdict, curve, bars, held_out, calibration, notes, use, save),
        own,
        load,
    )


def _wire(
    inputs: _Inputs,
    results: Results,
    own: gr.Button,
    load: gr.UploadButton,
    tabs: gr.Tabs,
    segment: SegmentTab,
) -> None:
    lesson = gr.State(Lesson())
    wanted = [
        lesson, inputs.source, inputs.count, inputs.files, inputs.world, inputs.views,
        inputs.form, inputs.method, inputs.shrink, inputs.choose,
    ]  # fmt: skip
    shown = list(results)
    inputs.start.click(None, js=SHOW_RESULTS)
    started = inputs.start.click(actions.learn, wanted, shown, **LONG, **RAW)
    started.failure(actions.failed, None, results.status, **LIGHT)
    inputs.stop.click(actions.stop, lesson, None, **LIGHT)
    load.upload(actions.load_file, [lesson, load], shown, **LIGHT, **RAW)
    carried = HEAVY | {"show_progress_on": segment.panel.slider}
    used = results.use.click(
        actions.use, [lesson, segment.session], [tabs, *segment.panel], **carried
    )
    kept = own.click(actions.use_own, segment.session, [tabs, *segment.panel], **carried)
    segment.follow(used)
    segment.follow(kept)
    _wire_choices(inputs)


def _wire_choices(inputs: _Inputs) -> None:
    """Choices that only change other choices."""
    inputs.source.input(
        lambda source: (gr.Slider(visible=source == FIELDS), gr.Column(visible=source == UPLOAD)),
        inputs.source,
        [inputs.count, inputs.upload],
        **LIGHT,
    )
    inputs.preset.input(lambda name: list(VIEW_SETS[name]), inputs.preset, inputs.views, **LIGHT)
    inputs.views.input(_preset, inputs.views, inputs.preset, **LIGHT)
    inputs.form.input(_methods, [inputs.form, inputs.method], [inputs.method, inputs.meaning],
                      **LIGHT)  # fmt: skip
    inputs.method.input(lambda name: METHODS[name].summary, inputs.method, inputs.meaning,
                        **LIGHT)  # fmt: skip
    inputs.choose.input(
        lambda choose: gr.Slider(interactive=not choose), inputs.choose, inputs.shrink, **LIGHT
    )


def _preset(views: list[str]) -> str | None:
    """Returns the set that these looks are, if they are one."""
    return next((name for name in SETS if set(VIEW_SETS[name]) == set(views)), None)


def _methods(form: str, method: str) -> tuple[gr.Radio, str]:
    """Offers the methods that can fit a form."""
    names = [name for name in METHODS if form == "view" or METHODS[name].any_form]
    chosen = method if method in names else names[0]
    why = "" if form == "view" else " With a weight per class no method can prove its answer best."
    choices = [(METHODS[name].label, name) for name in names]
    return gr.Radio(choices=choices, value=chosen), METHODS[chosen].summary + why
