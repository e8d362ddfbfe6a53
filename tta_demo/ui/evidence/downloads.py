"""What can be taken away from the Evidence tab; made for those who ask."""

import io
import zipfile
from collections.abc import Callable, Iterator

import gradio as gr

from tta_demo.evidence.files import all_files, plan_file, report_file
from tta_demo.ui.evidence.trial import EvidenceVisitor, Finding
from tta_demo.ui.kit.files import saved
from tta_demo.ui.kit.screen import Updates

__all__ = ["LABELS", "make_paper", "make_plan", "make_zip"]

LABELS = {"plan": "Plan (JSON)", "paper": "Report (HTML)", "zip": "All figures and tables (zip)"}


def make_plan(visitor: EvidenceVisitor, option: str) -> Iterator[Updates]:
    """Writes the chosen plan, for the option `--plan`."""
    yield from _made(visitor, "plan", "plan.json", lambda finding: plan_file(
        finding.evidence, option, finding.world.record
    ))  # fmt: skip


def make_paper(visitor: EvidenceVisitor) -> Iterator[Updates]:
    """Writes the report as one HTML file."""
    yield from _made(
        visitor, "paper", "report.html", lambda finding: report_file(finding.evidence)
    )


def make_zip(visitor: EvidenceVisitor) -> Iterator[Updates]:
    """Writes the report, every figure, table and plan as one zip."""
    yield from _made(visitor, "zip", "evidence.zip", _zipped)


def _zipped(finding: Finding) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in all_files(finding.evidence, finding.world.record).items():
            archive.writestr(name, content)
    return file.getvalue()


def _made(
    visitor: EvidenceVisitor, button: str, name: str, make: Callable[[Finding], bytes]
) -> Iterator[Updates]:
    """Says on the button that a file is being made, and then makes it."""
    finding = visitor.shown
    if finding is None:
        raise ValueError("There is no evidence on screen: choose a world, or try it.")
    yield {button: gr.Button("Writing …")}
    path = saved(make(finding), f"{finding.world.name}-{name}")
    yield {button: gr.Button(LABELS[button]), "made": path}
