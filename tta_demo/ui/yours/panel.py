"""Where a visitor brings a model, reads what was understood of it, and corrects that."""

from html import escape
from typing import Any

import gradio as gr

from tta_demo.models.hub import HUB_MENU
from tta_demo.models.onnx_session import MAX_BYTES
from tta_demo.pictures.words import several
from tta_demo.ui.kit.parts import radio
from tta_demo.ui.kit.place import is_public
from tta_demo.ui.kit.screen import Screen, Updates
from tta_demo.ui.yours.classes import lines_of, offered_pairs, text_of
from tta_demo.ui.yours.model import ENDINGS, PIXELS, Own, Reading

__all__ = ["build_panel", "panel_of", "refused", "told", "under_way"]

KINDS = {
    "segment": "An ONNX file, or a checkpoint of our U-Net's parameter names "
    f"({', '.join(ENDINGS['segment'])})",
    "classify": "An ONNX file that gives scores of whole pictures",
}
LIMIT = (
    f"at most {MAX_BYTES / 1e6:.0f} MB. It looks at the picture on stage, stays with you alone, "
    "and goes when you leave."
)
SMALL: dict[str, Any] = {"size": "sm", "min_width": 80}
SWAP = "Left and right"


def build_panel(screen: Screen, task: str, tab: str = "") -> None:
    """Lays out the panel, which is only in sight in the visitor's own world.

    Args:
        screen: gets its parts.
        task: `segment` or `classify`.
        tab: begins the elements' ids.
    """
    whole = gr.Column(visible=False, elem_id=f"{tab}yours", elem_classes=["yours"])
    with whole as screen["own_panel"]:
        gr.Markdown(f"{KINDS[task]}, {LIMIT}", elem_classes=["small"])
        upload = gr.UploadButton(
            "Upload a model",
            file_types=list(ENDINGS[task]),
            variant="primary",
            elem_id=f"{tab}yours-file",
            **SMALL,
        )
        name = _build_menu(task, tab)
        with gr.Row():
            load = gr.Button("Load from the Hub", elem_id=f"{tab}hub-load", **SMALL)
            stop = gr.Button("Stop", elem_id=f"{tab}yours-stop", **SMALL)
        screen.add_fixed(own_file=upload, own_stop=stop, hub_name=name, own_load=load)
        screen["own_told"] = gr.HTML(elem_id=f"{tab}yours-told", elem_classes=["yours-told"])
        _build_swap(screen, tab)
        hidden = gr.Accordion(
            "Not quite right? Correct it", open=False, visible=False, elem_id=f"{tab}yours-reading"
        )
        with hidden as screen["own_reading"]:
            _build_reading(screen, tab)
            _build_classes(screen, task, tab)
    screen["reading"] = Reading


def _build_menu(task: str, tab: str) -> gr.Dropdown:
    """Returns the menu of the Hub; where the page is not for everybody, any name will do."""
    return gr.Dropdown(
        list(HUB_MENU[task]),
        allow_custom_value=not is_public(),
        label="Or one of the Hugging Face Hub",
        info=None if is_public() else "Of the menu, or any other: type OWNER/MODEL.",
        elem_id=f"{tab}hub-name",
    )


def _build_reading(screen: Screen, tab: str) -> None:
    def choice(label: str, names: dict[str, str], name: str) -> gr.Radio:
        return radio(label, names, f"{tab}own-{name}", show_label=True)

    screen["pixels"] = choice("Pixels", dict(zip(PIXELS, PIXELS, strict=True)), "pixels")
    screen["order"] = choice("Colours", {"RGB": "RGB", "BGR": "BGR"}, "order")
    scores = {"logits": "Logits", "probabilities": "Probabilities"}
    screen["scores"] = choice("Its scores are", scores, "scores")
    fit = {"letterbox": "Keep the aspect", "stretch": "Stretch"}
    screen["fit"] = choice("To its fixed size", fit, "fit")


