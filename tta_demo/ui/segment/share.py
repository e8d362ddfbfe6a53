"""The button that copies a link to what is on screen, and keeps the address up to date."""

import gradio as gr

from tta_demo.tta.fusion import FUSIONS
from tta_demo.ui.kit.files import beside
from tta_demo.ui.segment.case import SegmentCase
from tta_demo.ui.segment.link import link_of

__all__ = ["NO_LINK", "share_button", "shared"]

NO_LINK = {"query": "", "without": "There is no picture yet."}
"""The button's value without a picture."""


def share_button(elem_id: str) -> gr.HTML:
    """Returns the button; its value is what `shared` returns, or None before anything is open.

    The script adds the stage's mode, which the server does not know.
    """
    return gr.HTML(
        html_template=(
            '<button type="button" class="copy">Copy link</button>'
            '<span class="told" role="status"></span>'
        ),
        js_on_load=beside(__file__, "share.js"),
        elem_id=elem_id,
    )


def shared(case: SegmentCase) -> dict[str, str]:
    """Returns the link's `query`, empty where there can be none, and what it goes `without`.

    Only what everybody has can be in a link: nothing that a visitor brings is stored.
    """
    if case.own is not None:
        return {"query": "", "without": "Your own model stays with you: no link can carry it."}
    link = link_of(case)
    if link is None:
        return {"query": "", "without": "Your own picture stays with you: no link can carry it."}
    weighted = FUSIONS[case.settings.fusion].weighted
    own = [("mask", case.own_mask), ("weights", weighted and case.file is not None)]
    without = " and ".join(f"your own {what}" for what, brought in own if brought)
    told = without and f"It goes without {without}."
    if link.fusion != case.settings.fusion:
        told += " There all looks count the same."
    return {"query": link.query(), "without": told}
