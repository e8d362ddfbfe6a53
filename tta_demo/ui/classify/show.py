"""How a classification becomes what is shown."""

from html import escape

import gradio as gr

from tta_demo.models.record import ModelRecord
from tta_demo.tta.crops import CROP
from tta_demo.ui.classify.case import ClassifyCase
from tta_demo.ui.kit.html import paragraphs
from tta_demo.ui.kit.screen import Updates
from tta_demo.ui.stage import pack_ranking

__all__ = ["EMPTY", "note", "show", "truths"]

EMPTY: Updates = {"ranking": None, "truth": [], "notes": ""}
"""The result without a picture."""


def show(case: ClassifyCase) -> Updates:
    """Returns everything about the case's answer; may run the model."""
    result = case.classify()
    return {
        "ranking": pack_ranking(result, case.subject, case.right),
        "truth": gr.Dropdown(truths(case.record), value=list(case.right or ()), multiselect=True),
        "notes": paragraphs(result.notes),
        "note": note(case.record),
        "examples": gr.Column(elem_classes=[] if case.own is None else ["unmeasured"]),
    }


def truths(record: ModelRecord) -> list[str]:
    """Returns what the truth can be, for a model: its classes, by name."""
    return sorted(record.classes)


def note(record: ModelRecord) -> str:
    """Returns what the model is."""
    told = f"{record.label}: {record.summary} Each look is a square of {CROP} pixels."
    return f"<p class='small'>{escape(told)}</p>"
