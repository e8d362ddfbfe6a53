"""The segmentation tab: where its parts stand, and which action each starts."""

from typing import Any

import gradio as gr

from tta_demo.models.domains import DOMAINS
from tta_demo.samples.weeds import DIFFICULTY
from tta_demo.tasks.worlds import WORLDS
from tta_demo.tta.fusion import FUSIONS
from tta_demo.tta.views import VIEWS
from tta_demo.ui.full.actions import wire_full
from tta_demo.ui.full.panel import build_full
from tta_demo.ui.kit.damage_panel import build_damage, wire_damage
from tta_demo.ui.kit.events import EVERY, HEAVY, LATEST, LIGHT, OPENING
from tta_demo.ui.kit.parts import examples, options_of, picture_box, radio
from tta_demo.ui.kit.screen import Screen
from tta_demo.ui.segment import actions, choices
from tta_demo.ui.segment.case import GROUPS, SegmentVisitor, Settings, tick
from tta_demo.ui.segment.share import share_button
from tta_demo.ui.segment.team import build_team
from tta_demo.ui.stage import stage
from tta_demo.ui.takeaway.panel import build_takeaway, files, make_paper, make_zip, wire_made
from tta_demo.ui.yours.actions import OWN
from tta_demo.ui.yours.panel import build_panel

__all__ = ["build_segment_tab"]

WORLD = next(iter(WORLDS))
FIRST = Settings(WORLD, "mean", True, tick(DOMAINS[WORLDS[WORLD].record.domain].views))
"""How the controls stand when the page opens."""


def build_segment_tab(page: gr.Blocks) -> Screen:
    """Lays out the tab inside the open page, and wires it."""
    screen = Screen(SegmentVisitor(), restore=actions.restore, finish=files)
    with gr.Row(equal_height=False, elem_id="bench", elem_classes=["bench", "stays"]):
        with gr.Column(elem_id="steps", elem_classes=["steps"]):
            _build_picture(screen)
            _build_looks(screen)
            _build_fusion(screen)
        screen["settings"] = Settings
        with gr.Column(elem_id="first-sight"):
            screen["stage"] = stage(actions.first_scene(FIRST), "stage")
            screen["share"] = share_button("share")
            build_full(screen)
            screen.add_fixed(progress=gr.HTML(elem_id="progress"))
    with gr.Column(elem_id="results") as screen["box"]:
        _build_results(screen)
    heavy = HEAVY | {"show_progress_on": screen["progress"]}
    _wire_pictures(screen, page, heavy)
    _wire_masks(screen)
    OWN.wire(screen, actions.restore, heavy)
    _wire_views(screen, heavy)
    wire_damage(screen, actions.change_views, heavy)
    screen.act(screen["itself"].input, actions.change_views, heavy)
    wire_made(screen, paper=make_paper, zip=make_zip)
    wire_full(screen)
    screen.act(screen["stage"].switch, actions.switch, heavy | EVERY)
    return screen


def _build_picture(screen: Screen) -> None:
    gr.Markdown("### 1. Pick a picture, or upload your own")
    screen["world"] = radio("World", choices.PLACES, "world")
    build_panel(screen, "segment")
    # gradio shows other files than those of the first world only from the working directory
    gr.set_static_paths([path for world in WORLDS.values() for path in world.examples])
    screen["average"] = gr.HTML(choices.average(WORLD), elem_id="average")
    screen["example"] = examples(WORLDS[WORLD].examples, "examples")
    screen["verdicts"] = gr.HTML(choices.verdicts(WORLD), elem_id="examples-verdicts")
    generates = WORLDS[WORLD].generate is not None
    with gr.Column(visible=generates, elem_id="generator") as screen["generator"]:
        screen["difficulty"] = gr.Slider(
            0, 1, DIFFICULTY, step=0.05, label="Difficulty", info="Noise, blur, dusk, look-alikes."
        )
        screen.add_fixed(generate=gr.Button("New field", size="sm", elem_id="new-field"))
    with gr.Row():
        screen["picture"] = picture_box("Picture", "picture")
        screen["mask"] = picture_box("The truth", "mask")
    with build_damage(screen, "damage"):
        screen["itself"] = gr.Checkbox(
            label="Compare with its own answer on the undamaged picture",
            info="There is no mask. Its own answer is not the truth: it may be wrong as well.",
            visible=False,
            elem_id="itself",
        )
    screen["note"] = gr.HTML(choices.note(WORLDS[WORLD]), elem_id="note")


