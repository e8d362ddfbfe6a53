"""The whole page."""

from pathlib import Path

import gradio as gr
from gradio.utils import get_upload_folder

from tta_demo.pictures.workers import guard
from tta_demo.tasks import worlds
from tta_demo.ui.api import add_endpoints
from tta_demo.ui.classify.tab import build_classify_tab
from tta_demo.ui.detect import places
from tta_demo.ui.detect.tab import build_detect_tab
from tta_demo.ui.evidence.actions import use_boxes
from tta_demo.ui.evidence.tab import build_evidence_tab, wire_use
from tta_demo.ui.guide.tab import build_guide_tab
from tta_demo.ui.kit.blocks import Page
from tta_demo.ui.kit.parts import skip_link
from tta_demo.ui.kit.preview import TITLE
from tta_demo.ui.kit.queue import with_lanes
from tta_demo.ui.learn.tab import build_learn_tab
from tta_demo.ui.segment.tab import build_segment_tab

__all__ = ["build_page"]

INTRO = """
# Look again
A model marks what is in a picture. Here it looks several times (mirrored, turned, zoomed),
undoes each change on its answer, and combines the answers. Does that help?
"""


def build_page(held_out: int = 40) -> gr.Blocks:
    """Returns the page, ready to launch.

    Args:
        held_out: generated fields that learned weights are checked on.
    """
    guard(Path(get_upload_folder()))
    with Page(title=TITLE) as page, gr.Column(elem_id="page"):
        skip_link()
        gr.Markdown(INTRO, elem_id="intro")
        if faults := [*worlds.FAULTS.values(), *places.FAULTS.values()]:
            gr.Markdown("\n\n".join(faults), elem_id="faults")
        with gr.Tabs(elem_id="tabs", overflow_behavior="wrap") as tabs:
            with gr.Tab("See it", id="segment"):
                segment = build_segment_tab(page)
            with gr.Tab("Learn the weights", id="learn") as learn:
                build_learn_tab(learn, tabs, segment, held_out)
            with gr.Tab("Evidence", id="evidence") as evidence:
                found = build_evidence_tab(evidence, tabs, segment)
            with gr.Tab("Classify", id="classify") as classify:
                build_classify_tab(classify)
            if places.PLACES:
                with gr.Tab("Detect", id="detect") as detect:
                    boxes = build_detect_tab(detect)
            with gr.Tab("Guide", id="guide"):
                build_guide_tab(segment)
        if places.PLACES:  # here, as among the tabs whatever is no tab would count as one
            wire_use(found, "use_boxes", use_boxes, tabs, boxes)
        add_endpoints()
    return with_lanes(page)
