"""Where a visitor brings a model, reads what was understood of it, and corrects that."""

from html import escape
from typing import Any

import gradio as gr

from tta_demo.models.onnx_session import MAX_BYTES
from tta_demo.models.own import OWN_ENDINGS
from tta_demo.ui.kit.parts import radio
from tta_demo.ui.kit.screen import Screen, Updates
from tta_demo.ui.yours.model import PIXELS, Own, Reading, text_of

__all__ = ["build_panel", "panel_of", "refused", "told", "under_way"]

INTRO = (
    f"An ONNX file, or a checkpoint of our U-Net's parameter names ({', '.join(OWN_ENDINGS)}), at "
    f"most {MAX_BYTES / 1e6:.0f} MB. It looks at the picture on stage, stays with you alone, and "
    "goes when you leave."
)
SMALL: dict[str, Any] = {"size": "sm", "min_width": 80}


def build_panel(screen: Screen) -> None:
    """Lays out the panel, which is only in sight in the visitor's own world."""
    with gr.Column(visible=False, elem_id="yours") as screen["own_panel"]:
        gr.Markdown(INTRO, elem_classes=["small"])
        with gr.Row():
            screen.add_fixed(
                own_file=gr.UploadButton(
                    "Upload a model",
                    file_types=list(OWN_ENDINGS),
                    variant="primary",
                    elem_id="yours-file",
                    **SMALL,
                ),
                own_stop=gr.Button("Stop", elem_id="yours-stop", **SMALL),
            )
        screen["own_told"] = gr.HTML(elem_id="yours-told")
        hidden = gr.Accordion(
            "Not quite right? Correct it", open=False, visible=False, elem_id="yours-reading"
        )
        with hidden as screen["own_reading"]:
            _build_reading(screen)
    screen["reading"] = Reading


def _build_reading(screen: Screen) -> None:
    how = {"show_label": True}
    orders = ("RGB", "BGR")
    screen["pixels"] = radio("Pixels", dict(zip(PIXELS, PIXELS, strict=True)), "own-pixels", **how)
    screen["order"] = radio("Colours", dict(zip(orders, orders, strict=True)), "own-order", **how)
    scores = {"logits": "Logits", "probabilities": "Probabilities"}
    screen["scores"] = radio("Its scores are", scores, "own-scores", **how)
    fit = {"letterbox": "Keep the aspect", "stretch": "Stretch"}
    screen["fit"] = radio("To its fixed size", fit, "own-fit", **how)
    screen["class_names"] = gr.Textbox(
        label="Classes", lines=3, max_lines=12, elem_id="own-classes",
        info="One a line: its name, and its colour in masks if you like.",
    )  # fmt: skip
    with gr.Row():
        screen.add_fixed(
            rename=gr.Button("Use these names", elem_id="own-rename", **SMALL),
            own_palette=gr.UploadButton(
                "From JSON", file_types=[".json"], elem_id="own-palette", **SMALL
            ),
        )


def panel_of(own: Own | None) -> Updates:
    """Returns how the panel stands for a model, or before there is any."""
    if own is None:
        return {"own_told": "", "own_reading": gr.Accordion(visible=False)}
    reading, facts = own.reading, own.model.facts
    fixed = facts is not None and facts.size is not None
    return {
        "own_told": told(own),
        "own_reading": gr.Accordion(visible=True),
        "pixels": reading.pixels,
        "order": reading.order,
        "scores": gr.Radio(value=reading.scores, visible=facts is not None),
        "fit": gr.Radio(value=reading.fit, visible=fixed),
        "class_names": text_of(own.model.record.palette),
    }


def told(own: Own, seconds: float | None = None, more: str = "") -> str:
    """Returns what was understood of a model, and how long it takes for a look, if known."""
    pace = "" if seconds is None else f" {seconds:.2g} s a look."
    return _said(
        f"<b>{escape(own.path.name)}</b>: {escape(own.model.record.reading)}.{pace}{more}"
    )


def under_way(text: str) -> str:
    """Returns a sign that something goes on."""
    return _said(f"{escape(text)}<progress aria-label='Progress'></progress>")


def refused(error: Exception) -> str:
    """Returns why something was refused; what is on screen stays."""
    return f"<p class='refused' role='alert'>Refused: {escape(str(error))}.</p>"


def _said(html: str) -> str:
    return f"<p role='status'>{html}</p>"