def _build_looks(screen: Screen) -> None:
    domain = WORLDS[WORLD].record.domain
    gr.Markdown("### 2. How should it look again?")
    screen["team"], screen["models"], screen["told"], screen["untaught"] = build_team(
        WORLDS[WORLD]
    )
    screen["domain"] = radio(
        "What kind of picture is it?", DOMAINS, "domain", domain, show_label=True,
        info="Ticks the looks that suit it.",
    )  # fmt: skip
    ticks = dict(zip(GROUPS, tick(DOMAINS[domain].views), strict=True))
    first, *others = GROUPS
    boxes = [_build_group(first, ticks[first])]
    with gr.Accordion("More looks: zoom, light, small moves", open=False):
        boxes += [_build_group(group, ticks[group]) for group in others]
        screen.add_fixed(everything=gr.Button("Tick the set of 15", size="sm"))
    screen["groups"] = boxes


def _build_group(group: str, ticked: list[str]) -> gr.CheckboxGroup:
    views = options_of({name: VIEWS[name] for name in GROUPS[group]})
    name = group.lower().replace(" ", "-")
    return gr.CheckboxGroup(views, value=ticked, label=group, elem_id=name)


def _build_fusion(screen: Screen) -> None:
    gr.Markdown("### 3. How should it combine the answers?")
    screen["fusion"] = radio("Fusion", FUSIONS, "fusion", "mean")
    screen["background"] = gr.Checkbox(
        value=True, label="Count the background in the score", elem_id="background"
    )


def _build_results(screen: Screen) -> None:
    screen["numbers"] = gr.HTML("Looking at the first example …", elem_id="numbers", min_height=92)
    with gr.Row(equal_height=False, elem_id="tables"):
        screen["table"] = gr.HTML(elem_id="table", min_width=300)
        screen["looks"] = gr.HTML(elem_id="looks", min_width=300)
    screen["notes"] = gr.HTML(elem_classes=["notes"], elem_id="notes")
    build_takeaway(screen)


def _wire_pictures(screen: Screen, page: gr.Blocks, heavy: dict[str, Any]) -> None:
    screen.act(page.load, actions.begin, heavy)
    changed = screen.on(screen["world"].input, choices.change_world)
    screen.act(changed.success, actions.open_first, heavy | OPENING)
    screen.act(screen["difficulty"].input, actions.same_field, heavy)
    opening = heavy | OPENING
    screen.act(screen["example"].click, actions.open_example, opening)
    screen.act(screen["generate"].click, actions.new_field, opening)
    screen.act(screen["picture"].upload, actions.open_picture, opening)
    screen.act(screen["picture"].clear, actions.clear_picture)


def _wire_masks(screen: Screen) -> None:
    screen.act(screen["mask"].upload, actions.open_mask, LATEST)
    screen.act(screen["mask"].clear, actions.clear_mask, LATEST)
    screen.act(screen["stage"].painted, actions.use_painting, LIGHT | EVERY)


def _wire_views(screen: Screen, heavy: dict[str, Any]) -> None:
    ticked = screen.on(screen["domain"].input, choices.tick_domain)
    every = screen.on(screen["everything"].click, choices.tick_all)
    groups = [group.input for group in screen["groups"]]
    for trigger in (screen["models"].input, *groups, ticked.success, every.success):
        screen.act(trigger, actions.change_views, heavy)
    screen.act(screen["fusion"].input, actions.change_fusion, LATEST)
    screen.act(screen["background"].input, actions.change_score, LATEST)
