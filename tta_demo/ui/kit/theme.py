"""How the page looks, and what gradio is told when it is launched."""

from pathlib import Path
from typing import Any

import gradio as gr

from tta_demo.ui.kit.events import THREADS
from tta_demo.ui.kit.files import beside
from tta_demo.ui.kit.limits import FILE, GUESTS, VISITORS

__all__ = ["CSS", "JS", "THEME", "launch_options", "scroll_to"]

THEME = gr.themes.Soft(
    primary_hue="indigo",
    neutral_hue="slate",
    font=["system-ui", "sans-serif"],
    font_mono=["ui-monospace", "monospace"],
).set(
    body_text_color_subdued="*neutral_600",
    block_info_text_color="*neutral_600",
    block_label_text_color="*primary_800",
    block_title_text_color="*primary_800",
    button_primary_background_fill="*primary_600",
    button_primary_background_fill_hover="*primary_700",
    button_primary_background_fill_hover_dark="*primary_700",
    checkbox_border_color="*neutral_500",
    checkbox_label_background_fill_selected="*primary_600",
    link_text_color="*primary_700",
)

STYLES = sorted(Path(__file__).parents[1].glob("*/tab.css"))
"""What single tabs add to the page's style."""
CSS = "\n".join([beside(__file__, "page.css"), *(path.read_text() for path in STYLES)])
JS = beside(__file__, "page.js")


def scroll_to(box: str) -> str:
    """Returns a script that brings a box, named by its id, into sight on a phone.

    There the results stand out of sight of who just chose a picture.
    """
    return f"() => ({beside(__file__, 'scroll.js').strip()})('{box}')"


def launch_options() -> dict[str, Any]:
    """Returns the keyword arguments of `Blocks.launch` for a public page."""
    return {
        "theme": THEME,
        "css": CSS,
        "js": JS,
        "max_file_size": FILE,
        "max_threads": THREADS,
        "allowed_paths": [],
        "show_error": False,
        "run_history": False,
        "enable_monitoring": False,
        "pwa": False,
        "ssr_mode": False,
        "footer_links": ["api", "gradio", "settings"],
        "strict_cors": True,
        "state_session_capacity": 2 * (VISITORS + GUESTS),  # never reached: see `serving`
    }
