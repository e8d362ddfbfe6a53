"""The Guide tab: where its parts stand, and which scene each opens."""

from collections.abc import Iterator

import gradio as gr

from tta_demo.ui.guide.dial import dial, packed
from tta_demo.ui.guide.lessons import LESSONS, teacher
from tta_demo.ui.guide.steps import STEPS, Step
from tta_demo.ui.kit.events import EVERY, HEAVY
from tta_demo.ui.kit.files import beside
from tta_demo.ui.kit.measured import picked, sent
from tta_demo.ui.kit.screen import Action, Screen, Updates
from tta_demo.ui.segment import actions
from tta_demo.ui.segment.case import SegmentVisitor
from tta_demo.ui.segment.link import Link

__all__ = ["build_guide_tab"]


def build_guide_tab(segment: Screen) -> None:
    """Lays out the tab inside the open one; its buttons open scenes on the segmentation tab."""
    story = teacher("teach")
    turning = dial("dial")
    buttons = [_build_step(step, number, turning) for number, step in enumerate(STEPS, 1)]
    both = segment.reaching(dial=turning)
    both.on(turning.empty, _fill_dial)
    heavy = HEAVY | {"show_progress_on": both["progress"]}
    for step, button in zip(STEPS, buttons, strict=True):
        button.click(None, js=beside(__file__, "go.js"))
        both.act(button.click, _opening(step.link), heavy)
    # gradio forgets an event's data if it comes late; the story asks for one scene at a time
    both.act(story.scene, _open_lesson, heavy | EVERY)


def _build_step(step: Step, number: int, turning: gr.HTML) -> gr.Button:
    with gr.Column(elem_id=f"guide-{number}", elem_classes=["guide-step"]):
        gr.Markdown(step.words, elem_classes=["guide-words"])
        if step.figure:
            gr.HTML(step.figure(), elem_classes=["guide-figure"])
        else:
            turning.render()
        return gr.Button(step.button, elem_classes=["guide-show"])


def _opening(link: Link) -> Action:
    def open_scene(visitor: SegmentVisitor) -> Iterator[Updates]:
        yield from actions.open_link(visitor, link)

    return open_scene


def _open_lesson(visitor: SegmentVisitor, event: gr.EventData) -> Iterator[Updates]:
    """Opens the scene of a lesson, whose number comes from the network."""
    lesson = picked(LESSONS, sent(event, "number", int))
    yield from actions.open_link(visitor, lesson.link)


def _fill_dial() -> Updates:
    """Turns the picture that the page opened with; its looks are cached."""
    return {"dial": packed(Link().case().segment())}
