"""The part of the tab where a result is taken away."""

from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from tta_demo.ui.kit.files import saved
from tta_demo.ui.kit.screen import Action, Screen, Updates
from tta_demo.ui.segment.case import SegmentCase, SegmentVisitor
from tta_demo.ui.takeaway.bundle import all_files, report_json, result_masks, safe_name
from tta_demo.ui.takeaway.document import document
from tta_demo.ui.takeaway.facts import Takeaway

__all__ = ["NO_FILES", "build_takeaway", "files", "make_paper", "make_zip", "wire_made"]

READY_MADE = {"index": "Mask (class ids)", "colors": "Mask (colours)", "report": "Report (JSON)"}
"""What is written as soon as a result is on screen."""

ON_CLICK = {"paper": "Report (HTML)", "zip": "All files (zip)"}
"""What takes so long that it is only made for those who want it."""

NO_FILES: Updates = (
    dict.fromkeys(READY_MADE, gr.DownloadButton(value=None, interactive=False))
    | dict.fromkeys(ON_CLICK, gr.Button(interactive=False))
    | {"code": None}
)
"""The downloads until they are written."""

SAVE = """file => {
  if (!file) return;
  const link = document.createElement('a');
  link.href = file.url;
  link.download = file.orig_name;
  link.click();
}"""
"""Lets the browser save a file that was made on a click."""


def build_takeaway(screen: Screen) -> None:
    """Lays out the downloads and the code."""
    how: dict[str, Any] = {"size": "sm", "min_width": 120, "interactive": False}
    gr.Markdown("### Take it away")
    with gr.Row(elem_id="downloads"):
        for name, label in READY_MADE.items():
            screen[name] = gr.DownloadButton(label, elem_id=f"download-{name}", **how)
        for name, label in ON_CLICK.items():
            screen[name] = gr.Button(label, elem_id=f"download-{name}", **how)
    screen["made"] = gr.File(visible=False)
    with gr.Accordion("Copy as Python", open=False, elem_id="as-python"):
        screen["code"] = gr.Code(
            language="python",
            interactive=False,
            show_label=False,
            label="The picture on screen as Python",
            buttons=["copy"],
            max_lines=30,
            elem_id="code",
        )


def wire_made(screen: Screen, **actions: Action) -> None:
    """Wires buttons whose actions make a file, and yield it as `made`; all parts must be there."""
    for name, action in actions.items():
        made = screen.on(screen[name].click, action)
        made.success(None, screen["made"], None, js=SAVE)


def files(visitor: SegmentVisitor) -> Updates:
    """Writes what can be downloaded at once, after the result is on screen.

    Nobody waits for it: what was chosen in the meantime has its own turn, and its own files.
    """
    with visitor.turn:
        case = visitor.case
    if case is None:
        return NO_FILES
    take = _take(case)
    masks, name = result_masks(take), safe_name(case.name)
    paths = {
        "index": saved(masks["mask.png"], f"{name}-mask.png"),
        "colors": saved(masks["colors.png"], f"{name}-colors.png"),
        "report": saved(report_json(take), f"{name}-report.json"),
    }
    made = {part: gr.DownloadButton(value=path, interactive=True) for part, path in paths.items()}
    made |= dict.fromkeys(ON_CLICK, gr.Button(interactive=True)) | {"code": take.code}
    with visitor.turn:
        return made if visitor.case is case else {}


def make_paper(visitor: SegmentVisitor) -> Iterator[Updates]:
    """Writes the report as one HTML file."""
    yield from _made(visitor, "paper", "report.html", lambda take: document(take).encode())


def make_zip(visitor: SegmentVisitor) -> Iterator[Updates]:
    """Writes all files of the picture on screen as one zip."""
    yield from _made(visitor, "zip", "all.zip", all_files)


def _made(
    visitor: SegmentVisitor, button: str, ending: str, make: Callable[[Takeaway], bytes]
) -> Iterator[Updates]:
    """Says on the button that a file is being made, and then makes it."""
    with visitor.turn:
        case = visitor.present
    yield {button: gr.Button("Writing …")}
    path = saved(make(_take(case)), f"{safe_name(case.name)}-{ending}")
    yield {button: gr.Button(ON_CLICK[button]), "made": path}


def _take(case: SegmentCase) -> Takeaway:
    return Takeaway(case, case.segment())
