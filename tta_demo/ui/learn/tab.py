"""The Learn tab: where its parts stand, and which action each starts."""

import gradio as gr

from tta_demo.learning.fit_methods import METHODS
from tta_demo.learning.prior import ENOUGH, FEW, SCORES
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.views import VIEW_SETS, VIEWS
from tta_demo.ui.kit.events import HEAVY, LONG, STOP
from tta_demo.ui.kit.parts import Presets, labelled_files, radio
from tta_demo.ui.kit.screen import Screen
from tta_demo.ui.kit.theme import scroll_to
from tta_demo.ui.learn import actions, choices
from tta_demo.ui.learn.course import bars
from tta_demo.ui.learn.lesson import LearnVisitor, Wanted
from tta_demo.ui.learn.show import status, stored_table
from tta_demo.ui.segment.choices import PLACES
from tta_demo.ui.segment.team import ticks

__all__ = ["build_learn_tab"]

PRESETS = Presets(
    {"flips": "4 flips", "d4": "8 mirrored and turned", "all": "All 15"}, VIEW_SETS, VIEWS
)
FIRST = "all"
COUNT = 16
"""The fewest fields that showed the effect on overlap, however they were drawn."""
METHOD = "exact"

LOSS = (
    "<p>Loss tells how far the answers are from the truth. It appears with the first picture.</p>"
)


def build_learn_tab(tab: gr.Tab, page_tabs: gr.Tabs, segment: Screen, held_out: int) -> None:
    """Lays out the tab, whose weights are checked on held-out fields and carried to segment."""
    screen = Screen(LearnVisitor(), restore=actions.failed)
    screen.add_fixed(
        held_out=gr.State(held_out),
        first_world=segment["world"],
        first_models=segment["models"],
        looker=segment["visitor"],
    )
    with gr.Row(equal_height=False, elem_classes=["bench", "stays"]):
        with gr.Column(elem_classes=["steps"]):
            _build_pictures(screen, held_out)
            _build_choices(screen)
        screen["wanted"] = Wanted
        with gr.Column(elem_id="learn-live"):
            _build_live(screen)
    _build_results(screen)
    _wire(screen, tab)
    _wire_choices(screen)
    both = segment.reaching(learner=screen["visitor"], page_tabs=page_tabs)
    heavy = HEAVY | {"show_progress_on": segment["progress"]}
    both.act(screen["use"].click, actions.use, heavy)
    both.act(screen["forget"].click, actions.forget, heavy)
    both.on(segment["untaught"].click, lambda: {"page_tabs": gr.Tabs(selected="learn")})


def _build_pictures(screen: Screen, held_out: int) -> None:
    gr.Markdown("### 1. Pictures whose answer is known")
    screen["world"] = radio("World", PLACES, "learn-world")
    screen["source"] = radio("Pictures", choices.SOURCES, "learn-source")
    screen["count"] = gr.Slider(
        4, 200, COUNT, step=4, label="Fields to learn on", elem_id="learn-count",
        info=f"{held_out} other fields are for checking.",
    )  # fmt: skip
    with gr.Column(visible=False) as screen["upload"]:
        screen["files"] = labelled_files(
            "At most 200 pictures and 200 MB. A third of them is kept for checking.", "learn-files"
        )


def _build_choices(screen: Screen) -> None:
    gr.Markdown("### 2. What to learn, and how")
    screen["models"] = ticks(next(iter(WORLDS.values())), "learn-models")
    PRESETS.build(screen, FIRST, "learn", show_label=True)
    screen["form"] = radio("Weights", choices.FORMS, "learn-form", show_label=True)
    screen["method"] = radio("Method", METHODS, "learn-method", METHOD, show_label=True)
    screen["meaning"] = gr.HTML(choices.meaning(METHOD), elem_classes=["small"])
    with gr.Accordion("How much to trust the pictures", open=False):
        screen["choose"] = gr.Checkbox(
            True, elem_id="learn-choose", label="Let the pictures decide",
            info=f"Below {ENOUGH} of them, even weights count as one picture more. Where they do "
            "not show that some looks deserve more, all looks count the same.",
        )  # fmt: skip
        screen["score"] = radio("What should get better", SCORES, "learn-score", show_label=True)
        screen["prior"] = gr.Slider(
            0, 64, FEW, step=0.1, label="Pull towards even, in pictures", elem_id="learn-prior",
            info="0: as found, however few there are.", interactive=False,
        )  # fmt: skip


def _build_live(screen: Screen) -> None:
    """What is in sight while it learns."""
    with gr.Row(elem_id="learn-go"):
        screen.add_fixed(
            start=gr.Button("Start learning", variant="primary", elem_id="learn-start"),
            stop=gr.Button("Stop", elem_id="learn-stop"),
        )
    views = VIEW_SETS[FIRST]
    with gr.Column(elem_id="learn-told"):
        screen["status"] = gr.HTML(
            status("Nothing learned yet: all looks count the same. Press Start."),
            elem_id="learn-status",
        )
        screen["verdict"] = gr.HTML(actions.INTRO, elem_id="learn-verdict")
    with gr.Row(equal_height=False, elem_id="learn-sight"):
        even = bars(next(iter(WORLDS.values())), views, [1 / len(views)] * len(views))
        screen["bars"] = gr.HTML(even, elem_id="learn-bars")
        with gr.Column(elem_id="learn-loss"):
            screen["losses"] = gr.HTML(LOSS, elem_id="learn-losses")
            screen["curve"] = gr.HTML(elem_id="learn-curve")
    with gr.Row(elem_id="learn-then"):
        screen["use"] = gr.Button(
            "Use these weights", variant="primary", size="md", interactive=False, elem_id="use"
        )
        screen["save"] = gr.DownloadButton(
            "Download weights", size="md", interactive=False, elem_id="learn-save"
        )
        load = gr.UploadButton(
            "Load weights", size="md", file_types=[".json"], elem_id="learn-load"
        )
        forget = gr.Button("Demo's own weights", size="md", elem_id="learn-own")
    screen.add_fixed(load=load, forget=forget)


def _build_results(screen: Screen) -> None:
    screen["notes"] = gr.HTML(elem_id="learn-notes")
    screen["on_held_out"] = gr.HTML(elem_id="learn-held-out")
    with gr.Accordion("On the pictures it learned on", open=False, elem_id="learn-on-own"):
        screen["on_calibration"] = gr.HTML("<p>Learn first.</p>", elem_id="learn-calibration")
    with gr.Accordion("Stored results: both worlds, whole test sets", open=False):
        gr.HTML(stored_table(), elem_id="stored")


def _wire(screen: Screen, tab: gr.Tab) -> None:
    screen["start"].click(None, js=scroll_to("learn-live"))
    screen.act(screen["start"].click, actions.learn, LONG)
    screen.on(screen["stop"].click, actions.stop, STOP)
    screen.on(screen["load"].upload, actions.load_file)
    screen.on(tab.select, choices.follow)


def _wire_choices(screen: Screen) -> None:
    """Choices that only change other choices."""
    PRESETS.wire(screen)
    screen.on(screen["world"].input, choices.change_world)
    screen.on(screen["models"].input, choices.keep_one)
    screen.on(screen["source"].input, choices.change_source)
    screen.on(screen["form"].input, choices.change_form)
    screen.on(screen["method"].input, lambda method: {"meaning": choices.meaning(method)})
    screen.on(screen["choose"].input, choices.change_choose)
