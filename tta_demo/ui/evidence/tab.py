"""The Evidence tab: where its parts stand, and which action each starts."""

from typing import Any

import gradio as gr

from tta_demo.ui.evidence import actions
from tta_demo.ui.evidence.downloads import LABELS, make_paper, make_plan, make_zip
from tta_demo.ui.evidence.places import PLACES
from tta_demo.ui.evidence.trial import FEWEST, MOST, EvidenceVisitor, Wanted
from tta_demo.ui.kit.events import HEAVY, LATEST, LONG, STOP
from tta_demo.ui.kit.parts import labelled_files, radio
from tta_demo.ui.kit.screen import Action, Screen
from tta_demo.ui.kit.theme import scroll_to
from tta_demo.ui.learn import choices
from tta_demo.ui.learn.actions import stop
from tta_demo.ui.takeaway.panel import wire_made

__all__ = ["build_evidence_tab", "wire_use"]

COUNT = 16
"""The fewest pictures that give an interval: half of them choose, the others measure."""


def build_evidence_tab(tab: gr.Tab, page_tabs: gr.Tabs, segment: Screen) -> Screen:
    """Lays out the tab, whose plans can be carried to segment, and returns its parts by name."""
    screen = Screen(EvidenceVisitor(), restore=actions.failed)
    screen.add_fixed(first_world=segment["world"], looker=segment["visitor"])
    gr.Markdown("### Is looking again worth it, which looks, and how sure is that?")
    screen["world"] = radio("World", PLACES, "evidence-world")
    with gr.Row(equal_height=False, elem_classes=["bench"]):
        with gr.Column(elem_classes=["steps"]):
            _build_steps(screen)
        with gr.Column(elem_id="evidence-sight"):
            _build_live(screen)
            with gr.Column(elem_id="evidence-results") as screen["box"]:
                _build_results(screen)
    screen["rest"] = gr.HTML(elem_id="evidence-rest")
    screen["wanted"] = Wanted
    _wire(screen, tab)
    wire_use(screen, "use", actions.use, page_tabs, segment)
    return screen


def wire_use(
    screen: Screen, button: str, action: Action, page_tabs: gr.Tabs, there: Screen
) -> None:
    """Lets a button carry the chosen plan to another tab, and open that."""
    both = there.reaching(learner=screen["visitor"], page_tabs=page_tabs, option=screen["option"])
    heavy = HEAVY | {"show_progress_on": there["progress"]}
    both.act(screen[button].click, action, heavy).success(None, js="() => scrollTo({top: 0})")


def _build_steps(screen: Screen) -> None:
    gr.Markdown(
        "### Try it yourself\nOn pictures whose right answer is known, each looked at in 15 ways."
    )
    screen["source"] = radio("Pictures", choices.SOURCES, "evidence-source")
    screen["count"] = gr.Slider(
        FEWEST, MOST, COUNT, step=4, label="New fields", elem_id="evidence-count",
        info=f"Half choose the looks, half measure. From {COUNT} on there are intervals.",
    )  # fmt: skip
    with gr.Column(visible=False) as screen["upload"]:
        screen["files"] = labelled_files(
            f"Of more than {MOST} pictures {MOST} are drawn; the command `advise` takes all.",
            "evidence-files",
        )
    gr.Markdown(
        "The command `advise` also weighs photographs of one class each (`--task classify`) and "
        "your own pictures with boxes (`--task detect`).",
        elem_classes=["small"],
    )
    screen.add_fixed(start=gr.Button("Start", variant="primary", elem_id="evidence-start"))


def _build_live(screen: Screen) -> None:
    """What is above the results from the first start on: on a phone the steps are far below."""
    with gr.Row(visible=False, elem_id="evidence-live") as screen["live"]:
        screen["status"] = gr.HTML(elem_id="evidence-status")
        screen["stop"] = gr.Button("Stop", elem_id="evidence-stop")


def _build_results(screen: Screen) -> None:
    how: dict[str, Any] = {"size": "md", "min_width": 130}
    screen["verdict"] = gr.HTML("<p>Opening the stored results …</p>", elem_id="evidence-verdict")
    with gr.Column(visible=False, elem_id="evidence-take") as screen["take"]:
        with gr.Row(elem_id="evidence-choose"):
            screen["option"] = gr.Dropdown(
                [], label="Way to look", elem_id="evidence-option", min_width=260, scale=3
            )
            for name, elem_id in (("use", "evidence-use"), ("use_boxes", "evidence-use-boxes")):
                screen[name] = gr.Button(
                    "Use these looks", variant="primary", elem_id=elem_id, scale=1, **how
                )
        with gr.Row():
            for name, label in LABELS.items():
                screen[name] = gr.Button(label, elem_id=f"evidence-{name}", **how)
            screen["other"] = gr.Button(
                "Show the stored results", visible=False, elem_id="evidence-other", **how
            )
    screen["made"] = gr.File(visible=False)


def _wire(screen: Screen, tab: gr.Tab) -> None:
    screen["start"].click(None, js=scroll_to("evidence-sight"))
    screen.act(screen["start"].click, actions.begin, LONG)
    screen.on(screen["stop"].click, stop, STOP)
    screen.act(screen["world"].input, actions.change_world, LATEST)
    screen.on(screen["source"].input, choices.change_source)
    screen.act(screen["other"].click, actions.show_stored)
    screen.on(tab.select, actions.follow)
    wire_made(screen, plan=make_plan, paper=make_paper, zip=make_zip)