def _build_classes(screen: Screen, task: str, tab: str) -> None:
    colored = task == "segment"
    more = ", and its colour in masks if you like." if colored else "."
    screen["class_names"] = gr.Textbox(
        label="Classes", lines=3, max_lines=12, elem_id=f"{tab}own-classes",
        info=f"One a line: its name{more}",
    )  # fmt: skip
    with gr.Row():
        screen.add_fixed(
            rename=gr.Button("Use these names", elem_id=f"{tab}own-rename", **SMALL),
            own_classes=gr.UploadButton(
                "From JSON" if colored else "From a file",
                file_types=[".json"] if colored else [".json", ".txt"],
                elem_id=f"{tab}own-palette",
                **SMALL,
            ),
        )


def _build_swap(screen: Screen, tab: str) -> None:
    hidden = gr.Accordion(SWAP, open=False, visible=False, elem_id=f"{tab}yours-swap")
    with hidden as screen["own_swap"]:
        screen["swap_pairs"] = gr.Textbox(
            label="Classes that a mirror exchanges", lines=2, max_lines=8,
            placeholder="left_lung = right_lung", elem_id=f"{tab}own-swap",
            info="One pair a line. A mirror shows left as right: there they change places.",
        )  # fmt: skip
        screen.add_fixed(
            exchange=gr.Button("Exchange these", elem_id=f"{tab}own-exchange", **SMALL)
        )


def panel_of(own: Own | None) -> Updates:
    """Returns how the panel stands for a model, or before there is any."""
    if own is None:
        hidden = gr.Accordion(visible=False)
        return {"own_told": "", "own_reading": hidden, "own_swap": hidden}
    pairs, offered = own.record.swap, offered_pairs(own.record)
    return _reading_of(own) | {
        "own_told": told(own),
        "own_reading": gr.Accordion(visible=True),
        "class_names": text_of(own.record),
        "own_swap": gr.Accordion(_swap_title(own), visible=True, open=bool(offered)),
        "swap_pairs": lines_of(pairs or offered),
    }


def _reading_of(own: Own) -> Updates:
    """Returns how a file is read, as far as that is open."""
    if own.file is None:
        return dict.fromkeys(("pixels", "order", "scores", "fit"), gr.Radio(visible=False))
    reading, facts = own.file.reading, own.file.model.facts
    fixed = facts is not None and facts.size is not None
    return {
        "pixels": gr.Radio(value=reading.pixels, visible=True),
        "order": gr.Radio(value=reading.order, visible=True),
        "scores": gr.Radio(value=reading.scores, visible=facts is not None),
        "fit": gr.Radio(value=reading.fit, visible=fixed),
    }


def _swap_title(own: Own) -> str:
    pairs, offered = len(own.record.swap), len(offered_pairs(own.record))
    if pairs:
        return f"{SWAP}: {several(pairs, 'pair')} exchanged"
    return f"{SWAP}: {several(offered, 'pair')} found" if offered else SWAP


def told(own: Own, seconds: float | None = None, more: str = "") -> str:
    """Returns what was understood of a model, and how long it takes for a look, if known."""
    seconds = own.seconds if seconds is None else seconds
    pace = "" if seconds is None else f" {seconds:.2g} s a look."
    name = own.record.label if own.file else own.record.source
    return _said(f"<b>{escape(name)}</b>: {escape(own.record.reading)}.{pace}{more}")


def under_way(text: str, done: int = 0, total: int = 0) -> str:
    """Returns a sign that something goes on, and how far it is if that is known."""
    far = f" value='{done}' max='{total}'" if total else ""
    return _said(f"{escape(text)}<progress aria-label='Progress'{far}></progress>")


def refused(error: Exception) -> str:
    """Returns why something was refused; what is on screen stays."""
    said = getattr(error, "strerror", None) or error  # the whole of an OSError has paths in it
    return f"<p class='refused' role='alert'>Refused: {escape(str(said))}.</p>"


def _said(html: str) -> str:
    return f"<p role='status'>{html}</p>"
